"""Every bulletin's answers held against the truth, once; strata only choose among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.evaluation.earlier_codings import Past
from geomatch.evaluation.measures import Curve
from geomatch.evaluation.outcomes import NAF_LEVELS, Flags, Outcomes, Text


@dataclass(frozen=True)
class Answers:
    """One question asked of every bulletin: what was answered, how surely, and was it right."""

    has_answer: Flags
    has_truth: Flags
    is_right: Flags
    is_auto: Flags
    probability: NDArray[np.float64] | None

    def curve(self) -> Curve | None:
        """Answers by probability; None when the decisions tell none."""
        if self.probability is None:
            return None
        kept = self.has_answer
        return Curve.of(self.probability[kept], self.is_right[kept], n=len(kept))


@dataclass(frozen=True)
class Judged:
    """Parallel flags over bulletins.

    Attributes
    ----------
    siret
        Is the best candidate the true establishment?
    is_right_siren
        Is it one of the true legal unit, at least?
    is_none
        Was it decided that there is no establishment?
    rank
        As in :class:`Outcomes`.
    naf
        Level → is the activity right to that many characters? Empty when there is nothing to
        compare. A shorter code is unknown at that level.
    past
        Earlier coding → how it stands to the run and to the truth.
    levels
        ``site`` and ``siren``, where the decisions have their probability → is the unit right, in
        its commune or at all? What is coded at a more precise level is coded here too.
    """

    siret: Answers
    is_right_siren: Flags
    is_none: Flags
    rank: NDArray[np.int64] | None
    naf: Mapping[int, Answers]
    past: Mapping[str, Past]
    levels: Mapping[str, Answers]

    @classmethod
    def of(cls, outcomes: Outcomes, past: Mapping[str, Text] | None = None) -> Judged:
        """`past` holds earlier codings, one SIRET (``""``: none) per row of `outcomes`."""
        siret, truth = outcomes.siret, outcomes.truth
        has_answer, has_truth = siret != "", truth != ""
        siren = _cut(siret, 9)
        return cls(
            siret=Answers(
                has_answer.astype(bool),
                has_truth.astype(bool),
                (has_answer & (siret == truth)).astype(bool),
                outcomes.is_auto,
                outcomes.probability,
            ),
            is_right_siren=(has_truth & (siren == outcomes.truth_siren)).astype(bool),
            is_none=outcomes.is_none,
            rank=outcomes.rank,
            naf=_naf(outcomes),
            past={n: Past.of(siret, other, truth) for n, other in (past or {}).items()},
            levels=_levels(outcomes, siren),
        )

    def part(self, rows: NDArray[np.int64]) -> Judged:
        """What concerns some bulletins."""
        taken: Judged = _taken(self, rows)
        return taken


def _levels(outcomes: Outcomes, siren: Text) -> dict[str, Answers]:
    if outcomes.answer_level is None:
        return {}
    has_answer, has_truth = (c != "" for c in (outcomes.siret, outcomes.truth))
    right = {"site": outcomes.is_right_site, "siren": has_truth & (siren == outcomes.truth_siren)}
    level, found = outcomes.answer_level.astype(str), {}
    for i, (name, is_right) in enumerate(right.items(), start=2):
        if is_right is not None and name in outcomes.level_probability:
            found[name] = Answers(
                has_answer.astype(bool),
                has_truth.astype(bool),
                is_right.astype(bool),
                np.isin(level, ("siret", "site", "siren")[:i]),
                outcomes.level_probability[name],
            )
    return found


def _taken(of: Any, rows: NDArray[np.int64]) -> Any:
    """The same kind of thing with some rows of every array in it, at any depth."""
    if of is None:
        return None
    if isinstance(of, np.ndarray):
        return of[rows]
    if isinstance(of, Mapping):
        return {name: _taken(one, rows) for name, one in of.items()}
    return type(of)(**{name: _taken(one, rows) for name, one in vars(of).items()})


def _naf(outcomes: Outcomes) -> dict[int, Answers]:
    naf, truth = outcomes.naf, outcomes.truth_naf
    if naf is None or outcomes.is_naf_auto is None or not (truth != "").any():
        return {}
    has_answer = (naf != "").astype(bool)
    out = {}
    for level in NAF_LEVELS:
        true = _cut(truth, level)
        has_truth = (true != "").astype(bool)
        is_right = has_truth & (_cut(naf, level) == true).astype(bool)
        out[level] = Answers(
            has_answer, has_truth, is_right, outcomes.is_naf_auto, outcomes.naf_probability
        )
    return out


def _cut(codes: Text, level: int) -> Text:
    """The first `level` characters; ``""`` for a shorter code."""
    at, distinct = pd.factorize(codes)
    cut = np.array([c[:level] if len(c) >= level else "" for c in distinct], dtype=object)
    return cut[at] if len(distinct) else codes
