"""What of a name tells its bearer from others of its trade, its street and its town.

RESTAURANT, ECOLE, the street a school is called after and the town say what stands where, not who
it is. Two names agree on the bearer when the *other* words do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
        lexicon = self.coverage.lexicon
        street, names = streets
        out = _agreement(
            written, known, (self.coverage.start, self.coverage.word, self.coverage.adds),
            (self.coverage.weight, self.coverage.category_weight),
            (lexicon.words_of.start, lexicon.words_of.to), lexicon.idf, lexicon.is_category,
            street, self.place_words.of(names), town, self.place_words.of(self.towns),
        )  # fmt: skip
        return Agreement(*out)


@compiled_part
def _holds(words: NDArray[np.int64], low: int, high: int, word: int) -> bool:
    """Whether a word is among those from `low` to `high`."""
    for at in range(low, high):  # noqa: SIM110 — compiled
        if words[at] == word:
            return True
    return False


@compiled
def _agreement(
    written: NDArray[np.int64],
    known: NDArray[np.int64],
    stands: tuple[NDArray, ...],
    totals: tuple[NDArray, ...],
    held: tuple[NDArray, ...],
    idf: NDArray[np.float32],
    is_category: NDArray[np.bool_],
    street: NDArray[np.int64],
    street_words: tuple[NDArray, ...],
    town: NDArray[np.int64],
    town_words: tuple[NDArray, ...],
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """See :meth:`Distinctive.agreement`."""
    start, word, adds = stands
    weight, of_category = totals
    n = len(written)
    shared, explained = np.zeros(n, np.float32), np.zeros(n, np.float32)
    of_written, of_known = np.zeros(n, np.float32), np.zeros(n, np.float32)
    for i in range(n):
        w, k = written[i], known[i]
        if w < 0 or k < 0:
            continue
        a, b = street_words[0][street[i]], street_words[0][street[i] + 1]
        c, d = town_words[0][town[i]], town_words[0][town[i] + 1]
        rest = weight[w] - of_category[w]
        for at in range(held[0][k], held[0][k + 1]):
            j = held[1][at]
            if is_category[j]:
                continue
            if not (_holds(street_words[1], a, b, j) or _holds(town_words[1], c, d, j)):
                of_known[i] += idf[j]
        for at in range(start[w], start[w + 1]):
            j = word[at]
            if is_category[j]:
                continue
            if _holds(street_words[1], a, b, j) or _holds(town_words[1], c, d, j):
                rest -= adds[at, 0] * weight[w]
                continue
            if _holds(held[1], held[0][k], held[0][k + 1], j):
                shared[i] += adds[at, 1]
                explained[i] += adds[at, 0] * weight[w]
        of_written[i] = max(rest, np.float32(0.0))
        explained[i] = min(explained[i], of_written[i])
    return shared, explained, of_written, of_known
