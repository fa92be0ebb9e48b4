"""Candidates that bear a name like the written one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import ragged_ranges, top
from geomatch.arrays.jit import compiled
from geomatch.arrays.rows import Rows
from geomatch.core.config import CandidateOptions
from geomatch.linkage.blocking.sources import BY_NAME, chunks, found
from geomatch.linkage.blocking.weights import NAME_WEIGHTS, NameWeights
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places
from geomatch.names.similar import WrittenNames

#: Names written in full, of rare words and borne by no more than so many, are looked for in
#: the whole pool: people give the town of the head office, or their own.
_FEW = 40
_HEAVY = 6.0


def by_name(places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions) -> Rows:
    """Bearers of similar names in the declared commune and its neighbours.

    Bulletins of one written name, zone and focus share the search. A name borne by few and
    written almost in full is looked for in the whole pool.
    """
    asked = (names.name, places.zone[names.row], places.focus[names.row] + 1)
    sizes = (len(names.start), len(places.relation) + 1, places.relation.shape[1] + 1)
    groups, group_of = np.unique(np.ravel_multi_index(asked, sizes), return_inverse=True)
    name, zone, focus = np.unravel_index(groups, sizes)
    bearers, anywhere = pool.name_bearers, _unmistakable(names, pool)
    none = np.zeros(0, np.int64)
    likest = [(none, none, none)]
    cost = np.cumsum(_expansion_cost(name, names, pool.n_bearers))
    for low, high in chunks(cost):
        most = cost[high - 1] - (cost[low - 1] if low else 0)
        group, pair, establishment, score = _bearers_near(
            _Searches(name[low:high], zone[low:high], focus[low:high] - 1),
            _SimilarNames(names.start, names.known, names.score, anywhere),
            _Register(bearers.start, bearers.to, places.relation, pool.traits),
            NAME_WEIGHTS, most,
        )  # fmt: skip
        best = top(group, score, 3 * options.by_name)
        likest.append((group[best] + low, pair[best], establishment[best]))
    group, pair, establishment = (np.concatenate(part) for part in zip(*likest, strict=True))
    start = np.searchsorted(group, np.arange(len(groups) + 1))
    asker, at = ragged_ranges(start[group_of], start[group_of + 1])
    return found(names.row[asker], establishment[at], BY_NAME, pair[at])


class _Searches(NamedTuple):
    """What is looked for: written name, zone, and commune of residence that counts (-1: none)."""

    name: NDArray[np.int64]
    zone: NDArray[np.int64]
    focus: NDArray[np.int64]


class _SimilarNames(NamedTuple):
    """Pairs of written name *i*: from ``start[i]``; known name, similarity, sought everywhere."""

    start: NDArray[np.int64]
    known: NDArray[np.int64]
    score: NDArray[np.float64]
    is_anywhere: NDArray[np.bool_]


class _Register(NamedTuple):
    """Bearers of name *k*: from ``start[k]``; relation of zone and commune; traits of each row."""

    start: NDArray[np.int32]
    bearers: NDArray[np.int32]
    relation: NDArray[np.int8]
    traits: NDArray[np.void]


@compiled
def _bearers_near(
    searches: _Searches, names: _SimilarNames, register: _Register, weights: NameWeights, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Bearers of similar names in or beside each zone: search, pair, establishment, score.

    `most` is the number of bearers of all the names, an upper bound of the result.
    """
    group, pair = np.empty(most, np.int64), np.empty(most, np.int64)
    establishment, score = np.empty(most, np.int64), np.empty(most, np.float64)
    n = 0
    for g in range(len(searches.name)):
        written = searches.name[g]
        for p in range(names.start[written], names.start[written + 1]):
            known = names.known[p]
            for at in range(register.start[known], register.start[known + 1]):
                group[n], pair[n], establishment[n] = g, p, register.bearers[at]
                n += 1
    # A second loop without branches: the processor fetches many rows at once.
    n_kept = 0
    for i in range(n):
        g, p, bearer = group[i], pair[i], register.traits[establishment[i]]
        near = register.relation[searches.zone[g], bearer["commune"]]
        group[n_kept], pair[n_kept], establishment[n_kept] = g, p, establishment[i]
        score[n_kept] = names.score[p] + weights.relation * near + weights.size * bearer["size"]
        score[n_kept] += weights.home * (bearer["commune"] == searches.focus[g])
        n_kept += (near > 0) | names.is_anywhere[p]
    return group[:n_kept], pair[:n_kept], establishment[:n_kept], score[:n_kept]


def _unmistakable(names: WrittenNames, pool: Pool) -> NDArray[np.bool_]:
    """Which pairs of names are looked for in the whole pool."""
    n_bearers = pool.n_bearers[names.known]
    least = np.minimum(names.of_written, names.of_known)
    weight = names.coverage.lexicon.weight[names.known]
    is_heavy = (n_bearers <= _FEW) & (least >= 0.95) & (weight >= _HEAVY)
    return np.asarray(((n_bearers <= 3) & (least >= 0.85)) | is_heavy)


def _expansion_cost(
    name: NDArray[np.int64], names: WrittenNames, n_bearers: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Bearers of all the names that are similar to each written name."""
    total = np.zeros(len(names.known) + 1, np.int64)
    np.cumsum(n_bearers[names.known], out=total[1:])
    return total[names.start[name + 1]] - total[names.start[name]]
