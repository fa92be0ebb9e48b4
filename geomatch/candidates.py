"""Phase 4: who may it be? Near enough, in the same street, or named alike.

Each source yields pairs (bulletin, establishment); the union is cut to a few dozen per
bulletin by a cheap score. Recall is the point here: choosing is the next phase's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geomatch.config import CandidateOptions
from geomatch.establishments import LARGEST, Pool
from geomatch.lexicon import OF_KNOWN, OF_WRITTEN
from geomatch.ragged import best_of_each, in_reach, ragged_ranges, top
from geomatch.rows import Rows
from geomatch.schema import Table
from geomatch.workplaces import ELSEWHERE, INSIDE, Places
from geomatch.written import WrittenNames, look_up, name_score

#: Sources, as bits.
BY_NAME, BY_RADIUS, BY_STREET, BY_ACTIVITY = 1, 2, 4, 8

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

#: Names written in full, of rare words and borne by no more than so many, are looked for in
#: the whole pool: people give the town of the head office, or their own.
_FEW = 40
_HEAVY = 6.0
#: With no name as good as this, those whose activity and size fit are looked at too.
_GOOD_NAME = 0.6
_NAFS_TRIED = 12
#: Offices of local authorities, the largest, looked at besides.
_OFFICES = 3
#: What the commune of residence is worth beside a name, where work is said to be in it.
_AT_HOME = 0.3
#: Pairs looked at together: what is made of them is to stay in the processor's cache.
_MOST_PAIRS = 200_000


@dataclass(frozen=True)
class Activities:
    """What the bulletins' activities say: ``evidence[code[i]]`` over the NAF codes, logs.

    ``naf`` is the position of each pool row's NAF among those codes, -1 for none.
    """

    code: NDArray[np.int64]
    evidence: NDArray[np.float32]
    naf: NDArray[np.int64]


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
        [_by_name(places, names, pool, options), _by_place(places, names, pool, options)]
    )
    vague = _vague(found, places, pool, options)
    found = Rows.joined([found, _by_activity(vague, places, activities, pool)])
    pairs = _best(_merged(found), places, activities, pool, options)
    known, weight = pairs["known"], names.coverage.lexicon.weight
    shared = np.zeros(len(pairs))
    compared = np.flatnonzero(known >= 0)
    shared[compared] = weight[known[compared]] * pairs["of_known"][compared]
    return Rows.of(pairs.plus(shared=shared), PAIRS.names)


def _by_name(places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions) -> Rows:
    """Bearers of similar names in the declared commune and its neighbours.

    Bulletins of one written name, zone and focus share the search. A name borne by few and
    written almost in full is looked for in the whole pool.
    """
    asked = (names.name, places.zone[names.row], places.focus[names.row] + 1)
    sizes = (len(names.start), len(places.relation) + 1, places.relation.shape[1] + 1)
    groups, group_of = np.unique(np.ravel_multi_index(asked, sizes), return_inverse=True)
    name, group_zone, group_focus = np.unravel_index(groups, sizes)
    bearers = pool.name_bearers
    found = []
    cost = np.cumsum(_expansion_cost(name, names, pool.n_bearers))
    for low, high in _chunks(cost):
        group, pair = ragged_ranges(names.start[name[low:high]], names.start[name[low:high] + 1])
        group += low
        known = names.known[pair]
        expanded, position = ragged_ranges(bearers.indptr[known], bearers.indptr[known + 1])
        commune = pool.bearer_commune[position]
        relation = places.relation[group_zone[group][expanded], commune]
        keep = np.flatnonzero((relation > ELSEWHERE) | _unmistakable(pair, names, pool)[expanded])
        expanded, relation, commune = expanded[keep], relation[keep], commune[keep]
        establishment = bearers.indices[position[keep]]
        group, pair = group[expanded], pair[expanded]
        a, b = names.of_written[pair], names.of_known[pair]
        score = OF_WRITTEN * a + OF_KNOWN * b + 0.1 * relation + 0.03 * pool.size[establishment]
        score += _AT_HOME * (commune == group_focus[group] - 1)
        order = top(group, score, 3 * options.by_name)
        found.append((group[order], pair[order], establishment[order]))
    if not found:
        return _found(names.row[:0], names.row[:0], BY_NAME)
    group, pair, establishment = (np.concatenate(part) for part in zip(*found, strict=True))
    start = np.searchsorted(group, np.arange(len(groups) + 1))
    bulletin, at = ragged_ranges(start[group_of], start[group_of + 1])
    compared = Rows({"written": names.name[bulletin], **names.compared(pair[at])})
    rows = establishment[at].astype(np.int64)
    return _found(names.row[bulletin], rows, BY_NAME, compared)


def _unmistakable(pair: NDArray[np.int64], names: WrittenNames, pool: Pool) -> NDArray[np.bool_]:
    """Which pairs of names are looked for in the whole pool."""
    known = names.known[pair]
    n_bearers = pool.n_bearers[known]
    least = np.minimum(names.of_written[pair], names.of_known[pair])
    weight = names.coverage.lexicon.weight[known]
    is_heavy = (n_bearers <= _FEW) & (least >= 0.95) & (weight >= _HEAVY)
    return np.asarray(((n_bearers <= 3) & (least >= 0.85)) | is_heavy)


def _found(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    source: int | NDArray[np.int64],
    names: Rows | None = None,
) -> Rows:
    """What a source found, with the names compared; None: there are none."""
    n = len(row)
    told = Rows(
        {
            "written": np.full(n, -1),
            "known": np.full(n, -1),
            "of_written": np.zeros(n),
            "of_known": np.zeros(n),
        }
    )
    compared = {c: (told if names is None else names)[c] for c in told}
    sources = np.broadcast_to(np.asarray(source, np.int64), n)
    return Rows({"row": row, "establishment": establishment, "source": sources, **compared})


def _by_place(places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions) -> Rows:
    """Establishments within both uncertainties, or in the declared street."""
    placed = np.flatnonzero(
        ~np.isnan(places.radius) & (places.radius <= options.max_radius_m) & (places.numero >= 0)
    )
    radius = np.maximum(places.radius[placed], options.min_radius_m)
    asker, near_row, distance = pool.within(places.position[placed], radius)
    street_asker, street_row = pool.on_street(places.street)
    text_asker, text_row = _on_street_as_written(places, pool)
    bulletin = np.concatenate([placed[asker], street_asker, text_asker])
    establishment = np.concatenate([near_row, street_row, text_row])
    near = np.concatenate([1.0 - distance / 1000.0, np.zeros(len(street_row) + len(text_row))])
    found = [
        (np.zeros(0, np.int64), look_up(bulletin[:0], establishment[:0], names, pool.names_of))
    ]
    order = np.argsort(bulletin, kind="stable")
    bounds = np.cumsum(np.bincount(bulletin, minlength=len(places)))
    for low, high in _chunks(bounds):
        part = order[bounds[low - 1] if low else 0 : bounds[high - 1]]
        asker, row = bulletin[part], establishment[part]
        by_name = look_up(asker, row, names, pool.names_of)
        score = near[part] + (pool.numero[row] == places.numero[asker])
        score = score + 0.15 * pool.size[row] + 0.5 * pool.has_name[row]
        score += 2.0 * (by_name["of_written"] + by_name["of_known"])
        best = top(asker, score, 2 * options.by_radius)
        found.append((part[best], by_name.take(best)))
    kept = np.concatenate([part for part, _ in found])
    source = np.where(kept < len(near_row), BY_RADIUS, BY_STREET)
    compared = Rows.joined([by_name for _, by_name in found])
    return _found(bulletin[kept], establishment[kept], source, compared)


def _on_street_as_written(
    places: Places, pool: Pool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (bulletin, row) of one written street, in any commune of the declared place.

    Serves streets that the store does not know, and those that go on in another arrondissement.
    """
    zone, commune = np.nonzero(places.relation == INSIDE)
    start = np.searchsorted(zone, np.arange(len(places.relation) + 1))
    unsure = (places.street < 0) | places.is_wide
    asks = np.flatnonzero(unsure & (places.street_text != ""))
    pair, position = ragged_ranges(start[places.zone[asks]], start[places.zone[asks] + 1])
    asker, row = pool.on_street_named(commune[position], places.street_text[asks[pair]])
    return asks[pair[asker]], row


def _vague(found: Rows, places: Places, pool: Pool, options: CandidateOptions) -> NDArray[np.int64]:
    """Bulletins with few candidates, or none well named, in the declared place or beside it."""
    row = found["row"]
    near = places.relation[places.zone[row], pool.commune[found["establishment"]]] > ELSEWHERE
    row = row[near]
    best = np.zeros(len(places))
    np.maximum.at(best, row, name_score(found)[near])
    few = np.bincount(row, minlength=len(places)) < options.kept // 2
    return np.flatnonzero((best < _GOOD_NAME) | few)


def _by_activity(
    rows: NDArray[np.int64], places: Places, activities: Activities, pool: Pool
) -> Rows:
    """Establishments of the declared commune whose activity and headcount make them likely.

    A colleague is as likely to work somewhere as it employs people there: the score is the
    evidence for the NAF plus the logarithm of the headcount. The offices of the authorities that
    are there come besides, for they employ who works in a service without a SIRET of its own.
    """
    found = [(rows[:0], rows[:0])]
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
        found.append((here[row], establishment[order][position]))
        if is_inside:
            offices = inside[pool.is_office[inside]][:_OFFICES]
            found.append((np.repeat(here, len(offices)), np.tile(offices, len(here))))
    row, establishment = (np.concatenate([f[i] for f in found]) for i in (0, 1))
    return _found(row, establishment, BY_ACTIVITY)


def _looked_at(
    rows: NDArray[np.int64], places: Places
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], bool]]:
    """Bulletins with the communes to look through for them; whether these are the declared ones.

    The declared place, the commune of residence where work is said to be in it, and the one other
    commune that the employer's name tells: a school that is called after its village, with the
    address of the town that runs it.
    """
    rows = rows[np.argsort(places.zone[rows], kind="stable")]
    for here in np.split(rows, np.flatnonzero(np.diff(places.zone[rows])) + 1):
        reach = places.relation[places.zone[here[:1]]].ravel()
        best = reach.max(initial=0)
        yield here, np.flatnonzero((reach == best) & (reach > ELSEWHERE)), bool(best == INSIDE)
    for home in np.unique(places.focus[rows]):
        if home >= 0:
            yield rows[places.focus[rows] == home], np.array([home]), False
    named = places.named
    telling = rows[np.diff(named.indptr)[rows] == 1]
    commune = named.indices[named.indptr[telling]]
    other = np.flatnonzero(places.relation[places.zone[telling], commune] != INSIDE)
    for told in np.unique(commune[other]):
        yield telling[other][commune[other] == told], np.array([told]), False


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


def _merged(pairs: Rows) -> Rows:
    """One row a (bulletin, establishment): the best names, all the sources."""
    score = name_score(pairs)
    row, establishment, source = (pairs[c] for c in ("row", "establishment", "source"))
    if not len(row):
        return pairs.plus(score=score)
    key = row * (establishment.max() + 1) + establishment
    order = np.argsort(key, kind="stable")
    is_new = np.diff(key[order], prepend=-1) > 0
    kept = order[best_of_each(key[order], score[order])]
    source = np.bitwise_or.reduceat(source[order], np.flatnonzero(is_new))
    return pairs.take(kept).plus(score=score[kept], source=source)


def _best(
    pairs: Rows, places: Places, activities: Activities, pool: Pool, options: CandidateOptions
) -> Rows:
    """The cheap score, and the cut."""
    row, est = pairs["row"], pairs["establishment"]
    relation = places.relation[places.zone[row], pool.commune[est]]
    street = (places.street[row] >= 0) & (places.street[row] == pool.street[est])
    asked = pool.codes_of_streets(places.street_text)[row]
    text = (asked >= 0) & (asked == pool.street_text_code[est])
    number = (places.numero[row] >= 0) & (places.numero[row] == pool.numero[est])
    evidence = activities.evidence[activities.code[row], np.maximum(activities.naf[est], 0)]
    by_radius = (pairs["source"] & BY_RADIUS) > 0
    home = (places.home[row] == pool.commune[est]) * places.at_home[row]
    score = (
        4.0 * pairs["score"]
        + 1.5 * (street | text)
        + 1.0 * number
        + 0.7 * by_radius
        + 0.4 * relation
        + 4.0 * _AT_HOME * home
        + 0.25 * pool.size[est]
        + 0.3 * pool.has_name[est]
        + 0.25 * np.where(activities.naf[est] >= 0, evidence, 0.0)
    )
    order = in_reach(row, score, options.kept, options.least, options.reach)
    return pairs.plus(relation=relation.astype(np.int64)).take(order)


def _expansion_cost(
    name: NDArray[np.int64], names: WrittenNames, n_bearers: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Bearers of all the names that are similar to each written name."""
    total = np.zeros(len(names.known) + 1, np.int64)
    np.cumsum(n_bearers[names.known], out=total[1:])
    return total[names.start[name + 1]] - total[names.start[name]]


def _chunks(cumulative: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of groups whose expansions stay within memory."""
    if not len(cumulative):
        return []
    cuts = [0]
    while cuts[-1] < len(cumulative):
        base = cumulative[cuts[-1] - 1] if cuts[-1] else 0
        nxt = int(np.searchsorted(cumulative, base + _MOST_PAIRS, side="right"))
        cuts.append(min(max(nxt, cuts[-1] + 1), len(cumulative)))
    return list(pairwise(cuts))
