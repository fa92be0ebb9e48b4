from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain
from rich.console import Console

from geomatch.core.errors import ConfigError, DataError
from geomatch.explain.story import explain


def story(run: Path, bulletin: str) -> str:
    screen = Console(file=io.StringIO(), width=200)
    explain(run, bulletin, screen)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.fixture(scope="module")
def decisions(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.out / "decisions.parquet").set_index("id")


def test_a_coded_bulletin_tells_what_was_written_found_and_why(
    chain: Chain, decisions: pd.DataFrame
) -> None:
    coded = decisions[decisions["decision"] == "auto"].iloc[0]
    told = story(chain.out, coded.name)
    assert str(coded.name) in told
    assert "codé automatiquement" in told
    assert coded["siret"] in told
    assert coded["reason"] in told
    assert f"{coded['probability']:.3f}".replace(".", ",") in told
    written = pd.read_csv(chain.files.bulletins, sep=";", encoding="latin-1", dtype=str)
    row = written.set_index("CABBI").loc[coded.name]
    assert row["RS_X"].strip() in told


@pytest.mark.parametrize("decision", ["auto", "review", "none"])
def test_every_kind_of_decision_can_be_told(
    chain: Chain, decisions: pd.DataFrame, decision: str
) -> None:
    some = decisions[decisions["decision"] == decision].index[:5]
    assert len(some)
    for bulletin in some:
        told = story(chain.out, bulletin)
        assert "Décision" in told
        assert "nan" not in told.lower().split()
        assert "None" not in told


def test_a_bulletin_without_any_candidate_can_be_told(
    chain: Chain, decisions: pd.DataFrame, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(chain.out, tmp_path / "run"))
    candidates = pd.read_parquet(run / "candidates.parquet")
    bulletin = decisions.index[0]
    candidates[candidates["id"] != bulletin].to_parquet(run / "candidates.parquet")
    assert "Candidats" not in story(run, bulletin)


def test_a_run_whose_bulletins_file_is_gone_is_told_without_it(
    chain: Chain, decisions: pd.DataFrame, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(chain.out, tmp_path / "run"))
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    content["input"]["path"] = "/nowhere/bulletins.csv"
    (run / "run.json").write_text(json.dumps(content), encoding="utf-8")
    assert "/nowhere/bulletins.csv" in story(run, decisions.index[0])


def test_an_unknown_bulletin_and_a_folder_of_no_results_are_refused(
    chain: Chain, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="--id"):
        story(chain.out, "no such one")
    with pytest.raises(DataError):
        story(tmp_path, "1")


def test_what_was_written_stands_beside_what_was_understood(
    chain: Chain, decisions: pd.DataFrame
) -> None:
    coded = decisions[(decisions["decision"] == "auto") & (decisions["margin"] > 0.5)]
    told = story(chain.out, coded.index[0])
    assert "tel qu'écrit" in told
    assert "tel que compris" in told
    assert "Rejoué sans les autres bulletins : même candidat" in told


def test_why_not_the_second_is_told_in_words(chain: Chain) -> None:
    candidates = pd.read_parquet(chain.out / "candidates.parquet")
    second = candidates[candidates["rank"] == 2].iloc[0]
    told = story(chain.out, second["id"])
    assert f"le second ({second['siret']}" in told
    assert "contre" in told


def test_a_store_built_again_or_options_of_another_version_are_not_replayed(
    chain: Chain, decisions: pd.DataFrame, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(chain.out, tmp_path / "run"))
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    coded = decisions[decisions["decision"] == "auto"].index[0]
    changed = [
        {"store": {**content["store"], "manifest_sha256": "0"}},
        {"options": {**content["options"], "old_option": 1}},
    ]
    for change in changed:
        (run / "run.json").write_text(json.dumps({**content, **change}), encoding="utf-8")
        told = story(run, coded)
        assert "Rejeu impossible" in told
        assert decisions.loc[coded, "siret"] in told
