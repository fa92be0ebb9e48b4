"""Learning of calibrators: is it there, which one is it, and what does a whole file tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from geomatch.arrays.rows import Rows
from geomatch.linkage.calibration_features import CALIBRATION_FEATURES, log_odds
from geomatch.linkage.calibrator import Calibrator, Trees
from geomatch.linkage.facts import shares_of
from geomatch.linkage.file_share import FileShare
from geomatch.linkage.model import LEVELS
from geomatch.training.fitting import believed
from geomatch.training.thinning import Copy

#: Trees, their leaves, and how much each corrects. More of them gave the same figures.
TREES, LEAVES, RATE = 100, 12, 0.1
#: Values that a feature is told apart by.
BINS = 63
#: Bulletins that a leaf speaks of at least, and the part of few bulletins that it may be.
LEAST_IN_LEAF, LEAST_PART = 80, 0.01
#: Weight of the squares of a leaf's values, and of a file's correction.
RIDGE, FILE_RIDGE = 5.0, 1e-3
#: Files of fewer bulletins say little about what a file is like.
LEAST_FILE = 300
#: What each level is likely without calibration: the column that trusts are weighed with.
_CHANCES = {"siret": "chance", "site": "site_chance", "siren": "unit_chance"}


@dataclass(frozen=True)
class Outcomes:
    """What calibration learned; see :class:`geomatch.linkage.model.Model`."""

    presence: Calibrator
    given: Mapping[str, Calibrator]
    file_share: FileShare


def fit_outcomes(
    copies: Sequence[Copy],
    trust: NDArray[np.float64],
    fold: NDArray[np.bool_],
    files: Sequence[NDArray[np.bool_]],
) -> Outcomes:
    """Calibrators of whether an establishment is there, and of which one it is.

    Parameters
    ----------
    copies : the same bulletins in registers that lack more and more, the first as they are
    trust : how far the outcome of each bulletin is to be believed
    fold : two halves of the bulletins; what a file tells is learned where the calibrator has not
        learned from its bulletins
    files : bulletins that could have been a file, each
    """
    everyone = np.ones(len(trust), bool)
    presence = _fit_presence(copies, trust, everyone)
    given = {level: _fit_given(copies, level, trust) for level in LEVELS}
    unseen = [np.zeros(len(trust)) for _ in copies]
    for half in (fold, ~fold):
        other = _fit_presence(copies, trust, ~half) if (~half).any() else presence
        for chance, copy in zip(unseen, copies, strict=True):
            chance[half] = other.probability(copy.leading.take(np.flatnonzero(half)))
    parts = [f for f in files if f.sum() >= LEAST_FILE] or [everyone]
    share = fit_file_share(unseen, [c.present for c in copies], parts)
    return Outcomes(presence, given, share)


def _fit_presence(
    copies: Sequence[Copy], trust: NDArray[np.float64], learned: NDArray[np.bool_]
) -> Calibrator:
    told = [believed(c.present, c.leading["found_chance"], trust)[learned] for c in copies]
    rows = np.flatnonzero(learned)
    return fit_calibrator([c.leading.take(rows) for c in copies], told)


def _fit_given(copies: Sequence[Copy], level: str, trust: NDArray[np.float64]) -> Calibrator:
    tables, told = [], []
    for copy in copies:
        right = believed(copy.right[level], copy.leading[_CHANCES[level]], trust)
        rows = np.flatnonzero(copy.present)
        tables.append(copy.leading.take(rows))
        told.append(right[rows])
    return fit_calibrator(tables, told)


def fit_calibrator(tables: Sequence[Rows], told: Sequence[NDArray[np.float64]]) -> Calibrator:
    """Boosted trees (Friedman 2001) for an outcome, or the chance of it, of each row."""
    values = np.concatenate(
        [np.stack([t[c] for c in CALIBRATION_FEATURES], axis=1) for t in tables]
    )
    right = np.concatenate(told)
    least = int(min(LEAST_IN_LEAF, max(LEAST_PART * len(right), 5)))
    boosted = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=RATE, min_samples_leaf=least,
        max_bins=BINS, l2_regularization=RIDGE, early_stopping=False, random_state=0,
    )  # fmt: skip
    # A chance is both outcomes, each as much as it is likely.
    doubtful = (right > 0) & (right < 1)
    y = np.concatenate([right >= 0.5, ~(right[doubtful] >= 0.5)])
    weight = np.concatenate([np.maximum(right, 1 - right), np.minimum(right, 1 - right)[doubtful]])
    values = np.concatenate([values, values[doubtful]])
    if y.all() or not y.any():
        return Calibrator(float(log_odds(np.array([y.mean()]))[0]))
    with threadpool_limits(1):  # threads that wait for one another take three times as long
        boosted.fit(np.round(values, 4), y, sample_weight=weight)
    return Calibrator(float(boosted._baseline_prediction.ravel()[0]), {}, _trees(boosted))


def _trees(boosted: Any) -> Trees:
    """The trees of scikit-learn's model, each node before its children."""
    start: list[int] = []
    nodes: list[tuple[int, float, int]] = []

    def walk(tree: Any, at: int) -> None:
        node, here = tree[at], len(nodes)
        if node["is_leaf"]:
            nodes.append((-1, _kept(node["value"]), 0))
            return
        nodes.append((int(node["feature_idx"]), _kept(node["num_threshold"]), 0))
        walk(tree, int(node["left"]))
        nodes[here] = (*nodes[here][:2], len(nodes))
        walk(tree, int(node["right"]))

    for (predictor,) in boosted._predictors:
        start.append(len(nodes))
        walk(predictor.nodes, 0)
    feature, number, right = zip(*nodes, strict=True)
    used = sorted({f for f in feature if f >= 0})
    position = {f: i for i, f in enumerate(used)} | {-1: -1}
    return Trees(
        tuple(CALIBRATION_FEATURES[f] for f in used),
        tuple(start),
        tuple(position[f] for f in feature),
        number,
        right,
    )


def _kept(value: float) -> float:
    """As the model's file keeps it."""
    return float(f"{float(value):.6g}")


def fit_file_share(
    chances: Sequence[NDArray[np.float64]],
    present: Sequence[NDArray[np.bool_]],
    files: Sequence[NDArray[np.bool_]],
) -> FileShare:
    """How far the mean of a file's probabilities tells that they are too low or too high.

    Parameters
    ----------
    chances, present : of each copy, one value a bulletin; the first copy is as they are
    files : bulletins of each file
    """
    plain = FileShare(low=-20.0, high=20.0)
    designs, told, weights, levels = [], [], [], []
    for chance, there in zip(chances, present, strict=True):
        for rows in files:
            level, odds = plain.level(chance[rows]), log_odds(chance[rows])
            powers = np.array([1.0, level, level**2])
            designs.append(np.hstack([np.tile(powers, (len(odds), 1)), np.outer(odds, powers)]))
            told.append(there[rows].astype(np.float64))
            weights.append(np.full(len(odds), len(odds) ** -0.5))
            levels.append(level)
    design, right, weight = (np.concatenate(a) for a in (designs, told, weights))
    weight /= weight.sum()
    before = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])

    def loss(b: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = design @ b
        cost = float(weight @ (np.logaddexp(0.0, z) - right * z))
        cost += FILE_RIDGE * float(((b - before) ** 2).sum())
        return cost, design.T @ (weight * (expit(z) - right)) + 2 * FILE_RIDGE * (b - before)

    found = [_kept(v) for v in minimize(loss, before, jac=True, method="L-BFGS-B").x]
    of_first = [_kept(v) for v in levels[: len(files)]]
    return FileShare(
        tuple(found[:3]),
        tuple(found[3:]),
        _kept(min(levels)),
        _kept(max(levels)),
        float(np.median(of_first)),
    )


def facts_seen(
    facts: NDArray[np.int64], files: Sequence[NDArray[np.bool_]]
) -> dict[str, tuple[float, float]]:
    """Least and greatest share of each fact in the files, those of too few left out."""
    parts = [f for f in files if f.sum() >= LEAST_FILE] or [np.ones(len(facts), bool)]
    shares = [shares_of(facts[f]) for f in parts]
    ends = {name: [s[name] for s in shares] for name in shares[0]}
    return {name: (_kept(min(v)), _kept(max(v))) for name, v in ends.items()}
