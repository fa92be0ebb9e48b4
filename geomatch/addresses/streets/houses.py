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
#: The gap to a door that is not there.
_NO_DOOR = 1 << 30
#: Metres: an exact door; one with the letter that may stand for the repetition asked for (where
#: a street has both, half of the pairs are 15 m apart); one whose repetition is not known.
_DOOR_M, _LETTER_M, _REP_M = 15.0, 25.0, 40.0
#: How a door's repetition meets the one asked for.
_SAME_REP, _SAME_LETTER, _OTHER_REP = 0, 1, 2
_DOOR_BY_REP_M = np.array([_DOOR_M, _LETTER_M, _REP_M])
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

    `street` are rows of the index; `numero` is 0 or less where there is no number; `rep` and
    `letter` are codes of :class:`Repetitions`, -1 for one that no address bears.
    """

    street: Ints
    numero: Ints
    rep: Ints
    letter: Ints

    def take(self, at: Ints) -> Doors:
        """Some of them."""
        return Doors(self.street[at], self.numero[at], self.rep[at], self.letter[at])


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
    address, agreement = _exact(index.addresses, doors.take(asked))
    known = address >= 0
    at, address = asked[known], address[known]
    out.level[at] = HOUSENUMBER
    out.address[at] = address
    out.x[at], out.y[at] = index.addresses.x[address], index.addresses.y[address]
    out.uncertainty[at] = _DOOR_BY_REP_M[agreement[known]]
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
    none = np.zeros(len(street), dtype=np.int64)
    return place(index, Doors(street, numero, none, none)).level


def _exact(addresses: Addresses, doors: Doors) -> tuple[Ints, Ints]:
    """Address of each number (-1: none), and how its repetition meets the one asked for."""
    key = doors.street * NUMBER_SPAN + doors.numero
    low = np.searchsorted(addresses.number_key, key)
    high = np.searchsorted(addresses.number_key, key, side="right")
    best = np.where(low < high, low, -1)
    agreement = np.full(len(key), _OTHER_REP)
    repetitions = addresses.repetitions
    for step in range(int((high - low).max(initial=0))):
        at = np.flatnonzero((low + step < high) & (agreement > _SAME_REP))
        if not len(at):
            break
        door = low[at] + step
        same = repetitions.own[door] == doors.rep[at]
        alike = (repetitions.letter[door] == doors.letter[at]) & (doors.letter[at] >= 0)
        found = np.where(same, _SAME_REP, np.where(alike, _SAME_LETTER, _OTHER_REP))
        better = found < agreement[at]
        best[at[better]], agreement[at[better]] = door[better], found[better]
    return best, agreement


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
    gap_up = np.where(has_above, addresses.numero[up] - doors.numero, _NO_DOOR)
    gap_down = np.where(has_below, doors.numero - addresses.numero[down], _NO_DOOR)
    both = has_above & has_below
    share = np.where(both, gap_down / np.maximum(gap_up + gap_down, 1), gap_up < gap_down)
    x = addresses.x[down] + share * (addresses.x[up] - addresses.x[down])
    y = addresses.y[down] + share * (addresses.y[up] - addresses.y[down])
    length = np.hypot(addresses.x[up] - addresses.x[down], addresses.y[up] - addresses.y[down])
    gap = np.minimum(gap_up, gap_down)
    # where numbers are metres, eighty of them are no distance
    pace = np.minimum(_pace(addresses, (keys, order), np.where(gap_up < gap_down, above, below)),
                      _M_PER_NUMBER)  # fmt: skip
    beyond = np.minimum(_REP_M + gap * pace, _MOST_BEYOND_M)
    reach = np.where(both, np.maximum(_REP_M, length * _SHARE_BETWEEN), beyond)
    return _Beside(x, y, reach, both | (gap <= _MAX_GAP) | (gap * pace <= _MOST_BEYOND_M))


def _pace(addresses: Addresses, parity_order: tuple[Ints, Ints], last: Ints) -> Floats:
    """Metres for each unit of number at the end of a side; the usual where one door is all."""
    keys, order = parity_order
    before = np.maximum(last - 1, 0)
    same_side = keys[before] // NUMBER_SPAN == keys[last] // NUMBER_SPAN
    other = np.where(same_side, before, np.minimum(last + 1, len(keys) - 1))
    a, b = order[last], order[other]
    step = np.abs(addresses.numero[a] - addresses.numero[b])
    known = (keys[other] // NUMBER_SPAN == keys[last] // NUMBER_SPAN) & (step > 0)
    metres = np.hypot(addresses.x[a] - addresses.x[b], addresses.y[a] - addresses.y[b])
    return np.where(known, metres / np.maximum(step, 1) * 2, _M_PER_NUMBER)
