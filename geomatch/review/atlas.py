"""The streets around a place, as lines, out of a store's addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.schema import STORE_ADDRESSES, STORE_COMMUNES, STORE_STREETS
from geomatch.store import Store
from geomatch.territories import departement_of

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

    @property
    def longest(self) -> Floats:
        """The side with most houses."""
        return max(self.sides, key=len)


@dataclass(frozen=True)
class _Houses:
    """Addresses of a département as arrays, in the store's order: by street, then by number."""

    voie_id: NDArray[np.int64]
    numero: NDArray[np.int64]
    points: Floats
    names: dict[int, tuple[str, bool]]

    @classmethod
    def of(cls, streets: pd.DataFrame, addresses: pd.DataFrame) -> _Houses:
        told = zip(streets["nom_voie"], streets["is_lieu_dit"], strict=True)
        return cls(
            addresses["voie_id"].to_numpy(np.int64),
            addresses["numero"].to_numpy(np.int64),
            addresses[["x", "y"]].to_numpy(np.float64),
            dict(zip(streets["voie_id"], told, strict=True)),
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
        nom_voie, is_lieu_dit = self.names[int(self.voie_id[rows[0]])]
        numbers, points = self.numero[rows], self.points[rows]
        odd = numbers % 2 == 1
        sides = [mask for mask in (odd, ~odd) if mask.any()]
        return DrawnStreet(
            str(nom_voie),
            bool(is_lieu_dit),
            tuple(points[mask] for mask in sides),
            tuple(numbers[mask] for mask in sides),
        )


@dataclass
class Atlas:
    """A store whose streets and addresses are kept once they were read, for many maps."""

    store: Store
    _parts: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = field(default_factory=dict, repr=False)
    _drawn: dict[str, _Houses] = field(default_factory=dict, repr=False)
    _communes: pd.DataFrame | None = field(default=None, repr=False)

    def streets(self, departements: Sequence[str], window: Window) -> list[DrawnStreet]:
        """Streets with at least one address in the window; addresses beyond it are left out."""
        return [
            street
            for departement in departements
            for street in self._houses(departement).streets(window)
        ]

    def _houses(self, departement: str) -> _Houses:
        if departement not in self._drawn:
            self._drawn[departement] = _Houses.of(*self.tables(departement))
        return self._drawn[departement]

    def tables(self, departement: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Streets and addresses of a département, as in the store."""
        if departement not in self._parts:
            self._parts[departement] = (
                self.store.departement(STORE_STREETS, departement),
                self.store.departement(STORE_ADDRESSES, departement),
            )
        return self._parts[departement]

    def commune_name(self, code_commune: str) -> str:
        """Name of a commune with its code; the code alone when the store does not know it."""
        if self._communes is None:
            self._communes = self.store.country(STORE_COMMUNES).set_index("code_commune")
        if code_commune in self._communes.index:
            return f"{self._communes.loc[code_commune, 'libelle']} ({code_commune})"
        return code_commune

    def address_text(self, ban_id: str, code_commune: str) -> str:
        """Number and street of a BAN identifier of an address or a street; ``""`` when unknown."""
        if not ban_id or departement_of(code_commune) not in self.store.departements:
            return ""
        streets, addresses = self.tables(departement_of(code_commune))
        found = addresses[addresses["ban_id"] == ban_id]
        if len(found):
            first = found.iloc[0]
            street = streets[streets["voie_id"] == first["voie_id"]].iloc[0]
            number = f"{first['numero']} {first['rep']}".strip()
            return f"{number} {street['nom_voie']}"
        found = streets[streets["ban_id"] == ban_id]
        return str(found.iloc[0]["nom_voie"]) if len(found) else ""
