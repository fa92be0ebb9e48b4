"""Candidates that are near, or in the declared street."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import ragged_ranges, top
from geomatch.arrays.jit import compiled
from geomatch.arrays.rows import Rows
from geomatch.core.config import CandidateOptions
from geomatch.linkage.blocking.sources import BY_RADIUS, BY_STREET, chunks, found
from geomatch.linkage.blocking.weights import PLACE_WEIGHTS, PlaceWeights
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places, Relation
from geomatch.names.similar import WrittenNames, look_up


def by_place(places: Places, names: WrittenNames, pool: Pool, options: CandidateOptions) -> Rows:
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
    bounds = np.cumsum(np.bincount(bulletin, minlength=len(places)))
    kept, pairs = [order[:0]], [order[:0]]
    for low, high in chunks(bounds):
        part = order[bounds[low - 1] if low else 0 : bounds[high - 1]]
        asker, row = bulletin[part], establishment[part]
        pair = look_up(asker, row, names, pool.names_of)
        score = _place_scores(
            _Pairs(asker, row, near[part], pair), names.of_written, names.of_known,
            places.numero, pool.traits, PLACE_WEIGHTS,
        )  # fmt: skip
        best = top(asker, score, 2 * options.by_radius)
        kept.append(part[best])
        pairs.append(pair[best])
    at, pair = np.concatenate(kept), np.concatenate(pairs)
    source = np.where(at < len(near_row), BY_RADIUS, BY_STREET)
    return found(bulletin[at], establishment[at], source, pair)


class _Pairs(NamedTuple):
    """Bulletin, establishment, 1 minus the kilometres between them, pair of names (-1: none)."""

    bulletin: NDArray[np.int64]
    establishment: NDArray[np.int64]
    near: NDArray[np.float64]
    names: NDArray[np.int64]


@compiled
def _place_scores(
    pairs: _Pairs,
    of_written: NDArray[np.float32],
    of_known: NDArray[np.float32],
    numero: NDArray[np.int64],
    traits: NDArray[np.void],
    weights: PlaceWeights,
) -> NDArray[np.float64]:
    """Cheap score of each pair found by its place, the names compared included."""
    out = np.empty(len(pairs.bulletin), np.float64)
    for i in range(len(out)):
        e, names = traits[pairs.establishment[i]], pairs.names[i]
        same_number = e["numero"] == numero[pairs.bulletin[i]]
        out[i] = pairs.near[i] + weights.number * same_number
        out[i] += weights.size * e["size"] + weights.has_name * e["has_name"]
        if names >= 0:
            both = np.float64(of_written[names]) + np.float64(of_known[names])
            out[i] += weights.names * both
    return out


def _on_street_as_written(
    places: Places, pool: Pool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (bulletin, row) of one written street, in any commune of the declared place.

    Serves streets that the store does not know, and those that go on in another arrondissement.
    """
    zone, commune = np.nonzero(places.relation == Relation.INSIDE)
    start = np.searchsorted(zone, np.arange(len(places.relation) + 1))
    unsure = (places.street < 0) | places.is_wide
    asks = np.flatnonzero(unsure & (places.street_text != ""))
    pair, position = ragged_ranges(start[places.zone[asks]], start[places.zone[asks] + 1])
    asker, row = pool.on_street_named(commune[position], places.street_text[asks[pair]])
    return asks[pair[asker]], row
