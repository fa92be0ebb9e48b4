"""Addresses without a town: the town where a street of that name stands, alone or mostly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.addresses.communes.departements import departement_codes
from geomatch.addresses.communes.index import CommuneIndex
from geomatch.addresses.streets.geocoder import street_keys
from geomatch.addresses.streets.names import TYPED, keys_of, read_street
from geomatch.arrays.arrow import texts
from geomatch.arrays.rows import Rows
from geomatch.core.schema import STORE_STREETS
from geomatch.store.reader import Store

_COLUMNS = ("type_norm", "mots_norm", "code_commune", "n_addresses")
#: Share of the doors on streets of a name that one town must have.
_LEAST_SHARE = 0.5
#: Probability that a street that stands once in the store is the one meant: others may have been.
_ONCE = 0.9
Texts = NDArray[np.object_]
#: Cities and the doors on their streets of a name.
Bearers = dict[str, float]


def find_towns(
    store: Store, index: CommuneIndex, written: Rows, completed: Rows, declared: Texts
) -> tuple[Rows, Texts, NDArray[np.float64]]:
    """Towns of the addresses that name none.

    A town that was found at the end of the street's name is doubted too: if the whole name is a
    street's and what is left of it is none in that town, it was no town (RUE DU GENERAL BRUNET).

    Parameters
    ----------
    written, completed : Rows of ADDRESS_PARTS
        As they were parsed, and with the towns that were found in other parts.
    declared : texts (n,)
        Code of the commune where a column of its own tells it.

    Returns
    -------
    parts : Rows of ADDRESS_PARTS
    code : texts (n,), `declared` and what was found, "" for neither
    share : floats (n,), probability of that commune, 1 where none was looked for
    """
    n = len(written)
    code, share = declared.astype(object), np.ones(n)
    is_told = (written["commune"] != "") | (written["code_postal"] != "") | (code != "")
    rows = np.flatnonzero(~is_told & (written["nom_voie"] != ""))
    if not len(rows):
        return completed, code, share
    whole, left = (_typed(parts.take(rows)) for parts in (written, completed))
    bearers = _bearers(store, index, {*whole, *left})
    parts = {c: completed[c].copy() for c in completed}
    for row, key, rest in zip(rows.tolist(), whole, left, strict=True):
        known = _within(bearers.get(key, {}), str(written["departement"][row]), index)
        if not known:
            continue
        town = str(completed["commune"][row])
        if town and (rest == key or _stands_in(bearers.get(rest, {}), town, index)):
            continue
        city, doors = max(known.items(), key=lambda item: (item[1], item[0]))
        likely = doors / sum(known.values())
        if likely < _LEAST_SHARE:
            continue
        if town:
            for column in parts:
                parts[column][row] = written[column][row]
        code[row], share[row] = city, likely * _ONCE
    return Rows(parts, n), code, share


def _typed(parts: Rows) -> list[str]:
    keys = street_keys(parts)
    return keys_of([read_street(k) for k in keys.tolist()])[0]


def _bearers(store: Store, index: CommuneIndex, keys: Iterable[str]) -> dict[str, Bearers]:
    """Cities whose streets bear each key, with the doors on these; a street counts as one more."""
    asked = pa.array(sorted(k for k in keys if not k.endswith(TYPED)), pa.string())
    found: dict[str, Bearers] = {}
    for departement in store.departements:
        table = store.arrow(STORE_STREETS, departement, _COLUMNS)
        kind, words = (table.column(c).cast(pa.string()) for c in _COLUMNS[:2])
        typed = pc.binary_join_element_wise(kind, words, TYPED)
        is_asked = pc.is_in(typed, asked)
        kept = table.filter(is_asked)
        columns = (texts(typed.filter(is_asked)), texts(kept.column("code_commune")))
        doors = kept.column("n_addresses").to_pylist()
        for key, commune, n in zip(*columns, doors, strict=True):
            cities = found.setdefault(key, {})
            city = index.city(commune)
            cities[city] = cities.get(city, 0.0) + n + 1
    return found


def _within(cities: Bearers, departement: str, index: CommuneIndex) -> Bearers:
    """Those of the département that is written, if any."""
    codes = departement_codes(departement) if departement else frozenset[str]()
    return {c: n for c, n in cities.items() if not codes or index.departement(c) in codes}


def _stands_in(cities: Bearers, town: str, index: CommuneIndex) -> bool:
    """Whether one of the cities is called like that."""
    return any(index.city(c) in cities for c in index.codes_of_name(town))
