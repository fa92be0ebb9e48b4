"""What one bulletin costs: counted, for clocks tell more of the machine than of the code."""

from __future__ import annotations

import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from registers import register, write_store

from geomatch import Matcher
from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.store.reader import Store
from geomatch.training.train import UNTRAINED

#: DataFrames that one bulletin may make: its names and the two tables of the result, some of
#: them in a few pieces.
MOST_FRAMES = 10
#: Calls of Python functions for one bulletin, the median: twice what there are.
MOST_CALLS = 25_000
#: Establishments that a register has more of than another, far from the bulletin.
FAR_AWAY = 4_000


@pytest.fixture(scope="module")
def ones(chain: Chain) -> list[pd.DataFrame]:
    bulletins = read_bulletins(chain.files.bulletins).head(12)
    return [bulletins.iloc[[i]].reset_index(drop=True) for i in range(len(bulletins))]


@pytest.fixture(scope="module")
def matcher(chain: Chain, ones: list[pd.DataFrame]) -> Matcher:
    """A matcher that has loaded all it needs."""
    matcher = Matcher.open(chain.store, chain.config)
    matcher.match_bulletins(pd.concat(ones, ignore_index=True))
    return matcher


def test_one_bulletin_makes_hardly_a_dataframe(
    matcher: Matcher, ones: list[pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[str] = Counter()
    monkeypatch.setattr(pd.DataFrame, "__init__", _counted(pd.DataFrame.__init__, made))
    for one in ones:
        made.clear()
        matcher.match_bulletins(one)
        assert made["__init__"] <= MOST_FRAMES


def test_one_bulletin_calls_few_functions(matcher: Matcher, ones: list[pd.DataFrame]) -> None:
    calls = [_calls(lambda one=one: matcher.match_bulletins(one)) for one in ones]
    assert np.median(calls) <= MOST_CALLS


def test_one_bulletin_needs_no_more_memory_for_a_longer_register(tmp_path: Path) -> None:
    """Whatever is as long as the register is made once, not by each call."""
    near = {"denomination": "GALANT", "type_voie": "RUE", "nom_voie": "DES PINS", "naf": "10.71C"}
    far = [
        {"denomination": f"FAR{i:05d}", "siren": f"{i:09d}", "code_commune": "96005"}
        for i in range(2 * FAR_AWAY)
    ]
    asked = pd.DataFrame(
        {
            "id": ["1"],
            "raison_sociale": ["GALANT"],
            "adresse": ["2 rue des Pins"],
            "commune": ["VALBRUNE"],
            "activite": ["BOULANGERIE"],
        }
    )
    needed = []
    for n in (FAR_AWAY, 2 * FAR_AWAY):
        write_store(tmp_path / str(n), register(near, *far[:n]))
        matcher = Matcher(Store.open(tmp_path / str(n)), Config(), UNTRAINED)
        for _ in range(2):
            assert len(matcher.match(asked).candidates) == 1
        needed.append(_peak_bytes(lambda matcher=matcher: matcher.match(asked)))
    assert needed[1] - needed[0] < FAR_AWAY


def _counted(function: Callable[..., Any], made: Counter[str]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        made[function.__name__] += 1
        return function(*args, **kwargs)

    return counted


def _calls(function: Callable[[], object]) -> int:
    """Calls of Python functions while one runs."""
    n = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal n
        n += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return n


def _peak_bytes(function: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
