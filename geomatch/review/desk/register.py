"""Rows of the register by SIRET, kept compact: an Arrow table for each département in use."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geomatch.core.errors import StoreError
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.store.reader import Store, departement_path

#: Départements kept in memory; the least recently used goes first.
_MOST = 8
#: Rows of other départements kept.
_MOST_STRAYS = 5_000
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
    sirets: NDArray[np.int64]
    order: NDArray[np.int64]


class Register:
    """The establishments of a store, looked up by SIRET. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._parts: dict[str, _Part] = {}
        self._strays: dict[str, dict[str, Any]] = {}
        self._known: _Whereabouts | None = None
        self._lock = threading.Lock()

    def rows(self, sirets: Sequence[str], near: Sequence[str]) -> pd.DataFrame:
        """Rows of STORE_ESTABLISHMENTS in the order asked; unknown SIRETs have none.

        `near` are the départements to look in first; the others are read from their file.
        What is not 14 digits is unknown.
        """
        sirets = [s for s in sirets if len(s) == 14 and s.isascii() and s.isdigit()]
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
        return STORE_ESTABLISHMENTS.conform(
            self.table(departement).take(np.array(rows, dtype=np.int64)).to_pandas()
        )

    def table(self, departement: str) -> pa.Table:
        """Establishments of a département (columns of STORE_ESTABLISHMENTS)."""
        return self._part(departement).table

    def _in(self, departement: str, sirets: Sequence[str]) -> pa.Table:
        part = self._part(departement)
        asked = np.array([int(s) for s in sirets], dtype=np.int64)
        at = np.searchsorted(part.sirets, asked)
        inside = at < len(part.sirets)
        hit = at[inside][part.sirets[at[inside]] == asked[inside]]
        return part.table.take(part.order[hit])

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
        """A row of whatever département; empty when the register has no such SIRET."""
        if siret not in self._strays:
            departement = self._whereabouts.departement(siret)
            if not departement:
                return {}
            table = _table(self.store, departement, [("siret", "=", siret)])
            self._strays |= _by_siret(table)
            while len(self._strays) > _MOST_STRAYS:
                self._strays.pop(next(iter(self._strays)), None)
        return self._strays.get(siret, {})

    @property
    def _whereabouts(self) -> _Whereabouts:
        with self._lock:
            if self._known is None:
                self._known = _Whereabouts.read(self.store)
            return self._known

    def warm(self) -> None:
        """Learn in which département each SIRET is, before anybody asks."""
        self._whereabouts.departement("0" * 14)


@dataclass(frozen=True)
class _Whereabouts:
    """Every SIRET of the store, sorted, and the position of its département: 9 bytes each."""

    sirets: NDArray[np.int64]
    position: NDArray[np.uint8]
    departements: list[str]

    @classmethod
    def read(cls, store: Store) -> _Whereabouts:
        """Read the SIRET column of every département."""
        columns = [
            _numbers(store.arrow(STORE_ESTABLISHMENTS, d, ["siret"])) for d in store.departements
        ]
        sirets = np.concatenate([np.zeros(0, np.int64), *columns])
        position = np.repeat(np.arange(len(columns)), [len(c) for c in columns]).astype(np.uint8)
        order = np.argsort(sirets, kind="stable")
        return cls(sirets[order], position[order], store.departements)

    def departement(self, siret: str) -> str:
        """Where an establishment is; ``""`` when the store has no such SIRET."""
        at = int(np.searchsorted(self.sirets, int(siret)))
        is_there = at < len(self.sirets) and self.sirets[at] == int(siret)
        return self.departements[self.position[at]] if is_there else ""


def _numbers(rows: pa.Table) -> NDArray[np.int64]:
    """SIRETs as integers."""
    numbers: NDArray[np.int64] = pc.cast(rows.column("siret"), pa.int64()).to_numpy()
    return numbers


def _by_siret(rows: pa.Table) -> dict[str, dict[str, Any]]:
    return {row["siret"]: row for row in rows.to_pylist()}


def _read(store: Store, departement: str) -> _Part:
    table = _table(store, departement, None)
    sirets = _numbers(table)
    order = np.argsort(sirets, kind="stable")
    return _Part(table, sirets[order], order)


def _table(store: Store, departement: str, filters: list[tuple[str, str, str]] | None) -> pa.Table:
    if not store.has(STORE_ESTABLISHMENTS, departement):
        return pa.Table.from_pandas(STORE_ESTABLISHMENTS.empty(), preserve_index=False)
    file = store.file(departement_path(store.path, STORE_ESTABLISHMENTS, departement))
    try:
        return pq.read_table(
            file, columns=STORE_ESTABLISHMENTS.names, filters=filters, partitioning=None
        )
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{file} of the store is not readable: {error}") from error
