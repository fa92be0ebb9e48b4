"""Names of streets, brought to one spelling at build and at query time alike."""

from __future__ import annotations

from functools import cache

from geomatch.tables import load_table
from geomatch.text import normalise, split_digits

#: Words between a street's type and its name, which people leave out or change.
LINK_WORDS = frozenset({"DE", "DU", "DES", "D", "LA", "LE", "LES", "L", "AU", "AUX", "A", "EN"})


def street_key(name: str) -> str:
    """Full street name, normalised, type and usual abbreviations spelled out.

    ``"Av. du Gal Leclerc"`` gives ``"AVENUE DU GENERAL LECLERC"``. Numbers are digits
    (``RUE DU HUIT MAI`` → ``RUE DU 8 MAI``).
    """
    words = split_digits(normalise(name)).split()
    if not words:
        return ""
    types, spelled = street_types(), _spelled()
    first = types.get(words[0], words[0]) if len(words) > 1 else words[0]
    return " ".join([first, *(spelled.get(w, w) for w in words[1:])])


def split_type(key: str) -> tuple[str, str]:
    """Type and name of a :func:`street_key`; the type is ``""`` when there is none."""
    kind, _, name = key.partition(" ")
    return (kind, name) if name and kind in _full_types() else ("", key)


def core_name(name: str) -> str:
    """A street name without the link words before it: ``DE LA GARE`` → ``GARE``."""
    words = name.split()
    start = 0
    while start < len(words) - 1 and words[start] in LINK_WORDS:
        start += 1
    return " ".join(words[start:])


@cache
def street_types() -> dict[str, str]:
    """Abbreviation or full word → street type."""
    return {row[0]: row[1] for row in load_table("street_types")}


@cache
def _full_types() -> frozenset[str]:
    return frozenset(t for t in street_types().values() if " " not in t)


@cache
def _spelled() -> dict[str, str]:
    return {row[0]: row[1] for row in load_table("street_words")}
