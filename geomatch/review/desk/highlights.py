"""Parts of a bulletin, highlighted: the same colour for what was written and what answers it.

A word is marked where the other side has it too: what stands on the form beside what was
understood, or beside a candidate's name, address, town or activity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from geomatch.core.street_keys import expand_words, leading_type, street_key, street_types
from geomatch.core.text import normalise
from geomatch.names.clean import STOP_WORDS, clean_names
from geomatch.review.desk import wording
from geomatch.review.map.svg import element, escaped

NAME, NUMBER, STREET, TOWN, ACTIVITY = "name", "number", "street", "town", "activity"
#: A word shorter than this says nothing when two texts share it; numbers always do.
_LEAST_SHARED = 3
#: Nor do these, besides stop words and types of street.
_COMMON = frozenset({"COMMUNE", "VILLE", "SOCIETE", "SARL", "SAS", "STE", "ETS"})
#: Words of one text, each with the part it belongs to.
Words = Mapping[str, str]


def written_words(written: Mapping[str, Any]) -> Words:
    """Words of a form by part, abbreviations in full too; of two parts the later here has it."""
    name = str(written["raison_sociale"])
    address = wording.written_address(written)
    parts = (
        (ACTIVITY, (written["activite"], written["profession"])),
        (TOWN, (wording.written_town(written),)),
        (STREET, (address, street_key(address))),
        (NAME, (name, *clean_names([name]))),
    )
    found: dict[str, str] = {}
    for part, texts in parts:
        for word in _words(texts, part):
            found[word] = NUMBER if word.isdigit() and part == STREET else part
    return found


def words_of(text: str, part: str) -> Words:
    """Words of what was understood of one part."""
    found = dict.fromkeys(_words([text], part), part)
    return {w: NUMBER if w.isdigit() and part == STREET else p for w, p in found.items()}


def marked(text: str, words: Words, *, only: Iterable[str] = ()) -> str:
    """Escaped text, its words that `words` has too marked with their part.

    `only` limits the parts that count; empty: all do.
    """
    wanted = frozenset(only)
    pieces = []
    for piece in text.split(" "):
        part = _part(piece, words)
        is_shared = part and (not wanted or part in wanted)
        pieces.append(element("mark", escaped(piece), class_=part) if is_shared else escaped(piece))
    return " ".join(pieces)


def _part(piece: str, words: Words) -> str:
    for word in _spellings(piece):
        if word in words:
            return words[word]
    return ""


@lru_cache(maxsize=4096)
def _spellings(piece: str) -> tuple[str, ...]:
    """Normalised words of a piece of text, as written, then in full."""
    found = normalise(piece).split()
    kind, used = leading_type([*found, "X"])
    full = [*kind.split(), *expand_words(found[used:])] if kind else expand_words(found)
    return tuple(dict.fromkeys(_number(w) for w in (*found, *full)))


def _words(texts: Iterable[str], part: str) -> set[str]:
    found = {_number(w) for text in texts for w in normalise(str(text)).split()}
    said = {w for w in found if len(w) >= _LEAST_SHARED or w.isdigit()} - STOP_WORDS - _COMMON
    return said - _street_kinds() if part == STREET else said


@cache
def _street_kinds() -> frozenset[str]:
    """What streets share: RUE, ROUTE, NATIONALE."""
    kinds = street_types()
    return frozenset({*kinds, *(w for kind in kinds.values() for w in kind.split())})


def _number(word: str) -> str:
    """A number without the zeros that forms are filled up with."""
    return word.lstrip("0") or "0" if word.isdigit() else word
