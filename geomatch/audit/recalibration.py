"""The machine's probabilities put right by the audited cards, where these say enough.

Two numbers stretch and shift the log-odds (Platt 1999; Cox 1958, Biometrika 45, "Two further
applications of a model for binary regression"). The stretch is positive: the order of the answers
stays as it is, and so do the sets that were certified. What was drawn depends on the probability
alone, which the model holds, so no weights are needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Floats = NDArray[np.float64]
#: Spread of the prior around "as it is": of the logarithm of the stretch, and of the shift.
_PRIOR = (0.5, 2.0)
#: Parts of the cross-fit, and the least cards for one.
PARTS, LEAST_CARDS = 5, 100


@dataclass(frozen=True)
class Recalibration:
    """``logit(p)`` becomes ``stretch × logit(p) + shift``.

    `is_supported`: told of cards it was not fitted on, it tells them better than the machine does.
    """

    stretch: float
    shift: float
    is_supported: bool

    def probability(self, stated: Floats) -> Floats:
        """What the stated probabilities become; themselves when that is not supported."""
        if not self.is_supported:
            return stated
        return np.asarray(expit(self.stretch * _log_odds(stated) + self.shift), np.float64)


AS_STATED = Recalibration(1.0, 0.0, False)


def recalibrate(stated: Floats, is_right: NDArray[np.bool_]) -> Recalibration:
    """Fit on checked cards; supported when the cross-fitted log-loss is less than the stated one.

    Parameters
    ----------
    stated, is_right : arrays (n,)
        The machine's probability of each card, and whether its answer was found right. The cards
        in the order they were drawn in, so that every PARTS-th one is a random part.
    """
    if len(stated) < LEAST_CARDS:
        return AS_STATED
    x, part = _log_odds(stated), np.arange(len(stated)) % PARTS
    told = np.zeros(len(stated))
    for held in range(PARTS):
        stretch, shift = _fitted(x[part != held], is_right[part != held])
        told[part == held] = stretch * x[part == held] + shift
    is_better = _loss(told, is_right) < _loss(x, is_right)
    return Recalibration(*_fitted(x, is_right), bool(is_better))


def _fitted(x: Floats, is_right: NDArray[np.bool_]) -> tuple[float, float]:
    def cost(parameters: Floats) -> float:
        log_stretch, shift = parameters
        held = (log_stretch / _PRIOR[0]) ** 2 / 2 + (shift / _PRIOR[1]) ** 2 / 2
        return len(x) * _loss(np.exp(log_stretch) * x + shift, is_right) + float(held)

    found = minimize(cost, np.zeros(2), method="L-BFGS-B", bounds=[(-3.0, 1.0), (-5.0, 5.0)])
    return float(np.exp(found.x[0])), float(found.x[1])


def _loss(log_odds: Floats, is_right: NDArray[np.bool_]) -> float:
    return float(np.mean(np.logaddexp(0.0, np.where(is_right, -log_odds, log_odds))))


def _log_odds(p: Floats) -> Floats:
    return np.asarray(logit(np.clip(p, 1e-4, 1 - 1e-4)), np.float64)
