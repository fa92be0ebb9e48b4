"""Phase 4: who may it be? Near enough, in the same street, or named alike.

Each source yields pairs (bulletin, establishment); the union is cut to a few dozen per
bulletin by a cheap score. Recall is the point here: choosing is the next phase's work.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geomatch.config import CandidateOptions
from geomatch.establishments import LARGEST, Pool
from geomatch.lexicon import ragged_ranges
from geomatch.rows import Rows
from geomatch.schema import Table
from geomatch.written import WrittenNames, look_up, name_score, top

#: How a candidate's commune stands to the declared one.
ELSEWHERE, NEIGHBOUR, INSIDE = 0, 1, 2
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
_MOST_PAIRS = 8_000_000


@dataclass(frozen=True)
class Places:
    """Where each bulletin of a batch is, as far as candidates are concerned (n rows).

    ``zone`` indexes the rows of `relation`, an array (zones, communes of the pool) of
    ELSEWHERE, NEIGHBOUR, INSIDE. ``position`` and ``radius`` are metres; NaN for none.
    ``street`` is :func:`geomatch.establishments.street_codes`, -1 for none. ``home`` is the
    commune of residence (position among the pool's, -1 for one outside), ``at_home`` 1 where
    work is said to be in it, -1 elsewhere, 0 where nothing is said. ``by_code`` tells whose
    commune was given by its official code.
    """

    zone: NDArray[np.int64]
    relation: NDArray[np.int8]
    position: NDArray[np.float64]
    radius: NDArray[np.float64]
    street: NDArray[np.int64]
    numero: NDArray[np.int64]
    street_text: NDArray[np.object_]
    home: NDArray[np.int64]
    at_home: NDArray[np.int8]
    by_code: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.zone)


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
    row = found["row"]
    best = np.zeros(len(places))
    np.maximum.at(best, row, name_score(found))
    few = np.bincount(row, minlength=len(places)) < options.kept // 2
    vague = np.flatnonzero((best < _GOOD_NAME) | few)
    found = Rows.joined([found, _by_activity(vague, places, activities, pool)])
    pairs = _best(_merged(found), places, activities, pool, options.kept)
    known, weight = pairs["known"], names.coverage.lexicon.weight
    shared = np.zeros(len(pairs))
    compared = np.flatnonzero(known >= 0)
    shared[compared] = weight[known[compared]] * pairs["of_known"][compared]
    return Rows.of(pairs.plus(shared=shared), PAIRS.names)


def _by_name(places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions) -> Rows:
    """Bearers of similar names in the declared commune and its neighbours.

    Bulletins of one written name and one zone share the search. A name borne by few and
    written almost in full is looked for in the whole pool.
    """
    zone = places.zone[names.row]
    key = names.name * max(len(places.relation), 1) + zone
    groups, group_of = np.unique(key, return_inverse=True)
    name = groups // max(len(places.relation), 1)
    group_zone = groups % max(len(places.relation), 1)
    bearers = pool.name_bearers
    found = []
    cost = np.cumsum(_expansion_cost(name, names, pool))
    for low, high in _chunks(cost):
        group, pair = ragged_ranges(names.start[name[low:high]], names.start[name[low:high] + 1])
        group += low
        known = names.known[pair]
        expanded, position = ragged_ranges(bearers.indptr[known], bearers.indptr[known + 1])
        establishment = bearers.indices[position].astype(np.int64)
        group, pair, known = group[expanded], pair[expanded], known[expanded]
        relation = places.relation[group_zone[group], pool.commune[establishment]]
        n_bearers = pool.bearers(known)
        a, b = names.of_written[pair], names.of_known[pair]
        weight = names.coverage.lexicon.weight[known]
        unmistakable = (n_bearers <= 3) & (a >= 0.85) & (b >= 0.85)
        unmistakable |= (n_bearers <= _FEW) & (a >= 0.95) & (b >= 0.95) & (weight >= _HEAVY)
        keep = (relation > ELSEWHERE) | unmistakable
        score = 0.6 * a + 0.4 * b + 0.1 * relation + 0.03 * np.log(pool.headcount[establishment])
        group, establishment, score = group[keep], establishment[keep], score[keep]
        order = top(group, score, 3 * options.by_name)
        columns = {
            "group": group[order],
            "establishment": establishment[order],
            "known": known[keep][order],
            "of_written": a[keep][order].astype(np.float64),
            "of_known": b[keep][order].astype(np.float64),
        }
        found.append(Rows(columns))
    if not found:
        return _found(names.row[:0], names.row[:0], BY_NAME)
    pairs = Rows.joined(found)
    start = np.searchsorted(pairs["group"], np.arange(len(groups) + 1))
    asker, at = ragged_ranges(start[group_of], start[group_of + 1])
    pairs = pairs.take(at)
    return _found(
        names.row[asker],
        pairs["establishment"],
        BY_NAME,
        pairs.plus(written=names.name[asker]),
    )


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
    asker, row, distance = pool.within(places.position[placed], radius)
    street_asker, street_row = pool.on_street(places.street)
    text_asker, text_row = _on_street_as_written(places, pool)
    n_street = len(street_row) + len(text_row)
    bulletin = np.concatenate([placed[asker], street_asker, text_asker])
    establishment = np.concatenate([row, street_row, text_row])
    source = np.repeat([BY_RADIUS, BY_STREET], [len(row), n_street])
    near = np.concatenate([1.0 - distance / 1000.0, np.zeros(n_street)])
    same_number = pool.numero[establishment] == places.numero[bulletin]
    size = np.log(pool.headcount[establishment])
    score = near + same_number + 0.15 * size + 0.5 * pool.has_name[establishment]
    by_name = look_up(bulletin, establishment, names, pool.names_of)
    score = score + 2.0 * (by_name["of_written"] + by_name["of_known"])
    order = top(bulletin, score, 2 * options.by_radius)
    return _found(bulletin, establishment, source, by_name).take(order)


def _on_street_as_written(
    places: Places, pool: Pool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (bulletin, row) of one written street, in any commune of the declared place.

    Serves streets that the store does not know; Paris is twenty communes.
    """
    zone, commune = np.nonzero(places.relation == INSIDE)
    start = np.searchsorted(zone, np.arange(len(places.relation) + 1))
    asks = np.flatnonzero((places.street < 0) & (places.street_text != ""))
    pair, position = ragged_ranges(start[places.zone[asks]], start[places.zone[asks] + 1])
    asker, row = pool.on_street_named(commune[position], places.street_text[asks[pair]])
    return asks[pair[asker]], row


def _by_activity(
    rows: NDArray[np.int64], places: Places, activities: Activities, pool: Pool
) -> Rows:
    """Establishments of the declared commune whose activity and headcount make them likely.

    A colleague is as likely to work somewhere as it employs people there: the score is the
    evidence for the NAF plus the logarithm of the headcount.
    """
    found = [(rows[:0], rows[:0])]
    for zone in np.unique(places.zone[rows]):
        here = rows[places.zone[rows] == zone]
        reach = places.relation[zone]
        inside = pool.largest(np.flatnonzero((reach == reach.max(initial=0)) & (reach > 0)))
        inside = inside[activities.naf[inside] >= 0]
        if not len(inside):
            continue
        codes, code_of = np.unique(activities.code[here], return_inverse=True)
        group, establishment = _largest_fitting(codes, inside, activities, pool)
        order = np.argsort(group, kind="stable")
        start = np.searchsorted(group[order], np.arange(len(codes) + 1))
        row, position = ragged_ranges(start[code_of], start[code_of + 1])
        found.append((here[row], establishment[order][position]))
    row, establishment = (np.concatenate([f[i] for f in found]) for i in (0, 1))
    return _found(row, establishment, BY_ACTIVITY)


def _largest_fitting(
    codes: NDArray[np.int64], inside: NDArray[np.int64], activities: Activities, pool: Pool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each evidence, the likeliest codes of a zone and the largest employers of each."""
    size = np.log(pool.headcount[inside])
    order = np.lexsort((inside, -size, activities.naf[inside]))
    naf, first = np.unique(activities.naf[inside][order], return_index=True)
    last = np.append(first[1:], len(order))
    score = activities.evidence[codes][:, naf] + size[order][first]
    tried = min(_NAFS_TRIED, len(naf))
    best = np.argpartition(-score, tried - 1, axis=1)[:, :tried]
    group = np.repeat(np.arange(len(codes)), tried)
    choice = best.ravel()
    pair, position = ragged_ranges(first[choice], np.minimum(last[choice], first[choice] + LARGEST))
    return group[pair], inside[order][position]


def _merged(pairs: Rows) -> Rows:
    """One row a (bulletin, establishment): the best names, all the sources."""
    score = name_score(pairs)
    row, establishment, source = (pairs[c] for c in ("row", "establishment", "source"))
    key = row * (establishment.max(initial=0) + 1) + establishment
    order = np.lexsort((-score, key))
    first = np.ones(len(order), dtype=bool)
    first[1:] = key[order][1:] != key[order][:-1]
    kept = order[first]
    if len(source):
        source = np.bitwise_or.reduceat(source[order], np.flatnonzero(first))
    return pairs.take(kept).plus(score=score[kept], source=source)


def _best(pairs: Rows, places: Places, activities: Activities, pool: Pool, kept: int) -> Rows:
    """The cheap score, and the cut."""
    row, est = pairs["row"], pairs["establishment"]
    relation = places.relation[places.zone[row], pool.commune[est]]
    street = (places.street[row] >= 0) & (places.street[row] == pool.street[est])
    text = (places.street_text[row] != "") & (places.street_text[row] == pool.street_text[est])
    number = (places.numero[row] >= 0) & (places.numero[row] == pool.numero[est])
    evidence = activities.evidence[activities.code[row], np.maximum(activities.naf[est], 0)]
    by_radius = (pairs["source"] & BY_RADIUS) > 0
    score = (
        4.0 * pairs["score"]
        + 1.5 * (street | text)
        + 1.0 * ((street | text) & number)
        + 0.7 * by_radius
        + 0.4 * relation
        + 0.25 * np.log(pool.headcount[est])
        + 0.3 * pool.has_name[est]
        + 0.25 * np.where(activities.naf[est] >= 0, evidence, 0.0)
    )
    order = top(row, score, kept)
    return pairs.plus(relation=relation.astype(np.int64)).take(order)


def _expansion_cost(name: NDArray, names: WrittenNames, pool: Pool) -> NDArray[np.int64]:
    total = np.concatenate([[0], np.cumsum(pool.bearers(names.known))])
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
