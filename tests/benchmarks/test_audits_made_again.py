"""Audits made again and again on made-up answers: what is sworn to is kept."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
REPLICATES = 60


@pytest.fixture
def audits(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("audit")


def answers(too_sure: float) -> pd.DataFrame:
    """Answers of a machine that expects one error where there are `too_sure`."""
    rng = np.random.default_rng(1)
    p = rng.beta(8.0, 0.4, 4000)
    right = rng.random(4000) >= np.minimum(too_sure * (1.0 - p), 1.0)
    return pd.DataFrame({"id": [str(n) for n in range(4000)], "p_siret": p, "right_siret": right})


@pytest.mark.parametrize(("clerks", "error"), [(1, 0.0), (2, 0.05)])
@pytest.mark.parametrize("too_sure", [1.0, 2.5])
def test_what_is_sworn_to_is_kept(audits: Any, too_sure: float, clerks: int, error: float) -> None:
    case = audits.Case("made up", "siret", 400, clerks, error)
    told = audits.audited(answers(too_sure), case, REPLICATES)
    assert told["valid"] >= 0.9
    assert 0.5 <= told["of_oracle"] <= 1.05


def test_careless_clerks_who_are_believed_swear_to_what_is_not_so(audits: Any) -> None:
    """The measure sees it: one clerk is believed, who is always wrong."""
    frame = answers(6.0)
    swapped = frame.assign(right_siret=~frame["right_siret"])
    told = audits.audited(swapped, audits.Case("made up", "siret", 400, 1, 1.0), REPLICATES)
    assert told["valid"] < 0.9
