"""Is the likeliest street the one that was meant, or is that one not in the gazetteer?

The first look (:mod:`geomatch.addresses.streets.street_score`) shares certainty among the streets
there are. A logistic regression on its answer tells how likely the street meant is this one, when
some streets (:data:`ABSENT`) are missing from the gazetteer. Its weights were learned by
``benchmarks/fit_geocoder.py --hidden``: the streets of some addresses were taken out of the index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from geomatch.addresses.streets import street_score
from geomatch.addresses.streets.index import StreetIndex
from geomatch.addresses.streets.questions import Questions
from geomatch.addresses.streets.zones import Nearness

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Share of the streets that people ask for and the gazetteer lacks.
ABSENT = 0.1
WEIGHTS: Mapping[str, float] = {
    "constant": 0.2,
    "first_look": 1.17,
    "others": -4.95,
    "kind_unsaid": 0.68,
    "kind_other": -0.8,
    "slips": -0.19,
    "slips_share": -0.96,
    "not_within": -3.64,
    "missing": 2.44,
    "same_city": -0.96,
    "farther": -2.73,
    "number_absent": -4.04,
    "number_between": -1.34,
    "agreeing": 0.15,
    "unexplained": 0.1,
    "unasked": -0.13,
    "changed": -2.13,
    "kind_usual": -0.26,
    "asked_companions": -2.15,
    "known_companions": -4.56,
    "slips_away": -0.87,
    "streets_about": -0.15,
    "size": -0.2,
    "kind_likely": -0.45,
    "away_likely": -0.11,
    "kind_door": 0.34,
    "slips_door": 0.23,
    "away_door": 0.2,
    "unexplained_share": -0.9,
}
#: First-look probabilities nearer to 0 and 1 are as sure.
_MOST_SURE = 1e-4
#: One slip in so many letters makes another spelling of a word, more another word.
_LETTERS_PER_SLIP = 4


@dataclass(frozen=True)
class Chosen:
    """The likeliest street of some questions; aligned.

    `probability` is the first look's, twins in the city included; `alone` without them.
    """

    question: Ints
    street: Ints
    probability: Floats
    alone: Floats


def probability(index: StreetIndex, questions: Questions, chosen: Chosen) -> Floats:
    """Probability that each chosen street is the one meant, shape (n,)."""
    weights = np.array(list(WEIGHTS.values()))
    utility = np.sum(features(index, questions, chosen) * weights, axis=1)
    return 1.0 / (1.0 + np.exp(-utility))


def features(index: StreetIndex, questions: Questions, chosen: Chosen) -> Floats:
    """Features, shape (n, len(WEIGHTS)), in the order of :data:`WEIGHTS`."""
    pairs = street_score.Pairs(index, questions, chosen.question, chosen.street)
    first = dict(zip(street_score.WEIGHTS, street_score.features(pairs).T, strict=True))
    sure, alone = (
        np.clip(p, _MOST_SURE, 1 - _MOST_SURE) for p in (chosen.probability, chosen.alone)
    )
    likely = np.log(sure / (1 - sure))
    is_other, is_away = first["kind_other"], pairs.near > Nearness.STATED
    door = _door(questions.numero[chosen.question], first)
    words = _words(pairs)
    told = words["unexplained"] + words["agreeing"]
    columns = {
        **first,
        **words,
        **_kinds(pairs, is_other),
        "first_look": likely,
        "others": np.log(sure / alone),
        "farther": pairs.near > Nearness.SAME_CITY,
        "streets_about": np.log1p(index.n_streets[index.commune[pairs.street]]) - 5.0,
        "unexplained_share": words["unexplained"] / np.maximum(told, 1.0),
        # where type or town disagree: likeness is less proof, a high number that is there more
        "kind_likely": likely * is_other,
        "away_likely": likely * is_away,
        "slips_away": first["slips_share"] * is_away,
        "kind_door": door * is_other,
        "slips_door": door * first["slips_share"],
        "away_door": door * is_away,
    }
    return np.column_stack([np.asarray(columns[name], np.float64) for name in WEIGHTS])


def _door(numero: Ints, first: Mapping[str, Floats]) -> Floats:
    """How high the number is where its very door is known: any street may have a number 2."""
    known = (numero > 0) & (first["number_absent"] + first["number_between"] == 0)
    return np.where(known, np.log1p(numero), 0.0)


def _kinds(pairs: street_score.Pairs, is_other: Floats) -> dict[str, Floats]:
    """Of another type: how usual the one asked for is there, and companions of that name are."""
    index = pairs.index
    asked = pairs.questions.kind_of(index)[pairs.question]
    known = index.kind[pairs.street]
    usual = np.log(index.kind_share[index.commune[pairs.street], asked]) + 3.0
    return {
        "kind_usual": np.where(is_other, usual, 0.0),
        "asked_companions": np.where(is_other, index.companions[asked], 0.0),
        "known_companions": np.where(is_other, index.companions[known], 0.0),
    }


def _words(pairs: street_score.Pairs) -> dict[str, Floats]:
    """How rare the words are that agree, are asked and not known, known and not asked, changed."""
    out = np.zeros((len(pairs.question), 4))
    asked = pairs.questions.packed[pairs.question]
    differ = np.flatnonzero((asked != pairs.index.packed[pairs.street]) & ~pairs.is_road)
    known = pairs.index.words_borne(pairs.street[differ])
    names, rarity = pairs.questions.names, pairs.index.rarity
    for row, words in zip(differ.tolist(), known, strict=True):
        out[row] = _compared(names[pairs.question[row]].words, words.split(), rarity)
    return dict(zip(("agreeing", "unexplained", "unasked", "changed"), out.T, strict=True))


def _compared(
    asked: tuple[str, ...], known: list[str], rarity: Mapping[str, float]
) -> tuple[float, float, float, float]:
    """Rarity of words that are the same, only asked, only known, and alike but for slips."""
    rarest = rarity[""]
    left, over = list(known), []
    agreeing = changed = 0.0
    for word in asked:
        if word in left:
            left.remove(word)
            agreeing += rarity.get(word, rarest)
        else:
            over.append(word)
    unexplained = 0.0
    for word in over:
        allowed = max(1, len(word) // _LETTERS_PER_SLIP)
        near = next(
            (w for w in left if OSA.distance(word, w, score_cutoff=allowed) <= allowed), None
        )
        if near is None:
            unexplained += rarity.get(word, rarest)
        else:
            left.remove(near)
            # a word that other streets bear is no slip: SAULE and HAUTE are both meant
            changed += rarest - rarity.get(word, rarest)
            agreeing += rarity.get(near, rarest)
    return agreeing, unexplained, sum(rarity.get(w, rarest) for w in left), changed
