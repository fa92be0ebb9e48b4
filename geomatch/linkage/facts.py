"""What speaks for and against a bulletin's best candidate, as facts that reasons are made of.

A fact is a condition on the features of the pair and a few French words
(:data:`geomatch.core.wording.FACTS`). The facts of a bulletin are kept as bits of one number, so
that a reason can be written again for another precision without the features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns
from geomatch.core.decision_types import decision_types
from geomatch.core.wording import FACTS, FIRST_ECHO, NOTHING_CLEAR, sentence_of

Flags = NDArray[np.bool_]
#: Agreement of names (as ``name_score`` of candidates) of close names, and of those alike in part.
CLOSE, IN_PART = 0.8, 0.5
#: Evidence (log) of activity and occupation from which on they fit the candidate's NAF.
FITS = 1.0
#: Likeness of street names (as the feature ``street_text``) that are one street.
ONE_STREET = 0.85
#: Chance that the second is right, of one that is in the register, below which it is no rival.
NO_RIVAL = 0.05
#: Facts told at most for a candidate, and against it.
_MOST_FOR, _MOST_AGAINST = 3, 2
#: Types whose reason says all: the best candidate was not looked for, or does not matter.
_WITHOUT_ECHO = ("abroad", "outside_store", "no_candidate", "private_employer", "no_declaration")


def name_score(leading: Columns) -> NDArray[np.float64]:
    """Agreement of the two names of the best candidate, as candidates show it."""
    parts = (np.asarray(leading[f"top_{n}"]) for n in ("both", "token_set", "characters"))
    both, words, characters = parts
    return np.maximum(both, words * characters)


def _is(feature: str) -> Callable[[Columns], Flags]:
    return lambda e: np.asarray(e[f"top_{feature}"]) >= 0.5


def _has_names(e: Columns) -> Flags:
    return ~(_is("name_missing")(e) | _is("generic_name")(e) | _is("unnamed")(e))


def _same_street(e: Columns) -> Flags:
    return _is("street")(e) | (np.asarray(e["top_street_text"]) >= ONE_STREET)


def _activity(e: Columns) -> NDArray[np.float64]:
    return np.asarray(e["top_activity"]) + np.asarray(e["top_profession"])


#: Fact → whether it holds of the best candidate, from the columns ``top_*`` of
#: :func:`~geomatch.linkage.calibration_features.best_candidates` and ``given_second``.
#: Those that speak for the candidate come first; of what says the same thing, the strongest.
FOR: Mapping[str, Callable[[Columns], Flags]] = {
    "same_name": lambda e: _is("same_name")(e) & _has_names(e),
    "close_name": lambda e: ~_is("same_name")(e) & _has_names(e) & (name_score(e) >= CLOSE),
    "name_in_part": lambda e: (
        ~_is("same_name")(e) & _has_names(e) & (name_score(e) >= IN_PART) & (name_score(e) < CLOSE)
    ),
    "office": _is("office"),
    "same_number": _is("number"),
    "same_street": lambda e: _same_street(e) & ~_is("number")(e),
    "near": lambda e: _is("within")(e) & ~_same_street(e),
    "kind_activity": _is("kind_activity"),
    "activity": lambda e: (_activity(e) >= FITS) & ~_is("kind_activity")(e),
    "seen": lambda e: np.asarray(e["top_seen"]) > 0.0,
    "in_commune": lambda e: _is("inside")(e) & ~_same_street(e),
    "no_rival": lambda e: np.asarray(e["given_second"]) < NO_RIVAL,
}
AGAINST: Mapping[str, Callable[[Columns], Flags]] = {
    "other_name": lambda e: ~_is("same_name")(e) & _has_names(e) & (name_score(e) < IN_PART),
    "no_name": lambda e: _is("name_missing")(e) | _is("generic_name")(e),
    "unnamed": _is("unnamed"),
    "other_street": lambda e: _is("street_differs")(e) & ~_same_street(e),
    "other_number": _is("number_differs"),
    "no_street": _is("street_missing"),
    "other_activity": lambda e: (_activity(e) <= -FITS) | _is("kind_contradicts")(e),
}
#: Bit of each fact; bit 0 says that there is a candidate.
BITS: Mapping[str, int] = {name: 1 << i for i, name in enumerate((*FOR, *AGAINST), start=1)}
FOUND = 1


def facts_of(leading: Columns) -> NDArray[np.int64]:
    """Facts of each bulletin's best candidate, as bits; 0 where there is none."""
    bits = np.full(len(leading), FOUND, np.int64)
    for name, holds in {**FOR, **AGAINST}.items():
        bits |= np.where(holds(leading), BITS[name], 0)
    return np.where(np.asarray(leading["first"]) >= 0, bits, 0)


def shares_of(facts: NDArray[np.int64]) -> dict[str, float]:
    """Share of the bulletins that have each fact, and ``echo``, those with a candidate at all."""
    n = max(len(facts), 1)
    told = {"echo": FOUND, **BITS}
    return {name: int(((facts & bit) != 0).sum()) / n for name, bit in told.items()}


def reasons(kind: NDArray[np.object_], facts: NDArray[np.int64]) -> NDArray[np.object_]:
    """A short French sentence for each bulletin, from its type and its best candidate's facts."""
    code, types = pd.factorize(kind)
    keys, inverse = np.unique(np.stack([code, facts]), axis=1, return_inverse=True)
    told = [_reason(str(types[t]), int(f)) for t, f in keys.T]
    return np.array(told, dtype=object)[inverse.ravel()] if told else np.zeros(0, object)


def _reason(kind: str, facts: int) -> str:
    said = decision_types()[kind].reason
    if not facts & FOUND or kind in _WITHOUT_ECHO:
        return said
    pros = [FACTS[n] for n in FOR if facts & BITS[n]][:_MOST_FOR]
    cons = [FACTS[n] for n in AGAINST if facts & BITS[n]][:_MOST_AGAINST]
    if kind == "sure":
        return sentence_of(pros, cons) or NOTHING_CLEAR
    told = sentence_of(pros, cons)
    return f"{said} {FIRST_ECHO} {told[0].lower()}{told[1:]}" if told else said
