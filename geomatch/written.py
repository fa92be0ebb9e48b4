"""Written names of a batch against the names of a pool: which resemble which, and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.coverage import Coverage
from geomatch.lexicon import OF_KNOWN, OF_WRITTEN, ragged_ranges
from geomatch.rows import Columns, Rows

_LEAST = 0.33
#: Where more names than this are as alike as that, they must be more alike: nobody is found among
#: thousands by a word or two of five.
_MANY = 300
_LEAST_OF_MANY = 0.5
#: Levels that scores are counted in, and the least span of scores that is parted.
_LEVELS = 64
_TINY = 1e-9


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


def best_of_each(group: NDArray[np.int64], score: NDArray) -> NDArray[np.int64]:
    """Position of the best of each group, the first of equals; groups are sorted."""
    if not len(group):
        return np.zeros(0, np.int64)
    is_first = np.diff(group, prepend=-1) > 0
    run = np.cumsum(is_first) - 1
    best = np.flatnonzero(score == np.maximum.reduceat(score, np.flatnonzero(is_first))[run])
    return best[np.diff(run[best], prepend=-1) > 0]


def top(group: NDArray, score: NDArray, most: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of the `most` best of each group, groups in order, best first.

    `most` may be one figure for each item, the same for those of a group.
    """
    most = np.broadcast_to(np.asarray(most), len(group))
    kept = _contenders(group, score, most)
    group, score = group[kept], score[kept]
    order = np.lexsort((-score, group))
    sorted_group = group[order]
    start = np.searchsorted(sorted_group, sorted_group)
    kept = kept[order]
    return kept[np.arange(len(order)) - start < most[kept]]


def in_reach(
    group: NDArray, score: NDArray, most: int, least: int, reach: float
) -> NDArray[np.int64]:
    """:func:`top` without those of a group that are far behind its first.

    The first `least` of a group stay, and behind them who scores no more than `reach` below the
    first, up to `most` in all. Groups are small integers from 0.
    """
    if not len(group):
        return np.zeros(0, np.int64)
    best = np.full(group.max() + 1, -np.inf)
    np.maximum.at(best, group, score)
    near = score >= best[group] - reach
    n_near = np.bincount(group[near], minlength=len(best))
    # where enough are near nobody else need be sorted, elsewhere no more than the least
    enough = (n_near >= min(least, most))[group]
    kept = np.flatnonzero(near | ~enough)
    wanted = np.where(enough, most, min(least, most))
    return kept[top(group[kept], score[kept], wanted[kept])]


def _contenders(group: NDArray, score: NDArray, most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions, in order, of those that may be among the `most` best of their group.

    Scores are counted level by level, so that crowds need not be sorted to keep a few.
    """
    group = group - group.min(initial=0)
    if len(group) <= most.min(initial=0) * (group.max(initial=0) + 1):
        return np.arange(len(group))
    low, high = score.min(), score.max()
    level = ((high - score) * ((_LEVELS - 1) / max(high - low, _TINY))).astype(np.int64)
    cell = group * _LEVELS + level
    counts = np.bincount(cell, minlength=(int(cell.max()) // _LEVELS + 1) * _LEVELS)
    before = np.cumsum(counts.reshape(-1, _LEVELS), axis=1) - counts.reshape(-1, _LEVELS)
    return np.flatnonzero(before.ravel()[cell] < most)
