"""Written names of a batch against the names of a pool: which resemble which, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.lexicon import Coverage, ragged_ranges
from geomatch.rows import Columns, Rows

_LEAST = 0.33
_CHUNK = 2_000


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


def similar_names(
    row: NDArray[np.int64], name: NDArray[np.int64], coverage: Coverage, n_names: int
) -> WrittenNames:
    """Look every distinct written name up in the pool's lexicon."""
    parts = [
        coverage.search(low, min(low + _CHUNK, n_names), _LEAST)
        for low in range(0, max(n_names, 1), _CHUNK)
    ]
    written, known, of_written, of_known = (
        np.concatenate([part[i] for part in parts]) for i in range(4)
    )
    order = np.argsort(written, kind="stable")
    start = np.searchsorted(written[order], np.arange(n_names + 1))
    return WrittenNames(
        row, name, coverage, start, known[order], of_written[order], of_known[order]
    )


def name_score(pairs: Columns) -> NDArray[np.float64]:
    """One figure for a pair of names; what is written counts most."""
    return 0.6 * np.asarray(pairs["of_written"]) + 0.4 * np.asarray(pairs["of_known"])


def look_up(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    names: WrittenNames,
    names_of: sparse.csr_array,
) -> Rows:
    """Best pair of names of each (bulletin, establishment), among the similar ones; else 0.

    `names_of` tells which register names to look at, shape (establishments, names).
    """
    n_known = max(names_of.shape[1], 1)
    start = np.searchsorted(names.row, np.arange(row.max(initial=-1) + 2))
    pair, position = ragged_ranges(start[row], start[row + 1])
    written = names.name[position]
    pair2, at = ragged_ranges(
        names_of.indptr[establishment[pair]], names_of.indptr[establishment[pair] + 1]
    )
    pair, written, known = pair[pair2], written[pair2], names_of.indices[at].astype(np.int64)
    all_written = np.repeat(np.arange(len(names.start) - 1), np.diff(names.start))
    keys = all_written * n_known + names.known
    order = np.argsort(keys)
    asked = written * n_known + known
    at = np.minimum(np.searchsorted(keys[order], asked), max(len(keys) - 1, 0))
    hit = np.flatnonzero(keys[order][at] == asked) if len(keys) else np.array([], np.int64)
    index = order[at[hit]] if len(keys) else hit
    score = 0.6 * names.of_written[index] + 0.4 * names.of_known[index]
    best = top(pair[hit], score, 1)
    out = {
        "written": np.full(len(row), -1, np.int64),
        "known": np.full(len(row), -1, np.int64),
        "of_written": np.zeros(len(row)),
        "of_known": np.zeros(len(row)),
    }
    target = pair[hit][best]
    out["written"][target] = written[hit][best]
    out["known"][target] = known[hit][best]
    out["of_written"][target] = names.of_written[index][best]
    out["of_known"][target] = names.of_known[index][best]
    return Rows(out)


def top(group: NDArray, score: NDArray, most: int) -> NDArray[np.int64]:
    """Positions of the `most` best of each group, groups in order, best first."""
    order = np.lexsort((-np.asarray(score), group))
    sorted_group = np.asarray(group)[order]
    start = np.searchsorted(sorted_group, sorted_group)
    return order[np.arange(len(order)) - start < most]
