"""Types of street that are written with a slip or run into the name."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from geomatch.core.street_types import street_type_table

#: Words that begin like a type run into a name.
_NO_NAMES = ("RUELLE", "RUEIL")


@cache
def _common() -> tuple[str, ...]:
    """Types looked for behind a house number; rarer ones are not worth a false alarm."""
    return tuple(t.name for t in street_type_table().types.values() if t.is_common)


@cache
def _glued() -> re.Pattern[str]:
    """A type and a name run together; behind an abbreviation only what begins like a name."""
    forms = sorted(street_type_table().glued, key=lambda form: (-len(form), form))
    full = "|".join(form for form in forms if len(form) > 2)
    return re.compile(
        f"^(?:(?P<type>{'|'.join(forms)})(?P<name>(?:DE|DU|D|L|SAINT|J|M)[A-Z]{{3,}})"
        f"|(?P<full>{full})(?P<rest>[A-Z]{{5,}}))$"
    )


@lru_cache(maxsize=50_000)
def misspelt_type(word: str) -> str:
    """The common type that a word is one slip away from (two when it is long), else ''."""
    best, distance = "", 3
    for kind in _common():
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
    if len(word) < 7 or word.startswith(_NO_NAMES):
        return None
    found = _glued().match(word)
    if found is None:
        return None
    return (found["type"] or found["full"], found["name"] or found["rest"])
