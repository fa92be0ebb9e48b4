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

from geomatch.compiled import compiled
from geomatch.config import CandidateOptions
from geomatch.establishments import LARGEST, Pool
from geomatch.ragged import in_reach, ragged_ranges, top
from geomatch.rows import Rows
from geomatch.schema import Table
from geomatch.workplaces import ELSEWHERE, INSIDE, Places
from geomatch.written import WrittenNames, look_up

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
    vague = _vague(found, places, names, pool, options)
    found = Rows.joined([found, _by_activity(vague, places, activities, pool)])
    pairs = _best(found, places, names, activities, pool, options)
    pairs = pairs.plus(**names.compared(pairs["names"]))
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
    name, zone, focus = np.unravel_index(groups, sizes)
    bearers, anywhere = pool.name_bearers, _unmistakable(names, pool)
    none = np.zeros(0, np.int64)
    found = [(none, none, none)]
    cost = np.cumsum(_expansion_cost(name, names, pool.n_bearers))
    for low, high in _chunks(cost):
        group, pair, establishment, score = _bearers_near(
            name[low:high], zone[low:high], focus[low:high] - 1, names.start, names.known,
            names.score, anywhere, bearers.indptr, bearers.indices, pool.bearer_commune,
            places.relation, pool.size, _AT_HOME,
        )  # fmt: skip
        likest = top(group, score, 3 * options.by_name)
        found.append((group[likest] + low, pair[likest], establishment[likest]))
    group, pair, establishment = (np.concatenate(part) for part in zip(*found, strict=True))
    start = np.searchsorted(group, np.arange(len(groups) + 1))
    asker, at = ragged_ranges(start[group_of], start[group_of + 1])
    return _found(names.row[asker], establishment[at], BY_NAME, pair[at])


@compiled
def _bearers_near(
    name: NDArray[np.int64],
    zone: NDArray[np.int64],
    focus: NDArray[np.int64],
    start: NDArray[np.int64],
    known: NDArray[np.int64],
    name_score: NDArray[np.float64],
    is_anywhere: NDArray[np.bool_],
    bearers_start: NDArray[np.int32],
    bearers: NDArray[np.int32],
    commune: NDArray[np.int32],
    relation: NDArray[np.int8],
    size: NDArray[np.float32],
    at_home: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Who bears a similar name in or beside each zone: group, names, establishment, score."""
    most = 0
    for g in range(len(name)):
        for p in range(start[name[g]], start[name[g] + 1]):
            most += bearers_start[known[p] + 1] - bearers_start[known[p]]
    group, pair = np.empty(most, np.int64), np.empty(most, np.int64)
    establishment, score = np.empty(most, np.int64), np.empty(most, np.float64)
    n = 0
    for g in range(len(name)):
        for p in range(start[name[g]], start[name[g] + 1]):
            for at in range(bearers_start[known[p]], bearers_start[known[p] + 1]):
                near = relation[zone[g], commune[at]]
                if near > 0 or is_anywhere[p]:
                    group[n], pair[n], establishment[n] = g, p, bearers[at]
                    score[n] = name_score[p] + 0.1 * near + 0.03 * size[bearers[at]]
                    if commune[at] == focus[g]:
                        score[n] += at_home
                    n += 1
    return group[:n], pair[:n], establishment[:n], score[:n]


def _unmistakable(names: WrittenNames, pool: Pool) -> NDArray[np.bool_]:
    """Which pairs of names are looked for in the whole pool."""
    n_bearers = pool.n_bearers[names.known]
    least = np.minimum(names.of_written, names.of_known)
    weight = names.coverage.lexicon.weight[names.known]
    is_heavy = (n_bearers <= _FEW) & (least >= 0.95) & (weight >= _HEAVY)
    return np.asarray(((n_bearers <= 3) & (least >= 0.85)) | is_heavy)


def _found(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    source: int | NDArray[np.int64],
    names: NDArray[np.int64] | None = None,
) -> Rows:
    """What a source found, with the pairs of names compared; None: there are none."""
    n = len(row)
    return Rows(
        {
            "row": row,
            "establishment": establishment,
            "source": np.broadcast_to(np.asarray(source, np.int64), n),
            "names": np.full(n, -1) if names is None else names,
        }
    )


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
    order = np.argsort(bulletin, kind="stable")
    bulletin, establishment, near = bulletin[order], establishment[order], near[order]
    pair = look_up(bulletin, establishment, names, pool.names_of)
    score = _worth_of_place(
        bulletin, establishment, near, pair, names.of_written, names.of_known, places.numero,
        pool.numero, pool.size, pool.has_name,
    )  # fmt: skip
    kept = top(bulletin, score, 2 * options.by_radius)
    source = np.where(order[kept] < len(near_row), BY_RADIUS, BY_STREET)
    return _found(bulletin[kept], establishment[kept], source, pair[kept])


@compiled
def _worth_of_place(
    bulletin: NDArray[np.int64],
    establishment: NDArray[np.int64],
    near: NDArray[np.float64],
    pair: NDArray[np.int64],
    of_written: NDArray[np.float32],
    of_known: NDArray[np.float32],
    numero: NDArray[np.int64],
    register_numero: NDArray[np.int64],
    size: NDArray[np.float32],
    has_name: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Cheap score of each (bulletin, establishment) by place, the names compared included."""
    out = np.empty(len(bulletin), np.float64)
    for i in range(len(bulletin)):
        e = establishment[i]
        same_number = register_numero[e] == numero[bulletin[i]]
        out[i] = near[i] + same_number + 0.15 * size[e] + 0.5 * has_name[e]
        if pair[i] >= 0:
            out[i] += 2.0 * (np.float64(of_written[pair[i]]) + np.float64(of_known[pair[i]]))
    return out


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


def _vague(
    found: Rows, places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions
) -> NDArray[np.int64]:
    """Bulletins with few candidates, or none well named, in the declared place or beside it."""
    near = places.relation[places.zone[found["row"]], pool.commune[found["establishment"]]]
    near = np.flatnonzero(near > ELSEWHERE)
    row, pair = found["row"][near], found["names"][near]
    few = np.bincount(row, minlength=len(places)) < options.kept // 2
    is_good = np.zeros(len(places), bool)
    named = np.flatnonzero(pair >= 0)
    is_good[row[named[names.score[pair[named]] >= _GOOD_NAME]]] = True
    return np.flatnonzero(~is_good | few)


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


def _best(
    found: Rows,
    places: Places,
    names: WrittenNames,
    activities: Activities,
    pool: Pool,
    options: CandidateOptions,
) -> Rows:
    """One row a (bulletin, establishment): the best names, all the sources, the cheap score.

    Those in reach of the best stay.
    """
    row, establishment, pair, source = _merged(
        found["row"], found["establishment"], found["names"], found["source"], names.score,
        len(places),
    )  # fmt: skip
    asked = pool.codes_of_streets(places.street_text)
    relation, score = _cheap_scores(
        row, establishment, pair, source, names.score,
        (places.zone, places.relation, places.street, asked, places.numero, places.home,
         places.at_home),
        (pool.commune, pool.street, pool.street_text_code, pool.numero, pool.size, pool.has_name),
        (activities.code, activities.evidence, activities.naf),
        4.0 * _AT_HOME,
    )  # fmt: skip
    kept = in_reach(row, score, options.kept, options.least, options.reach)
    columns = {
        "row": row, "establishment": establishment, "names": pair, "source": source,
        "relation": relation,
    }  # fmt: skip
    return Rows(columns).take(kept)


@compiled
def _merged(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    pair: NDArray[np.int64],
    source: NDArray[np.int64],
    name_score: NDArray[np.float64],
    n_rows: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The columns without repetition, by bulletin and establishment, each with its best names."""
    start = np.zeros(n_rows + 1, np.int64)
    for r in row:
        start[r + 1] += 1
    start = np.cumsum(start)
    at = np.empty(len(row), np.int64)
    end = start.copy()
    for i in range(len(row)):
        at[end[row[i]]] = i
        end[row[i]] += 1
    out_row, out_establishment = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    out_pair, out_source = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    n = 0
    for r in range(n_rows):
        mine = at[start[r] : start[r + 1]]
        last = -1
        for i in mine[np.argsort(establishment[mine], kind="mergesort")]:
            if establishment[i] != last:
                last = establishment[i]
                out_row[n], out_establishment[n] = r, last
                out_pair[n], out_source[n] = pair[i], source[i]
                n += 1
                continue
            out_source[n - 1] |= source[i]
            before = out_pair[n - 1]
            if pair[i] >= 0 and (before < 0 or name_score[pair[i]] > name_score[before]):
                out_pair[n - 1] = pair[i]
    return out_row[:n], out_establishment[:n], out_pair[:n], out_source[:n]


@compiled
def _cheap_scores(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    pair: NDArray[np.int64],
    source: NDArray[np.int64],
    name_score: NDArray[np.float64],
    declared: tuple[NDArray, ...],
    register: tuple[NDArray, ...],
    activities: tuple[NDArray, ...],
    at_home_weight: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How each candidate's commune stands to the declared one, and the cheap score."""
    zone, relation_of, street, text, numero, home, at_home = declared
    commune, its_street, its_text, its_numero, size, has_name = register
    code, evidence, naf = activities
    relation, score = np.empty(len(row), np.int64), np.empty(len(row), np.float64)
    for i in range(len(row)):
        r, e = row[i], establishment[i]
        relation[i] = relation_of[zone[r], commune[e]]
        same_street = street[r] >= 0 and street[r] == its_street[e]
        same_text = text[r] >= 0 and text[r] == its_text[e]
        same_number = numero[r] >= 0 and numero[r] == its_numero[e]
        total = 4.0 * name_score[pair[i]] if pair[i] >= 0 else 0.0
        total += 1.5 * (same_street or same_text) + 1.0 * same_number
        total += 0.7 * (source[i] & 2 > 0) + 0.4 * relation[i]
        if home[r] == commune[e]:
            total += at_home_weight * at_home[r]
        total += 0.25 * size[e] + 0.3 * has_name[e]
        if naf[e] >= 0:
            total += 0.25 * evidence[code[r], naf[e]]
        score[i] = total
    return relation, score


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
