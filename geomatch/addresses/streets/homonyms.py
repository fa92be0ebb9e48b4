"""Streets of one name in one commune that are not one street: cut apart by their postcodes.

Arles has a RUE JEAN JAURES in the town and one in a village of another postcode, 15 km away; the
gazetteer's files tell them apart by nothing else.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.addresses.streets.doors import Addresses
from geomatch.arrays.arrow import coded, texts
from geomatch.arrays.groups import ragged_ranges

Ints = NDArray[np.int64]

#: Doors of another postcode whose middle is farther away than this are another street's.
APART_M = 1_500.0
#: Share of the doors that a street's half-length reaches, as in the store.
_REACHED = 0.95
_TEXTS = ("rep", "code_postal", "ban_id")


def cut_apart(streets: pa.Table, addresses: Addresses) -> tuple[pa.Table, Addresses]:
    """Streets and addresses, where each street is in one place.

    Parameters
    ----------
    streets : Table of STORE_STREETS
    addresses : Addresses
        Sorted by street (row of `streets`), number and repetition.

    Returns
    -------
    The tables with a row for each part of such a street; its parts have the same ``voie_id``.
    """
    long = np.flatnonzero(streets.column("half_length_m").to_numpy() * 2 > APART_M)
    first, count = (streets.column(c).to_numpy() for c in ("first_address", "n_addresses"))
    _, rows = ragged_ranges(first[long], first[long] + count[long])
    if not len(rows):
        return streets, addresses
    part = np.zeros(len(addresses.street), dtype=np.int64)
    code, _ = coded(addresses.code_postal.take(pa.array(rows)))
    part[rows] = _parts(addresses, rows, code)
    if not part.any():
        return streets, addresses
    order = np.lexsort((part, addresses.street))
    whole, part = addresses.street[order], part[order]
    is_first = np.append(True, (whole[1:] != whole[:-1]) | (part[1:] != part[:-1]))
    # streets without doors stay where they are
    n_parts = np.maximum(np.bincount(whole[is_first], minlength=len(streets)), 1)
    start = np.cumsum(n_parts) - n_parts
    place = np.cumsum(is_first) - 1
    is_new = np.append(True, whole[1:] != whole[:-1])
    rank = place - np.maximum.accumulate(np.where(is_new, place, 0))
    cut = _taken(addresses, order, start[whole] + rank)
    table = streets.take(pa.array(np.repeat(np.arange(len(streets)), n_parts)))
    return _placed(table, cut, np.flatnonzero(np.repeat(n_parts > 1, n_parts))), cut


def _parts(addresses: Addresses, rows: Ints, postcode: Ints) -> Ints:
    """Of each address 0 where its street is, or else the number of its own part from 1 on."""
    street = addresses.street[rows]
    key = street * (int(postcode.max()) + 1) + postcode
    groups, of_row, size = np.unique(key, return_inverse=True, return_counts=True)
    owner = groups // (int(postcode.max()) + 1)
    x, y = (_quantiles(v[rows], of_row, 0.5) for v in (addresses.x, addresses.y))
    reach = np.hypot(addresses.x[rows] - x[of_row], addresses.y[rows] - y[of_row])
    reach = _quantiles(reach, of_row, _REACHED)
    order = np.lexsort((-size, owner))
    is_main = np.append(True, owner[order][1:] != owner[order][:-1])
    main = order[np.maximum.accumulate(np.where(is_main, np.arange(len(order)), 0))]
    between = np.hypot(x[order] - x[main], y[order] - y[main])
    # a road that goes on from one postcode to the next is one road
    far = between > np.maximum(APART_M, reach[order] + reach[main])
    number = np.zeros(len(groups), dtype=np.int64)
    number[order] = np.where(far, np.arange(1, len(order) + 1), 0)
    return number[of_row]


def _quantiles(values: NDArray[np.float64], group: Ints, share: float) -> NDArray[np.float64]:
    """Of each group, all of which have values."""
    order = np.argsort(group, kind="stable")
    parts = np.split(values[order], np.cumsum(np.bincount(group))[:-1])
    return np.array([np.quantile(p, share) for p in parts])


def _taken(addresses: Addresses, order: Ints, street: Ints) -> Addresses:
    columns = {f.name: getattr(addresses, f.name) for f in dataclasses.fields(addresses)}
    at = pa.array(order)
    taken = {n: v.take(at) if n in _TEXTS else v[order] for n, v in columns.items()}
    return Addresses(**taken | {"street": street})


def _placed(table: pa.Table, addresses: Addresses, changed: Ints) -> pa.Table:
    """The streets with their own doors; those that `changed` also with their own middle."""
    n = len(table)
    low = np.searchsorted(addresses.street, np.arange(n))
    count = np.searchsorted(addresses.street, np.arange(n), side="right") - low
    columns = {c: table.column(c).to_numpy().copy() for c in ("x", "y", "half_length_m")}
    postcodes = texts(table.column("code_postal")).copy()
    for street in changed.tolist():
        doors = slice(low[street], low[street] + count[street])
        x, y = addresses.x[doors], addresses.y[doors]
        middle = int(np.argmin(np.hypot(x - np.median(x), y - np.median(y))))
        columns["x"][street], columns["y"][street] = x[middle], y[middle]
        reach = np.hypot(x - x[middle], y - y[middle])
        columns["half_length_m"][street] = np.quantile(reach, _REACHED)
        own = [str(c) for c in texts(addresses.code_postal[doors])]
        postcodes[street] = max(sorted(set(own)), key=own.count)
    columns |= {"first_address": low, "n_addresses": count, "code_postal": postcodes}
    for name, values in columns.items():
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(values, table.schema.field(name).type))
    return table.combine_chunks()
