"""Candidates as readers see them: name, address and position of the establishment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.arrays.arrow import texts, whole
from geomatch.arrays.rows import Rows
from geomatch.core.schema import CANDIDATES, STORE_ESTABLISHMENTS
from geomatch.core.territories import departements_of
from geomatch.store.reader import Store

#: Columns of candidates that are copied from the register when a result is shown or written.
OF_REGISTER = ("raison_sociale", "adresse", "x", "y", "crs")
_NAMES = ("denomination", "enseignes", "denominations_usuelles", "personne", "sigle")
_LINE = ("numero", "rep", "type_voie", "nom_voie", "code_postal", "libelle_commune")
_READ = ("siret", *_NAMES, *_LINE, "x", "y", "crs")


def described(candidates: Rows, store: Store) -> Rows:
    """A table of candidates with :data:`OF_REGISTER`, its columns in the contract's order.

    `candidates` has ``siret`` and ``code_commune`` (of the establishment). Of the store only the
    rows of these establishments are read.
    """
    siret, commune = candidates["siret"], candidates["code_commune"]
    code, distinct = pd.factorize(siret)
    first = np.zeros(len(distinct), np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    register = _register(distinct, departements_of(commune[first]), store)
    added = {c: register[c][code] for c in OF_REGISTER}
    told = {**{c: candidates[c] for c in candidates}, **added}
    first_columns = {c: told.pop(c) for c in CANDIDATES.columns}
    return Rows({**first_columns, **told})


def _register(
    siret: NDArray[np.object_], departement: NDArray[np.object_], store: Store
) -> dict[str, NDArray]:
    """:data:`OF_REGISTER` of distinct establishments, of which the département is known."""
    out: dict[str, NDArray] = {
        "raison_sociale": np.full(len(siret), "", dtype=object),
        "adresse": np.full(len(siret), "", dtype=object),
        "x": np.full(len(siret), np.nan),
        "y": np.full(len(siret), np.nan),
        "crs": np.zeros(len(siret), np.int64),
    }
    for one in np.unique(departement.astype(str)):
        at = np.flatnonzero(departement == one)
        rows, _ = store.rows_of(
            STORE_ESTABLISHMENTS, one, _READ, "siret", pa.array(siret[at], pa.string())
        )
        position = pd.Index(siret[at]).get_indexer(texts(rows.column("siret")))
        target = at[position[position >= 0]]
        kept = np.flatnonzero(position >= 0)
        values = {
            "raison_sociale": texts(_first_filled(rows)),
            "adresse": texts(_line(rows)),
            **{c: rows.column(c).to_numpy() for c in ("x", "y", "crs")},
        }
        for name, column in values.items():
            out[name][target] = column[kept]
    return out


def _first_filled(rows: pa.Table) -> pa.Array:
    """The name a reader knows an establishment by: legal name, else signboard, usual name, …"""
    names = [_plain(rows, c) for c in _NAMES]
    absent = pa.scalar(None, pa.string())
    return pc.coalesce(*(pc.if_else(pc.equal(n, ""), absent, n) for n in names))


def _line(rows: pa.Table) -> pa.Array:
    """The establishment's address on one line."""
    joined = pc.binary_join_element_wise(*(_plain(rows, c) for c in _LINE), " ")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(joined, r"\s+", " "))


def _plain(rows: pa.Table, column: str) -> pa.Array:
    return whole(rows.column(column)).cast(pa.string())
