"""From a street and a house number to a point: exact, interpolated, or the street's middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.gazetteer_index import NUMBER_SPAN, Addresses, StreetIndex

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Levels of a place on a street, as codes.
HOUSENUMBER, INTERPOLATED, STREET = 0, 1, 2
LEVELS = np.array(["housenumber", "interpolated", "street"], dtype=object)
#: A number farther than this from the last one known is not sought beside it.
_MAX_GAP = 40
#: Metres: an exact door, a door whose repetition is not known.
_DOOR_M = 15.0
_REP_M = 40.0
#: Between two known doors: share of the distance between them (95 % of doors left out of the
#: gazetteer and interpolated were nearer).
_SHARE_BETWEEN = 0.55
#: A number that the gazetteer lacks may be a wrong one: at least this share of the half-length.
_SHARE_OF_STREET = 0.6
#: Beyond the last known door: metres for each unit of number, and the most (same measure).
_M_PER_NUMBER, _MOST_BEYOND_M = 25.0, 330.0


@dataclass(frozen=True)
class Places:
    """Points, aligned with the questions; `address` is -1 where no single address is meant."""

    level: Ints
    address: Ints
    x: Floats
    y: Floats
    uncertainty: Floats


def place(index: StreetIndex, street: Ints, numero: Ints, rep: Ints) -> Places:
    """Points of house numbers.

    Parameters
    ----------
    index : StreetIndex
    street : array (n,), rows of the index, all known
    numero : array (n,), 0 or less when there is no number
    rep : array (n,), codes of :attr:`Addresses.rep_codes`, -1 for one that no address bears

    Notes
    -----
    A number that is not known lies between its same-side neighbours by their numbers, or beside
    the last one; else the street's middle is given, with its half-length.
    """
    n = len(street)
    out = Places(
        level=np.full(n, STREET),
        address=np.full(n, -1),
        x=index.x[street].copy(),
        y=index.y[street].copy(),
        uncertainty=np.maximum(index.half_length[street], 30.0),
    )
    asked = np.flatnonzero((numero > 0) & (numero < NUMBER_SPAN) & (index.count[street] > 0))
    found = _exact(index.addresses, street[asked], numero[asked], rep[asked])
    at = asked[found[0] >= 0]
    address, same_rep = found[0][found[0] >= 0], found[1][found[0] >= 0]
    out.level[at] = HOUSENUMBER
    out.address[at] = address
    out.x[at], out.y[at] = index.addresses.x[address], index.addresses.y[address]
    out.uncertainty[at] = np.where(same_rep, _DOOR_M, _REP_M)
    missing = asked[found[0] < 0]
    for side in (0, 1):
        missing = _between(index.addresses, street, numero, missing, out, side=side)
    return out


def level_of(index: StreetIndex, street: Ints, numero: Ints) -> Ints:
    """HOUSENUMBER, INTERPOLATED or STREET: what :func:`place` would give, repetitions apart."""
    return place(index, street, numero, np.zeros(len(street), dtype=np.int64)).level


def _exact(
    addresses: Addresses, street: Ints, numero: Ints, rep: Ints
) -> tuple[Ints, NDArray[np.bool_]]:
    """Address of each number (-1: none), and whether its repetition is the one asked for."""
    key = street * NUMBER_SPAN + numero
    low = np.searchsorted(addresses.number_key, key)
    high = np.searchsorted(addresses.number_key, key, side="right")
    codes = addresses.rep_codes[0]
    best = np.where(low < high, low, -1)
    same = np.zeros(len(key), dtype=bool)
    for step in range(int((high - low).max(initial=0))):
        at = np.flatnonzero((low + step < high) & ~same)
        hit = at[codes[low[at] + step] == rep[at]]
        best[hit], same[hit] = low[hit] + step, True
        if not len(at):
            break
    return best, same


def _between(
    addresses: Addresses, street: Ints, numero: Ints, asked: Ints, out: Places, *, side: int
) -> Ints:
    """Interpolate what `asked` points at, between or beside known numbers of one side.

    `side` is 0 for the number's own, 1 for the other. Returns what could not be placed.
    """
    if not len(asked):
        return asked
    keys, order = addresses.parity_order
    first = (street[asked] * 2 + (numero[asked] + side) % 2) * NUMBER_SPAN
    at = np.searchsorted(keys, first + numero[asked])
    above, below = np.minimum(at, len(keys) - 1), np.maximum(at - 1, 0)
    has_above = (keys[above] // NUMBER_SPAN == first // NUMBER_SPAN) & (at < len(keys))
    has_below = (keys[below] // NUMBER_SPAN == first // NUMBER_SPAN) & (at > 0)
    up, down = order[above], order[below]
    gap_up = np.where(has_above, addresses.numero[up] - numero[asked], _MAX_GAP + 1)
    gap_down = np.where(has_below, numero[asked] - addresses.numero[down], _MAX_GAP + 1)
    both = has_above & has_below
    share = np.where(both, gap_down / np.maximum(gap_up + gap_down, 1), gap_up < gap_down)
    x = addresses.x[down] + share * (addresses.x[up] - addresses.x[down])
    y = addresses.y[down] + share * (addresses.y[up] - addresses.y[down])
    length = np.hypot(addresses.x[up] - addresses.x[down], addresses.y[up] - addresses.y[down])
    gap = np.minimum(gap_up, gap_down)
    beyond = np.minimum(_REP_M + gap * _M_PER_NUMBER, _MOST_BEYOND_M)
    reach = np.where(both, np.maximum(_REP_M, length * _SHARE_BETWEEN), beyond)
    good = both | (gap <= _MAX_GAP)
    rows = asked[good]
    out.level[rows] = INTERPOLATED
    out.x[rows], out.y[rows] = x[good], y[good]
    street_share = out.uncertainty[rows] * _SHARE_OF_STREET
    out.uncertainty[rows] = np.maximum(reach[good], street_share)
    return asked[~good]
