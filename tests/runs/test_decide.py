from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from chains import Chain

from geomatch.core.errors import ConfigError, DataError
from geomatch.runs.decide import decide_run
from geomatch.runs.promise import promise_lines
from geomatch.runs.results import open_run, read_run


def test_the_same_precision_gives_the_same_decisions(chain: Chain, tmp_path: Path) -> None:
    asked = read_run(chain.out)["options"]["decisions"]["precision"]
    told = decide_run(chain.out, tmp_path / "again", precision=asked)
    before, after = open_run(chain.out).decisions, open_run(tmp_path / "again").decisions
    pd.testing.assert_frame_equal(before, after[before.columns])
    assert told["levels"] == read_run(chain.out)["levels"]
    candidates = "candidates.parquet"
    assert (tmp_path / "again" / candidates).read_bytes() == (chain.out / candidates).read_bytes()


def test_asking_for_more_codes_less_and_back_again_the_same(chain: Chain, tmp_path: Path) -> None:
    decide_run(chain.out, tmp_path / "strict", precision=0.995)
    decide_run(tmp_path / "strict", tmp_path / "lax", precision=0.7)
    decide_run(chain.out, tmp_path / "direct", precision=0.7)
    strict, lax, direct = (open_run(tmp_path / n).decisions for n in ("strict", "lax", "direct"))
    auto = [set(np.flatnonzero(t["decision"] == "auto")) for t in (strict, lax)]
    assert auto[0] < auto[1]
    pd.testing.assert_frame_equal(lax, direct)
    np.testing.assert_array_equal(strict["probability"], lax["probability"])
    # whoever is not coded any more is of the type that doubts have, with its reason
    gone = strict.loc[sorted(auto[1] - auto[0])]
    assert (gone["type"] == gone["doubt"]).all()
    assert (strict.loc[sorted(auto[0]), "type"] == "sure").all()


def test_a_threshold_or_one_level_by_itself(chain: Chain, tmp_path: Path) -> None:
    decide_run(chain.out, tmp_path / "t", threshold=0.6)
    rows = open_run(tmp_path / "t").decisions
    expected = (rows["probability"] >= 0.6) & (rows["doubt"] != "abroad")
    assert ((rows["decision"] == "auto") == expected).all()
    decide_run(chain.out, tmp_path / "site", precision=0.99, level="site")
    before, after = read_run(chain.out)["levels"], read_run(tmp_path / "site")["levels"]
    assert after["siret"] == before["siret"]
    assert after["site"]["threshold"] >= before["site"]["threshold"]
    decide_run(chain.out, tmp_path / "naf", level="naf", threshold=0.3)
    naf = open_run(tmp_path / "naf").decisions
    assert ((naf["naf_decision"] == "auto") == (naf["naf_probability"] >= 0.3)).all()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "--precision or --threshold"),
        ({"precision": 0.9, "threshold": 0.9}, "one of them"),
        ({"precision": 1.2}, "between 0 and 1"),
        ({"precision": 0.9, "level": "street"}, "expected siret, site, siren or naf"),
    ],
)
def test_what_makes_no_sense_is_refused(
    chain: Chain, tmp_path: Path, asked: dict[str, float | str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        decide_run(chain.out, tmp_path / "no", **asked)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="the run itself"):
        decide_run(chain.out, chain.out, precision=0.9)


def test_a_run_of_an_earlier_version_says_what_it_lacks(chain: Chain, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("candidates.parquet", "run.json"):
        (old / name).write_bytes((chain.out / name).read_bytes())
    table = pq.read_table(chain.out / "decisions.parquet").drop_columns(["presence", "facts"])
    pq.write_table(table, old / "decisions.parquet")
    with pytest.raises(DataError, match=r"lacks presence, facts.*match again"):
        decide_run(old, tmp_path / "new", precision=0.9)


# ------------------------------------------------------------------ what a run promises
def test_the_end_of_a_run_tells_what_to_expect(chain: Chain) -> None:
    told = "\n".join(promise_lines(read_run(chain.out), "resultats"))
    rows = open_run(chain.out).decisions
    counts = rows["decision"].value_counts()
    assert f"{counts['auto']} codés automatiquement" in told
    assert "attendue de ce fichier" in told
    for level in ("SIRET", "entreprise dans la commune", "SIREN", "NAF"):
        assert level in told
    assert "n'ont sans doute pas d'établissement dans cette base" in told
    auto = rows.loc[rows["decision"] == "auto", "probability"]
    expected = read_run(chain.out)["levels"]["siret"]
    assert expected["expected_precision"] == pytest.approx(auto.mean(), abs=1e-6)
    assert expected["low"] < expected["expected_precision"] < expected["high"]


def test_what_was_not_learned_or_is_under_what_was_asked_is_warned_of(chain: Chain) -> None:
    description = json.loads(json.dumps(read_run(chain.out)))
    description["unusual"] = {"same_name": 0.02}
    description["levels"]["siret"]["expected_precision"] = 0.5
    told = promise_lines(description, "resultats")[-1]
    assert "« même nom »" in told
    assert "geomatch audit resultats" in told
    assert "50,0 %" in told
