"""What is measured on a set of bulletins: the metrics of the contract and the kinds of error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from geomatch.evaluation.answers import Answers, Judged
from geomatch.evaluation.earlier_codings import agreement, who_was_right
from geomatch.evaluation.measures import Measure, calibration, calibration_error, coverages, share
from geomatch.evaluation.outcomes import NAF_LEVELS, Flags

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
    levels
        ``site``, ``siren`` → the measures when answers at that level, or a more precise one,
        count as coded.
    errors
        ``auto`` and ``all`` → kind → number. ``wrong`` = ``not_in_register`` +
        ``rank_2_20`` + ``not_among_candidates``; ``right_siren_wrong_site`` is counted
        besides, and ``without_candidate`` among them.
    agreement
        Earlier coding → measures against it, and the ``precision`` it had itself.
    who_was_right
        Earlier coding → ``auto`` (where the run coded too) and ``all`` (its best candidate) →
        kind → number of the bulletins that the earlier coding coded: ``agree_right``,
        ``agree_wrong``, and of those that disagree ``run_right``, ``other_right``,
        ``both_wrong``.
    """

    n: int
    n_with_truth: int
    siret: Mapping[str, Measure]
    siren: Mapping[str, Measure]
    naf: Mapping[int, Mapping[str, Measure]] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    agreement: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)
    who_was_right: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)


def measure(judged: Judged) -> Metrics:
    """Measure a set of bulletins."""
    answers, rank = judged.siret, judged.rank
    siret = _common(answers)
    n_truth, n_auto = int(answers.has_truth.sum()), int(answers.is_auto.sum())
    if rank is not None:
        siret["recall_20"] = share(int(((rank > 0) & answers.has_truth).sum()), n_truth)
    n_none = int((judged.is_none & ~answers.has_truth).sum())
    siret["none_precision"] = share(n_none, int(judged.is_none.sum()))
    siret["none_recall"] = share(n_none, int((~answers.has_truth).sum()))
    is_right_siren = judged.is_right_siren
    coded = {name: one for name, one in judged.past.items() if one.is_coded.any()}
    return Metrics(
        n=len(answers.is_auto),
        n_with_truth=n_truth,
        siret=siret,
        siren={
            "top1": share(int(is_right_siren.sum()), n_truth),
            "precision": share(int((is_right_siren & answers.is_auto).sum()), n_auto),
        },
        levels={level: _common(found) for level, found in judged.levels.items()},
        naf={level: _naf_measures(level, found) for level, found in judged.naf.items()},
        errors=_errors(answers, rank, is_right_siren),
        agreement={
            name: agreement(one, answers.is_auto)
            | {"precision": share(int(one.is_right.sum()), int(one.is_coded.sum()))}
            for name, one in coded.items()
        },
        who_was_right={
            name: who_was_right(one, answers.is_right, answers.is_auto)
            for name, one in coded.items()
        },
    )


def _naf_measures(level: int, found: Answers) -> dict[str, Measure]:
    n_known = int((found.is_auto & found.has_truth).sum())
    return _common(found, is_calibrated=level == NAF_LEVELS[0]) | {
        "precision_known": share(int((found.is_auto & found.is_right).sum()), n_known)
    }


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


def _errors(
    answers: Answers, rank: np.ndarray | None, is_right_siren: Flags
) -> dict[str, dict[str, int]]:
    is_wrong = ~answers.is_right & (answers.has_truth | answers.has_answer)
    kinds = {
        "wrong": is_wrong,
        "not_in_register": is_wrong & ~answers.has_truth,
        "right_siren_wrong_site": is_wrong & is_right_siren,
        "without_candidate": is_wrong & ~answers.has_answer,
    }
    if rank is not None:
        kinds["rank_2_20"] = is_wrong & answers.has_truth & (rank > 0)
        kinds["not_among_candidates"] = is_wrong & answers.has_truth & (rank == 0)
    scopes = {"auto": answers.is_auto, "all": np.ones(len(is_wrong), dtype=bool)}
    return {
        scope: {kind: int((flags & within).sum()) for kind, flags in kinds.items()}
        for scope, within in scopes.items()
    }
