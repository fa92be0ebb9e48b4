"""From what is known of each bulletin by itself to what is decided of it in its file.

What a model says of one bulletin (:data:`ASSESSED`) hangs on nothing else; how many of a file's
bulletins are in the register at all, and from which probability on its answers keep the precision
asked for, hangs on the whole file. Both are settled here, from stored columns: after the parts of a
run are merged, and again in seconds when somebody asks for another precision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns, Rows
from geomatch.core.config import DecisionOptions
from geomatch.core.decision_types import decision_types
from geomatch.linkage.facts import reasons, shares_of
from geomatch.linkage.file_share import LEAST_BULLETINS
from geomatch.linkage.ladder import answers
from geomatch.linkage.model import LEVELS, Model, threshold_for

#: Level → column of its probability.
PROBABILITIES: Mapping[str, str] = {
    "siret": "probability",
    "site": "site_probability",
    "siren": "siren_probability",
}
#: What is known of a bulletin by itself: P(in the register) as learned, P(right | there) of each
#: level, the type it has unless it is sure, and the facts that reasons are made of.
ASSESSED = ("presence", *(f"given_{level}" for level in LEVELS), "given_second", "doubt", "facts")
#: Probability that nothing is coded below, however sure the rest of the file is.
FLOOR = 0.25
#: Probability under which "none" is an answer, for types that allow it.
_UNLIKELY = 0.2
#: How far outside the shares learned from a file's share of a fact may be.
_SLACK = 0.05
#: Two-sided 95 % quantile of the normal law.
_Z = 1.959963984540054
#: What is never coded: no establishment of France is abroad.
_NEVER = ("abroad",)


@dataclass(frozen=True)
class Settlement:
    """What a file as a whole tells of its bulletins.

    Attributes
    ----------
    n : bulletins
    level : see :class:`~geomatch.linkage.file_share.FileShare`
    is_own : the level and thresholds are this file's; otherwise it is too small, and the learned
        ones stand
    absent_share : bulletins that probably have no establishment in the store, share
    thresholds : least probability coded, by level of :data:`LEVELS`
    expected : precision expected of what is coded, by level, the NAF's where it is known
    counts : bulletins by decision
    unusual : facts whose share is not one that the model learned from → that share
    """

    n: int
    level: float
    is_own: bool
    absent_share: float
    thresholds: Mapping[str, float]
    expected: Mapping[str, Expected]
    counts: Mapping[str, int]
    unusual: Mapping[str, float]


class Bounds(NamedTuple):
    """What is asked of one level otherwise than of the others: a precision, or a threshold."""

    level: str
    precision: float | None = None
    threshold: float | None = None

    def asked(self, level: str, precision: float) -> float:
        """Precision asked of a level."""
        return self.precision if level == self.level and self.precision else precision


class Expected(NamedTuple):
    """Share of `n` coded bulletins that is expected to be right, its interval; NaN of none."""

    value: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, chance: NDArray[np.float64]) -> Expected:
        """Of the probabilities of what is coded: mean, and Wilson's 95 % interval around it."""
        n = len(chance)
        if not n:
            return cls(math.nan, math.nan, math.nan, 0)
        p = int(np.round(chance * 1e6).astype(np.int64).sum()) / 1e6 / n
        centre = (p + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        half = _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n)) / (1 + _Z * _Z / n)
        return cls(p, max(0.0, centre - half), min(1.0, centre + half), n)


def settle(
    rows: Columns, model: Model, options: DecisionOptions, bounds: Bounds | None = None
) -> Settlement:
    """Settle a file of which `rows` are all bulletins, with the columns :data:`ASSESSED`."""
    bounds = bounds or Bounds("")
    presence = np.asarray(rows["presence"], np.float64)
    is_own = len(presence) >= LEAST_BULLETINS
    level = model.file_share.level(presence) if is_own else model.file_share.usual
    present, by_level = chances(rows, level, model)
    may_be_coded = ~np.isin(np.asarray(rows["doubt"], object).astype(str), _NEVER)
    thresholds: dict[str, float] = {}
    expected: dict[str, Expected] = {}
    for name in LEVELS:
        chance = by_level[name][may_be_coded]
        asked = bounds.asked(name, options.precision)
        learned = threshold_for(model.thresholds_of(name), asked)
        thresholds[name] = expected_threshold(chance, asked) if is_own else learned
        if name == bounds.level and bounds.threshold is not None:
            thresholds[name] = bounds.threshold
        expected[name] = Expected.of(chance[chance >= thresholds[name]])
    if "naf_probability" in list(rows):
        is_sure = np.asarray(rows["naf_decision"], object) == "auto"
        expected["naf"] = Expected.of(np.asarray(rows["naf_probability"], np.float64)[is_sure])
    is_auto = (by_level["siret"] >= thresholds["siret"]) & may_be_coded
    is_none = _is_none(rows, by_level["siret"]) & ~is_auto
    n_auto, n_none = int(is_auto.sum()), int(is_none.sum())
    n = len(presence)
    return Settlement(
        n,
        level,
        is_own,
        1.0 - Expected.of(present).value,
        thresholds,
        expected,
        {"auto": n_auto, "review": n - n_auto - n_none, "none": n_none},
        _unusual(np.asarray(rows["facts"], np.int64), model) if is_own else {},
    )


def _is_none(rows: Columns, chance: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whose answer is that there is no establishment, unless it is coded."""
    known = decision_types()
    may_be_none = np.array([known[k].may_be_none for k in np.asarray(rows["doubt"])], dtype=bool)
    return may_be_none & (chance < _UNLIKELY)


def _unusual(facts: NDArray[np.int64], model: Model) -> dict[str, float]:
    shares = shares_of(facts)
    ranges = model.file_share.facts
    return {
        name: shares[name]
        for name, (low, high) in ranges.items()
        if not low - _SLACK <= shares[name] <= high + _SLACK
    }


def expected_threshold(chance: NDArray[np.float64], precision: float) -> float:
    """Least probability from which the mean of the probabilities is the precision asked for.

    At least :data:`FLOOR`; 1.01 where nothing is sure enough.
    """
    ordered = np.sort(chance)[::-1]
    # whole millionths: the sum hangs on no order
    total = np.cumsum(np.round(ordered * 1e6).astype(np.int64))
    mean = total / 1e6 / np.arange(1, len(ordered) + 1)
    # All bulletins of one probability are coded, or none.
    is_last = np.append(np.diff(ordered) != 0, True)[: len(ordered)]
    kept = np.flatnonzero((mean >= precision - 1e-9) & is_last & (ordered >= FLOOR))
    return float(ordered[kept[-1]]) if len(kept) else 1.01


def settled(
    rows: Columns, settlement: Settlement, model: Model, options: DecisionOptions
) -> dict[str, NDArray[Any]]:
    """Columns of :data:`~geomatch.core.schema.DECISIONS` that hang on the file.

    `rows` are some of the settled file's bulletins, with :data:`ASSESSED`, ``siret`` (best
    candidate, "" for none) and the columns of the NAF.
    """
    present, chance = chances(rows, settlement.level, model)
    doubt, facts = np.asarray(rows["doubt"], object), np.asarray(rows["facts"], np.int64)
    may_be_coded = ~np.isin(doubt.astype(str), _NEVER)
    sure = {n: (c >= settlement.thresholds[n]) & may_be_coded for n, c in chance.items()}
    is_auto = sure["siret"]
    is_none = _is_none(rows, chance["siret"]) & ~is_auto
    decision = np.where(is_auto, "auto", np.where(is_none, "none", "review")).astype(object)
    kind = np.where(is_auto, "sure", doubt).astype(object)
    siret = np.where(is_none, "", np.asarray(rows["siret"], object)).astype(object)
    told: dict[str, NDArray[Any]] = {**chance}
    told["naf"] = np.round(np.asarray(rows["naf_probability"], np.float64), 6)
    sure["naf"] = np.asarray(rows["naf_decision"], object) == "auto"
    answered = answers(told, sure)
    second = present * np.asarray(rows["given_second"], np.float64)
    return {
        "decision": decision,
        "siret": siret,
        "siren": np.array([s[:9] for s in siret], dtype=object),
        **{PROBABILITIES[name]: c for name, c in chance.items()},
        "margin": np.round(np.maximum(chance["siret"] - second, 0.0), 6),
        "type": kind,
        "reason": reasons(kind, facts),
        **{c: answered[c] for c in answered},
        "present_probability": present,
    }


def decided_of(
    known: Rows, model: Model, options: DecisionOptions, *, whole: bool
) -> tuple[Rows, Settlement]:
    """Bulletins and what is decided of them: as a whole file, or as bulletins of no file.

    A part of a file keeps the SIRET of every best candidate: whether its bulletins have one at all
    is decided when the file is settled.
    """
    settlement = settle(known if whole else known.take(np.arange(0)), model, options)
    decided = settled(known, settlement, model, options)
    if not whole:
        decided["siret"] = known["siret"]
    return known.plus(**decided), settlement


def chances(
    rows: Columns, level: float, model: Model
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """P(in the register) in a file of some level, and P(right) of each level of an answer."""
    present = model.file_share.moved(np.asarray(rows["presence"], np.float64), level)
    given = {name: np.asarray(rows[f"given_{name}"], np.float64) for name in LEVELS}
    return present, {name: np.round(present * g, 6) for name, g in given.items()}
