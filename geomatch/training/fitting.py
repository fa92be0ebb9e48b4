"""Fits of small readable models: a conditional logit, a logistic curve, one weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from geomatch.linkage.collective import candidate_probabilities
from geomatch.linkage.model import Linear

#: Weight of the squared weights in the fit of a choice, for each bulletin learned from. It keeps
#: weights from what only the sample's own kind of bulletins has, which more of them do not mend.
RIDGE = 0.015
#: Points that a calibration curve is kept with.
CURVE_POINTS = 25
#: Part of the raw probability in the straightened one: where isotonic regression sees a plateau,
#: the order must survive.
CURVE_SLOPE = 0.02


def fit_choice(
    features: pd.DataFrame,
    row: NDArray[np.int64],
    right: NDArray[np.bool_],
    *,
    trust: NDArray[np.float64] | None = None,
    prior: Mapping[str, float] | None = None,
) -> Linear:
    """Weights of a conditional logit: the right candidate against its rivals and against none.

    McFadden (1974). The candidates of one bulletin and the alternative "not among them" share
    one choice, so the weights are those that tell rivals apart, not pairs in general.

    Parameters
    ----------
    features : DataFrame, one row a pair
    row : bulletin of each pair
    right : which pairs are the true one, at most one a bulletin
    trust : of each pair's bulletin, the chance that what is told of it is right; None: always.
        An error may have put any other alternative in the right one's place: the likelihood is
        that of what was told, through the error (Patrini et al. 2017, forward correction).
    prior : weights that some features have where the sample does not say otherwise; else 0.
    """
    order = np.argsort(row, kind="stable")
    trusted = np.ones(len(row)) if trust is None else trust[order]
    row, right = row[order], right[order]
    values, mean, scale = _standardised(features.to_numpy(np.float64)[order])
    before = np.array([(prior or {}).get(str(c), 0.0) for c in features.columns])
    offset = features.to_numpy(np.float64)[order] @ before
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    group = np.cumsum(np.r_[0, row[1:] != row[:-1]])
    absent = np.add.reduceat(right, start) == 0
    missed = (1.0 - trusted[start]) / np.diff(np.r_[start, len(row)])  # by each alternative
    held = trusted[start] - missed
    ridge = RIDGE * len(start)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, null = parameters[:-1], parameters[-1]
        score = values @ weights + offset
        top = np.maximum(np.maximum.reduceat(score, start), null)
        odds, odds_null = np.exp(score - top[group]), np.exp(null - top)
        total = np.add.reduceat(odds, start) + odds_null
        told = np.where(absent, null, np.add.reduceat(np.where(right, score, 0.0), start))
        chance = np.exp(told - np.log(total) - top)
        through = np.maximum(held * chance + missed, 1e-300)
        likelihood = np.log(through).sum()
        sure = held * chance / through
        slope = values.T @ (sure[group] * (right - odds / total[group])) - ridge * weights
        slope_null = (sure * (absent - odds_null / total)).sum()
        penalty = 0.5 * ridge * float(weights @ weights)
        return penalty - likelihood, -np.append(slope, slope_null)

    first = np.zeros(values.shape[1] + 1)
    fitted = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    weights = fitted[:-1] / scale
    intercept = float(-fitted[-1] - (weights * mean).sum())
    return Linear(_named(features.columns, weights + before), intercept)


def fit_offset(
    score: NDArray[np.float64],
    extra: pd.DataFrame,
    row: NDArray[np.int64],
    right: NDArray[np.bool_],
    bounds: Mapping[str, tuple[float, float]],
) -> dict[str, float]:
    """Weights, each within its bounds, of more features on scores that stay as they are."""
    order = np.argsort(row, kind="stable")
    score, row, right = score[order], row[order], right[order]
    values = extra.to_numpy(np.float64)[order]
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    absent = np.add.reduceat(right, start) == 0

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        chance = candidate_probabilities(row, score + values @ weights)
        null = 1.0 - np.add.reduceat(chance, start)
        likelihood = np.log(np.maximum(chance[right], 1e-12)).sum()
        likelihood += np.log(np.maximum(null[absent], 1e-12)).sum()
        return -float(likelihood), -(values.T @ (right - chance))

    limits = [bounds[str(name)] for name in extra.columns]
    fitted = minimize(loss, np.zeros(len(limits)), jac=True, method="L-BFGS-B", bounds=limits).x
    return _named(extra.columns, fitted)


def believed(
    said: NDArray[np.bool_], chance: NDArray[np.float64], trust: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chance that an answer is right, given who was asked about it and how far they are trusted.

    Bayes: `chance` before anybody was asked, `said` whether they named that very answer, `trust`
    the chance that what they say is right; half of the errors fall on this answer. With a trust
    of 1 it is what was said.
    """
    error = 1.0 - trust
    right = np.where(said, trust, error) * chance
    wrong = np.where(said, 0.5 * error, 1.0 - 0.5 * error) * (1.0 - chance)
    total = right + wrong
    is_doubtful = (trust < 1.0) & (total > 0)
    return np.where(is_doubtful, right / np.where(is_doubtful, total, 1.0), said)


def fit_logistic(
    frame: pd.DataFrame, right: NDArray[np.bool_] | NDArray[np.float64], names: Sequence[str]
) -> Linear:
    """A logistic curve, straightened by isotonic regression, on the columns' own scale.

    `right` is whether each row is right, or the chance that it is.
    """
    raw = frame[list(names)].to_numpy(np.float64)
    values, mean, scale = _standardised(raw)
    fitted = _logistic(values, right)
    weights = fitted.coef_[0] / scale
    intercept = float(fitted.intercept_[0] - (weights * mean).sum())
    linear = Linear(_named(names, weights), intercept)
    return Linear(linear.weights, intercept, _curve(linear.probability(frame), right))


def _logistic(
    values: NDArray[np.float64], right: NDArray[np.bool_] | NDArray[np.float64]
) -> LogisticRegression:
    """The fit; a chance counts as that much of a right row and the rest of a wrong one."""
    regression = LogisticRegression(C=1.0, max_iter=500)
    if np.isin(right, (0.0, 1.0)).all():
        return regression.fit(values, right.astype(bool))
    twice = np.repeat([True, False], len(right))
    weights = np.concatenate([right, 1.0 - right])
    return regression.fit(np.concatenate([values, values]), twice, sample_weight=weights)


def _curve(
    probability: NDArray[np.float64], right: NDArray[np.bool_] | NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Points of equal mass of the isotonic curve, made strictly rising so that no rank is lost."""
    straight = IsotonicRegression(out_of_bounds="clip").fit(probability, right)
    points = np.unique(np.quantile(probability, np.linspace(0.0, 1.0, CURVE_POINTS)))
    middles = np.concatenate([[0.0], (points[1:] + points[:-1]) / 2, [1.0]])
    bins = np.searchsorted(points[1:-1], probability)
    total = np.bincount(bins, straight.predict(probability), len(points) - 1)
    shares = total / np.maximum(np.bincount(bins, minlength=len(points) - 1), 1)
    ends = straight.predict([0.0, 1.0])
    values = np.maximum.accumulate(np.concatenate([ends[:1], shares, ends[1:]]))
    values = np.clip((1 - CURVE_SLOPE) * values + CURVE_SLOPE * middles, 0.0, 0.9999)
    return tuple(zip(middles.tolist(), values.tolist(), strict=True))


def _standardised(values: NDArray[np.float64]) -> tuple[NDArray, NDArray, NDArray]:
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale < 1e-9] = np.inf  # a constant says nothing
    return (values - mean) / scale, mean, scale


def _named(names: Sequence[str], weights: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, (float(w) for w in weights), strict=True))
