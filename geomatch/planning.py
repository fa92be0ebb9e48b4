"""Where each bulletin of a file is at work, so that the file can be sorted into partitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses import CommuneIndex, get_parser
from geomatch.cluster import Crew, execute
from geomatch.config import AddressOptions
from geomatch.garbage import seldom_collected
from geomatch.prepared import address_parts, asked_communes, places_of_work
from geomatch.rows import Rows
from geomatch.store import Store

#: A file of more bulletins than this is looked at slice by slice, by all workers.
SLICE_ROWS = 100_000
#: What the place of work is told by.
_COLUMNS = [
    "adresse", "numero", "rep", "type_voie", "nom_voie", "complement", "commune", "departement",
    "code_postal", "code_commune_declaree", "code_commune_residence", "lieu_travail",
]  # fmt: skip


@dataclass(frozen=True)
class _Slice:
    """Some bulletins of a file for one worker; `version` tells a store from one built later."""

    number: int
    bulletins: pd.DataFrame
    store: str
    version: str
    options: AddressOptions


def departements_of_work(
    bulletins: pd.DataFrame, store: Store, options: AddressOptions, crew: Crew
) -> NDArray[np.str_]:
    """Département of work of each bulletin, as the matcher will have it; "" where none is told.

    `crew` shares the work of a big file; what it finds does not depend on it.
    """
    told = bulletins[_COLUMNS]
    slices = [
        _Slice(i, told.iloc[low : low + SLICE_ROWS], store.place, store.sha256, options)
        for i, low in enumerate(range(0, max(len(told), 1), SLICE_ROWS))
    ]
    if len(slices) == 1:
        return _departements(slices[0])[1]
    found = dict(execute(_departements, slices, crew))
    return np.concatenate([found[i] for i in range(len(slices))])


@seldom_collected()
def _departements(part: _Slice) -> tuple[int, NDArray[np.str_]]:
    told, communes = Rows.of(part.bulletins, _COLUMNS), _communes(part.store, part.version)
    asked = told
    if (told["adresse"] != "").any():  # lines are read only where there are any
        parts = address_parts(told, get_parser(part.options), communes)
        asked = asked_communes(told, parts)
    codes = communes.answers(asked)["code_commune"]
    return part.number, places_of_work(told, codes)[0].astype(str)


@lru_cache(maxsize=1)
def _communes(store: str, version: str) -> CommuneIndex:
    return CommuneIndex.open(Store.open(store))
