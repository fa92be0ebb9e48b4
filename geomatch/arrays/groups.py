"""Groups of different sizes laid out flat: their ranges, and the best of each.

A *group* is the same integer at several positions that follow one another in an array: pairs of
a bulletin, words alike to a written one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.jit import compiled, compiled_part

#: Runs longer than so many times what is wanted of them are parted before they are sorted.
_CROWD = 4


@dataclass(frozen=True)
class Links:
    """What each of some rows goes with: of the *i*-th, ``to[start[i]:start[i + 1]]``."""

    start: NDArray[np.int32]
    to: NDArray[np.int32]

    @classmethod
    def of(cls, matrix: sparse.csr_array) -> Links:
        """The places of a matrix that are told."""
        return cls(matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32))

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def counts(self) -> NDArray[np.int32]:
        """With how many each goes."""
        return np.diff(self.start)

    def reverse(self, n: int) -> Links:
        """What goes with each of the `n` others, in order."""
        ones = np.ones(len(self.to), np.int8)
        matrix = sparse.csr_array((ones, self.to, self.start), shape=(len(self), n))
        return Links.of(matrix.T.tocsr())

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.to[self.start[row] : self.start[row + 1]]

    def of_each(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """What each of some rows goes with, flat: its position among them, and the other."""
        asker, at = ragged_ranges(self.start[rows], self.start[rows + 1])
        return asker, self.to[at]


def ragged_ranges(
    low: NDArray[np.integer], high: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and value of every integer of the ranges ``low[i] … high[i]-1``, flat."""
    return _ragged_ranges(np.asarray(low, np.int64), np.asarray(high, np.int64))


@compiled
def _ragged_ranges(
    low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    n = 0
    for i in range(len(low)):
        n += max(high[i] - low[i], 0)
    row, value = np.empty(n, np.int64), np.empty(n, np.int64)
    at = 0
    for i in range(len(low)):
        for v in range(low[i], high[i]):
            row[at], value[at] = i, v
            at += 1
    return row, value


def best_of_each(group: NDArray[np.int64], score: NDArray) -> NDArray[np.int64]:
    """Position of the best of each group, the first of equals; groups are sorted."""
    return _best_of_each(np.asarray(group, np.int64), np.asarray(score, np.float64))


@compiled
def _best_of_each(group: NDArray[np.int64], score: NDArray[np.float64]) -> NDArray[np.int64]:
    out = np.empty(len(group), np.int64)
    n = 0
    for i in range(len(group)):
        if i == 0 or group[i] != group[i - 1]:
            out[n] = i
            n += 1
        elif score[i] > score[out[n - 1]]:
            out[n - 1] = i
    return out[:n].copy()


def top(group: NDArray, score: NDArray, most: int) -> NDArray[np.int64]:
    """Positions of the `most` best of each group, best first, the first of equals first.

    Groups are sorted.
    """
    return _top(np.asarray(group, np.int64), np.asarray(score, np.float64), most, most, 0.0)


def in_reach(
    group: NDArray, score: NDArray, most: int, least: int, reach: float
) -> NDArray[np.int64]:
    """:func:`top` without those of a group that are far behind its first.

    The first `least` of a group stay, and behind them who scores no more than `reach` below the
    first, up to `most` in all.
    """
    group, score = np.asarray(group, np.int64), np.asarray(score, np.float64)
    return _top(group, score, most, min(least, most), reach)


@compiled_part
def _nth_greatest(score: NDArray[np.float64], n: int) -> float:
    """The greatest score but `n` (quickselect; NumPy's takes five seconds to compile)."""
    values, low, high = score.copy(), 0, len(score) - 1
    while low < high:
        middle = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > middle:
                i += 1
            while values[j] < middle:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i, j = i + 1, j - 1
        if n <= j:
            high = j
        elif n >= i:
            low = i
        else:
            break
    return values[n]


@compiled_part
def _best(score: NDArray[np.float64], most: int, least: int, reach: float) -> NDArray[np.int64]:
    """Positions of the best scores, best first, the first of equals first.

    The first `least`, and behind them those within `reach` of the best, up to `most` in all.
    """
    n_near, bound = 0, score.max() - reach
    for s in score:
        n_near += s >= bound
    wanted = min(most, max(least, n_near), len(score))
    if len(score) == 1:
        return np.zeros(wanted, np.int64)
    if n_near < wanted:
        bound = -np.inf
    if wanted * _CROWD < len(score):
        bound = max(bound, _nth_greatest(score, wanted - 1))
    kept = np.flatnonzero(score >= bound)
    return kept[np.argsort(-score[kept], kind="mergesort")[:wanted]]


@compiled
def _top(
    group: NDArray[np.int64], score: NDArray[np.float64], most: int, least: int, reach: float
) -> NDArray[np.int64]:
    out = np.empty(len(group), np.int64)
    n = low = 0
    while low < len(group):
        high = low
        while high < len(group) and group[high] == group[low]:
            high += 1
        for i in _best(score[low:high], most, least, reach):
            out[n] = low + i
            n += 1
        low = high
    return out[:n].copy()
