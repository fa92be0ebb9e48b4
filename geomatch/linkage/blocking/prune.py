"""The union of what the sources found, cut to those in reach of the best by a cheap score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import in_reach
from geomatch.arrays.jit import compiled
from geomatch.arrays.rows import Rows
from geomatch.core.config import CandidateOptions
from geomatch.linkage.blocking.by_activity import Activities
from geomatch.linkage.blocking.sources import BY_RADIUS
from geomatch.linkage.blocking.weights import PRUNE_WEIGHTS, PruneWeights
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places
from geomatch.names.similar import WrittenNames


def likeliest(
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
    columns = (found[c] for c in ("row", "establishment", "names", "source"))
    one_each = _merged(_Found(*columns), names.score, len(places))
    asked = pool.codes_of_streets(places.street_text)
    declared = _Declared(
        places.zone, places.relation, places.street, asked, places.numero, places.home,
        places.at_home,
    )  # fmt: skip
    evidence = _Evidence(activities.code, activities.evidence, activities.naf)
    relation, score = _cheap_scores(
        one_each, names.score, declared, pool.traits, evidence, PRUNE_WEIGHTS, BY_RADIUS
    )
    kept = in_reach(one_each.row, score, options.kept, options.least, options.reach)
    return Rows(one_each._asdict() | {"relation": relation}).take(kept)


class _Found(NamedTuple):
    """Bulletin, establishment, pair of names (-1: none) and sources (bits) of each candidate."""

    row: NDArray[np.int64]
    establishment: NDArray[np.int64]
    names: NDArray[np.int64]
    source: NDArray[np.int64]


class _Declared(NamedTuple):
    """Place of work of each bulletin: see :class:`geomatch.linkage.workplaces.Places`."""

    zone: NDArray[np.int64]
    relation: NDArray[np.int8]
    street: NDArray[np.int64]
    street_text: NDArray[np.int64]
    numero: NDArray[np.int64]
    home: NDArray[np.int64]
    at_home: NDArray[np.int8]


class _Evidence(NamedTuple):
    """Activity of each bulletin, its evidence for each NAF, the NAF of each establishment."""

    code: NDArray[np.int64]
    evidence: NDArray[np.float32]
    naf: NDArray[np.int64]


@compiled
def _merged(found: _Found, name_score: NDArray[np.float64], n_rows: int) -> _Found:
    """Each (bulletin, establishment) once, in order: its best pair of names, all its sources."""
    row, establishment = found.row, found.establishment
    start = np.zeros(n_rows + 1, np.int64)
    for r in row:
        start[r + 1] += 1
    start = np.cumsum(start)
    # Both numbers in one, so that one sort orders them.
    establishment_and_at = np.empty(len(row), np.int64)
    end = start.copy()
    for i in range(len(row)):
        establishment_and_at[end[row[i]]] = establishment[i] << 32 | i
        end[row[i]] += 1
    out_row, out_establishment = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    out_names, out_source = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    n = 0
    for r in range(n_rows):
        last = -1
        for both in np.sort(establishment_and_at[start[r] : start[r + 1]]):
            i = both & 0xFFFFFFFF
            pair = found.names[i]
            if establishment[i] != last:
                last = establishment[i]
                out_row[n], out_establishment[n] = r, last
                out_names[n], out_source[n] = pair, found.source[i]
                n += 1
                continue
            out_source[n - 1] |= found.source[i]
            before = out_names[n - 1]
            if pair >= 0 and (before < 0 or name_score[pair] > name_score[before]):
                out_names[n - 1] = pair
    return _Found(out_row[:n], out_establishment[:n], out_names[:n], out_source[:n])


@compiled
def _cheap_scores(
    found: _Found,
    name_score: NDArray[np.float64],
    declared: _Declared,
    traits: NDArray[np.void],
    activities: _Evidence,
    weights: PruneWeights,
    by_radius: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Relation of each candidate's commune to the declared one, and the cheap score."""
    relation, score = np.empty(len(found.row), np.int64), np.empty(len(found.row), np.float64)
    for i in range(len(found.row)):
        r, e, pair = found.row[i], traits[found.establishment[i]], found.names[i]
        relation[i] = declared.relation[declared.zone[r], e["commune"]]
        street, text, number = declared.street[r], declared.street_text[r], declared.numero[r]
        same_street = street >= 0 and street == e["street"]
        same_text = text >= 0 and text == e["street_text"]
        same_number = number >= 0 and number == e["numero"]
        is_near = found.source[i] & by_radius > 0
        total = weights.name * name_score[pair] if pair >= 0 else 0.0
        total += weights.street * (same_street or same_text) + weights.number * same_number
        total += weights.radius * is_near + weights.relation * relation[i]
        if declared.home[r] == e["commune"]:
            total += weights.home * declared.at_home[r]
        total += weights.size * e["size"] + weights.has_name * e["has_name"]
        naf = activities.naf[found.establishment[i]]
        if naf >= 0:
            total += weights.activity * activities.evidence[activities.code[r], naf]
        score[i] = total
    return relation, score
