"""What a street's name is compared by: keys that forgive more and more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from geomatch.core.numerals import canonical_words
from geomatch.core.street_keys import leading_type, street_key
from geomatch.core.street_types import street_type_table

_SMALL = frozenset(
    (
        "DE",
        "DU",
        "DES",
        "D",
        "LA",
        "LE",
        "LES",
        "L",
        "ET",
        "EN",
        "AU",
        "AUX",
        "A",
        "SUR",
        "SOUS",
        "DIT",
    )
)
#: Between type and words in the key that holds both.
TYPED = "|"


class StreetName(NamedTuple):
    """A street's name: its type, its words without the small ones, and these run together."""

    kind: str
    words: tuple[str, ...]
    packed: str


@lru_cache(maxsize=300_000)
def read_street(key: str) -> StreetName:
    """Read a street key (see :func:`geomatch.core.street_keys.street_key`).

    ``RUE DES 4 VENTS`` gives (``RUE``, (``QUATRE``, ``VENTS``), ``QUATREVENTS``): numbers are
    written one way (:mod:`geomatch.core.numerals`), so that all spellings meet.
    """
    words = key.split()
    kind, used = leading_type(words)
    rest = words[used:]
    if not rest:
        kind, rest = "", words
    rest, _ = split_road(rest)
    core = canonical_words([w for w in rest if w not in _SMALL]) or rest
    compared = street_type_table().types[kind].singular or kind if kind else ""
    return StreetName(compared, tuple(core), "".join(core))


#: RD 33, RN 568 A or CR 9 behind a name: the road that the street is a part of.
_ROADS = frozenset({"RD", "RN", "CR", "VC", "CD"})
#: L ANCIENNE RN 137 is no part of it.
_NOT_THE_ROAD = frozenset({"ANCIENNE", "ANCIEN", "VIEILLE", "NOUVELLE"}) | _SMALL


def split_road(words: list[str]) -> tuple[list[str], list[str]]:
    """``FONTVIEILLE RD 33`` → ``FONTVIEILLE`` and ``RD 33``; a road without a name is a name."""
    at = len(words) - (3 if words and len(words[-1]) == 1 and words[-1].isalpha() else 2)
    is_road = at > 0 and words[at] in _ROADS and words[at + 1].isdigit()
    if not is_road or words[at - 1] in _NOT_THE_ROAD:
        return words, []
    return words[:at], words[at:]


def road_key(key: str) -> str:
    """Type and words by which one asks for the road that a street is a part of; '' for none."""
    words = key.split()
    road = split_road(words[leading_type(words)[1] :])[1]
    return keys_of([read_street(street_key(" ".join(road)))])[0][0] if road else ""


def keys_of(names: Sequence[StreetName]) -> tuple[list[str], list[str], list[str]]:
    """Three keys of each name: type and words; words in any order; letters only, type and all."""
    typed = [f"{n.kind}{TYPED}{' '.join(n.words)}" for n in names]
    bag = [" ".join(sorted(n.words)) for n in names]
    packed = [n.packed for n in names]
    return typed, bag, packed


def street_columns(keys: Sequence[str]) -> dict[str, list[str]]:
    """The columns ``type_norm`` and ``mots_norm`` of STORE_STREETS, from ``nom_norm``."""
    names = [read_street(k) for k in keys]
    return {"type_norm": [n.kind for n in names], "mots_norm": [" ".join(n.words) for n in names]}
