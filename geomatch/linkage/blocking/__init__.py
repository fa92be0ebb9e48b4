"""Phase 4: who may it be? Near enough, in the same street, or named alike.

Each source yields pairs (bulletin, establishment); the union is cut to a few dozen per
bulletin by a cheap score. Recall is the point here: choosing is the next phase's work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows
from geomatch.core.config import CandidateOptions
from geomatch.core.schema import Table
from geomatch.linkage.blocking.by_activity import Activities, by_activity
from geomatch.linkage.blocking.by_name import by_name
from geomatch.linkage.blocking.by_place import by_place
from geomatch.linkage.blocking.prune import likeliest
from geomatch.linkage.blocking.sources import BY_ACTIVITY, BY_NAME, BY_RADIUS, BY_STREET
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places, Relation
from geomatch.names.similar import WrittenNames

__all__ = [
    "BY_ACTIVITY",
    "BY_NAME",
    "BY_RADIUS",
    "BY_STREET",
    "PAIRS",
    "Activities",
    "find_candidates",
]

PAIRS = Table(
    "pairs",
    {
        "row": ("int", "bulletin, position"),
        "establishment": ("int", "row of the pool"),
        "written": ("int", "written name compared, position among the distinct ones; -1 none"),
        "known": ("int", "register name compared, position among the pool's; -1 none"),
        "of_written": ("float", "share of the written name's weight that is explained"),
        "of_known": ("float", "share of the register name's weight that was written"),
        "source": ("int", "bits: 1 name, 2 radius, 4 street, 8 activity"),
        "relation": ("int", "2 in the declared commune, 1 in a neighbour, 0 elsewhere"),
        "shared": ("float", "weight (idf) of the register name's words that were written"),
    },
)

#: With no name as good as this, those whose activity and size fit are looked at too.
_GOOD_NAME = 0.6


def find_candidates(
    places: Places,
    names: WrittenNames,
    activities: Activities,
    pool: Pool,
    options: CandidateOptions,
) -> Rows:
    """Up to ``options.kept`` candidates a bulletin: the table :data:`PAIRS`.

    Sorted by bulletin, then by falling cheap score.
    """
    if not len(pool) or not len(places):
        return Rows.of(PAIRS.empty(), PAIRS.names)
    found = Rows.joined(
        [by_name(places, names, pool, options), by_place(places, names, pool, options)]
    )
    vague = _vague(found, places, names, pool, options)
    found = Rows.joined([found, by_activity(vague, places, activities, pool)])
    pairs = likeliest(found, places, names, activities, pool, options)
    pairs = pairs.plus(**names.compared(pairs["names"]))
    known, weight = pairs["known"], names.coverage.lexicon.weight
    shared = np.zeros(len(pairs))
    compared = np.flatnonzero(known >= 0)
    shared[compared] = weight[known[compared]] * pairs["of_known"][compared]
    return Rows.of(pairs.plus(shared=shared), PAIRS.names)


def _vague(
    found: Rows, places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions
) -> NDArray[np.int64]:
    """Bulletins with few candidates, or none well named, in the declared place or beside it."""
    near = places.relation[places.zone[found["row"]], pool.commune[found["establishment"]]]
    near = np.flatnonzero(near > Relation.ELSEWHERE)
    row, pair = found["row"][near], found["names"][near]
    few = np.bincount(row, minlength=len(places)) < options.kept // 2
    is_good = np.zeros(len(places), bool)
    named = np.flatnonzero(pair >= 0)
    is_good[row[named[names.score[pair[named]] >= _GOOD_NAME]]] = True
    return np.flatnonzero(~is_good | few)
