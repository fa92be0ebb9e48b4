"""What of a name tells its bearer from others of its trade, its street and its town.

RESTAURANT, ECOLE, the street a school is called after and the town say what stands where, not who
it is. Two names agree on the bearer when the *other* words do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.jit import compiled, compiled_part
from geomatch.names.clean import name_words
from geomatch.names.coverage import Coverage
from geomatch.names.lexicon import Lexicon


@dataclass
class PlaceWords:
    """Positions in a lexicon of the words of places, each looked up once."""

    lexicon: Lexicon
    _known: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def of(self, places: NDArray[np.object_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the words of each place begin, and their positions, those of one together."""
        new = [p for p in dict.fromkeys(places.tolist()) if p not in self._known]
        words = [name_words(p) if p else [] for p in new]
        flat = self.lexicon.positions([w for ws in words for w in ws])
        ends = np.cumsum([len(ws) for ws in words])
        for place, own in zip(new, np.split(flat, ends[:-1]) if new else [], strict=True):
            self._known[place] = own[own >= 0]
        found = [self._known[p] for p in places.tolist()]
        start = np.cumsum([0, *map(len, found)])
        return start, np.concatenate([np.zeros(0, np.int64), *found])


@dataclass(frozen=True)
class Agreement:
    """Weights (idf) of the distinctive words of pairs of names; float32, one item a pair.

    ``written`` and ``known`` are those of either name, ``explained`` those of the written name
    that the register's has, ``shared`` those of the register's that were written.
    """

    shared: NDArray[np.float32]
    explained: NDArray[np.float32]
    written: NDArray[np.float32]
    known: NDArray[np.float32]


@dataclass(frozen=True)
class Distinctive:
    """The written names of a batch, and the words that distinguish nobody in a pool.

    Attributes
    ----------
    coverage : the written names, against the lexicon of the known ones
    place_words : words of the pool's streets and towns
    towns : cleaned name of each of the pool's communes
    """

    coverage: Coverage
    place_words: PlaceWords
    towns: NDArray[np.object_]

    def weight(self, row: NDArray[np.int64], name: NDArray[np.int64], n: int) -> NDArray:
        """Weight of the distinctive words of each of `n` bulletins' first name, 0 without one.

        ``row[i]`` wrote ``name[i]``, the first name first.
        """
        out = np.zeros(n, np.float32)
        own = self.coverage.weight - self.coverage.category_weight
        out[row[::-1]] = own[name[::-1]]
        return out

    def agreement(
        self,
        written: NDArray[np.int64],
        known: NDArray[np.int64],
        streets: tuple[NDArray[np.int64], NDArray[np.object_]],
        town: NDArray[np.int64],
    ) -> Agreement:
        """Agreement of pairs of names on what is neither trade nor place.

        Parameters
        ----------
        written, known : positions of the two names of each pair, -1 for none
        streets : position of each pair's street among some street names, and these
        town : position of each pair's commune
        """
        told, lexicon = self.coverage, self.coverage.lexicon
        street, names = streets
        out = _agreement(
            written,
            known,
            _Written(told.start, told.word, told.adds, told.weight, told.category_weight),
            _Known(lexicon.words_of.start, lexicon.words_of.to, lexicon.idf, lexicon.is_category),
            _Places(street, *self.place_words.of(names)),
            _Places(town, *self.place_words.of(self.towns)),
        )
        return Agreement(*out)


class _Written(NamedTuple):
    """Written names: where each one's words begin, the words, and what each of them adds."""

    start: NDArray
    word: NDArray
    #: share of the written name's weight, weight of the known one's word
    adds: NDArray
    weight: NDArray
    of_category: NDArray


class _Known(NamedTuple):
    """Known names: where each one's words begin, and the words; of each word its weight."""

    start: NDArray
    word: NDArray
    idf: NDArray
    is_category: NDArray


class _Places(NamedTuple):
    """The place of each pair; where each place's words begin, and the words."""

    of_pair: NDArray
    start: NDArray
    word: NDArray


@compiled_part
def _holds(words: NDArray[np.int64], low: int, high: int, word: int) -> bool:
    """Whether a word is among those from `low` to `high`."""
    for at in range(low, high):  # noqa: SIM110 — compiled
        if words[at] == word:
            return True
    return False


@compiled_part
def _is_of_place(word: int, pair: int, place: _Places) -> bool:
    at = place.of_pair[pair]
    return _holds(place.word, place.start[at], place.start[at + 1], word)


@compiled
def _agreement(
    written: NDArray[np.int64],
    known: NDArray[np.int64],
    told: _Written,
    held: _Known,
    street: _Places,
    town: _Places,
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """See :meth:`Distinctive.agreement`."""
    n = len(written)
    shared, explained = np.zeros(n, np.float32), np.zeros(n, np.float32)
    of_written, of_known = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for i in range(n):
        w, k = written[i], known[i]
        if w < 0 or k < 0:
            continue
        low, high = held.start[k], held.start[k + 1]
        for at in range(low, high):
            j = held.word[at]
            if not (held.is_category[j] or _is_of_place(j, i, street) or _is_of_place(j, i, town)):
                of_known[i] += held.idf[j]
        rest = told.weight[w] - told.of_category[w]
        for at in range(told.start[w], told.start[w + 1]):
            j = told.word[at]
            if held.is_category[j]:
                continue
            if _is_of_place(j, i, street) or _is_of_place(j, i, town):
                rest -= told.adds[at, 0] * told.weight[w]
            elif _holds(held.word, low, high, j):
                shared[i] += told.adds[at, 1]
                explained[i] += told.adds[at, 0] * told.weight[w]
        of_written[i] = max(rest, np.float32(0.0))
        explained[i] = min(explained[i], of_written[i])
    return shared, explained, of_written, of_known
