"""What a street's name is compared by: keys that forgive more and more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from geomatch.core.numerals import canonical_words
from geomatch.core.street_keys import leading_type

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
_PLURAL = {"ALLEES": "ALLEE", "JARDINS": "JARDIN", "TERRASSES": "TERRASSE", "LICES": "LICE"}


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
    core = canonical_words([w for w in rest if w not in _SMALL]) or rest
    return StreetName(_PLURAL.get(kind, kind), tuple(core), "".join(core))


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
