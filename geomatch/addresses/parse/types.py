"""Types of street that are written with a slip or run into the name."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

#: Types looked for behind a house number; rarer ones are not worth a false alarm.
_COMMON = (
    "RUE",
    "AVENUE",
    "BOULEVARD",
    "PLACE",
    "ALLEE",
    "IMPASSE",
    "CHEMIN",
    "ROUTE",
    "SQUARE",
    "PASSAGE",
    "COURS",
    "QUAI",
    "SENTIER",
    "RUELLE",
    "FAUBOURG",
    "ESPLANADE",
    "PROMENADE",
    "CARREFOUR",
    "VOIE",
    "VILLA",
)
_GLUED = re.compile(
    "^(?P<type>AVENUE|BOULEVARD|IMPASSE|CHEMIN|SQUARE|PASSAGE|PLACE|ALLEE|ROUTE|QUAI|RUE(?!LLE|IL)"
    "|AV|BD)(?P<name>(?:DE|DU|D|L|SAINT|J|M)[A-Z]{3,}|(?<!AV)(?<!BD)[A-Z]{5,})$"
)


@lru_cache(maxsize=50_000)
def misspelt_type(word: str) -> str:
    """The common type that a word is one slip away from (two when it is long), else ''."""
    best, distance = "", 3
    for kind in _COMMON:
        if word[:1] != kind[:1] and word[1:2] != kind[1:2]:
            continue
        allowed = 0 if len(word) < 3 else 1 if len(kind) < 7 else 2
        found = OSA.distance(word, kind, score_cutoff=allowed)
        if found <= allowed and found < distance:
            best, distance = kind, found
    return best


@lru_cache(maxsize=50_000)
def glued_type(word: str) -> tuple[str, str] | None:
    """``RUEDELAPAIX`` → (``RUE``, ``DELAPAIX``); None when no type begins the word."""
    if len(word) < 7:
        return None
    found = _GLUED.match(word)
    return (found["type"], found["name"]) if found else None
