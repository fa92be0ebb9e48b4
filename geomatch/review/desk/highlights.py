"""Parts of a bulletin, highlighted: the same colour for what was written and what answers it.

Each part of a text is compared with its like alone: a name with names, a street with streets, a
number with numbers. The 75 of a house number is no Paris, and a town in a name no commune. A word
is marked where the other side has it too, also when it was typed joined to the next or misspelt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from rapidfuzz.distance import OSA

from geomatch.core.street_keys import expand_words, leading_type, street_key, street_types
from geomatch.core.text import normalise
from geomatch.names.clean import STOP_WORDS, clean_names
from geomatch.review.desk import wording
from geomatch.review.map.svg import element, escaped

NAME, NUMBER, STREET, TOWN, ACTIVITY = "name", "number", "street", "town", "activity"
#: A word shorter than this says nothing when two texts share it; numbers always do.
_LEAST_SHARED = 3
#: Letters from which two words may differ by one slip, and from which by two.
_ONE_SLIP, _TWO_SLIPS = 5, 8
#: Letters of words typed as one, and how many words they may be.
_LEAST_JOINED, _MOST_JOINED = 6, 4
#: Parts in which a slip or a missing blank is looked through.
_FORGIVEN = frozenset({NAME, STREET, TOWN})
#: Nor do these, besides stop words and types of street.
_COMMON = frozenset({"COMMUNE", "VILLE", "SOCIETE", "SARL", "SAS", "STE", "ETS"})
#: A run of letters and digits, or of letters with dots between them.
_TOKEN = re.compile(r"(?:[^\W_]\.){2,}[^\W_]?|[^\W_]+")
_EXACT, _NEAR = "", " near"


@dataclass(frozen=True)
class Words:
    """Words of one part: those that may be shared, and what consecutive ones give joined."""

    part: str
    shared: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()

    @classmethod
    def of(cls, part: str, *texts: str) -> Words:
        """The words of some texts."""
        lines = [[_number(w) for w in normalise(str(text)).split()] for text in texts]
        found = {w for line in lines for w in line}
        shared = {w for w in found if _says(w, part)}
        if part == NUMBER:
            return cls(part, frozenset(w for w in found if w.isdigit()))
        if part in (STREET, TOWN):
            shared = {w for w in shared if not w.isdigit()}
        return cls(part, frozenset(shared), frozenset(j for line in lines for j in _joined(line)))


def written_parts(written: Mapping[str, Any]) -> dict[str, Words]:
    """Words of a form by part, abbreviations in full too."""
    name, address = str(written["raison_sociale"]), wording.written_address(written)
    return {
        NAME: Words.of(NAME, name, *clean_names([name])),
        STREET: Words.of(STREET, address, street_key(address)),
        NUMBER: Words.of(NUMBER, *re.findall(r"\d+", address)),
        TOWN: Words.of(TOWN, str(written["commune"]), str(written["complement"])),
        ACTIVITY: Words.of(ACTIVITY, str(written["activite"]), str(written["profession"])),
    }


def marked(text: str, *words: Words) -> str:
    """Escaped text, its words that `words` have too marked with their part, the first that fits.

    A word that only resembles one of them is marked as ``near``.
    """
    found = list(_TOKEN.finditer(text))
    classes = _classes(tuple(m[0] for m in found), words)
    pieces, end = [], 0
    for token, css in zip(found, classes, strict=True):
        pieces.append(escaped(text[end : token.start()]))
        pieces.append(element("mark", escaped(token[0]), class_=css) if css else escaped(token[0]))
        end = token.end()
    return "".join([*pieces, escaped(text[end:])])


def has_marks(html: str) -> bool:
    """Whether anything of a text was marked."""
    return "<mark" in html


def _classes(tokens: Sequence[str], words: Sequence[Words]) -> list[str]:
    """Class of each token's mark; ``""`` for none."""
    spelled = [_spellings(token) for token in tokens]
    classes = [""] * len(tokens)
    for one in words:
        for i, spellings in enumerate(spelled):
            if not classes[i] and any(s in one.shared for s in spellings):
                classes[i] = one.part + _EXACT
        if one.part in _FORGIVEN:
            _mark_joined(spelled, one, classes)
            for i, spellings in enumerate(spelled):
                if not classes[i] and _resembles(spellings, one):
                    classes[i] = one.part + _NEAR
    return classes


def _mark_joined(spelled: Sequence[Sequence[str]], words: Words, classes: list[str]) -> None:
    """Marks tokens that together are one word of the other side, or one that is several."""
    plain = [s[0] if s else "" for s in spelled]
    for i, token in enumerate(plain):
        if not classes[i] and token in words.joined:
            classes[i] = words.part + _NEAR
        for n in range(2, _MOST_JOINED + 1):
            together = "".join(plain[i : i + n])
            is_run = len(plain[i : i + n]) == n and len(together) >= _LEAST_JOINED
            if is_run and together in words.shared:
                classes[i : i + n] = [c or words.part + _NEAR for c in classes[i : i + n]]


def _resembles(spellings: Sequence[str], words: Words) -> bool:
    return any(_is_slip(s, w) for s in spellings for w in words.shared)


@lru_cache(maxsize=65536)
def _is_slip(one: str, other: str) -> bool:
    """Whether two words differ by a slip: a letter more, less or other, or two changed over."""
    shorter = min(len(one), len(other))
    if shorter < _ONE_SLIP or not (one.isalpha() and other.isalpha()):
        return False
    most = 2 if shorter >= _TWO_SLIPS else 1
    return OSA.distance(one, other, score_cutoff=most) <= most


@lru_cache(maxsize=16384)
def _spellings(token: str) -> tuple[str, ...]:
    """Normalised words of a token, as written, then in full."""
    found = normalise(token.replace(".", "")).split()
    kind, used = leading_type([*found, "X"])
    full = [*kind.split(), *expand_words(found[used:])] if kind else expand_words(found)
    return tuple(dict.fromkeys(_number(w) for w in (*found, *full)))


def _says(word: str, part: str) -> bool:
    if word in STOP_WORDS or word in _COMMON:
        return False
    if part == STREET and word in _street_kinds():
        return False
    return len(word) >= _LEAST_SHARED or word.isdigit()


def _joined(line: Sequence[str]) -> Iterable[str]:
    """What two to four consecutive words give without their blanks."""
    for n in range(2, _MOST_JOINED + 1):
        for i in range(len(line) - n + 1):
            together = "".join(line[i : i + n])
            if len(together) >= _LEAST_JOINED and together.isalpha():
                yield together


def _number(word: str) -> str:
    """A number without leading zeros, a word as it is."""
    return word.lstrip("0") or "0" if word.isdigit() else word


@cache
def _street_kinds() -> frozenset[str]:
    """What streets share: RUE, ROUTE, NATIONALE."""
    kinds = street_types()
    return frozenset({*kinds, *(w for kind in kinds.values() for w in kind.split())})
