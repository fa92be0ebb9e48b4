"""Written names of a batch against the names of a pool: which resemble which, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.coverage import Coverage
from geomatch.lexicon import OF_KNOWN, OF_WRITTEN
from geomatch.ragged import best_of_each, ragged_ranges
from geomatch.rows import Columns, Rows

_LEAST = 0.33
#: Where more names than this are as alike as that, they must be more alike: nobody is found among
#: thousands by a word or two of five.
_MANY = 300
_LEAST_OF_MANY = 0.5


@dataclass(frozen=True)
class WrittenNames:
    """Written names of a batch against a pool's: who wrote which, and what resembles it.

    ``row`` → ``name`` (positions among the distinct written names), sorted by row; the pairs
    of similar names are sorted by written name and start at ``start[name]``.
    """

    row: NDArray[np.int64]
    name: NDArray[np.int64]
    coverage: Coverage
    start: NDArray[np.int64]
    known: NDArray[np.int64]
    of_written: NDArray[np.float32]
    of_known: NDArray[np.float32]

    def compared(self, pair: NDArray[np.int64]) -> dict[str, NDArray]:
        """Register name and coverages of some pairs, as columns."""
        of_both = {"of_written": self.of_written[pair], "of_known": self.of_known[pair]}
        return {"known": self.known[pair].astype(np.int64)} | {
            k: v.astype(np.float64) for k, v in of_both.items()
        }


def similar_names(
    row: NDArray[np.int64], name: NDArray[np.int64], coverage: Coverage, n_names: int
) -> WrittenNames:
    """Look every distinct written name up in the pool's lexicon."""
    written, known, of_written, of_known = coverage.search(0, n_names, _LEAST)
    has_many = np.bincount(written, minlength=n_names) > _MANY
    score = OF_WRITTEN * of_written + OF_KNOWN * of_known
    keep = np.flatnonzero((score >= _LEAST_OF_MANY) | ~has_many[written])
    written, known, of_written, of_known = (
        part[keep] for part in (written, known, of_written, of_known)
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
) -> Rows:
    """Best pair of names of each (bulletin, establishment), among the similar ones; else 0.

    `row` is sorted; `names_of` tells which register names to look at, shape (establishments,
    names). Columns ``written``, ``known`` (-1 for none), ``of_written``, ``of_known``.
    """
    first, last = (np.searchsorted(names.row, row, side=s) for s in ("left", "right"))
    pair, position = ragged_ranges(first, last)
    written, asked = names.name[position], establishment[pair]
    pair2, at = ragged_ranges(names_of.indptr[asked], names_of.indptr[asked + 1])
    pair, written, known = pair[pair2], written[pair2], names_of.indices[at]
    similar = _similar(written, known, names)
    hit = np.flatnonzero(similar >= 0)
    index = similar[hit]
    best = best_of_each(
        pair[hit], OF_WRITTEN * names.of_written[index] + OF_KNOWN * names.of_known[index]
    )
    target = pair[hit[best]]
    out = {
        "written": np.full(len(row), -1, np.int64),
        "known": np.full(len(row), -1, np.int64),
        "of_written": np.zeros(len(row)),
        "of_known": np.zeros(len(row)),
    }
    out["written"][target] = written[hit[best]]
    for column, values in names.compared(index[best]).items():
        out[column][target] = values
    return Rows(out)


def _similar(
    written: NDArray[np.int64], known: NDArray[np.int64], names: WrittenNames
) -> NDArray[np.int64]:
    """Position of each pair of names among the similar ones, -1 for one that is not there.

    One written name after the other is laid out over all known names: no search is as fast.
    """
    out = np.full(len(written), -1, np.int64)
    place = names.coverage.lexicon.blank
    order = np.argsort(written, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(written[order])) + 1):
        if len(mine):
            name = written[mine[0]]
            pairs = slice(names.start[name], names.start[name + 1])
            place[names.known[pairs]] = np.arange(pairs.start, pairs.stop)
            out[mine] = place[known[mine]]
            place[names.known[pairs]] = -1
    return out
