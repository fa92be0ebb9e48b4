"""Between ranking and decisions: what the other bulletins of a file say.

Colleagues answer the same census. An establishment that several bulletins surely name is
likelier for a bulletin that leaves the choice open ("mon voisin travaille dans la même boîte,
mais lui il a tout bien saisi"). How much so depends on how often establishments come back in
the file at all, which the share of those seen once tells (Good, 1953).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.rows import Columns

#: Chance from which a bulletin counts as naming an establishment.
SURE = 0.5
#: So many sure bulletins must be there before their repetitions mean anything.
_ENOUGH = 10.0


def scored(
    pairs: pd.DataFrame,
    score: NDArray[np.float64],
    group: NDArray[np.object_],
    weight: float,
) -> pd.DataFrame:
    """The pairs with ``score`` (log-odds, the file's word included), ``chance`` and ``seen``.

    `score` is what each pair is worth by itself; `group` is one label a bulletin.
    """
    return pairs.assign(**chances(pairs, score, group, weight))


def chances(
    pairs: Columns, score: NDArray[np.float64], group: NDArray[np.object_], weight: float
) -> dict[str, NDArray[np.float64]]:
    """The columns that :func:`scored` adds, of pairs with ``row`` and ``siret_number``."""
    row = np.asarray(pairs["row"], np.int64)
    seen = np.zeros(len(row))
    if weight > 0.0:
        codes = pd.factorize(group)[0]
        alone = candidate_probabilities(row, score)
        seen = seen_elsewhere(row, np.asarray(pairs["siret_number"], np.int64), alone, codes)
    total = score + weight * seen
    return {"score": total, "chance": candidate_probabilities(row, total), "seen": seen}


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


def seen_elsewhere(
    row: NDArray[np.int64],
    siret: NDArray[np.int64],
    chance: NDArray[np.float64],
    group: NDArray[np.int64],
) -> NDArray[np.float64]:
    """How much the other bulletins speak for each pair's establishment, log scale, 0 for none.

    Parameters
    ----------
    row, siret, chance : arrays, one item a pair
        Bulletin, establishment, chance of the pair by itself.
    group : array, one item a bulletin
        Bulletins that are looked at together (those of one département of work), so that the
        result depends on no other partition of the file.

    Returns
    -------
    array, one item a pair
        ``log(1 + others) × share``, where *others* sums the sure chances of other bulletins
        for the establishment and *share* estimates how likely it is, in this group, that an
        establishment named surely is named again.
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
    again = np.maximum(n - once, 0.0) / (n + _ENOUGH)
    others = np.maximum(total[inverse.ravel()] - sure, 0.0)
    return np.log1p(others) * again[place]
