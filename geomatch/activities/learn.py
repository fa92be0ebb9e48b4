"""Learning from coded texts what each source is worth, crosswise.

The words of declared texts are counted on some folds and tried on the other, so that they are
weighed by what they prove on texts they were not counted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from geomatch.activities.counts import LEVELS, Nomenclature, level_shares
from geomatch.activities.model import (
    ActivityModel,
    Weights,
    calibration_inputs,
    softmax,
)
from geomatch.activities.words import written
from geomatch.arrays.rows import Columns

#: Towards what the weights are drawn, and how strongly.
_USUAL, _DRAWN = 0.4, 1.0
_CALIBRATION_DRAWN = 0.5
#: A word or pair of fewer texts may tell whose text it was, and says little.
LEAST_TEXTS = 2


def word_table(activities: Sequence[str], nafs: Sequence[str], *, pairs: bool) -> pd.DataFrame:
    """Words (or pairs) of coded texts: ``mot``, ``naf``, ``n``; the empty word counts texts."""
    words = written(activities)
    codes = np.asarray(nafs, dtype=object)
    kept = words.is_pair[words.feature] == pairs
    frame = pd.DataFrame(
        {"mot": words.features[words.feature[kept]], "naf": codes[words.text[kept]]}
    )
    if not pairs:
        frame = pd.concat([frame, pd.DataFrame({"mot": "", "naf": codes})], ignore_index=True)
    return frame.value_counts(["mot", "naf"]).rename("n").reset_index().sort_values(["mot", "naf"])


def declared_tables(activities: Sequence[str], nafs: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The two tables of declared texts: words, and pairs, of several texts."""
    tables = {"declared": word_table(activities, nafs, pairs=False)}
    tables["pairs"] = word_table(activities, nafs, pairs=True)
    return {source: of_several(table, LEAST_TEXTS) for source, table in tables.items()}


@dataclass(frozen=True)
class Crosswise:
    """Evidence by source on texts that were not counted, shape (texts, codes) each.

    ``known`` is how much of each text was known, ``truth`` the position of its code, ``folds``
    its fold.
    """

    nomenclature: Nomenclature
    channels: Mapping[str, NDArray[np.float32]]
    known: NDArray[np.float64]
    truth: NDArray[np.int64]
    folds: NDArray[np.int64]


def folds_of(activities: Sequence[str], n_folds: int, seed: int = 0) -> NDArray[np.int64]:
    """A fold of each text, drawn; the same text is in one fold however often it stands."""
    distinct, code = np.unique(
        np.asarray(activities, dtype=object).astype(str), return_inverse=True
    )
    return np.random.default_rng(seed).integers(0, n_folds, len(distinct))[code.ravel()]


def fitted(
    channels: Mapping[str, NDArray[np.float32]], truth: NDArray[np.int64]
) -> dict[str, float]:
    """Weights of the sources by which the true codes are likeliest (conditional logit)."""
    names, at = list(channels), np.arange(len(truth))
    stacked = np.stack([channels[n] for n in names])

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        chance = softmax(np.tensordot(weights, stacked, 1)).astype(np.float64)
        slope = [float((s[at, truth] - (chance * s).sum(axis=1)).sum()) for s in stacked]
        away = weights - _USUAL
        value = -np.log(chance[at, truth] + 1e-12).sum() + _DRAWN * (away**2).sum()
        return float(value), 2 * _DRAWN * away - np.array(slope)

    bounds = [(0.0, None)] * len(names)
    found = minimize(loss, np.full(len(names), _USUAL), jac=True, bounds=bounds, method="L-BFGS-B")
    return dict(zip(names, found.x.tolist(), strict=True))


def combined(
    channels: Mapping[str, NDArray[np.float32]], weights: Mapping[str, float]
) -> NDArray[np.float32]:
    """Probabilities, shape (texts, codes)."""
    total = sum(c * np.float32(weights.get(n, 0.0)) for n, c in channels.items())
    return softmax(np.asarray(total))


def calibrated(inputs: NDArray[np.float64], is_right: NDArray[np.bool_]) -> list[float]:
    """The line (:func:`~geomatch.activities.model.calibration_inputs`) that tells shares right."""
    start = np.array([0.0, 1.0, 0.0])

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        chance = expit(inputs @ line)
        value = -np.log(np.where(is_right, chance, 1 - chance) + 1e-12).sum()
        away = line - start
        slope = inputs.T @ (chance - is_right) + 2 * _CALIBRATION_DRAWN * away
        return float(value + _CALIBRATION_DRAWN * (away**2).sum()), slope

    line: list[float] = minimize(loss, start, jac=True).x.tolist()
    return line


def label_table(labels: pd.DataFrame) -> pd.DataFrame:
    """Words and pairs of official labels (``naf``, ``libelle``); the empty word has each code."""
    naf, libelle = labels["naf"].tolist(), labels["libelle"].fillna("").tolist()
    parts = [word_table(libelle, naf, pairs=pairs) for pairs in (False, True)]
    return pd.concat(parts, ignore_index=True)


def learned(
    knowledge: Mapping[str, Columns],
    nafs: Sequence[str],
    texts: Sequence[str],
    codes: Sequence[str],
    n_folds: int = 10,
) -> Weights:
    """Weights of the sources, and lines of the levels, from coded texts, crosswise.

    Parameters
    ----------
    knowledge : mapping of table
        Counts of the sources that are not declared texts.
    nafs : sequence of str
        The nomenclature, sorted.
    texts, codes : sequence of str
        Declared activities and their codes; texts with a code of another nomenclature say nothing.
    """
    tried = crosswise(knowledge, nafs, texts, codes, folds_of(texts, n_folds))
    chance = tried_out(tried)
    return Weights(fitted(tried.channels, tried.truth), level_lines(chance, tried))


def tried_out(tried: Crosswise) -> NDArray[np.float32]:
    """Probabilities of each text by weights that were learned on the other folds."""
    chance = np.zeros((len(tried.truth), len(tried.nomenclature.nafs)), np.float32)
    for fold in np.unique(tried.folds):
        here = tried.folds == fold
        weights = fitted(_rows(tried.channels, ~here), tried.truth[~here])
        chance[here] = combined(_rows(tried.channels, here), weights)
    return chance


def level_lines(
    chance: NDArray[np.float32], tried: Crosswise, rows: NDArray[np.bool_] | None = None
) -> dict[str, list[float]]:
    """The line of each level: from its best share to how often that is right; of some texts."""
    rows = np.ones(len(tried.truth), bool) if rows is None else rows
    lines = {}
    for level in LEVELS:
        shares, is_right = best_of_level(chance, tried, level)
        inputs = calibration_inputs(shares, tried.known)
        lines[level] = calibrated(inputs[rows], is_right[rows])
    return lines


def best_of_level(
    chance: NDArray[np.float32], tried: Crosswise, level: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Best share of each text at a level, and whether it is the right one."""
    shares = level_shares(chance, tried.nomenclature, level)
    group = tried.nomenclature.groups(level)
    return shares.max(axis=1), shares.argmax(axis=1) == group[tried.truth]


def _rows(
    channels: Mapping[str, NDArray[np.float32]], rows: NDArray[np.bool_]
) -> dict[str, NDArray[np.float32]]:
    return {s: c[rows] for s, c in channels.items()}


def crosswise(
    knowledge: Mapping[str, Columns],
    nafs: Sequence[str],
    texts: Sequence[str],
    codes: Sequence[str],
    folds: NDArray[np.int64],
) -> Crosswise:
    """Evidence by source of each text, from models that did not count the texts of its fold."""
    nomenclature = Nomenclature(tuple(nafs))
    truth = nomenclature.positions(codes)
    at = np.flatnonzero(truth >= 0)
    channels: dict[str, NDArray[np.float32]] = {}
    known = np.zeros(len(texts))
    for fold in np.unique(folds[at]):
        rest, here = at[folds[at] != fold], at[folds[at] == fold]
        declared = declared_tables([texts[i] for i in rest], [nafs[truth[i]] for i in rest])
        model = ActivityModel(nafs, {**knowledge, **declared}, Weights({}))
        asked = model.asked([texts[i] for i in here])
        for source, values in model.channels(asked).items():
            out = channels.setdefault(source, np.zeros((len(texts), len(nafs)), np.float32))
            out[here] = values
        known[here] = asked.known
    channels = {s: c[at] for s, c in channels.items()}
    return Crosswise(nomenclature, channels, known[at], truth[at], folds[at])


def of_several(table: pd.DataFrame, least: int) -> pd.DataFrame:
    """Counts of words that at least so many texts have, in all; the empty word stays."""
    total = table.groupby("mot")["n"].transform("sum")
    return table[(total >= least) | (table["mot"] == "")]
