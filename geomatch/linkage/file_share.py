"""How much of a file is in the register: a property of the file, not of the model.

A calibrator learned from files of which nine bulletins in ten have an establishment takes that for
granted. How sure it is of a file's bulletins *on average* tells how many of this file have one, and
how far each probability is to be moved: a curve learned on thinned copies of the candidate lists,
from which a quarter, a half or most of the establishments had been taken out. The idea is the
correction for a shift of priors (Saerens, Latinne & Decaestecker 2002, *Adjusting the outputs of a
classifier to new a priori probabilities*); its EM was tried and overshoots (decision 0076), because
in a thin register the namesakes of an absent establishment are missing as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from geomatch.linkage.calibration_features import log_odds

#: Bulletins from which on a file speaks for itself; of fewer, the learned level is taken.
LEAST_BULLETINS = 300
#: Slope that log-odds keep at least: surer bulletins stay surer.
_LEAST_SLOPE = 0.2


@dataclass(frozen=True)
class FileShare:
    """P(in the register) as the calibrator tells it → as it is in a file of some level.

    The *level* of a file is the log-odds of the mean of its probabilities. ``offset`` and ``slope``
    are polynomials of the level, the constant first: the log-odds of a bulletin become offset +
    slope × log-odds.

    Attributes
    ----------
    low, high : levels learned from; beyond them the nearest is taken
    usual : level of the files learned from as they were, for what is no file
    facts : fact (:mod:`geomatch.linkage.facts`) → least and greatest share of the bulletins of a
        file learned from that had it; what leaves that range was not learned
    """

    offset: tuple[float, ...] = (0.0,)
    slope: tuple[float, ...] = (1.0,)
    low: float = 0.0
    high: float = 0.0
    usual: float = 0.0
    facts: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def level(self, presence: NDArray[np.float64]) -> float:
        """Level of a file, within those learned; whatever the order of its bulletins."""
        if not len(presence):
            return self.usual
        # whole millionths add up to the same in any order
        mean = int(np.round(presence * 1e6).astype(np.int64).sum()) / 1e6 / len(presence)
        return min(max(float(log_odds(np.array([mean]))[0]), self.low), self.high)

    def moved(self, presence: NDArray[np.float64], level: float) -> NDArray[np.float64]:
        """Probabilities in a file of some level, six decimals."""
        offset, slope = (_polynomial(p, level) for p in (self.offset, self.slope))
        moved: NDArray[np.float64] = expit(offset + max(slope, _LEAST_SLOPE) * log_odds(presence))
        return np.round(moved, 6)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the model's file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FileShare:
        """Of :meth:`as_dict`; raises KeyError, TypeError or ValueError for anything else."""
        offset, slope = (tuple(map(float, content[n])) for n in ("offset", "slope"))
        low, high, usual = ends = tuple(float(content[n]) for n in ("low", "high", "usual"))
        if not offset or not slope or not all(map(math.isfinite, (*offset, *slope, *ends))):
            raise ValueError("file_share has no number where one is needed")
        facts = {str(n): (float(a), float(b)) for n, (a, b) in content["facts"].items()}
        return cls(offset, slope, low, high, usual, facts)


def _polynomial(coefficients: Sequence[float], at: float) -> float:
    return sum(c * at**i for i, c in enumerate(coefficients))
