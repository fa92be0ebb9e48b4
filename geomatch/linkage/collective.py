"""Between ranking and decisions: what the other bulletins of a file say.

Colleagues answer the same census. An establishment that several bulletins surely name is
likelier for a bulletin that leaves the choice open ("mon voisin travaille dans la même boîte,
mais lui il a tout bien saisi"), and one of many employees that none of them names is less
likely than its headcount promises. How much so depends on how often establishments come back in
the file at all, which the share of those seen once tells (Good, 1953).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns
from geomatch.linkage.ranking import COLLECTIVE, Feature

#: What the file says of a candidate; the model has a weight for each.
FEATURES: Mapping[str, Feature] = COLLECTIVE
#: Chance from which a bulletin counts as naming an establishment.
SURE = 0.5
#: So many sure bulletins must be there before their repetitions mean anything.
_ENOUGH = 10.0


def chances(
    pairs: Columns,
    score: NDArray[np.float64],
    size: NDArray[np.float64],
    group: NDArray[np.object_],
    weights: Mapping[str, float],
) -> dict[str, NDArray[np.float64]]:
    """Columns ``score`` (log-odds), ``chance`` and FEATURES of each pair of bulletin and candidate.

    `pairs` has ``row`` and ``siret_number``, sorted by row. `score` is that of each pair by
    itself, `size` the logarithm of its headcount, `group` one label for each bulletin. Without
    `weights` each bulletin stands alone, and FEATURES are 0.
    """
    row = np.asarray(pairs["row"], np.int64)
    if weights:
        codes = pd.factorize(group)[0]
        siret = np.asarray(pairs["siret_number"], np.int64)
        told = told_elsewhere(row, siret, size, candidate_probabilities(row, score), codes)
    else:
        told = {name: np.zeros(len(row)) for name in FEATURES}
    total = score + sum(weight * told[name] for name, weight in weights.items())
    return {"score": total, "chance": candidate_probabilities(row, total), **told}


def candidate_probabilities(
    row: NDArray[np.int64], score: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chance of each pair against its rivals and against being absent (a multinomial logit).

    Pairs of one bulletin stand together; `score` are log-odds against "not among the
    candidates", so the chances of one bulletin add up to less than 1.
    """
    if not len(row):
        return np.zeros(0)
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    group = np.cumsum(np.r_[0, row[1:] != row[:-1]])
    top = np.maximum(np.maximum.reduceat(score, start), 0.0)
    weight = np.exp(score - top[group])
    total = np.add.reduceat(weight, start) + np.exp(-top)
    return weight / total[group]


def told_elsewhere(
    row: NDArray[np.int64],
    siret: NDArray[np.int64],
    size: NDArray[np.float64],
    chance: NDArray[np.float64],
    group: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """What the other bulletins say of each pair's establishment: :data:`FEATURES`.

    Parameters
    ----------
    row, siret, size, chance : arrays, one item a pair
        Bulletin, establishment, log of its headcount, chance of the pair by itself.
    group : array, one item a bulletin
        Bulletins that are looked at together (those of one département of work), so that the
        result depends on no other partition of the file.

    Returns
    -------
    dict of arrays, one item a pair
        ``seen``: ``log(1 + others) × share``, where *others* sums the sure chances of other
        bulletins for the establishment and *share* estimates how likely it is, in this group,
        that an establishment named surely is named again. ``missed``: ``size × share`` (at
        least 0) where no other bulletin surely names it, else 0.
    """
    # Rounded, so that the last bits of an exponential, which depend on where it stands in its
    # array, cannot decide on which side of the bound a chance falls.
    chance = np.round(chance, 9)
    sure = np.where(chance >= SURE, chance, 0.0)
    code = pd.factorize(siret)[0]
    place = group[row]
    key = place * (code.max(initial=0) + 1) + code
    distinct, inverse = np.unique(key, return_inverse=True)
    total = np.bincount(inverse.ravel(), weights=sure, minlength=len(distinct))
    owner = distinct // (code.max(initial=0) + 1)
    n = np.bincount(owner, weights=total, minlength=place.max(initial=0) + 1)
    once = np.bincount(
        owner, weights=np.where(total < 1.5, total, 0.0), minlength=place.max(initial=0) + 1
    )
    again = (np.maximum(n - once, 0.0) / (n + _ENOUGH))[place]
    others = np.maximum(total[inverse.ravel()] - sure, 0.0)
    # A sure bulletin brings SURE at least: less is what rounding leaves of a difference.
    is_missed = others < 0.5 * SURE
    missed = np.where(is_missed, np.maximum(np.asarray(size, np.float64), 0.0), 0.0)
    return {"seen": np.log1p(others) * again, "missed": missed * again}
