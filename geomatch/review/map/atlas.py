"""The streets around a place, as lines, out of a store's addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.core.schema import STORE_ADDRESSES, STORE_COMMUNES, STORE_STREETS, Table
from geomatch.core.territories import departement_of
from geomatch.store.reader import Store

Floats = NDArray[np.float64]
#: Streets of a département that a map shows: those of a wide window that extend farthest. More
#: would be hairs on the picture, and make a clerk wait.
MOST_STREETS = 250


@dataclass(frozen=True)
class Window:
    """A rectangle of ground in metres, of one projection."""

    x0: float
    y0: float
    x1: float
    y1: float

    def wider(self, share: float) -> Window:
        """This window with `share` of its size more on every side."""
        dx, dy = share * (self.x1 - self.x0), share * (self.y1 - self.y0)
        return Window(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it; NaN never does."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


@dataclass(frozen=True)
class DrawnStreet:
    """A street in a window. `sides` are its houses by parity, in order, arrays of shape (n, 2)."""

    nom_voie: str
    is_lieu_dit: bool
    sides: tuple[Floats, ...]
    numbers: tuple[NDArray[np.int64], ...]
    voie_id: int = -1

    @property
    def longest(self) -> Floats:
        """The side with most houses."""
        return max(self.sides, key=len)


@dataclass(frozen=True)
class _Houses:
    """Addresses of a département as arrays, in the store's order: by street, then by number.

    24 bytes an address and 30 a street: the maps of a whole campaign need them all.
    """

    voie_id: NDArray[np.int32]
    numero: NDArray[np.int32]
    points: Floats
    names: pa.ChunkedArray
    is_lieu_dit: NDArray[np.bool_]

    @classmethod
    def read(cls, store: Store, departement: str) -> _Houses:
        """The streets by their ``voie_id``, which counts from 0."""
        told = ["voie_id", "nom_voie", "is_lieu_dit"]
        streets = store.arrow(STORE_STREETS, departement, told).sort_by("voie_id")
        asked = ["voie_id", "numero", "x", "y"]
        addresses = store.arrow(STORE_ADDRESSES, departement, asked)
        columns = {c: addresses.column(c).to_numpy() for c in asked}
        return cls(
            columns["voie_id"].astype(np.int32),
            columns["numero"].astype(np.int32),
            np.column_stack([columns["x"], columns["y"]]),
            streets.column("nom_voie"),
            streets.column("is_lieu_dit").to_numpy().astype(bool),
        )

    def streets(self, window: Window) -> list[DrawnStreet]:
        """Streets with an address in the window, by ``voie_id``; of too many the longest."""
        x, y = self.points.T
        inside = np.flatnonzero(
            (x >= window.x0) & (x <= window.x1) & (y >= window.y0) & (y <= window.y1)
        )
        if not len(inside):
            return []
        starts = np.flatnonzero(np.diff(self.voie_id[inside], prepend=-1))
        kept = self._longest(inside, starts)
        parts = np.split(inside, starts[1:])
        return [self._street(parts[i]) for i in kept]

    def _longest(self, rows: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Positions of the streets that extend farthest, at most MOST_STREETS, in order."""
        if len(starts) <= MOST_STREETS:
            return np.arange(len(starts))
        points = self.points[rows]
        low = np.minimum.reduceat(points, starts)
        far = np.hypot(*(np.maximum.reduceat(points, starts) - low).T)
        return np.sort(np.argsort(-far, kind="stable")[:MOST_STREETS])

    def _street(self, rows: NDArray[np.int64]) -> DrawnStreet:
        street = int(self.voie_id[rows[0]])
        numbers, points = self.numero[rows], self.points[rows]
        odd = numbers % 2 == 1
        sides = [mask for mask in (odd, ~odd) if mask.any()]
        return DrawnStreet(
            self.names[street].as_py(),
            bool(self.is_lieu_dit[street]),
            tuple(points[mask] for mask in sides),
            tuple(numbers[mask] for mask in sides),
            street,
        )


@dataclass
class Atlas:
    """A store whose houses are kept once they were read, for many maps."""

    store: Store
    _drawn: dict[str, _Houses] = field(default_factory=dict, repr=False)
    _communes: pd.DataFrame | None = field(default=None, repr=False)
    #: what else of a département was drawn, for the next map
    kept: dict[str, object] = field(default_factory=dict, repr=False)

    def streets(self, departements: Sequence[str], window: Window) -> list[DrawnStreet]:
        """Streets with at least one address in the window; addresses beyond it are left out."""
        return [
            street
            for departement in departements
            for street in self._houses(departement).streets(window)
        ]

    def _houses(self, departement: str) -> _Houses:
        if departement not in self._drawn:
            self._drawn[departement] = _Houses.read(self.store, departement)
        return self._drawn[departement]

    def voie_of(self, ban_id: str, code_commune: str) -> int:
        """``voie_id`` of a BAN identifier of an address or a street; -1 when unknown."""
        if not ban_id:
            return -1
        departement = departement_of(code_commune)
        for table in (STORE_ADDRESSES, STORE_STREETS):
            row = self._row(table, departement, ["voie_id"], ban_id)
            if row is not None:
                return int(row["voie_id"])
        return -1

    def commune_name(self, code_commune: str) -> str:
        """Name of a commune with its code; the code alone when the store does not know it."""
        communes = self._known_communes()
        if code_commune in communes.index:
            return f"{communes.loc[code_commune, 'libelle']} ({code_commune})"
        return code_commune

    def city_of(self, code_commune: str) -> str:
        """Code of an arrondissement's city, 75056 for 75117; of another commune its own."""
        communes = self._known_communes()
        if code_commune not in communes.index:
            return code_commune
        return str(communes.loc[code_commune, "code_parent"]) or code_commune

    def _known_communes(self) -> pd.DataFrame:
        if self._communes is None:
            found = self.store.country(STORE_COMMUNES).drop_duplicates("code_commune")
            self._communes = found.set_index("code_commune")
        return self._communes

    def address_text(self, ban_id: str, code_commune: str) -> str:
        """Number and street of a BAN identifier of an address or a street; ``""`` when unknown."""
        if not ban_id:
            return ""
        departement = departement_of(code_commune)
        house = self._row(STORE_ADDRESSES, departement, ["voie_id", "numero", "rep"], ban_id)
        if house is None:
            street = self._row(STORE_STREETS, departement, ["nom_voie"], ban_id)
            return "" if street is None else str(street["nom_voie"])
        number = f"{house['numero']} {house['rep'] or ''}".strip()
        return f"{number} {self._houses(departement).names[house['voie_id']]}"

    def _row(
        self, table: Table, departement: str, columns: Sequence[str], ban_id: str
    ) -> dict[str, Any] | None:
        wanted = pa.array([ban_id], pa.string())
        rows, _ = self.store.rows_of(table, departement, columns, "ban_id", wanted)
        return rows.slice(0, 1).to_pylist()[0] if len(rows) else None
