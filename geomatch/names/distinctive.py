"""What of a name tells its bearer from others of its trade, its street and its town.

RESTAURANT, ECOLE, the street a school is called after and the town say what stands where, not who
it is. Two names agree on the bearer when the *other* words do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.jit import compiled
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
        for place, found in zip(new, np.split(flat, ends[:-1]) if new else [], strict=True):
            self._known[place] = found[found >= 0]
        found = [self._known[p] for p in places.tolist()]
        start = np.cumsum([0, *map(len, found)])
        return start, np.concatenate([np.zeros(0, np.int64), *found])


@dataclass(frozen=True)
class Agreement:
    """Weights (idf) of the distinctive words of pairs of names.

    ``shared`` are those of the register's name that were written, ``written`` and ``known`` all
    of either name; float32 arrays, one item a pair.
    """

    shared: NDArray[np.float32]
    explained: NDArray[np.float32]
    written: NDArray[np.float32]
    known: NDArray[np.float32]


def agreement(
    coverage: Coverage,
    written: NDArray[np.int64],
    known: NDArray[np.int64],
    places: Mapping[str, tuple[NDArray[np.int64], tuple[NDArray[np.int64], NDArray[np.int64]]]],
) -> Agreement:
    """Agreement of pairs of names on what is neither trade nor place.

    Parameters
    ----------
    coverage : the written names, against the lexicon of the known ones
    written, known : positions of the two names of each pair
    places : name → (position of each pair's place, words of the places, :meth:`PlaceWords.of`)
    """
    lexicon = coverage.lexicon
    (street, street_words), (town, town_words) = places["street"], places["town"]
    out = _agreement(
        written, known, (coverage.start, coverage.word, coverage.adds),
        (coverage.weight, coverage.category_weight),
        (lexicon.words_of.start, lexicon.words_of.to), lexicon.idf, lexicon.is_category,
        street, street_words, town, town_words,
    )  # fmt: skip
    return Agreement(*out)


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
            is_place = False
            for s in range(a, b):
                is_place |= street_words[1][s] == j
            for s in range(c, d):
                is_place |= town_words[1][s] == j
            if not is_place:
                of_known[i] += idf[j]
        for at in range(start[w], start[w + 1]):
            j = word[at]
            if is_category[j]:
                continue
            is_place = False
            for s in range(a, b):
                is_place |= street_words[1][s] == j
            for s in range(c, d):
                is_place |= town_words[1][s] == j
            if is_place:
                rest -= adds[at, 0] * weight[w]
                continue
            for other in range(held[0][k], held[0][k + 1]):
                if held[1][other] == j:
                    shared[i] += adds[at, 1]
                    explained[i] += adds[at, 0] * weight[w]
        of_written[i] = max(rest, np.float32(0.0))
        explained[i] = min(explained[i], of_written[i])
    return shared, explained, of_written, of_known
