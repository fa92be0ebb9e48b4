"""Rows of the register by SIRET, kept compact: an Arrow table for each département in use."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geomatch.errors import StoreError
from geomatch.schema import STORE_ESTABLISHMENTS
from geomatch.store import Store, departement_path

#: Départements kept in memory; the least recently used goes first.
_MOST = 8
#: La Poste's establishments have no Luhn digit: their digits add up to a multiple of five.
_LA_POSTE = "356000000"


def siret_problem(siret: str) -> str:
    """What is wrong with a SIRET, in French; ``""`` when its digits are those of one."""
    if not (siret.isascii() and siret.isdigit()) or len(siret) != 14:
        return f"Un SIRET a 14 chiffres, ceci a {len(siret)} caractères."
    if siret.startswith(_LA_POSTE) and sum(map(int, siret)) % 5 == 0:
        return ""
    doubled = [int(c) * (2 - i % 2) for i, c in enumerate(siret)]
    total = sum(d - 9 if d > 9 else d for d in doubled)
    return "" if total % 10 == 0 else "La clé de contrôle ne tombe pas juste : chiffre mal saisi ?"


@dataclass(frozen=True)
class _Part:
    """Establishments of a département, and where each SIRET stands."""

    table: pa.Table
    sirets: NDArray[np.bytes_]
    order: NDArray[np.int64]


class Register:
    """The establishments of a store, looked up by SIRET. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._parts: dict[str, _Part] = {}
        self._strays: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def rows(self, sirets: Sequence[str], near: Sequence[str]) -> pd.DataFrame:
        """Rows of STORE_ESTABLISHMENTS in the order asked; unknown SIRETs have none.

        `near` are the départements to look in first; the others are searched on disk.
        """
        found: dict[str, dict[str, Any]] = {}
        for departement in dict.fromkeys(d for d in near if d in self.store.departements):
            wanted = [s for s in sirets if s not in found]
            found |= _by_siret(self._in(departement, wanted)) if wanted else {}
        for siret in (s for s in sirets if s not in found):
            stray = self._stray(siret)
            if stray:
                found[siret] = stray
        frame = pd.DataFrame([found[s] for s in sirets if s in found])
        return STORE_ESTABLISHMENTS.conform(frame)

    def take(self, departement: str, rows: Sequence[int]) -> pd.DataFrame:
        """Rows of a département by position."""
        return STORE_ESTABLISHMENTS.conform(self.table(departement).take(np.array(rows, dtype=np.int64)).to_pandas())

    def table(self, departement: str) -> pa.Table:
        """Establishments of a département (columns of STORE_ESTABLISHMENTS)."""
        return self._part(departement).table

    def _in(self, departement: str, sirets: Sequence[str]) -> pd.DataFrame:
        part = self._part(departement)
        asked = np.array(list(sirets), dtype="S14")
        at = np.searchsorted(part.sirets, asked)
        inside = at < len(part.sirets)
        hit = at[inside][part.sirets[at[inside]] == asked[inside]]
        return STORE_ESTABLISHMENTS.conform(part.table.take(part.order[hit]).to_pandas())

    def _part(self, departement: str) -> _Part:
        with self._lock:
            part = self._parts.pop(departement, None)
            if part is None:
                part = _read(self.store, departement)
                while len(self._parts) >= _MOST:
                    self._parts.pop(next(iter(self._parts)))
            self._parts[departement] = part  # now the latest used
            return part

    def _stray(self, siret: str) -> dict[str, Any]:
        """A row looked for in every département; empty when there is none."""
        if siret in self._strays:
            return self._strays[siret]
        for departement in self.store.departements:
            table = _table(self.store, departement, [("siret", "=", siret)])
            if table.num_rows:
                rows = _by_siret(STORE_ESTABLISHMENTS.conform(table.to_pandas()))
                self._strays |= rows
                return rows[siret]
        return {}


def _by_siret(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {row["siret"]: {str(k): v for k, v in row.items()} for row in frame.to_dict("records")}


def _read(store: Store, departement: str) -> _Part:
    table = _table(store, departement, None)
    sirets = table.column("siret").to_numpy(zero_copy_only=False).astype("S14")
    order = np.argsort(sirets, kind="stable")
    return _Part(table, sirets[order], order)


def _table(store: Store, departement: str, filters: list[tuple[str, str, str]] | None) -> pa.Table:
    file = departement_path(store.path, STORE_ESTABLISHMENTS, departement)
    if not file.exists():
        return pa.Table.from_pandas(STORE_ESTABLISHMENTS.empty(), preserve_index=False)
    try:
        return pq.read_table(
            file, columns=STORE_ESTABLISHMENTS.names, filters=filters, partitioning=None
        )
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{file} of the store is not readable: {error}") from error
