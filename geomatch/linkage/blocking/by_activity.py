"""Candidates whose activity and headcount make them likely, where names tell little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import ragged_ranges
from geomatch.arrays.rows import Rows
from geomatch.linkage.blocking.sources import BY_ACTIVITY, found
from geomatch.linkage.pool import LARGEST, Pool
from geomatch.linkage.workplaces import Places, Relation

_NAFS_TRIED = 12
#: Offices of local authorities, the largest, looked at besides.
_OFFICES = 3


@dataclass(frozen=True)
class Activities:
    """What the bulletins' activities say: ``evidence[code[i]]`` over the NAF codes, logs.

    ``naf`` is the position of each pool row's NAF among those codes, -1 for none.
    """

    code: NDArray[np.int64]
    evidence: NDArray[np.float32]
    naf: NDArray[np.int64]


def by_activity(
    rows: NDArray[np.int64], places: Places, activities: Activities, pool: Pool
) -> Rows:
    """Establishments of the declared commune whose activity and headcount make them likely.

    A colleague is as likely to work somewhere as it employs people there: the score is the
    evidence for the NAF plus the logarithm of the headcount. The offices of the authorities that
    are there come besides, for they employ who works in a service without a SIRET of its own.
    """
    likely = [(rows[:0], rows[:0])]
    for here, communes, is_inside in _looked_at(rows, places):
        inside = pool.largest(communes)
        inside = inside[activities.naf[inside] >= 0]
        if not len(inside):
            continue
        codes, code_of = np.unique(activities.code[here], return_inverse=True)
        group, establishment = _largest_fitting(codes, inside, activities, pool)
        order = np.argsort(group, kind="stable")
        start = np.searchsorted(group[order], np.arange(len(codes) + 1))
        row, position = ragged_ranges(start[code_of], start[code_of + 1])
        likely.append((here[row], establishment[order][position]))
        if is_inside:
            offices = inside[pool.is_office[inside]][:_OFFICES]
            likely.append((np.repeat(here, len(offices)), np.tile(offices, len(here))))
    row, establishment = (np.concatenate([f[i] for f in likely]) for i in (0, 1))
    return found(row, establishment, BY_ACTIVITY)


def _looked_at(
    rows: NDArray[np.int64], places: Places
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], bool]]:
    """Bulletins with the communes to look through for them; whether these are the declared ones.

    The declared place, the commune of residence where work is said to be in it, and the one other
    town that the employer's name tells: a school that is called after its village, with the
    address of the town that runs it; the works of the city of Lyon, all arrondissements of it.
    """
    rows = rows[np.argsort(places.zone[rows], kind="stable")]
    for here in np.split(rows, np.flatnonzero(np.diff(places.zone[rows])) + 1):
        reach = places.relation[places.zone[here[:1]]].ravel()
        best = reach.max(initial=0)
        nearest = np.flatnonzero((reach == best) & (reach > Relation.ELSEWHERE))
        yield here, nearest, bool(best == Relation.INSIDE)
    for home in np.unique(places.focus[rows]):
        if home >= 0:
            yield rows[places.focus[rows] == home], np.array([home]), False
    telling, town = _towns_told(rows, places)
    for told in np.unique(town):
        communes = np.flatnonzero(places.town == told)
        here = telling[town == told]
        relation = places.relation[np.ix_(places.zone[here], communes)]
        inside = (relation == Relation.INSIDE).any(axis=1)
        if not inside.all():
            yield here[~inside], communes, False


def _towns_told(
    rows: NDArray[np.int64], places: Places
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of some bulletins whose employer's name tells one town, and the town."""
    rows = rows[np.diff(places.named.indptr)[rows] > 0]
    if not len(rows):
        return rows, rows
    named = places.named[rows]
    town, begins = places.town[named.indices], named.indptr[:-1]
    least = np.minimum.reduceat(town, begins)
    is_one = least == np.maximum.reduceat(town, begins)
    return rows[is_one], least[is_one]


def _largest_fitting(
    codes: NDArray[np.int64], inside: NDArray[np.int64], activities: Activities, pool: Pool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each evidence, the likeliest codes of a zone and the largest employers of each.

    `inside` comes from :meth:`Pool.largest`.
    """
    naf_of = activities.naf[inside]
    first = np.flatnonzero(np.append(True, naf_of[1:] != naf_of[:-1]))
    last = np.append(first[1:], len(inside))
    naf = naf_of[first]
    score = activities.evidence[np.ix_(codes, naf)] + pool.size[inside[first]]
    tried = min(_NAFS_TRIED, len(naf))
    best = np.argpartition(-score, tried - 1, axis=1)[:, :tried]
    group = np.repeat(np.arange(len(codes)), tried)
    choice = best.ravel()
    pair, position = ragged_ranges(first[choice], np.minimum(last[choice], first[choice] + LARGEST))
    return group[pair], inside[position]
