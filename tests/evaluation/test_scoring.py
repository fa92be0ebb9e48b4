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
from geomatch.evaluation import read_truth
from geomatch.evaluation.scoring import Asked, evaluate_run, evaluate_runs


@pytest.fixture
def screen() -> Console:
    return Console(file=io.StringIO(), width=160)


def shown(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.fixture
def copy(chain: Chain, tmp_path: Path) -> Path:
    """The run in a folder of its own, to be spoilt."""
    return Path(shutil.copytree(chain.out, tmp_path / "copy"))


def change(run: Path, path: list[str], value: object) -> None:
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    at = content
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    (run / "run.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_run_is_measured_against_its_truth(chain: Chain) -> None:
    truth = read_truth(chain.files.truth)
    figures = evaluate_run(chain.out, truth).as_dict()
    decisions = pd.read_parquet(chain.out / "decisions.parquet")
    known = truth.set_index("id")["siret"].reindex(decisions["id"]).fillna("").to_numpy()
    is_auto = (decisions["decision"] == "auto").to_numpy()
    right = decisions["siret"].fillna("?").to_numpy() == known
    assert figures["n"] == len(decisions)
    assert figures["coding_rate"] == pytest.approx(is_auto.mean())
    assert figures["precision"] == pytest.approx(right[is_auto].mean())


def test_each_level_of_an_answer_is_measured(chain: Chain) -> None:
    truth = read_truth(chain.files.truth)
    levels = evaluate_run(chain.out, truth).as_dict()["levels"]
    decisions = pd.read_parquet(chain.out / "decisions.parquet").set_index("id")
    known = truth.set_index("id")["siret"].reindex(decisions.index).fillna("")
    coded = decisions["answer_level"].isin(["siret", "site", "siren"])
    right = (decisions["siret"].fillna("?").str[:9] == known.str[:9]) & (known != "")
    assert levels["siren"]["coding_rate"] == pytest.approx(coded.mean())
    assert levels["siren"]["precision"] == pytest.approx(right[coded].mean())
    assert levels["site"]["coding_rate"] <= levels["siren"]["coding_rate"]
    assert levels["site"]["top1"] <= levels["siren"]["top1"]
    assert 0 < levels["site"]["coverage_90"] <= 1


def test_a_truth_of_sirets_only_gets_its_activities_from_the_store(chain: Chain) -> None:
    whole = read_truth(chain.files.truth)
    bare = whole.assign(naf="")
    one, other = (evaluate_run(chain.out, t).as_dict() for t in (whole, bare))
    assert one == other


def test_strata_come_from_results_or_from_the_bulletins_file(chain: Chain) -> None:
    truth = read_truth(chain.files.truth)
    for column in ("geocode_level", "mode_collecte", "TYPCOL"):
        evaluation = evaluate_run(chain.out, truth, by=[column])
        assert evaluation.strata_tables()


def test_a_stratum_that_nobody_knows_is_refused(chain: Chain) -> None:
    with pytest.raises((ConfigError, DataError), match="NO_SUCH"):
        evaluate_run(chain.out, read_truth(chain.files.truth), by=["NO_SUCH"])


def test_a_run_is_measured_without_its_bulletins_file_and_store(chain: Chain, copy: Path) -> None:
    change(copy, ["input", "path"], "/nowhere/bulletins.csv")
    change(copy, ["store", "path"], "/nowhere/store")
    truth = read_truth(chain.files.truth)
    assert evaluate_run(copy, truth).as_dict()["top1"] == pytest.approx(
        evaluate_run(chain.out, truth).as_dict()["top1"]
    )


def test_one_run_is_shown_as_a_table_and_several_side_by_side(
    chain: Chain, copy: Path, screen: Console
) -> None:
    evaluate_runs([chain.out], chain.files.truth, screen)
    one = shown(screen)
    assert "meilleur candidat juste" in one
    evaluate_runs([chain.out, copy], chain.files.truth, screen)
    both = shown(screen)[len(one) :]
    assert "copy" in both
    assert chain.out.name in both


def test_json_is_one_object_for_one_run_and_one_for_each_of_several(
    chain: Chain, copy: Path, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate_runs([chain.out], chain.files.truth, screen, Asked(as_json=True))
    one = json.loads(capsys.readouterr().out)
    evaluate_runs([chain.out, copy], chain.files.truth, screen, Asked(as_json=True))
    both = json.loads(capsys.readouterr().out)
    assert both == {"runs": {chain.out.name: one, "copy": one}}
    assert shown(screen) == ""


def test_runs_of_one_name_are_told_apart_by_their_paths(
    chain: Chain, copy: Path, tmp_path: Path, screen: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = shutil.copytree(copy, tmp_path / "other" / copy.name)
    evaluate_runs([copy, twin], chain.files.truth, screen, Asked(as_json=True))
    assert set(json.loads(capsys.readouterr().out)["runs"]) == {str(copy), str(twin)}


def test_a_report_is_written_and_its_place_told(
    chain: Chain, tmp_path: Path, screen: Console
) -> None:
    report = tmp_path / "rapport.html"
    evaluate_runs([chain.out], chain.files.truth, screen, Asked(report=report))
    assert "<html" in report.read_text(encoding="utf-8")
    assert str(report) in shown(screen).replace("\n", "")


@pytest.mark.parametrize("name", ["decisions.parquet", "candidates.parquet", "run.json"])
@pytest.mark.parametrize("content", [None, b"", b"PAR1 half", b"{"])
def test_a_folder_that_lacks_a_result_or_holds_a_damaged_one_is_refused(
    chain: Chain, copy: Path, name: str, content: bytes | None
) -> None:
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        evaluate_run(copy, read_truth(chain.files.truth))
