"""House numbers: what is written, and how two repetitions compare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"^0*(?P<n>\d{1,5})(?P<rep>[A-Z]{1,8}\d{0,2})?$")
#: One letter stands for the Latin word, and the other way round: both are the same door.
REP_LETTERS = {"bis": "b", "ter": "t", "quater": "q", "quinquies": "c", "sexies": "s"}


class HouseNumber(NamedTuple):
    """A number without leading zeros and its repetition in lower case; both may be empty."""

    numero: str
    rep: str


@lru_cache(maxsize=100_000)
def read_number(word: str) -> HouseNumber:
    """``"0012B"`` → (``"12"``, ``"b"``); what is no number, or zero, gives two empty texts."""
    found = _NUMBER.match(word)
    if found is None or not found["n"].strip("0"):
        return HouseNumber("", "")
    return HouseNumber(found["n"], (found["rep"] or "").lower())


def whole_numbers(texts: Iterable[str], absent: int = 0) -> NDArray[np.int64]:
    """House numbers of address parts as integers; `absent` where there is none."""
    return np.array([int(t) if t.isdecimal() else absent for t in texts], dtype=np.int64)


def rep_letter(rep: str) -> str:
    """The form two repetitions are compared in: ``bis`` and ``b`` are one."""
    return REP_LETTERS.get(rep, rep)
