"""Numbers with an interval: shares, coverage at a precision, calibration error.

None of them depends on the order of the rows: bulletins of equal probability are one block,
kept or left together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Two-sided 95 % quantile of the normal law.
Z = 1.959963984540054
#: Bootstrap of the coverage: replicates, groups of bulletins redrawn together, seed.
REPLICATES = 200
GROUPS = 200
SEED = 20_180_122
#: Bins of the calibration error, of equal mass.
BINS = 15
_EPSILON = 1e-9


@dataclass(frozen=True)
class Measure:
    """A value in [0, 1] and its 95 % interval; all NaN when there is nothing to measure.

    `n` is the denominator: how many bulletins the value is about.
    """

    value: float
    low: float
    high: float
    n: int


NOTHING = Measure(math.nan, math.nan, math.nan, 0)


def share(n_right: float, n: int) -> Measure:
    """`n_right` in `n` with Wilson's interval (Wilson 1927, JASA 22)."""
    if n == 0:
        return NOTHING
    p = n_right / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return Measure(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)), n)


def expected_share(probability: ArrayLike) -> Measure:
    """Share right that calibrated probabilities promise: their mean, Wilson's interval around it.

    Holds as far as the calibration does; a truth, where there is one, tells more.
    """
    values = np.asarray(probability, np.float64)
    return share(float(values.sum()), len(values))


@dataclass(frozen=True)
class Curve:
    """Answers sorted by probability descending, one entry per distinct probability.

    Attributes
    ----------
    probability
        Distinct probabilities, descending.
    count, n_right
        Answers of that probability, and how many are right.
    n
        All bulletins, those without an answer included: the denominator of the coverage.
    """

    probability: NDArray[np.float64]
    count: NDArray[np.int64]
    n_right: NDArray[np.int64]
    n: int

    @classmethod
    def of(cls, probability: ArrayLike, is_right: ArrayLike, *, n: int) -> Curve:
        """From the answers of `n` bulletins (there may be fewer answers than bulletins)."""
        p, inverse = np.unique(np.asarray(probability, np.float64), return_inverse=True)
        count = np.bincount(inverse, minlength=len(p))
        right = np.bincount(inverse, np.asarray(is_right, np.float64), minlength=len(p))
        return cls(p[::-1], count[::-1], right.astype(np.int64)[::-1], n)

    def coverage(self, precision: float) -> float:
        """Largest share of the `n` bulletins kept with at least `precision` right among them."""
        if self.n == 0:
            return math.nan
        return float(_covered(self.count[None], self.n_right[None], precision)[0] / self.n)

    def points(self, limit: int = 400) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coverage and precision along the curve, at most about `limit` points."""
        kept, right = np.cumsum(self.count), np.cumsum(self.n_right)
        at = np.unique(np.linspace(0, len(kept) - 1, min(limit, len(kept))).astype(int))
        return kept[at] / self.n, right[at] / kept[at]

    def grouped(self, groups: int) -> Curve:
        """Neighbouring probabilities put together into at most `groups` blocks of like mass."""
        if len(self.count) <= groups:
            return self
        group = _equal_mass(self.count, groups)
        count = np.bincount(group, self.count).astype(np.int64)
        right = np.bincount(group, self.n_right).astype(np.int64)
        mean = np.bincount(group, self.probability * self.count)
        kept = count > 0
        return Curve(mean[kept] / count[kept], count[kept], right[kept], self.n)


def coverages(curve: Curve, precisions: Sequence[float]) -> list[Measure]:
    """Coverage at each of `precisions`, with a bootstrap interval.

    Bulletins are redrawn :data:`REPLICATES` times in up to :data:`GROUPS` groups with a fixed
    seed; the spread around the grouped value is put around the exact one.
    """
    if curve.n == 0:
        return [NOTHING] * len(precisions)
    grouped = curve.grouped(GROUPS)
    count, right = _redrawn(grouped)
    out = []
    for precision in precisions:
        value = curve.coverage(precision)
        spread = _covered(count, right, precision) / curve.n - grouped.coverage(precision)
        low, high = value + np.quantile(spread, (0.025, 0.975))
        out.append(Measure(value, max(0.0, min(value, low)), min(1.0, max(value, high)), curve.n))
    return out


def _redrawn(curve: Curve) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    cells = np.concatenate([curve.n_right, curve.count - curve.n_right])
    cells = np.append(cells, curve.n - cells.sum()) / curve.n
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(curve.n, cells / cells.sum(), size=REPLICATES)
    g = len(curve.count)
    right = drawn[:, :g]
    return right + drawn[:, g : 2 * g], right


def _covered(
    count: NDArray[np.int64], right: NDArray[np.int64], precision: float
) -> NDArray[np.int64]:
    """Most answers that can be kept from the top; one row per replicate."""
    kept = np.cumsum(count, axis=1)
    is_good = np.cumsum(right, axis=1) >= precision * kept - _EPSILON
    most: NDArray[np.int64] = np.max(np.where(is_good, kept, 0), axis=1, initial=0)
    return most


def _equal_mass(count: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
    """Group of each block, by the middle of its ranks."""
    ends = np.cumsum(count)
    middle = ends - count / 2
    return np.minimum((middle * groups / ends[-1]).astype(np.int64), groups - 1)


@dataclass(frozen=True)
class Calibration:
    """Bins of equal mass: mean probability told, share right, number of answers."""

    told: NDArray[np.float64]
    seen: NDArray[np.float64]
    count: NDArray[np.int64]


def calibration(curve: Curve, bins: int = BINS) -> Calibration:
    """Put the answers into at most `bins` bins of equal mass; ties stay together."""
    if not len(curve.count):
        nothing = np.empty(0)
        return Calibration(nothing, nothing, np.empty(0, np.int64))
    group = _equal_mass(curve.count, bins)
    count = np.bincount(group, curve.count)
    kept = count > 0
    told = np.bincount(group, curve.probability * curve.count)[kept] / count[kept]
    seen = np.bincount(group, curve.n_right)[kept] / count[kept]
    return Calibration(told, seen, count[kept].astype(np.int64))


def calibration_error(bins: Calibration) -> Measure:
    """Expected calibration error: mean of |told − seen| over the answers, bin by bin.

    The interval is analytic (the bins and what was told are held, what was seen is binomial)
    and cut to [0, 1].
    """
    n = int(bins.count.sum())
    if n == 0:
        return NOTHING
    weight = bins.count / n
    value = float(np.sum(weight * np.abs(bins.told - bins.seen)))
    half = Z * math.sqrt(float(np.sum(weight * bins.seen * (1 - bins.seen))) / n)
    return Measure(value, max(0.0, value - half), min(1.0, value + half), n)
