"""From a street and a house number to a point: exact, interpolated, or the street's middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.streets.doors import NUMBER_SPAN, Addresses
from geomatch.addresses.streets.index import StreetIndex

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


@dataclass(frozen=True)
class Doors:
    """Doors asked for, arrays (n,).

    `street` are rows of the index; `numero` is 0 or less where there is no number; `rep` are
    codes of :attr:`Addresses.rep_codes`, -1 for one that no address bears.
    """

    street: Ints
    numero: Ints
    rep: Ints

    def take(self, at: Ints) -> Doors:
        """Some of them."""
        return Doors(self.street[at], self.numero[at], self.rep[at])


def place(index: StreetIndex, doors: Doors) -> Places:
    """Points of doors.

    Notes
    -----
    A number that is not known lies between its same-side neighbours by their numbers, or beside
    the last one; else the street's middle is given, with its half-length.
    """
    street, numero = doors.street, doors.numero
    n = len(street)
    out = Places(
        level=np.full(n, STREET),
        address=np.full(n, -1),
        x=index.x[street].copy(),
        y=index.y[street].copy(),
        uncertainty=np.maximum(index.half_length[street], 30.0),
    )
    asked = np.flatnonzero((numero > 0) & (numero < NUMBER_SPAN) & (index.count[street] > 0))
    address, same_rep = _exact(index.addresses, doors.take(asked))
    known = address >= 0
    at, address = asked[known], address[known]
    out.level[at] = HOUSENUMBER
    out.address[at] = address
    out.x[at], out.y[at] = index.addresses.x[address], index.addresses.y[address]
    out.uncertainty[at] = np.where(same_rep[known], _DOOR_M, _REP_M)
    missing = asked[~known]
    for side in (0, 1):
        beside = _between(index.addresses, doors.take(missing), side)
        found = missing[beside.good]
        out.level[found] = INTERPOLATED
        out.x[found], out.y[found] = beside.x[beside.good], beside.y[beside.good]
        street_share = out.uncertainty[found] * _SHARE_OF_STREET
        out.uncertainty[found] = np.maximum(beside.reach[beside.good], street_share)
        missing = missing[~beside.good]
    return out


def level_of(index: StreetIndex, street: Ints, numero: Ints) -> Ints:
    """HOUSENUMBER, INTERPOLATED or STREET: what :func:`place` would give, repetitions apart."""
    return place(index, Doors(street, numero, np.zeros(len(street), dtype=np.int64))).level


def _exact(addresses: Addresses, doors: Doors) -> tuple[Ints, NDArray[np.bool_]]:
    """Address of each number (-1: none), and whether its repetition is the one asked for."""
    key = doors.street * NUMBER_SPAN + doors.numero
    low = np.searchsorted(addresses.number_key, key)
    high = np.searchsorted(addresses.number_key, key, side="right")
    codes = addresses.rep_codes[0]
    best = np.where(low < high, low, -1)
    same = np.zeros(len(key), dtype=bool)
    for step in range(int((high - low).max(initial=0))):
        at = np.flatnonzero((low + step < high) & ~same)
        if not len(at):
            break
        hit = at[codes[low[at] + step] == doors.rep[at]]
        best[hit], same[hit] = low[hit] + step, True
    return best, same


@dataclass(frozen=True)
class _Beside:
    """Points between or beside known numbers, and which of them are any good."""

    x: Floats
    y: Floats
    reach: Floats
    good: NDArray[np.bool_]


def _between(addresses: Addresses, doors: Doors, side: int) -> _Beside:
    """Interpolate numbers among the known ones of a side: 0 the number's own, 1 the other."""
    if not len(doors.street):
        none = np.array([], dtype=np.float64)
        return _Beside(none, none, none, np.array([], dtype=bool))
    keys, order = addresses.parity_order
    first = (doors.street * 2 + (doors.numero + side) % 2) * NUMBER_SPAN
    at = np.searchsorted(keys, first + doors.numero)
    above, below = np.minimum(at, len(keys) - 1), np.maximum(at - 1, 0)
    has_above = (keys[above] // NUMBER_SPAN == first // NUMBER_SPAN) & (at < len(keys))
    has_below = (keys[below] // NUMBER_SPAN == first // NUMBER_SPAN) & (at > 0)
    up, down = order[above], order[below]
    gap_up = np.where(has_above, addresses.numero[up] - doors.numero, _MAX_GAP + 1)
    gap_down = np.where(has_below, doors.numero - addresses.numero[down], _MAX_GAP + 1)
    both = has_above & has_below
    share = np.where(both, gap_down / np.maximum(gap_up + gap_down, 1), gap_up < gap_down)
    x = addresses.x[down] + share * (addresses.x[up] - addresses.x[down])
    y = addresses.y[down] + share * (addresses.y[up] - addresses.y[down])
    length = np.hypot(addresses.x[up] - addresses.x[down], addresses.y[up] - addresses.y[down])
    gap = np.minimum(gap_up, gap_down)
    beyond = np.minimum(_REP_M + gap * _M_PER_NUMBER, _MOST_BEYOND_M)
    reach = np.where(both, np.maximum(_REP_M, length * _SHARE_BETWEEN), beyond)
    return _Beside(x, y, reach, both | (gap <= _MAX_GAP))
