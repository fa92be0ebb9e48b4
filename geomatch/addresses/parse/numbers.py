"""House numbers: what is written, and how two repetitions compare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"^0*(?P<n>\d{1,5})(?P<rep>[A-Z]{1,9}\d{0,2})?$")
#: Repetitions that are words: written → in full.
REPETITIONS: Mapping[str, str] = {
    "bis": "bis",
    "ter": "ter",
    "quater": "quater",
    "quat": "quater",
    "qter": "quater",
    "qua": "quater",
    "qte": "quater",
    "quinquies": "quinquies",
    "quinquie": "quinquies",
    "quinq": "quinquies",
    "quin": "quinquies",
    "sexies": "sexies",
    "septies": "septies",
    "octies": "octies",
}
#: The letter that is written for such a word, and the other way round. A street may have both:
#: then they are two doors.
_LETTERS: Mapping[str, str] = {"bis": "b", "ter": "t", "quater": "q", "quinquies": "c"}


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


def full_repetition(rep: str) -> str:
    """``qua`` and ``qte`` are ``quater``; a letter is itself."""
    return REPETITIONS.get(rep, rep)


def rep_letter(rep: str) -> str:
    """The letter that may stand for a repetition: ``bis`` and ``b`` give ``b``, ``abis`` ``a``."""
    full = full_repetition(rep)
    if len(full) > 3 and full[1:] in REPETITIONS:
        return full[0]
    return _LETTERS.get(full, full)
