"""How well a street of the gazetteer explains a written one: features, weights, probability.

A conditional logit: each candidate's utility is the weighted sum of its features, the utility of
"none of these" is 0, and the probability of a candidate is its share of the exponentials. The
weights were learned by ``benchmarks/fit_geocoder.py`` on addresses of the gazetteer written with
made-up slips; ``docs/benchmarks.md`` shows how they hold on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import partial_ratio
from rapidfuzz.process import cpdist

from geomatch.addresses.streets import houses
from geomatch.addresses.streets.index import StreetIndex
from geomatch.addresses.streets.questions import Questions
from geomatch.addresses.streets.zones import Nearness

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
class Pairs:
    """Pairs of a question (its position) and a street (row of the index)."""

    index: StreetIndex
    questions: Questions
    question: Ints
    street: Ints

    @cached_property
    def near(self) -> Ints:
        """:class:`Nearness`: how far the street's commune is from the one asked for."""
        return self.questions.near(self.question, self.index.commune[self.street])

    @cached_property
    def is_road(self) -> NDArray[np.bool_]:
        """The street is asked for by the road that it is a part of."""
        asked = self.index.by_road.codes(self.questions.typed)
        known = self.index.by_road.code[self.street]
        return (asked[self.question] >= 0) & (asked[self.question] == known)


def score(pairs: Pairs) -> Floats:
    """Probability of each pair; pairs need not be sorted."""
    # not the product of matrices, whose last digit depends on how many rows there are
    utility = np.sum(features(pairs) * np.array(list(WEIGHTS.values())), axis=1)
    return shares(pairs.question, utility, len(pairs.questions))


def features(pairs: Pairs) -> Floats:
    """Features of pairs, shape (pairs, len(WEIGHTS)), in the order of :data:`WEIGHTS`."""
    is_in_name = _kind_in_name(pairs)
    is_road = pairs.is_road
    numero = pairs.questions.numero[pairs.question]
    kind = pairs.questions.kind_of(pairs.index)[pairs.question]
    known_kind = pairs.index.kind[pairs.street]
    bare = (kind < 0) & (numero <= 0)
    columns = _name_features(pairs, is_in_name) | _number_features(pairs, numero)
    columns |= {
        "constant": np.ones(len(pairs.question)),
        "kind_unsaid": (kind < 0) & (known_kind != pairs.index.no_kind),
        "kind_other": (kind >= 0) & ~is_in_name & ~is_road & (kind != known_kind),
        "kind_in_name": is_in_name,
        "same_city": pairs.near == Nearness.SAME_CITY,
        "neighbour": pairs.near == Nearness.NEIGHBOUR,
        "elsewhere": pairs.near == Nearness.ELSEWHERE,
        "bare": bare,
        "bare_slips": bare * columns["slips_share"],
        "bare_missing": bare * columns["missing"],
    }
    return np.column_stack([columns[name].astype(np.float64) for name in WEIGHTS])


def _name_features(pairs: Pairs, is_in_name: NDArray[np.bool_]) -> dict[str, Floats]:
    """Slips between the letters run together, and letters of the known name left unsaid."""
    questions, question, street = pairs.questions, pairs.question, pairs.street
    asked = np.where(is_in_name, questions.whole[question], questions.packed[question])
    known = pairs.index.packed[street]
    slips = np.zeros(len(question))
    outside = np.zeros(len(question))
    differ = np.flatnonzero((asked != known) & ~pairs.is_road)
    if len(differ):
        a, b = asked[differ], known[differ]
        slips[differ] = cpdist(a, b, scorer=OSA.distance, dtype=np.int32)
        outside[differ] = 1.0 - cpdist(a, b, scorer=partial_ratio, dtype=np.float32) / 100.0
    added = np.where(is_in_name, questions.kind_length[question], 0)
    known_length = pairs.index.length[street]
    length = np.where(pairs.is_road, known_length, questions.length[question] + added)
    return {
        "slips": np.minimum(slips, _MOST_SLIPS),
        "slips_share": slips / np.maximum(np.maximum(length, known_length), 1),
        "not_within": outside,
        "missing": np.maximum(known_length - length, 0) / np.maximum(known_length, 1),
    }


def _number_features(pairs: Pairs, numero: Ints) -> dict[str, NDArray]:
    """What the street's house numbers say of the number asked for."""
    count = pairs.index.count[pairs.street]
    level = houses.level_of(pairs.index, pairs.street, numero)
    asked, has_numbers = numero > 0, count > 0
    return {
        "number_absent": asked & has_numbers & (level == houses.STREET),
        "number_between": asked & has_numbers & (level == houses.INTERPOLATED),
        "no_numbers": asked & ~has_numbers,
        "size": np.log1p(count) - 3.0,
    }


def _kind_in_name(pairs: Pairs) -> NDArray[np.bool_]:
    """Pairs where the type asked for is a word of the known name: POTERNE, RUE DE LA POTERNE."""
    at = np.flatnonzero(pairs.questions.has_weak_kind[pairs.question])
    out = np.zeros(len(pairs.question), dtype=bool)
    asked, known = pairs.questions.names, pairs.index.packed
    out[at] = [
        known[s].startswith(asked[q].kind.replace(" ", ""))
        for q, s in zip(pairs.question[at].tolist(), pairs.street[at].tolist(), strict=True)
    ]
    return out


def shares(question: Ints, utility: Floats, n: int) -> Floats:
    """Share of each pair among its question's pairs and "none", whose utility is 0."""
    weight = np.exp(np.minimum(utility, 50.0))
    total = np.bincount(question, weight, minlength=n) + 1.0
    return weight / total[question]
