"""Names of streets, written the same way when the store is built and when it is asked.

The knowledge is in ``geomatch/core/tables/street_types.csv`` (:mod:`.street_types`) and
``street_words.csv``: what is written, and what it stands for. An abbreviation means a type at the
head of a name and a word after it: ``GAL LECLERC`` is a general, ``PL`` is a square only where a
name begins.

A change here or in these tables changes the keys of the store: raise
:data:`geomatch.core.schema.STORE_FORMAT_VERSION` with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from geomatch.core.street_types import street_type_table
from geomatch.core.tables import load_table
from geomatch.core.text import normalise, split_digits

#: ``1 ER``, ``2 EME``, ``11 E`` after digits and letters were parted.
_ORDINAL = re.compile(r"\b(\d+) (?:ERE?|EME|IEME|E(?= [A-Z]))\b")
#: Some cities write the number into the name: ``12P3 Rue des Lilas``, ``2.20 Rue des Lilas``,
#: ``47-81 Rue des Lilas``. ``8E RUE`` is a rank.
_NUMBER_IN_NAME = re.compile(
    r"^\d+ (?:(?!E |ER |ERE |EME |ND |NDE )[A-Z]{1,2} (?:\d+ )?|\d+ )(?=[A-Z]{3,} )"
)
_NUMBER_BEFORE_NAME = re.compile(r"^\d[\dA-Za-z./-]*\s+(?=\D)")


def street_key(name: str) -> str:
    """Normalised full name of a street: type and usual abbreviations in full.

    Parameters
    ----------
    name
        As anybody writes it: ``"Bd du Gal. Leclerc"``.

    Returns
    -------
    str
        ``"BOULEVARD DU GENERAL LECLERC"``; articles stay. Empty when the name holds no letter
        and no digit. The key of a key is itself.
    """
    words = street_words(name)
    kind, used = leading_type(words)
    rest = expand_words(words[used:])
    if not kind:
        return " ".join(rest)
    # RT NAT 7: only once RT is a ROUTE is it known which
    longer, used = leading_type([*kind.split(), *rest])
    return " ".join([longer, *[*kind.split(), *rest][used:]])


def street_words(name: str) -> list[str]:
    """Normalised words of a name, digits parted from letters, ordinals as ``1ER``, ``11E``.

    A house number that stands before the type, letter and all, is left out.
    """
    text = split_digits(normalise(name))
    if text[:1].isdigit():
        number = _NUMBER_IN_NAME.match(text)
        if number and text[number.end() :].split(" ", 1)[0] in street_types():
            text = text[number.end() :]
    return _words_of(text)


def without_number(name: str) -> str:
    """A name as it is written, without the house number that :func:`street_words` leaves out."""
    if not name[:1].isdigit() or street_words(name) == _words_of(split_digits(normalise(name))):
        return name
    return _NUMBER_BEFORE_NAME.sub("", name)


def _words_of(text: str) -> list[str]:
    return _ORDINAL.sub(_ordinal, text).split()


def _ordinal(found: re.Match[str]) -> str:
    return "1ER" if found[1] == "1" else f"{found[1]}E"


def leading_type(words: list[str]) -> tuple[str, int]:
    """Type of street that the words begin with, in full, and how many words it takes.

    ``("", 0)`` when they do not begin with one, or when nothing follows it: ``COURS`` alone is
    a name. The longest expression wins (``RD PT`` before ``RD``).
    """
    if not words or words[0] not in first_words_of_types():
        return "", 0
    types = street_types()
    for used in range(min(street_type_table().longest, len(words)), 0, -1):
        kind = types.get(" ".join(words[:used]))
        if kind is not None:
            return kind, used
    return "", 0


def expand_words(words: list[str]) -> list[str]:
    """Words of a name after its type, abbreviations in full."""
    known, first_words = street_word_table(), _first_words_of_names()
    out: list[str] = []
    i = 0
    while i < len(words):
        if words[i] not in first_words:
            out.append(words[i])
            i += 1
            continue
        for used in (2, 1):
            full = known.get(" ".join(words[i : i + used])) if i + used <= len(words) else None
            if full is not None:
                out.append(full)
                i += used
                break
        else:
            out.append(words[i])
            i += 1
    return out


@cache
def street_types() -> Mapping[str, str]:
    """Expression at the head of a name → type in full."""
    return street_type_table().forms


@cache
def first_words_of_types() -> frozenset[str]:
    """The words that begin an expression of :func:`street_types`."""
    return _first_words(street_types())


@cache
def _first_words_of_names() -> frozenset[str]:
    return _first_words(street_word_table())


def _first_words(expressions: Iterable[str]) -> frozenset[str]:
    return frozenset(expression.split(" ", 1)[0] for expression in expressions)


@cache
def street_word_table() -> Mapping[str, str]:
    """Expression inside a name → words in full."""
    return {row[0]: row[1] for row in load_table("street_words")}
