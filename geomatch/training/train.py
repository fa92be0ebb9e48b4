"""Learning from coded bulletins: words, ranking weights, calibration, thresholds.

The words of a bulletin never score that bulletin: each fifth learns its words from the four
others, so that weights are fitted on evidence as it will be on new bulletins.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows
from geomatch.bulletins import read_bulletins
from geomatch.core import paths
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location
from geomatch.evaluation import evaluate
from geomatch.linkage import activities, collective, decisions, ranking
from geomatch.linkage.calibration_features import best_candidates
from geomatch.linkage.calibrator import Calibrator
from geomatch.linkage.matcher import Matcher
from geomatch.linkage.model import LEVELS, Linear, Model, precision_thresholds
from geomatch.linkage.settling import expected_threshold
from geomatch.runs.keys import bulletin_keys
from geomatch.store.reader import Store
from geomatch.training.calibration import facts_seen, fit_outcomes
from geomatch.training.fitting import believed, fit_choice, fit_logistic, fit_offset
from geomatch.training.thinning import RATES, Coded
from geomatch.training.verdicts import TRUST, coded_bulletins

#: Precisions for which a threshold is kept.
TARGETS = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995)
#: A word of coded bulletins is kept when it was seen with a code this often.
LEAST_WORD_COUNT = 2
LEAST_BULLETINS = 200
#: Parts that learn their words from one another; of few, evidence is poorer than it will be.
FOLDS = 5
#: Bulletins that weights and thresholds are learned from, and that are measured, at most: of a
#: whole campaign the rest teaches words, which cost little; twice as many gave the same figures.
MOST_LEARNED, MOST_MEASURED = 50_000, 50_000


@dataclass(frozen=True)
class Sample:
    """Coded bulletins ready to learn from; pairs and features are aligned."""

    pairs: pd.DataFrame
    features: pd.DataFrame
    flags: pd.DataFrame
    naf_texts: pd.DataFrame
    truth: pd.DataFrame
    group: pd.Series


def train_files(
    bulletins: Location,
    truth: Location | None,
    store: Location,
    out: Location,
    config: Config,
    *,
    share: float = 1.0,
    verdicts: Location | None = None,
) -> dict[str, Any]:
    """Train on a bulletins file and its outcomes, and write the model folder with its card.

    Outcomes are a truth file, the journal of a review (`verdicts`), or both; see
    :func:`geomatch.training.verdicts.coded_bulletins`.

    With `share` below 1, only that part of the identifiers is learned from and the rest is
    measured; with 1, what the card says was measured on the training set itself. Of more than
    :data:`MOST_MEASURED`, so many are measured.

    Returns
    -------
    dict
        What was learned from, and the measures (:meth:`Evaluation.as_dict`, shortened).

    Raises
    ------
    ConfigError
        When `share` is not in ]0, 1], or there are no outcomes.
    """
    if not 0.0 < share <= 1.0:
        raise ConfigError(f"--share is {share}, expected more than 0 and at most 1")
    frame = read_bulletins(bulletins, config.bulletins)
    if verdicts is not None:  # the journal names bulletins by their keys
        frame["id"] = bulletin_keys(frame["id"].tolist(), frame["source_row"].to_numpy())
    opened = Store.open(store)
    told, of_clerks = coded_bulletins(truth, verdicts, opened)
    learned = in_share(frame["id"].tolist(), share)
    source = {"bulletins_file": paths.name_of(bulletins), "share": share, **of_clerks}
    source |= {"truth_file": paths.name_of(truth)} if truth is not None else {}
    model = train(frame[learned].reset_index(drop=True), told, opened, config, source)
    rest = frame[~learned] if share < 1.0 else frame
    rest = rest[draw(rest["id"].tolist(), MOST_MEASURED)]
    result = Matcher(opened, config, model).match_bulletins(rest.reset_index(drop=True))
    measured = told[told["id"].isin(rest["id"])].drop(columns=TRUST)
    measures = evaluate(result.decisions, result.candidates, measured).as_dict()
    kept = ("n", "n_with_truth", "top1", "recall_20", "coding_rate", "precision",
            "coverage_90", "coverage_95", "coverage_98", "calibration_error")  # fmt: skip
    card = {**model.trained_on, "measured_on": "rest" if share < 1.0 else "training set"}
    card |= {k: measures[k] for k in kept}
    model.save(out)
    paths.write_bytes(paths.join(out, "model_card.md"), model_card(card, model).encode())
    return card


def model_card(card: Mapping[str, Any], model: Model) -> str:
    """The model's card: what it is, what it learned from, what it is not for."""
    weights = sorted(model.ranking.weights.items(), key=lambda item: -abs(item[1]))
    lines = [
        "# Model card",
        "",
        "Logistic ranking of candidate establishments; small boosted trees for whether the",
        "establishment is in the register and which candidate it is, learned on candidate lists",
        "from which up to 85 % of the establishments were taken out; a curve from the mean of a",
        "file's probabilities to its share of absent ones; a logistic for the NAF, thresholds for",
        "the precisions asked for, and counts of the words of",
        "activities and occupations. Not for: registers or questionnaires of another country;",
        "judging persons. Words seen with a code only once are not kept.",
        "",
        *(f"- {name}: {value}" for name, value in card.items()),
        "",
        "| feature | weight | what it measures |",
        "|---|---:|---|",
        *(f"| {n} | {w:.3f} | {ranking.FEATURES[n].doc} |" for n, w in weights),
        *(f"| {n} | {w:.3f} | {collective.FEATURES[n].doc} |" for n, w in model.collective.items()),
        "",
    ]
    return "\n".join(lines)


def in_share(ids: Sequence[str], share: float) -> NDArray[np.bool_]:
    """The same part of the same identifiers on every machine, whatever the order."""
    hashed = np.array([zlib.crc32(i.encode()) % 10_000 for i in ids])
    return hashed < share * 10_000


def draw(ids: Sequence[str], most: int) -> NDArray[np.bool_]:
    """As many of the identifiers at most, the same whatever their order and the machine."""
    if len(ids) <= most:
        return np.ones(len(ids), dtype=bool)
    drawn = np.array([zlib.crc32(f"draw {i}".encode()) for i in ids])
    kept = np.zeros(len(ids), dtype=bool)
    kept[np.lexsort((np.array(ids, dtype=object).astype(str), drawn))[:most]] = True
    return kept


def train(
    frame: pd.DataFrame,
    truth: pd.DataFrame,
    store: Store,
    config: Config,
    trained_on: Mapping[str, Any],
) -> Model:
    """Fit a model on the bulletins of `frame` whose id is in `truth`.

    All of them teach words, at most :data:`MOST_LEARNED` the rest.

    Parameters
    ----------
    frame : DataFrame
        A bulletins table (:data:`geomatch.core.schema.BULLETINS`).
    truth : DataFrame
        ``id``, ``siret`` ("" when the establishment is not in the register), ``naf``; a column
        ``trust``, where there is one, says how far each row is to be believed.
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
    weighed = draw(frame["id"].tolist(), MOST_LEARNED)
    sample = cross_evidence(frame, outcome, store, config, weighed)
    model = fit(sample)
    told = {"bulletins": int(known.sum())}
    if not weighed.all():
        told["weights_from"] = int(weighed.sum())
    return replace(model, **count_words(frame, outcome), trained_on={**trained_on, **told})


def count_words(bulletins: pd.DataFrame, truth: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Word tables of coded bulletins, rare pairs left out (nobody's own words remain)."""
    nafs = truth["naf"].tolist()
    tables = {}
    for name, column in (("activity_words", "activite"), ("profession_words", "profession")):
        counts = activities.word_counts(bulletins[column].tolist(), nafs, whole=True)
        counts = activities.without_rare(counts, LEAST_WORD_COUNT)
        tables[name] = counts.sort_values(["mot", "naf"], ignore_index=True)
    return tables


def cross_evidence(
    frame: pd.DataFrame,
    truth: pd.DataFrame,
    store: Store,
    config: Config,
    asked: NDArray[np.bool_] | None = None,
) -> Sample:
    """Candidates and features of bulletins, their words learned from the other folds.

    Rows of the sample are those of `frame` that are `asked` for (None: all), fold by fold.
    """
    fold = np.array([zlib.crc32(i.encode()) // 10_000 % FOLDS for i in truth["id"]])
    base = UNTRAINED
    parts: list[Sample] = []
    matcher = Matcher(store, config, base)
    offset = 0
    wanted = np.ones(len(frame), dtype=bool) if asked is None else asked
    for number in np.unique(fold[wanted]):
        own = fold == number
        words = count_words(frame[~own].reset_index(drop=True), truth[~own].reset_index(drop=True))
        matcher = matcher.with_model(replace(base, **words))
        own &= wanted
        prepared = matcher.prepare(frame[own].reset_index(drop=True))
        pairs, features = matcher.pairs(prepared)
        flags = matcher.flags(prepared)
        sample = Sample(
            pairs.plus(row=pairs["row"] + offset).frame(),
            features.frame(),
            flags.frame(),
            matcher.naf_of_texts(prepared).frame(),
            truth[own].reset_index(drop=True),
            pd.Series(prepared.departement, dtype=object),
        )
        parts.append(sample)
        offset += int(own.sum())
    joined = {
        name: pd.concat([getattr(p, name) for p in parts], ignore_index=True)
        for name in Sample.__dataclass_fields__
    }
    return Sample(**joined)


def fit(sample: Sample, names: Sequence[str] = ranking.FEATURE_NAMES) -> Model:
    """Ranking, then the file's word, then calibration of candidate and NAF, then thresholds."""
    right = is_right(sample)
    row = sample.pairs["row"].to_numpy(np.int64)
    trust = _trust(sample)
    ranker = fit_choice(
        sample.features[list(names)], row, right, trust=trust[row], prior=ranking.PRIOR_WEIGHTS
    )
    score, group = ranker.score(sample.features), sample.group.to_numpy(object)
    size = sample.features["size"].to_numpy(np.float64)
    equal = dict.fromkeys(collective.FEATURES, 1.0)
    told = sample.pairs.assign(**collective.chances(sample.pairs, score, size, group, equal))
    weights = fit_offset(score, told[list(collective.FEATURES)], row, right, ranking.WEIGHT_BOUNDS)
    model = calibrated(replace(UNTRAINED, ranking=ranker, collective=weights), sample)
    pairs = sample.pairs.assign(**collective.chances(sample.pairs, score, size, group, weights))
    order = np.lexsort((pairs["siret_number"], -pairs["score"], row))
    pairs = pairs.iloc[order].reset_index(drop=True)
    features = sample.features.iloc[order].reset_index(drop=True)
    return _fit_naf(model, sample, pairs, best_candidates(pairs, features, sample.flags))


def calibrated(model: Model, sample: Sample) -> Model:
    """The model with calibrators and thresholds learned on thinned copies of the sample."""
    coded = coded_of(sample)
    copies = [coded.copy(rate, model.ranking, model.collective) for rate in RATES]
    fold = in_share(sample.truth["id"].tolist(), 0.5)
    found = fit_outcomes(copies, _trust(sample), fold, files_of(sample))
    model = replace(model, presence=found.presence, given=found.given, file_share=found.file_share)
    known = decisions.assess(copies[0].leading, sample.flags, model)
    present = model.file_share.moved(known["presence"], model.file_share.usual)
    seen = facts_seen(known["facts"], files_of(sample))
    model = replace(model, file_share=replace(model.file_share, facts=seen))
    thresholds = {}
    for level in LEVELS:
        chance = np.round(present * known[f"given_{level}"], 6)
        thresholds[level] = {str(t): expected_threshold(chance, t) for t in TARGETS}
    return replace(
        model,
        thresholds=thresholds["siret"],
        site_thresholds=thresholds["site"],
        siren_thresholds=thresholds["siren"],
    )


def coded_of(sample: Sample) -> Coded:
    """What thinned copies of a sample are made of."""
    truth, group = sample.truth["siret"].to_numpy(object), sample.group.to_numpy(object)
    return Coded(sample.pairs, sample.features, sample.flags, truth, group)


def files_of(sample: Sample) -> list[NDArray[np.bool_]]:
    """Bulletins that could have been a file: all, those of a département, of a set or source."""
    files = [np.ones(len(sample.truth), bool)]
    columns = [sample.group, *(sample.truth[c] for c in ("set", "source") if c in sample.truth)]
    for column in columns:
        values = column.astype(str).to_numpy(object)
        files += [values == one for one in sorted(set(values))]
    return files


def _fit_naf(model: Model, sample: Sample, pairs: pd.DataFrame, leading: Rows) -> Model:
    nafs = decisions.decide_naf(pairs, leading, sample.naf_texts, model, 0.95)
    truth = sample.truth["naf"].to_numpy(object)
    # As in evaluation, what is coded without a known truth counts as wrong.
    said = (nafs["naf"] == truth) & (truth != "")
    if not said.any():
        return model
    right = believed(said, nafs["naf_share"], _trust(sample))
    features = decisions.naf_features(nafs["naf_share"], leading)
    naf = fit_logistic(features.frame(), right, decisions.NAF_FEATURES)
    thresholds = precision_thresholds(naf.probability(features), right, TARGETS)
    return replace(model, naf=naf, naf_thresholds=thresholds)


def _trust(sample: Sample) -> NDArray[np.float64]:
    """How far the outcome of each bulletin is to be believed; 1 where nothing is said of it."""
    if TRUST not in sample.truth:
        return np.ones(len(sample.truth))
    return sample.truth[TRUST].to_numpy(np.float64)


def is_right(sample: Sample) -> NDArray[np.bool_]:
    """Which pairs are the true one."""
    truth = sample.truth["siret"].to_numpy(object)
    return sample.pairs["siret"].to_numpy(object) == truth[sample.pairs["row"].to_numpy()]


_NO_WEIGHTS = dict.fromkeys(ranking.FEATURE_NAMES, 0.0)
#: Weights of nothing; a place to start from.
UNTRAINED = Model(
    ranking=Linear({**_NO_WEIGHTS, "both": 5.0, "street": 1.0, "size": 0.2}, -4.0),
    presence=Calibrator(0.0, {"found_log_odds": 1.0}),
    given={
        "siret": Calibrator(0.0, {"share_log_odds": 1.0}),
        "site": Calibrator(0.0, {"site_log_odds": 1.0}),
        "siren": Calibrator(0.0, {"unit_log_odds": 1.0}),
    },
    naf=Linear({"share_log_odds": 1.0}, 0.0),
    thresholds={"0.8": 0.8, "0.99": 0.99},
    site_thresholds={"0.8": 0.8, "0.99": 0.99},
    siren_thresholds={"0.8": 0.8, "0.99": 0.99},
    naf_thresholds={"0.8": 0.8, "0.99": 0.99},
    collective=dict.fromkeys(collective.FEATURES, 0.0),
)
