"""How well a street of the gazetteer explains a written one: features, weights, probability.

A conditional logit: each candidate's utility is the weighted sum of its features, the utility of
"none of these" is 0, and the probability of a candidate is its share of the exponentials. The
weights were learned by ``benchmarks/fit_geocoder.py`` on addresses of the gazetteer written with
made-up slips; ``docs/benchmarks.md`` shows how they hold on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import partial_ratio
from rapidfuzz.process import cpdist

from geomatch.addresses import houses
from geomatch.addresses.gazetteer_index import StreetIndex
from geomatch.addresses.questions import Questions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WEIGHTS: Mapping[str, float] = {
    "constant": 7.53,
    "slips": -0.32,
    "slips_share": -4.87,
    "not_within": -6.97,
    "missing": -0.26,
    "kind_unsaid": -2.19,
    "kind_other": -2.94,
    "same_city": -2.71,
    "neighbour": -4.19,
    "elsewhere": -6.65,
    "number_absent": -3.17,
    "number_between": -2.35,
    "no_numbers": 0.0,
    "size": 0.41,
    "bare": -2.5,
    "bare_slips": -1.2,
    "bare_missing": -0.68,
    "kind_in_name": -0.05,
}
#: More slips than this are as bad.
_MOST_SLIPS = 8


@dataclass(frozen=True)
class Scored:
    """Utility and probability of each pair, aligned with the pairs."""

    utility: Floats
    probability: Floats


def features(
    index: StreetIndex, questions: Questions, question: Ints, street: Ints, near: Ints
) -> Floats:
    """Features of pairs, shape (pairs, len(WEIGHTS)), in the order of :data:`WEIGHTS`."""
    asked, known = questions.packed[question], index.packed[street]
    kind_in_name = _kind_in_name(questions, index, question, street)
    asked = np.where(kind_in_name, questions.whole[question], asked)
    slips = np.zeros(len(question))
    outside = np.zeros(len(question))
    differ = np.flatnonzero(asked != known)
    if len(differ):
        a, b = asked[differ], known[differ]
        slips[differ] = cpdist(a, b, scorer=OSA.distance, dtype=np.int32)
        outside[differ] = 1.0 - cpdist(a, b, scorer=partial_ratio, dtype=np.float32) / 100.0
    length_asked, length_known = questions.length[question], index.length[street]
    length_asked = np.where(
        kind_in_name, length_asked + questions.kind_length[question], length_asked
    )
    share = slips / np.maximum(np.maximum(length_asked, length_known), 1)
    missing = np.maximum(length_known - length_asked, 0) / np.maximum(length_known, 1)
    kind_asked = questions.kind_of(index)[question]
    kind_differs = (kind_asked >= 0) & ~kind_in_name & (kind_asked != index.kind[street])
    kind_unsaid = (kind_asked < 0) & (index.kind[street] != index.no_kind)
    numero = questions.numero[question]
    level = houses.level_of(index, street, numero)
    asked_number = numero > 0
    unnumbered = index.count[street] == 0
    bare = (kind_asked < 0) & ~asked_number
    columns = {
        "constant": np.ones(len(question)),
        "slips": np.minimum(slips, _MOST_SLIPS),
        "slips_share": share,
        "not_within": outside,
        "missing": missing,
        "kind_unsaid": kind_unsaid,
        "kind_other": kind_differs,
        "same_city": near == 1,
        "neighbour": near == 2,
        "elsewhere": near == 3,
        "number_absent": asked_number & ~unnumbered & (level == houses.STREET),
        "number_between": asked_number & ~unnumbered & (level == houses.INTERPOLATED),
        "no_numbers": asked_number & unnumbered,
        "size": np.log1p(index.count[street]) - 3.0,
        "bare": bare,
        "bare_slips": bare * share,
        "bare_missing": bare * missing,
        "kind_in_name": kind_in_name,
    }
    return np.column_stack([columns[name].astype(np.float64) for name in WEIGHTS])


def _kind_in_name(
    questions: Questions, index: StreetIndex, question: Ints, street: Ints
) -> NDArray[np.bool_]:
    """Pairs where the type asked for is a word of the known name: POTERNE, RUE DE LA POTERNE."""
    at = np.flatnonzero(questions.has_weak_kind[question])
    out = np.zeros(len(question), dtype=bool)
    kinds, names = questions.names, index.packed
    out[at] = [
        names[s].startswith(kinds[q].kind.replace(" ", ""))
        for q, s in zip(question[at].tolist(), street[at].tolist(), strict=True)
    ]
    return out


def score(
    index: StreetIndex, questions: Questions, question: Ints, street: Ints, near: Ints
) -> Scored:
    """Utility and probability of each pair; pairs need not be sorted."""
    weights = np.array(list(WEIGHTS.values()))
    utility = features(index, questions, question, street, near) @ weights
    return Scored(utility, shares(question, utility, len(questions.keys)))


def shares(question: Ints, utility: Floats, n: int) -> Floats:
    """Share of each pair among its question's pairs and "none", whose utility is 0."""
    weight = np.exp(np.minimum(utility, 50.0))
    total = np.bincount(question, weight, minlength=n) + 1.0
    return weight / total[question]
