"""Written names of a batch against the names of a pool: which resemble which, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import Links
from geomatch.arrays.jit import compiled
from geomatch.arrays.rows import Columns
from geomatch.names.coverage import Coverage
from geomatch.names.lexicon import OF_KNOWN, OF_WRITTEN

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
    names_of: Links,
) -> NDArray[np.int64]:
    """Best pair of similar names of each (bulletin, establishment), -1 for none.

    `row` is sorted; `names_of` tells which register names to look at of an establishment.
    """
    at, borne = names_of.of_each(establishment)
    written = _Written(names.row, names.name, names.start, names.known, names.score)
    with names.coverage.lexicon.sheet() as sheet:
        return _look_up(row, at, borne, written, sheet.names)


class _Written(NamedTuple):
    """The arrays of :class:`WrittenNames` that the loop reads."""

    row: NDArray[np.int64]
    name: NDArray[np.int64]
    start: NDArray[np.int64]
    known: NDArray[np.int64]
    score: NDArray[np.float64]


@compiled
def _look_up(
    row: NDArray[np.int64],
    at: NDArray[np.int64],
    names: NDArray[np.int32],
    written: _Written,
    sheet: NDArray[np.void],
) -> NDArray[np.int64]:
    """See :func:`look_up`; ``names[i]`` is to be looked up for the item ``at[i]`` of `row`.

    The pairs of a written name are noted on `sheet`, one row for each known name: reading it is
    quicker than any search.
    """
    out = np.full(len(row), -1, np.int64)
    low = first = 0
    while low < len(at):
        bulletin, high = row[at[low]], low
        while high < len(at) and row[at[high]] == bulletin:
            high += 1
        while first < len(written.row) and written.row[first] < bulletin:
            first += 1
        while first < len(written.row) and written.row[first] == bulletin:
            name = written.name[first]
            begin, end = written.start[name], written.start[name + 1]
            for pair in range(begin, end):
                sheet[written.known[pair]]["pair"] = pair - begin + 1
            for i in range(low, high):
                if sheet[names[i]]["pair"]:
                    pair = begin + sheet[names[i]]["pair"] - 1
                    if out[at[i]] < 0 or written.score[pair] > written.score[out[at[i]]]:
                        out[at[i]] = pair
            for pair in range(begin, end):
                sheet[written.known[pair]]["pair"] = 0
            first += 1
        low = high
    return out
