"""Calibrators: what is known of a bulletin's candidates → the probability of an outcome.

A logistic score plus a sum of small regression trees (Friedman 2001, *Greedy function
approximation*), kept as flat arrays that a person can read in the model's JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from geomatch.arrays.jit import compiled
from geomatch.arrays.rows import Columns

#: Decimals of a feature that trees look at. The last bits of a number depend on where it stood in
#: its array; what they decide would depend on how a file was cut.
_DECIMALS = 4


@dataclass(frozen=True)
class Trees:
    """Binary trees, one after the other, each node before its children, the left child first.

    Attributes
    ----------
    columns : features, by the number that `feature` has for them
    start : first node of each tree
    feature : of a node, the position of its feature; -1 for a leaf
    number : bound of the node (at most it: left child), or log-odds that a leaf adds
    right : position of the right child; 0 for a leaf
    """

    columns: tuple[str, ...] = ()
    start: tuple[int, ...] = ()
    feature: tuple[int, ...] = ()
    number: tuple[float, ...] = ()
    right: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.feature)
        if not len(self.number) == len(self.right) == n:
            raise ValueError("feature, number and right of the trees have different lengths")
        if any(not 0 <= s < n for s in self.start):
            raise ValueError("a tree starts outside of the nodes")
        for i, (f, r) in enumerate(zip(self.feature, self.right, strict=True)):
            # Children stand behind their node: a walk ends whatever the numbers are.
            if f >= len(self.columns) or (f >= 0 and not i + 1 < r < n):
                raise ValueError(f"node {i} of the trees has no such feature or child")

    def score(self, table: Columns) -> NDArray[np.float64]:
        """Log-odds that the trees add to each row."""
        if not self.start:
            return np.zeros(len(table))
        values = np.zeros((len(table), len(self.columns)))
        for i, name in enumerate(self.columns):
            values[:, i] = table[name]
        nodes = (self.feature, self.right, self.start)
        feature, right, start = (np.array(a, np.int64) for a in nodes)
        number = np.array(self.number, np.float64)
        return np.asarray(_walk(np.round(values, _DECIMALS), feature, number, right, start))


@dataclass(frozen=True)
class Calibrator:
    """Probability of an outcome: the logistic of weights and trees together."""

    intercept: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)
    trees: Trees = Trees()

    @property
    def columns(self) -> frozenset[str]:
        """Features that it looks at."""
        return frozenset((*self.weights, *self.trees.columns))

    def score(self, table: Columns) -> NDArray[np.float64]:
        """Log-odds of each row; raises KeyError when a feature is not in the table."""
        total = self.intercept + self.trees.score(table)
        for name, weight in self.weights.items():
            total += weight * np.asarray(table[name], np.float64)
        return total

    def probability(self, table: Columns) -> NDArray[np.float64]:
        """Probability of each row, six decimals as in results."""
        chance: NDArray[np.float64] = np.round(expit(self.score(table)), 6)
        return chance

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the model's file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Calibrator:
        """Of :meth:`as_dict`; raises KeyError, TypeError or ValueError for anything else."""
        trees = content["trees"]
        return cls(
            float(content["intercept"]),
            {str(n): float(w) for n, w in content["weights"].items()},
            Trees(
                tuple(map(str, trees["columns"])),
                _integers(trees["start"]),
                _integers(trees["feature"]),
                tuple(map(float, trees["number"])),
                _integers(trees["right"]),
            ),
        )


def _integers(values: Sequence[Any]) -> tuple[int, ...]:
    return tuple(map(int, values))


@compiled
def _walk(
    values: NDArray[np.float64],
    feature: NDArray[np.int64],
    number: NDArray[np.float64],
    right: NDArray[np.int64],
    start: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Sum of the leaves that each row of `values` (rows, columns) comes to."""
    out = np.zeros(values.shape[0])
    for i in range(values.shape[0]):
        total = 0.0
        for t in range(len(start)):
            node = start[t]
            while feature[node] >= 0:
                if values[i, feature[node]] <= number[node]:
                    node += 1
                else:
                    node = right[node]
            total += number[node]
        out[i] = total
    return out
