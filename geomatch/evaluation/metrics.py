"""What is measured on a set of bulletins: the metrics of the contract and the kinds of error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geomatch.evaluation.measures import (
    Curve,
    Measure,
    calibration,
    calibration_error,
    coverages,
    share,
)
from geomatch.evaluation.outcomes import NAF_LEVELS, Flags, Outcomes, Text
from geomatch.evaluation.past import agreements, who_was_right

PRECISIONS = (0.90, 0.95, 0.98)
COVERAGES = tuple(f"coverage_{round(100 * p)}" for p in PRECISIONS)


@dataclass(frozen=True)
class Metrics:
    """All measures of one set of bulletins.

    Attributes
    ----------
    n, n_with_truth
        Bulletins, and those whose establishment is in the register.
    siret
        ``top1``, ``recall_20`` (absent without candidates), ``coding_rate``, ``precision``,
        ``coverage_90/95/98``, ``calibration_error``, ``none_precision`` (no establishment in
        the register, among those decided ``none``), ``none_recall``.
    siren
        ``top1`` and ``precision`` when the legal unit is all that counts.
    naf
        Level (5, 4, 3, 2) → the measures for the activity code at that level; empty when the
        decisions or the truth have no code. ``n_with_truth`` is the `n` of ``top1``. As for
        the SIRET, a bulletin whose true activity is unknown counts as wrong when it is coded;
        ``precision_known`` leaves those out.
    errors
        ``auto`` and ``all`` → kind → number. ``wrong`` = ``not_in_register`` +
        ``rank_2_20`` + ``not_among_candidates``; ``right_siren_wrong_site`` is counted
        besides, and ``no_echo`` among them.
    agreement
        Earlier coding → measures against it.
    who_was_right
        Earlier coding → ``auto`` (where the run coded too) and ``all`` (its best echo) → kind →
        number of the bulletins that the earlier coding coded: ``agree_right``,
        ``agree_wrong``, and of those that disagree ``run_right``, ``other_right``,
        ``both_wrong``.
    """

    n: int
    n_with_truth: int
    siret: Mapping[str, Measure]
    siren: Mapping[str, Measure]
    naf: Mapping[int, Mapping[str, Measure]] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    agreement: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)
    who_was_right: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """One question asked of every bulletin: what was answered, how surely, and was it right."""

    has_answer: Flags
    has_truth: Flags
    is_right: Flags
    is_auto: Flags
    probability: np.ndarray | None

    def curve(self) -> Curve | None:
        """Answers by probability; None when the decisions tell none."""
        if self.probability is None:
            return None
        kept = self.has_answer
        return Curve.of(self.probability[kept], self.is_right[kept], n=len(kept))


def siret_answers(outcomes: Outcomes, chosen: Flags) -> Answers:
    """Is the best echo the true establishment?"""
    siret, truth = outcomes.siret[chosen], outcomes.truth[chosen]
    has_answer = _given(siret)
    return Answers(
        has_answer=has_answer,
        has_truth=_given(truth),
        is_right=has_answer & (siret == truth).astype(bool),
        is_auto=outcomes.is_auto[chosen],
        probability=outcomes.probability[chosen],
    )


def naf_answers(outcomes: Outcomes, chosen: Flags, level: int) -> Answers | None:
    """Is the activity right to `level` characters? None when there is nothing to compare."""
    if outcomes.naf is None or outcomes.is_naf_auto is None or not _given(outcomes.truth_naf).any():
        return None
    naf, truth = outcomes.naf[chosen], _cut(outcomes.truth_naf[chosen], level)
    has_answer = _given(naf)
    p = outcomes.naf_probability
    return Answers(
        has_answer=has_answer,
        has_truth=_given(truth),
        is_right=_given(truth) & (_cut(naf, level) == truth).astype(bool),
        is_auto=outcomes.is_naf_auto[chosen],
        probability=None if p is None else p[chosen],
    )


def measure(outcomes: Outcomes, chosen: Flags, past: Mapping[str, Text] | None = None) -> Metrics:
    """Measure the bulletins `chosen` (one flag per row of `outcomes`).

    `past` holds the earlier codings, one SIRET per row of `outcomes`.
    """
    answers = siret_answers(outcomes, chosen)
    siret = _common(answers)
    rank = None if outcomes.rank is None else outcomes.rank[chosen]
    n_truth = int(answers.has_truth.sum())
    if rank is not None:
        siret["recall_20"] = share(int(((rank > 0) & answers.has_truth).sum()), n_truth)
    is_none = outcomes.is_none[chosen]
    n_none = int((is_none & ~answers.has_truth).sum())
    siret["none_precision"] = share(n_none, int(is_none.sum()))
    siret["none_recall"] = share(n_none, int((~answers.has_truth).sum()))
    is_right_siren = _right_siren(outcomes, chosen)
    return Metrics(
        n=int(chosen.sum()),
        n_with_truth=n_truth,
        siret=siret,
        siren={
            "top1": share(int(is_right_siren.sum()), n_truth),
            "precision": share(
                int((is_right_siren & answers.is_auto).sum()), int(answers.is_auto.sum())
            ),
        },
        naf=_naf_measures(outcomes, chosen),
        errors=_errors(answers, rank, is_right_siren),
        agreement=agreements(outcomes, chosen, past or {}),
        who_was_right=who_was_right(outcomes, chosen, past or {}),
    )


def _naf_measures(outcomes: Outcomes, chosen: Flags) -> dict[int, dict[str, Measure]]:
    out = {}
    for level in NAF_LEVELS:
        found = naf_answers(outcomes, chosen, level)
        if found is None:
            continue
        n_known = int((found.is_auto & found.has_truth).sum())
        out[level] = _common(found, is_calibrated=level == NAF_LEVELS[0]) | {
            "precision_known": share(int((found.is_auto & found.is_right).sum()), n_known)
        }
    return out


def _common(answers: Answers, *, is_calibrated: bool = True) -> dict[str, Measure]:
    n, n_auto = len(answers.is_auto), int(answers.is_auto.sum())
    out = {
        "top1": share(
            int((answers.is_right & answers.has_truth).sum()), int(answers.has_truth.sum())
        ),
        "coding_rate": share(n_auto, n),
        "precision": share(int((answers.is_right & answers.is_auto).sum()), n_auto),
    }
    curve = answers.curve()
    if curve is not None:
        out |= dict(zip(COVERAGES, coverages(curve, PRECISIONS), strict=True))
        if is_calibrated:
            out["calibration_error"] = calibration_error(calibration(curve))
    return out


def _given(values: Text) -> Flags:
    return (values != "").astype(bool)


def _cut(codes: Text, level: int) -> Text:
    """The first `level` characters; a shorter code is unknown at that level."""
    at, distinct = pd.factorize(codes)
    cut = np.array([c[:level] if len(c) >= level else "" for c in distinct], dtype=object)
    return cut[at] if len(distinct) else codes


def _right_siren(outcomes: Outcomes, chosen: Flags) -> Flags:
    siren = pd.Series(outcomes.siret[chosen], dtype=object).str[:9].to_numpy(object)
    truth = outcomes.truth_siren[chosen]
    has_truth = _given(outcomes.truth[chosen])
    flags: Flags = has_truth & (siren == truth).astype(bool)
    return flags


def _errors(
    answers: Answers, rank: np.ndarray | None, is_right_siren: Flags
) -> dict[str, dict[str, int]]:
    is_wrong = ~answers.is_right & (answers.has_truth | answers.has_answer)
    kinds = {
        "wrong": is_wrong,
        "not_in_register": is_wrong & ~answers.has_truth,
        "right_siren_wrong_site": is_wrong & is_right_siren,
        "no_echo": is_wrong & ~answers.has_answer,
    }
    if rank is not None:
        kinds["rank_2_20"] = is_wrong & answers.has_truth & (rank > 0)
        kinds["not_among_candidates"] = is_wrong & answers.has_truth & (rank == 0)
    scopes = {"auto": answers.is_auto, "all": np.ones(len(is_wrong), dtype=bool)}
    return {
        scope: {kind: int((flags & within).sum()) for kind, flags in kinds.items()}
        for scope, within in scopes.items()
    }
