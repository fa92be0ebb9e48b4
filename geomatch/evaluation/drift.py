"""This campaign against the last: scores, gaps, coding rates. Needs no truth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geomatch.evaluation.measures import Measure
from geomatch.evaluation.without_truth import Portrait

#: Population stability index from which a distribution is watched, and from which it moved:
#: the bounds customary in credit scoring (Siddiqi 2006, Credit Risk Scorecards).
WATCH, MOVED = 0.10, 0.25
VERDICTS = ("stable", "à surveiller", "a changé")
_BINS, _DECIMALS = 10, 2


@dataclass(frozen=True)
class Shift:
    """One score, before and now.

    Attributes
    ----------
    edges
        Inner bounds of the bins: the deciles of before, equal ones once.
    before, now
        Share of bulletins in each bin; the first bin is bulletins without the score.
    psi
        Population stability index: sum of (now − before) × log(now / before).
    """

    edges: NDArray[np.float64]
    before: NDArray[np.float64]
    now: NDArray[np.float64]
    psi: float

    @property
    def verdict(self) -> str:
        """A word for the index."""
        return VERDICTS[int(self.psi >= WATCH) + int(self.psi >= MOVED)]


@dataclass(frozen=True)
class Change:
    """A share before and now, and the difference with Newcombe's interval (1998, method 10)."""

    before: Measure
    now: Measure
    difference: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Drift:
    """What moved between two runs; `rates` are overall, the rest as in :class:`Portrait`."""

    n_before: int
    n_now: int
    scores: Mapping[str, Shift]
    rates: Mapping[str, Change]
    missing: Mapping[str, Change]
    strata: Mapping[str, Mapping[str, Change]]

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "n_before": self.n_before,
            "n_now": self.n_now,
            "scores": {
                name: {
                    "psi": s.psi,
                    "verdict": s.verdict,
                    "edges": s.edges.tolist(),
                    "before": s.before.tolist(),
                    "now": s.now.tolist(),
                }
                for name, s in self.scores.items()
            },
            "rates": {name: _change(c) for name, c in self.rates.items()},
            "missing": {name: _change(c) for name, c in self.missing.items()},
            "strata": {
                column: {value: _change(c) for value, c in values.items()}
                for column, values in self.strata.items()
            },
        }


def drift(now: Portrait, before: Portrait) -> Drift:
    """Compare two runs; what only one of them knows is left out, but for values of strata."""
    return Drift(
        n_before=before.n,
        n_now=now.n,
        scores={s: shift(before.scores[s], v) for s, v in now.scores.items() if s in before.scores},
        rates=_changes(before.measures, now.measures),
        missing=_changes(before.missing, now.missing),
        strata={
            column: {
                value: change(before.strata[column][value].coding_rate, stratum.coding_rate)
                for value, stratum in values.items()
                if value in before.strata[column]
            }
            for column, values in now.strata.items()
            if column in before.strata
        },
    )


def shift(before: NDArray[np.float64], now: NDArray[np.float64]) -> Shift:
    """Population stability index of a score by the deciles of before; NaN is a bin of its own.

    Half a bulletin is added to each bin, so that an empty one does not make it infinite.
    """
    # Calibrated scores gather on steps: a step that moves by a thousandth is no drift.
    before, now = np.round(before, _DECIMALS), np.round(now, _DECIMALS)
    known = before[~np.isnan(before)]
    inner = np.quantile(known, np.linspace(0, 1, _BINS + 1)[1:-1]) if len(known) else np.empty(0)
    edges = np.unique(np.round(inner, _DECIMALS))
    counts = [_binned(values, edges) for values in (before, now)]
    p, q = ((c + 0.5) / (c.sum() + 0.5 * len(c)) for c in counts)
    shares = [c / max(c.sum(), 1) for c in counts]
    return Shift(edges, shares[0], shares[1], float(np.sum((q - p) * np.log(q / p))))


def change(before: Measure, now: Measure) -> Change:
    """Difference of two shares of different bulletins."""
    low = math.hypot(now.value - now.low, before.high - before.value)
    high = math.hypot(now.high - now.value, before.value - before.low)
    difference = now.value - before.value
    return Change(before, now, difference, difference - low, difference + high)


def _changes(before: Mapping[str, Measure], now: Mapping[str, Measure]) -> dict[str, Change]:
    return {name: change(before[name], m) for name, m in now.items() if name in before}


def _binned(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    at = np.where(np.isnan(values), 0, np.searchsorted(edges, values, side="right") + 1)
    return np.bincount(at, minlength=len(edges) + 2)


def _change(found: Change) -> dict[str, float | None]:
    values = {
        "before": found.before.value,
        "now": found.now.value,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
    }
    return {name: None if math.isnan(v) else v for name, v in values.items()}
