"""« Pourquoi pas ce SIRET ? »: every stage that can lose an establishment says its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain
from commands import Commands

from geomatch.core.errors import ConfigError
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.demo.identifiers import siren_number, siret_number
from geomatch.explain.why_not import STAGES, why_not
from geomatch.store.reader import Store


@pytest.fixture(scope="module")
def decisions(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.out / "decisions.parquet").set_index("id")


@pytest.fixture(scope="module")
def candidates(chain: Chain) -> pd.DataFrame:
    return pd.read_parquet(chain.out / "candidates.parquet")


def test_the_one_that_was_chosen_and_the_one_that_was_not_sure(
    chain: Chain, decisions: pd.DataFrame
) -> None:
    coded = decisions[decisions["decision"] == "auto"].iloc[0]
    assert why_not(chain.out, coded.name, coded["siret"]).stage == "chosen"
    doubtful = decisions[(decisions["decision"] == "review") & decisions["siret"].notna()].iloc[0]
    found = why_not(chain.out, doubtful.name, doubtful["siret"])
    assert (found.stage, found.rank) == ("decision", 1)
    assert found.probability == pytest.approx(doubtful["probability"], abs=1e-6)
    assert found.facts["motif"] == doubtful["reason"]


def test_one_that_is_outranked_tells_by_how_much_and_of_what(
    chain: Chain, decisions: pd.DataFrame, candidates: pd.DataFrame
) -> None:
    bulletin = decisions[decisions["decision"] == "auto"].index[0]
    last = candidates[candidates["id"] == bulletin].sort_values("rank").iloc[-1]
    found = why_not(chain.out, bulletin, last["siret"])
    assert (found.stage, found.rank) == ("ranking", last["rank"])
    assert found.first_siret == decisions.at[bulletin, "siret"]
    assert found.pull > 0
    assert found.pull == pytest.approx(sum(e.pull for e in found.evidence))


def test_one_that_the_run_did_not_keep_is_looked_for_again(
    chain: Chain, decisions: pd.DataFrame, candidates: pd.DataFrame
) -> None:
    bulletin = decisions[decisions["decision"] == "auto"].index[0]
    kept = set(candidates.loc[candidates["id"] == bulletin, "siret"])
    every = Store.open(chain.store).departement(STORE_ESTABLISHMENTS, "96")["siret"]
    others = [s for s in every if s not in kept][::40][:8]
    found = [why_not(chain.out, bulletin, s) for s in others]
    stages = {f.stage for f in found}
    assert stages <= {"candidates", "first_sort", "kept"}
    for one in found:
        assert one.facts["départements cherchés"] == "96"
        assert one.reason == STAGES[one.stage]
        assert one.stage == "candidates" or one.evidence


def test_one_that_the_register_has_not_and_one_that_is_none(
    chain: Chain, decisions: pd.DataFrame
) -> None:
    stranger = siret_number(siren_number(987_654_32), 1)
    assert why_not(chain.out, decisions.index[0], stranger).stage == "register"
    with pytest.raises(ConfigError, match="14 digits"):
        why_not(chain.out, decisions.index[0], "123")
    with pytest.raises(ConfigError, match="--id"):
        why_not(chain.out, "nobody", stranger)


def test_without_the_bulletins_file_a_lost_one_stays_unknown(
    chain: Chain, decisions: pd.DataFrame, candidates: pd.DataFrame, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(chain.out, tmp_path / "run"))
    content = json.loads((run / "run.json").read_text(encoding="utf-8"))
    content["input"]["path"] = "/nowhere/bulletins.csv"
    (run / "run.json").write_text(json.dumps(content), encoding="utf-8")
    bulletin = decisions.index[0]
    kept = set(candidates.loc[candidates["id"] == bulletin, "siret"])
    every = Store.open(chain.store).departement(STORE_ESTABLISHMENTS, "96")["siret"]
    lost = next(s for s in every if s not in kept)
    assert why_not(run, bulletin, lost).stage == "unknown"


def test_the_command_says_it_in_words_and_as_json(
    chain: Chain, decisions: pd.DataFrame, candidates: pd.DataFrame, commands: Commands
) -> None:
    bulletin = decisions[decisions["decision"] == "auto"].index[0]
    second = candidates[(candidates["id"] == bulletin) & (candidates["rank"] == 2)]["siret"].iloc[0]
    ran = commands("explain", chain.out, "--id", bulletin, "--siret", second)
    assert ran.code == 0
    assert f"Pourquoi pas {second} ?" in ran.out
    told = json.loads(
        commands("explain", chain.out, "--id", bulletin, "--siret", second, "--json").out
    )
    assert (told["stage"], told["rank"]) == ("ranking", 2)
    assert told["evidence"][0]["facts"]
    story = json.loads(commands("explain", chain.out, "--id", bulletin, "--json").out)
    assert story["decision"]["siret"] == decisions.at[bulletin, "siret"]
    assert story["candidates"][1]["siret"] == second
