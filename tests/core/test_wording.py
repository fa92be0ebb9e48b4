from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from geomatch.core import wording
from geomatch.core.wording import (
    DECISIONS,
    LEVELS,
    chance,
    decimal,
    integer,
    interval,
    metres,
    percent,
    points,
)

PACKAGE = Path(wording.__file__).parents[1]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (decimal(0.8734), "0,873"),
        (decimal(-1.236, 2, signed=True), "-1,24"),
        (decimal(1.236, 2, signed=True), "+1,24"),
        (integer(20_000), "20\u202f000"),
        (percent(0.8123), "81,2 %"),
        (percent(0.8123, 0), "81 %"),
        (percent(math.nan), "–"),
        (interval(0.8057, 0.8182), "80,6 – 81,8"),
        (points(0.0123), "+1,2"),
        (points(-0.0123), "\u22121,2"),
        (points(-0.0001), "0,0"),
        (chance(0.873), "87\u00a0%"),
        (chance(0.9999), "99,9\u00a0%"),
        (chance(1.0), "100\u00a0%"),
        (chance(0.001), "< 1\u00a0%"),
        (chance(math.nan), "–"),
        (metres(35.2), "35\u00a0m"),
        (metres(1240.0), "1,2\u00a0km"),
        (metres(math.nan), "–"),
    ],
)
def test_numbers_as_french_readers_write_them(told: str, text: str):
    assert told == text


def test_every_decision_and_level_has_its_words():
    assert set(DECISIONS) >= {"auto", "review", "none"}
    assert all(all(words) for words in (*DECISIONS.values(), *LEVELS.values()))


#: Ways to write a French number that only :mod:`geomatch.core.wording` may use.
OWN_NUMBERS = re.compile(r"""replace\("\.", ","\)|f"\{[^"{}]*:\.\df\} ?%""")


@pytest.mark.parametrize(
    "path", sorted(p for p in PACKAGE.rglob("*.py") if p.name != "wording.py"), ids=lambda p: p.stem
)
def test_no_other_module_writes_french_numbers(path: Path):
    assert OWN_NUMBERS.findall(path.read_text(encoding="utf-8")) == []


def test_the_check_sees_what_it_looks_for():
    assert OWN_NUMBERS.search('f"{100 * share:.1f} %"')
    assert OWN_NUMBERS.search('text.replace(".", ",")')
