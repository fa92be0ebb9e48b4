"""Exact bounds on the wrong answers of a finite set, from a sample without replacement.

A set is one stratum, or two that were sampled at different rates. Within a stratum the wrong
answers of the sample follow a hypergeometric law, so nothing here is asymptotic. With two strata
the number of wrong answers in each is unknown: the largest probability over all ways to share
them is taken, as in stratified audits of elections (Stark 2008, Annals of Applied Statistics 2;
Ottoboni, Stark, Lindeman & McBurnett 2018, SUITE, with a linear statistic in place of Fisher's
combination).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import beta, binom

Counts = NDArray[np.int64]
_EPSILON = 1e-9


@dataclass(frozen=True)
class Stratum:
    """`size` answers of which `drawn` were checked and `wrong` seen to be wrong."""

    size: int
    drawn: int
    wrong: int


def least_too_many(size: int, precision: float, corrected: int = 0) -> int:
    """Fewest wrong answers with which a set falls short of a precision.

    Parameters
    ----------
    size
        Answers of the set.
    precision
        Share of right ones asked for, in (0, 1).
    corrected
        Answers that were seen to be wrong and are no longer given: what is left is
        ``size - corrected`` answers, and these wrong ones are not among them.
    """
    return math.floor((1.0 - precision) * (size - corrected) + _EPSILON) + corrected + 1


def p_value(strata: Sequence[Stratum], wrong: int, unseen: float = 0.0) -> float:
    """Largest probability of seeing as few wrong answers as were seen if there are `wrong`.

    Parameters
    ----------
    strata
        One or two; both samples drawn without replacement, one independent of the other.
    wrong
        Wrong answers of the whole set under the hypothesis.
    unseen
        Largest probability that a clerk's check takes a wrong answer for a right one, in [0, 1).

    Returns
    -------
    float
        Valid p-value of "at least `wrong` answers are wrong": it falls as `wrong` grows.
    """
    if not 1 <= len(strata) <= 2:
        raise ValueError(f"{len(strata)} strata, expected one or two")
    if wrong > sum(s.size for s in strata):
        return 0.0
    # Of `wrong` answers at most `hidden` would pass as right, but for a small probability.
    hidden = int(binom.isf(1e-4, wrong, unseen)) if unseen else 0
    missed = float(binom.sf(hidden, wrong, unseen)) if unseen else 0.0
    visible = max(wrong - hidden, 0)
    return min(1.0, missed + _shared_worst(list(strata), visible))


def most_wrong(strata: Sequence[Stratum], alpha: float, unseen: float = 0.0) -> int:
    """One-sided upper bound on the wrong answers of a set, at confidence ``1 - alpha``."""
    low, high = sum(s.wrong for s in strata), sum(s.size for s in strata)
    while low < high:
        middle = (low + high + 1) // 2
        if p_value(strata, middle, unseen) <= alpha:
            high = middle - 1
        else:
            low = middle
    return low


def share_below(n_seen: int, n: int, alpha: float) -> float:
    """One-sided upper bound on a probability (Clopper & Pearson 1934, Biometrika 26)."""
    return 1.0 if n_seen >= n else float(beta.isf(alpha, n_seen + 1, n - n_seen))


def _shared_worst(strata: list[Stratum], wrong: int) -> float:
    strata = [s for s in strata if s.size] or strata[:1]
    # Of a stratum that nobody looked into, everything may be wrong.
    blind = sum(s.size for s in strata if not s.drawn)
    strata = [s for s in strata if s.drawn]
    if not strata or wrong <= blind:
        return 1.0
    if len(strata) == 1:
        return float(_mass(strata[0], np.array([wrong - blind]), strata[0].wrong).sum())
    one, other = strata
    # Weighted so that the sum estimates the wrong answers of the set without bias.
    a, b = one.size / one.drawn, other.size / other.drawn
    seen = a * one.wrong + b * other.wrong + _EPSILON
    of_one = np.arange(max(0, wrong - other.size), min(wrong, one.size) + 1)
    most = min(int(seen / b), other.drawn)
    left = np.minimum((seen - b * np.arange(most + 1)) // a, one.drawn).astype(np.int64)
    below = np.cumsum(_mass(one, of_one, int(left.max())), axis=1)
    both = _mass(other, wrong - of_one, most) * below[:, left]
    return float(both.sum(axis=1).max())


def _mass(stratum: Stratum, wrong: Counts, most: int) -> NDArray[np.float64]:
    """Probability of 0 … `most` wrong answers in the sample: a row for each number in the set."""
    k = np.arange(most + 1)[None]
    inside = wrong[:, None]
    log = (
        _log_ways(inside, k)
        + _log_ways(stratum.size - inside, stratum.drawn - k)
        - _log_ways(np.array(stratum.size), np.array(stratum.drawn))
    )
    return np.asarray(np.exp(log), np.float64)


def _log_ways(n: Counts, k: Counts) -> NDArray[np.float64]:
    """Logarithm of ``n`` choose ``k``; minus infinity where that is nothing."""
    inside = (k >= 0) & (k <= n)
    n, k = np.broadcast_arrays(np.maximum(n, 0), k)
    k = np.clip(k, 0, n)
    log = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return np.where(inside, log, -np.inf)
