from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from commands import Commands
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from geomatch.core.errors import ConfigError, DataError
from geomatch.evaluation.workload import (
    asked_precision,
    record,
    run_workloads,
    sentence,
    workload,
    workload_table,
)


@pytest.fixture
def copy(chain: Chain, tmp_path: Path) -> Path:
    return Path(shutil.copytree(chain.out, tmp_path / "copy"))


def some(probability: list[float], decision: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"decision": decision, "probability": probability})


def test_bulletins_and_weeks_counted_by_hand() -> None:
    decided = some([0.99, 0.95, 0.5, 0.3, 0.0], ["auto", "auto", "review", "review", "none"])
    got = workload(decided, 0.95, 0.9, pace=0.1)
    assert (got.n, got.n_auto, got.n_review, got.n_none) == (5, 2, 2, 1)
    assert got.coding_rate.value == pytest.approx(2 / 5)
    assert got.precision.value == pytest.approx(0.97)
    assert got.clerk_weeks == pytest.approx(2 / 0.1 / 5)


def test_nothing_coded_promises_nothing() -> None:
    got = workload(some([0.4], ["review"]), 0.98, 1.01)
    assert np.isnan(got.precision.value)
    assert got.as_dict()["expected_precision"]["value"] is None
    assert got.n_review == 1


@pytest.mark.parametrize("pace", [0.0, -1.0, float("nan")])
def test_a_pace_of_nothing_is_refused(pace: float) -> None:
    with pytest.raises(ConfigError, match="--pace"):
        workload(some([0.4], ["review"]), 0.95, 0.9, pace=pace)


@given(
    st.lists(st.floats(0, 1), max_size=30),
    st.floats(0, 1.01),
    st.floats(0, 1.01),
)
def test_a_higher_threshold_never_codes_more(p: list[float], one: float, other: float) -> None:
    decided = some(p, ["none" if x < 0.2 else "review" for x in p])
    low, high = (workload(decided, 0.9, t) for t in sorted((one, other)))
    assert high.n_auto <= low.n_auto
    for got in (low, high):
        assert got.n_auto + got.n_review + got.n_none == got.n == len(p)


def test_a_run_is_told_at_the_precision_asked_and_at_others(chain: Chain) -> None:
    found = run_workloads(chain.out)
    asked = next(w for w in found if w.target == asked_precision(chain.out))
    decisions = pd.read_parquet(chain.out / "decisions.parquet")
    assert asked.n_auto == (decisions["decision"] == "auto").sum()
    assert asked.n_review == (decisions["decision"] == "review").sum()
    assert [w.n_auto for w in found] == sorted((w.n_auto for w in found), reverse=True)


def test_run_json_keeps_what_it_held_and_gains_the_workload(copy: Path) -> None:
    before = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    found = run_workloads(copy, pace=100)
    record(copy, found, pace=100)
    after = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    told = after.pop("workload")
    assert after == before
    assert told["pace"] == 100
    assert [w["n_review"] for w in told["precisions"]] == [w.n_review for w in found]


def test_a_damaged_result_is_refused(copy: Path) -> None:
    (copy / "decisions.parquet").write_bytes(b"PAR1 half")
    with pytest.raises(DataError, match=r"decisions\.parquet"):
        run_workloads(copy)


def test_the_screen_tells_the_same_in_french(chain: Chain) -> None:
    found = run_workloads(chain.out)
    screen = Console(file=io.StringIO(), width=160)
    screen.print(workload_table(found, 0.95))
    assert isinstance(screen.file, io.StringIO)
    shown = screen.file.getvalue()
    for one in found:
        assert f"{one.clerk_weeks:.1f}".replace(".", ",") in shown
        assert str(one.n_review) in sentence(one)


def test_match_tells_the_workload_on_stderr_when_asked(
    chain: Chain, commands: Commands, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = ("match", chain.files.bulletins, "--store", chain.store, "--model", chain.model)
    ran = commands(*asked, "--out", out, "--clerks-hours", "--pace", "65")
    assert ran.code == 0
    assert "Charge de reprise, à 65" in ran.err
    assert ran.out.strip() == str(out)
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["workload"]["pace"] == 65
    quiet = commands(*asked, "--out", tmp_path / "quiet")
    assert "Charge" not in quiet.err
    assert commands(*asked, "--out", out, "--pace", "0").code == 2
