"""Where each bulletin of a file is at work, so that the file can be sorted into partitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses import COMMUNE_QUESTION, CommuneIndex, get_parser
from geomatch.arrays.rows import Rows
from geomatch.core.config import AddressOptions
from geomatch.core.memory import seldom_collected
from geomatch.linkage.prepared import address_parts, places_of_work, resolved
from geomatch.runs.executors import Crew, execute
from geomatch.store.reader import Store

#: A file of more places told than this is looked at slice by slice, by all workers.
SLICE_ROWS = 50_000
#: What the place of work is told by.
_COLUMNS = [
    "adresse", "numero", "rep", "type_voie", "nom_voie", "complement", "commune", "departement",
    "code_postal", "code_commune_declaree", "code_commune_residence", "lieu_travail",
    "pays",
]  # fmt: skip


@dataclass(frozen=True)
class _Slice:
    """Some bulletins of a file for one worker; `version` tells a store from one built later."""

    number: int
    bulletins: pd.DataFrame
    store: str
    version: str
    options: AddressOptions


def workplaces(bulletins: pd.DataFrame, store: Store, options: AddressOptions, crew: Crew) -> Rows:
    """Where each bulletin is at work, as the matcher will have it.

    `crew` shares the work of a big file; what it finds does not depend on it.

    Returns
    -------
    Rows ``departement`` ("" for none) and COMMUNES_RESOLVED: what the bulletin's columns say of
    its commune; a line that holds a town or a postcode may say more.
    """
    has_lines = bool((bulletins["adresse"] != "").any())
    told, question = _distinct(bulletins[_COLUMNS if has_lines else list(COMMUNE_QUESTION)])
    slices = [
        _Slice(i, told.iloc[low : low + SLICE_ROWS], store.place, store.sha256, options)
        for i, low in enumerate(range(0, max(len(told), 1), SLICE_ROWS))
    ]
    by_number = dict(
        execute(_workplaces, slices, crew) if len(slices) > 1 else map(_workplaces, slices)
    )
    return Rows.joined([by_number[i] for i in range(len(slices))]).take(question)


def _distinct(told: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Distinct rows, sorted so that like ones are asked together; which of them each row is."""
    question = told.groupby(list(told.columns)).ngroup().to_numpy()
    first = np.unique(question, return_index=True)[1]
    return told.iloc[first], question


@seldom_collected()
def _workplaces(part: _Slice) -> tuple[int, Rows]:
    told = Rows.of(part.bulletins, list(part.bulletins.columns))
    index = _communes(part.store, part.version)
    communes = index.resolve(told)
    read = communes
    if "adresse" in told:
        parts = address_parts(told, get_parser(part.options), index)
        read = resolved(told, parts, index, communes)
    return part.number, communes.plus(departement=places_of_work(told, read)[0])


@lru_cache(maxsize=1)
def _communes(store: str, version: str) -> CommuneIndex:
    return CommuneIndex.open(Store.open(store))
