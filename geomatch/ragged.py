"""Groups of different sizes laid out flat: their ranges, and the best of each.

A *group* is the same integer at several positions of an array: pairs of a bulletin, words alike
to a written one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Levels that scores are counted in, and the least span of scores that is parted.
_LEVELS = 64
_TINY = 1e-9


def ragged_ranges(low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    """Row and value of every integer of the ranges ``low[i] … high[i]-1``, flat."""
    sizes = np.maximum(high - low, 0)
    row = np.repeat(np.arange(len(low)), sizes)
    start = np.cumsum(sizes) - sizes
    value = np.arange(len(row)) - np.repeat(start, sizes) + np.repeat(low, sizes)
    return row, value


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
