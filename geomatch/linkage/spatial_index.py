"""Distinct positions in an R-tree, and who stands at each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from shapely import STRtree, box

from geomatch.arrays.groups import ragged_ranges

#: Positions of a leaf of the tree: each by itself costs more to build than it saves.
_GROUP = 8


@dataclass(frozen=True)
class Positions:
    """Distinct positions in an R-tree of small groups; who stands at each.

    Rows ``rows[start[i]:start[i + 1]]`` stand at ``position[i]``; group *g* of the tree holds the
    positions from ``_GROUP`` *g* on.
    """

    position: NDArray[np.float64]
    reach: NDArray[np.float64]
    rows: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(
        cls, rows: NDArray[np.int64], position: NDArray[np.float64], reach: NDArray[np.float64]
    ) -> Positions:
        """Those of rows at positions (n, 2), each to be found from `reach` metres away."""
        at, position = _alike_together(position)
        is_new = np.append(True, (position[1:] != position[:-1]).any(axis=1))[: len(at)]
        first = np.flatnonzero(is_new)
        packed = _packed(position[first])
        size = np.diff(np.append(first, len(at)))
        row, member = ragged_ranges(first[packed], first[packed] + size[packed])
        start = np.searchsorted(row, np.arange(len(packed) + 1))
        position, at = position[first][packed], at[member]
        reach = np.maximum.reduceat(reach[at], start[:-1]) if len(at) else reach
        return cls(position, reach, rows[at], start)

    @cached_property
    def tree(self) -> STRtree:
        """The groups, as the boxes that hold them."""
        if not len(self.position):
            return STRtree([])
        group = np.arange(0, len(self.position), _GROUP)
        corners = (f.reduceat(self.position, group, axis=0) for f in (np.minimum, np.maximum))
        return STRtree(box(*np.concatenate([*corners], axis=1).T))

    @cached_property
    def _farthest(self) -> float:
        return float(self.reach.max(initial=0.0))

    def near(
        self, position: NDArray[np.float64], radius: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Positions whose distance is within both reaches: asker, place, metres."""
        reach = (radius + self._farthest)[:, None]
        asker, group = self.tree.query(box(*(position - reach).T, *(position + reach).T))
        end = np.minimum((group + 1) * _GROUP, len(self.position))
        pair, place = ragged_ranges(group * _GROUP, end)
        asker = asker[pair]
        distance = np.hypot(*(position[asker] - self.position[place]).T)
        near = np.flatnonzero(distance <= radius[asker] + self.reach[place])
        return asker[near], place[near], distance[near]


def _alike_together(
    position: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The order by x, then y, to the centimetre; the positions in it."""
    x, y = np.rint(position * 100.0).astype(np.int64).T
    order = np.argsort((x << 32) + y, kind="stable")
    return order, position[order]


def _packed(position: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order of positions, sorted by x, in which neighbours follow one another.

    They are cut into strips, and each strip sorted by y (sort-tile-recursive packing).
    """
    strip = max(int(np.sqrt(len(position) * _GROUP)), 1)
    y = np.rint(position[:, 1] * 100.0).astype(np.int64)
    return np.argsort((np.arange(len(position)) // strip << 32) + y, kind="stable")
