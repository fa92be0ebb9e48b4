"""Learning from coded bulletins: words, ranking weights, calibration, thresholds.

The words of a bulletin never score that bulletin: two halves learn their words from each
other, so that weights are fitted on evidence as it will be on new bulletins.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from geomatch import activities, decisions, ranking
from geomatch.bulletins import read_bulletins
from geomatch.config import Config
from geomatch.errors import ConfigError, DataError
from geomatch.evaluation import evaluate, read_truth
from geomatch.matcher import Matcher
from geomatch.model import Linear, Model, precision_thresholds
from geomatch.store import Store

#: Precisions for which a threshold is kept.
TARGETS = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995)
#: A word of coded bulletins is kept when it was seen with a code this often.
LEAST_WORD_COUNT = 2
LEAST_BULLETINS = 200
#: Weight of the squared weights in the ranking's fit.
RIDGE = 1.0


@dataclass(frozen=True)
class Sample:
    """Coded bulletins ready to learn from; pairs and features are aligned."""

    pairs: pd.DataFrame
    features: pd.DataFrame
    flags: pd.DataFrame
    naf_texts: pd.DataFrame
    truth: pd.DataFrame


def train_files(
    bulletins: Path, truth: Path, store: Path, out: Path, config: Config, *, share: float = 1.0
) -> dict[str, Any]:
    """Train on a bulletins file and its truth, and write the model folder with its card.

    With `share` below 1, only that part of the identifiers is learned from and the rest is
    measured; with 1, what the card says was measured on the training set itself.

    Returns
    -------
    dict
        What was learned from, and the measures (:meth:`Evaluation.as_dict`, shortened).

    Raises
    ------
    ConfigError
        When `share` is not in ]0, 1].
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"--share is {share}, expected more than 0 and at most 1")
    frame = read_bulletins(bulletins, config.bulletins)
    told = read_truth(truth)
    opened = Store.open(store)
    learned = in_share(frame["id"].tolist(), share)
    source = {"bulletins_file": bulletins.name, "truth_file": truth.name, "share": share}
    model = train(frame[learned].reset_index(drop=True), told, opened, config, source)
    rest = frame[~learned] if share < 1.0 else frame
    result = Matcher(opened, config, model).match_bulletins(rest.reset_index(drop=True))
    measured = told[told["id"].isin(rest["id"])]
    measures = evaluate(result.decisions, result.candidates, measured).as_dict()
    kept = ("n", "n_with_truth", "top1", "recall_20", "coding_rate", "precision",
            "coverage_90", "coverage_95", "coverage_98", "calibration_error")  # fmt: skip
    card = {**model.trained_on, "measured_on": "rest" if share < 1.0 else "training set"}
    card |= {k: measures[k] for k in kept}
    model.save(out)
    (Path(out) / "model_card.md").write_text(_card(card, model), encoding="utf-8")
    return card


def _card(card: Mapping[str, Any], model: Model) -> str:
    """The model's card: what it is, what it learned from, what it is not for."""
    weights = sorted(model.ranking.weights.items(), key=lambda item: -abs(item[1]))
    lines = [
        "# Model card",
        "",
        "Logistic ranking of candidate establishments, logistic calibration of the best echo",
        "and of its NAF, thresholds for the precisions asked for, and counts of the words of",
        "activities and occupations. Not for: registers or questionnaires of another country;",
        "judging persons. Words seen with a code only once are not kept.",
        "",
        *(f"- {name}: {value}" for name, value in card.items()),
        "",
        "| feature | weight | what it measures |",
        "|---|---:|---|",
        *(f"| {n} | {w:.3f} | {ranking.FEATURES[n]} |" for n, w in weights),
        "",
    ]
    return "\n".join(lines)


def in_share(ids: Sequence[str], share: float) -> NDArray[np.bool_]:
    """The same part of the same identifiers on every machine, whatever the order."""
    hashed = np.array([zlib.crc32(i.encode()) % 10_000 for i in ids])
    return hashed < share * 10_000


def train(
    frame: pd.DataFrame,
    truth: pd.DataFrame,
    store: Store,
    config: Config,
    trained_on: Mapping[str, Any],
) -> Model:
    """Fit a model on every bulletin of `frame` whose id is in `truth`.

    Parameters
    ----------
    frame : DataFrame
        A bulletins table (:data:`geomatch.schema.BULLETINS`).
    truth : DataFrame
        ``id``, ``siret`` ("" when the establishment is not in the register), ``naf``.
    trained_on : mapping
        What the model card says of the set.

    Raises
    ------
    DataError
        When fewer than 200 bulletins have a known outcome.
    """
    ids = frame["id"]
    position = ids.map(
        truth.drop_duplicates("id").reset_index(drop=True).reset_index().set_index("id")["index"]
    )
    known = position.notna().to_numpy()
    if known.sum() < LEAST_BULLETINS:
        raise DataError(
            f"{known.sum()} of {len(ids)} bulletins have a known outcome, {LEAST_BULLETINS} are "
            "needed; check that the truth file holds the same identifiers"
        )
    frame = frame[known].reset_index(drop=True)
    outcome = truth.iloc[position[known].astype(int)].reset_index(drop=True)
    sample = _cross_evidence(frame, outcome, store, config)
    model = fit(sample)
    return replace(
        model,
        **count_words(frame, outcome),
        trained_on={**trained_on, "bulletins": int(known.sum())},
    )


def count_words(bulletins: pd.DataFrame, truth: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Word tables of coded bulletins, rare pairs left out (nobody's own words remain)."""
    nafs = truth["naf"].tolist()
    tables = {}
    for name, column in (("activity_words", "activite"), ("profession_words", "profession")):
        counts = activities.word_counts(bulletins[column].tolist(), nafs)
        counts = counts[counts["n"] >= LEAST_WORD_COUNT]
        tables[name] = counts.sort_values(["mot", "naf"], ignore_index=True)
    return tables


def _cross_evidence(
    frame: pd.DataFrame, truth: pd.DataFrame, store: Store, config: Config
) -> Sample:
    """Candidates and features of every bulletin, its words learned from the other half."""
    half = in_share(truth["id"].tolist(), 0.5)
    base = UNTRAINED
    parts: list[Sample] = []
    matcher = Matcher(store, config, base)
    offset = 0
    for own in (half, ~half):
        words = count_words(frame[~own].reset_index(drop=True), truth[~own].reset_index(drop=True))
        matcher = matcher.with_model(replace(base, **words))
        prepared = matcher.prepare(frame[own].reset_index(drop=True))
        pairs, features = matcher.pairs(prepared)
        flags = decisions.bulletin_flags(
            prepared.bulletins, prepared.kinds, prepared.geocodes["geocode_level"]
        )
        sample = Sample(
            pairs.assign(row=pairs["row"] + offset),
            features,
            flags,
            matcher.naf_of_texts(prepared),
            truth[own].reset_index(drop=True),
        )
        parts.append(sample)
        offset += int(own.sum())
    joined = {
        name: pd.concat([getattr(p, name) for p in parts], ignore_index=True)
        for name in Sample.__dataclass_fields__
    }
    return Sample(**joined)


def fit(sample: Sample) -> Model:
    """Weights, then calibration of the best echo, then of its NAF, then thresholds."""
    right = is_right(sample)
    model = replace(UNTRAINED, ranking=_choice_model(sample, right))
    score = model.ranking.score(sample.features)
    order = np.lexsort((-score, sample.pairs["row"].to_numpy()))
    pairs = sample.pairs.iloc[order].reset_index(drop=True).assign(score=score[order])
    features = sample.features.iloc[order].reset_index(drop=True)
    chance = decisions.candidate_probabilities(pairs["row"].to_numpy(), score[order])
    pairs = pairs.assign(chance=chance)
    echoes = decisions.best_echoes(pairs, features, sample.flags)
    first = echoes["first"].to_numpy()
    top_right = np.where(first >= 0, right[order][np.maximum(first, 0)], False)
    siret = _logistic(echoes, top_right, decisions.CALIBRATION_FEATURES)
    model = replace(model, siret=siret)
    nafs = decisions.decide_naf(pairs, echoes, sample.naf_texts, model, 0.95)
    true_naf = sample.truth["naf"].to_numpy(object)
    # As in evaluation, what is coded without a known truth counts as wrong.
    naf_right = (nafs["naf"].to_numpy(object) == true_naf) & (true_naf != "")
    features = decisions.naf_features(nafs["naf_share"].to_numpy(), echoes)
    if naf_right.any():
        model = replace(model, naf=_logistic(features, naf_right, decisions.NAF_FEATURES))
        thresholds = precision_thresholds(model.naf.probability(features), naf_right, TARGETS)
        model = replace(model, naf_thresholds=thresholds)
    probability = np.where(first >= 0, model.siret.probability(echoes), 0.0)
    return replace(model, thresholds=precision_thresholds(probability, top_right, TARGETS))


def is_right(sample: Sample) -> NDArray[np.bool_]:
    """Which pairs are the true one."""
    truth = sample.truth["siret"].to_numpy(object)
    return sample.pairs["siret"].to_numpy(object) == truth[sample.pairs["row"].to_numpy()]


def _choice_model(sample: Sample, right: NDArray[np.bool_]) -> Linear:
    """Weights of a conditional logit: the right candidate against its rivals and against none.

    McFadden (1974). The candidates of one bulletin and the alternative "not among them" share
    one choice, so the weights are those that tell rivals apart, not pairs in general.
    """
    order = np.argsort(sample.pairs["row"].to_numpy(), kind="stable")
    row = sample.pairs["row"].to_numpy(np.int64)[order]
    right = right[order]
    values = sample.features[list(ranking.FEATURE_NAMES)].to_numpy(np.float64)[order]
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale < 1e-9] = np.inf  # a constant says nothing
    values = (values - mean) / scale
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    group = np.cumsum(np.r_[0, row[1:] != row[:-1]])
    absent = np.add.reduceat(right, start) == 0

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights, null = parameters[:-1], parameters[-1]
        score = values @ weights
        top = np.maximum(np.maximum.reduceat(score, start), null)
        odds, odds_null = np.exp(score - top[group]), np.exp(null - top)
        total = np.add.reduceat(odds, start) + odds_null
        likelihood = score[right].sum() + null * absent.sum() - (np.log(total) + top).sum()
        slope = values.T @ (right - odds / total[group]) - RIDGE * weights
        slope_null = (absent - odds_null / total).sum()
        penalty = 0.5 * RIDGE * float(weights @ weights)
        return penalty - likelihood, -np.append(slope, slope_null)

    first = np.zeros(values.shape[1] + 1)
    fitted = minimize(loss, first, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    weights = fitted[:-1] / scale
    intercept = float(-fitted[-1] - (weights * mean).sum())
    names = ranking.FEATURE_NAMES
    return Linear(dict(zip(names, (float(w) for w in weights), strict=True)), intercept)


def _logistic(frame: pd.DataFrame, right: NDArray[np.bool_], names: Sequence[str]) -> Linear:
    """Fit on standardised columns; the weights come back on the columns' own scale."""
    values = frame[list(names)].to_numpy(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale < 1e-9] = np.inf  # a constant says nothing
    fitted = LogisticRegression(C=1.0, max_iter=500).fit((values - mean) / scale, right)
    weights = fitted.coef_[0] / scale
    intercept = float(fitted.intercept_[0] - (weights * mean).sum())
    return Linear(dict(zip(names, (float(w) for w in weights), strict=True)), intercept)


#: Weights of nothing; a place to start from.
UNTRAINED = Model(
    ranking=Linear({"of_written": 3.0, "of_known": 2.0, "street": 1.0, "size": 0.2}, -4.0),
    siret=Linear({"log_odds": 1.0}, 0.0),
    naf=Linear({"share_log_odds": 1.0}, 0.0),
    thresholds={"0.8": 0.8, "0.99": 0.99},
    naf_thresholds={"0.8": 0.8, "0.99": 0.99},
)
