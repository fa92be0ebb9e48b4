"""What the lexicon reads in activity texts.

A text is cut into clauses (``;``, full stop, dash, line), in each the longest entries are found
from left to right; :mod:`.clauses` tells what they say together. What is said first leads. Clauses
come back from text to text: each is worked on once, and its numbers are laid out as arrays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from geomatch.activities.clauses import NEXT, Thing, strength_of, things_of
from geomatch.activities.lexicon import END, Lexicon, fold, lexicon
from geomatch.activities.spelling import Spelling
from geomatch.arrays.groups import ragged_ranges
from geomatch.core.text import normalise

#: What a text is (``Reading.kinds``): one with activities, without words, with no word that is
#: known, an answer that says nothing (IDEM), an occupation and no activity.
ACTIVITY, EMPTY, UNKNOWN, NO_ANSWER, OCCUPATION = range(5)

#: Letters that no text keeps through normalisation mark where a clause and a part of it end.
_CLAUSE, _PART = "0CLAUSE0", "0PART0"
#: Any word that no entry has; it parts what stands on its two sides.
_UNKNOWN = "?"
#: Where a part ends, among the entries that were found.
_ENDS_PART = -1
_ENDS_CLAUSE_AT, _ENDS_PART_AT = ";\n\r|•·●", ",()[]:/+"
_STOPS = re.compile(r"(?<=[^\W\d_]{3})\s?\.(?=\s|$)|\.(?=[A-ZÉ][a-zé])|\s[-–—*]+(?=\s|\w)|^\s*[-*]")
#: Without one of these there is no stop.
_STOP_SIGNS = re.compile(r"\.|\s[-–—*]|^[-*]")
#: 3,5 tonnes
_DECIMAL = re.compile(r"(?<=\d),(?=\d)")
#: Clauses and words that are remembered from one call to the next.
_REMEMBERED = 200_000


class Clause(NamedTuple):
    """What one clause says, whatever its text: its things in order, and kinds of its entries."""

    things: tuple[Thing, ...]
    kinds: frozenset[str]


@dataclass(frozen=True)
class Reading:
    """What texts say: parallel arrays, one element a code said of a text.

    ``text`` is the position of the text, ``code`` the position in ``codes`` (codes of all
    levels), ``weight`` > 0, ``rank`` 0 for the activity that leads its text, ``said`` the position
    in ``words`` of the words that said so. ``kinds`` has one element a text: :data:`ACTIVITY`, ....
    """

    text: NDArray[np.int64]
    code: NDArray[np.int64]
    weight: NDArray[np.float32]
    rank: NDArray[np.int64]
    said: NDArray[np.int64]
    kinds: NDArray[np.int8]
    codes: list[str]
    words: list[str]


def read(texts: Sequence[str], known: Lexicon | None = None) -> Reading:
    """Read activity texts.

    Parameters
    ----------
    texts : sequence of str
        As they were written; ``""`` where there is none.
    known : Lexicon, optional
        Another than the shipped one.

    Returns
    -------
    Reading
    """
    reader = _reader() if known is None else Reader(known)
    kinds = np.zeros(len(texts), np.int8)
    numbers: dict[Clause, int] = {}
    text: list[int] = []
    clause: list[int] = []
    rank: list[int] = []
    for i, written in enumerate(texts):
        kinds[i], clauses = reader.read(written)
        before = 0
        for said in clauses:
            text.append(i)
            clause.append(numbers.setdefault(said, len(numbers)))
            rank.append(before)
            before += len(said.things)
    return _laid_out(reader, list(numbers), kinds, np.array([text, clause, rank], np.int64))


def _laid_out(
    reader: Reader, clauses: Sequence[Clause], kinds: NDArray[np.int8], uses: NDArray[np.int64]
) -> Reading:
    """A reading from distinct clauses and their uses: text, clause, things said before it."""
    position = {code: i for i, code in enumerate(reader.codes)}
    words: dict[tuple[int, ...], int] = {}
    rows = [
        (position[code], weight * share * NEXT**rank, rank, words.setdefault(by, len(words)))
        for said in clauses
        for rank, (codes, weight, by) in enumerate(said.things)
        for code, share in codes
    ]
    table = np.array(rows, np.float64).reshape(-1, 4)
    ends = np.cumsum([sum(len(codes) for codes, _, _ in said.things) for said in clauses])
    starts = np.concatenate([[0], ends]).astype(np.int64)
    text, clause, before = uses
    use, row = ragged_ranges(starts[clause], starts[clause + 1])
    entries = reader.lexicon.entries
    return Reading(
        text=text[use],
        code=table[row, 0].astype(np.int64),
        weight=(table[row, 1] * NEXT ** before[use]).astype(np.float32),
        rank=table[row, 2].astype(np.int64) + before[use],
        said=table[row, 3].astype(np.int64),
        kinds=kinds,
        codes=list(reader.codes),
        words=[" + ".join(entries[e].said for e in key) for key in words],
    )


@lru_cache(maxsize=1)
def _reader() -> Reader:
    return Reader(lexicon())


class Reader:
    """Reads one text after the other with a lexicon; remembers words and clauses it has seen."""

    def __init__(self, known: Lexicon) -> None:
        self.lexicon = known
        self.codes = known.targets()
        self._spelling = Spelling(known.vocabulary)
        self._word = lru_cache(maxsize=_REMEMBERED)(self._meant)
        self._clause = lru_cache(maxsize=_REMEMBERED)(self._of_words)

    def _meant(self, word: str) -> str:
        """The folded word, spelt as the lexicon has it; empty for a word without weight."""
        if word == _PART:
            return word
        word = fold(word)
        if word in self.lexicon.empty_words:
            return ""
        word = self._spelling.nearest(word)
        return word if word in self.lexicon.vocabulary else _UNKNOWN

    def read(self, text: str) -> tuple[int, list[Clause]]:
        """What one text is (:data:`ACTIVITY`, ...) and its clauses that say something, in order."""
        clauses = [
            tuple(filter(None, map(self._word, clause.split())))
            for clause in normalise(_marked(text)).split(_CLAUSE)
        ]
        said = [w for clause in clauses for w in clause if w != _PART]
        if not said:
            return EMPTY, []
        if (whole := self._alone(said)) is not None:
            return ACTIVITY, [self._whole(whole)]
        found: list[Clause] = []
        kinds: set[str] = set()
        for clause in clauses:
            told = self._clause(clause, bool(found))
            kinds |= told.kinds
            if told.things:
                found.append(told)
        if found:
            return ACTIVITY, found
        if kinds == {"rien"}:
            return NO_ANSWER, []
        return (OCCUPATION if "metier" in kinds else UNKNOWN), []

    def _alone(self, words: list[str]) -> int | None:
        """The entry that means something only where it is the whole text."""
        node = self.lexicon.alone
        for word in words:
            if word not in node:
                return None
            node = node[word]
        return cast("int | None", node.get(END))

    def _whole(self, at: int) -> Clause:
        entry = self.lexicon.entries[at]
        return Clause(((entry.codes, strength_of(entry), (at,)),), frozenset([entry.kind]))

    def _of_words(self, words: tuple[str, ...], is_later: bool) -> Clause:
        """What a clause says, after another that said something or not."""
        entries = self.lexicon.entries
        found = list(self._found(words))
        things = tuple(things_of(entries, found, is_later))
        return Clause(things, frozenset(entries[e].kind for e in found if e >= 0))

    def _found(self, words: tuple[str, ...]) -> Iterator[int]:
        """Entries in order, and where parts end. Unknown words are passed over."""
        i = 0
        while i < len(words):
            if words[i] == _PART:
                yield _ENDS_PART
                i += 1
                continue
            entry, verb, after, after_verb = self._longest(words, i)
            if entry is None:
                i += 1
                continue
            if verb is not None and after_verb < after:
                # *vente de bois* gives way to the longer *bois de chauffage*.
                longer = self._longest(words, after_verb)
                if longer[0] is not None and longer[2] > after:
                    entry, after = verb, after_verb
            yield entry
            i = after

    def _longest(self, words: tuple[str, ...], i: int) -> tuple[int | None, int | None, int, int]:
        """The longest entry from word `i` on, the shortest verb there, and what follows them."""
        node: dict[str, Any] | None = self.lexicon.tree.get(words[i])
        entry = verb = None
        after = after_verb = i + 1
        j = i
        while node is not None:
            j += 1
            here = node.get(END)
            if here is not None:
                if verb is None and self.lexicon.entries[here].does:
                    verb, after_verb = here, j
                entry, after = here, j
            node = node.get(words[j]) if j < len(words) else None
        return entry, verb, after, after_verb


def _marked(text: str) -> str:
    """A text with the ends of its clauses and parts written as words."""
    text = text.strip().rstrip(".")
    if "," in text:
        text = _DECIMAL.sub(" ", text)
    if _STOP_SIGNS.search(text):
        text = _STOPS.sub(f" {_CLAUSE} ", text)
    for sign in _ENDS_CLAUSE_AT:
        text = text.replace(sign, f" {_CLAUSE} ")
    for sign in _ENDS_PART_AT:
        text = text.replace(sign, f" {_PART} ")
    return text
