"""Written names of a batch against the names of a pool: which resemble which, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.compiled import compiled
from geomatch.coverage import Coverage
from geomatch.lexicon import OF_KNOWN, OF_WRITTEN
from geomatch.rows import Columns

_LEAST = 0.33
#: Where more names than this are as alike as that, they must be more alike: nobody is found among
#: thousands by a word or two of five.
_MANY = 300
_LEAST_OF_MANY = 0.5


@dataclass(frozen=True)
class WrittenNames:
    """Written names of a batch against a pool's: who wrote which, and what resembles it.

    ``row`` → ``name`` (positions among the distinct written names), sorted by row; the *pairs*
    of similar names are sorted by written name and start at ``start[name]``.
    """

    row: NDArray[np.int64]
    name: NDArray[np.int64]
    coverage: Coverage
    start: NDArray[np.int64]
    known: NDArray[np.int64]
    of_written: NDArray[np.float32]
    of_known: NDArray[np.float32]

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """One figure for each pair (:func:`name_score`)."""
        both = {"of_written": self.of_written, "of_known": self.of_known}
        return name_score({c: v.astype(np.float64) for c, v in both.items()})

    def compared(self, pair: NDArray[np.int64]) -> dict[str, NDArray]:
        """Both names and the coverages of some pairs, -1 for none, as columns."""
        if not len(self.known):
            none, zero = np.full(len(pair), -1), np.zeros(len(pair))
            return {"written": none, "known": none, "of_written": zero, "of_known": zero}
        is_none = pair < 0
        written = np.searchsorted(self.start, pair, side="right") - 1
        return {
            "written": np.where(is_none, -1, written),
            "known": np.where(is_none, -1, self.known[pair]),
            "of_written": np.where(is_none, 0.0, self.of_written[pair].astype(np.float64)),
            "of_known": np.where(is_none, 0.0, self.of_known[pair].astype(np.float64)),
        }


def similar_names(
    row: NDArray[np.int64], name: NDArray[np.int64], coverage: Coverage, n_names: int
) -> WrittenNames:
    """Look every distinct written name up in the pool's lexicon."""
    written, known, of_written, of_known = coverage.search(
        0, n_names, _LEAST, _MANY, _LEAST_OF_MANY
    )
    start = np.searchsorted(written, np.arange(n_names + 1))
    return WrittenNames(row, name, coverage, start, known, of_written, of_known)


def name_score(pairs: Columns) -> NDArray[np.float64]:
    """One figure for a pair of names; what is written counts most."""
    return OF_WRITTEN * np.asarray(pairs["of_written"]) + OF_KNOWN * np.asarray(pairs["of_known"])


def look_up(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    names: WrittenNames,
    names_of: sparse.csr_array,
) -> NDArray[np.int64]:
    """Best pair of similar names of each (bulletin, establishment), -1 for none.

    `row` is sorted; `names_of` tells which register names to look at, shape (establishments,
    names).
    """
    place = np.full(names_of.shape[1], -1, np.int32)
    asked = names.row, names.name, names.start, names.known, names.score
    return _look_up(row, establishment, *asked, names_of.indptr, names_of.indices, place)


@compiled
def _look_up(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    writer: NDArray[np.int64],
    name: NDArray[np.int64],
    start: NDArray[np.int64],
    known: NDArray[np.int64],
    score: NDArray[np.float64],
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    place: NDArray[np.int32],
) -> NDArray[np.int64]:
    """See :func:`look_up`. A written name is laid out over all known ones: no search is as fast.

    `place`, -1 for each known name, is left as it was found.
    """
    out = np.full(len(row), -1, np.int64)
    low = first = 0
    while low < len(row):
        high = low
        while high < len(row) and row[high] == row[low]:
            high += 1
        while first < len(writer) and writer[first] < row[low]:
            first += 1
        at = first
        while at < len(writer) and writer[at] == row[low]:
            pairs = range(start[name[at]], start[name[at] + 1])
            for pair in pairs:
                place[known[pair]] = pair
            for i in range(low, high):
                for k in range(indptr[establishment[i]], indptr[establishment[i] + 1]):
                    pair = place[indices[k]]
                    if pair >= 0 and (out[i] < 0 or score[pair] > score[out[i]]):
                        out[i] = pair
            for pair in pairs:
                place[known[pair]] = -1
            at += 1
        low = high
    return out
