"""The streets around a place, as lines, out of a store's addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.schema import STORE_ADDRESSES, STORE_COMMUNES, STORE_STREETS, departement_of
from geomatch.store import Store

Floats = NDArray[np.float64]


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


@dataclass
class Atlas:
    """A store whose streets and addresses are kept once they were read, for many maps."""

    store: Store
    _parts: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = field(default_factory=dict, repr=False)
    _communes: pd.DataFrame | None = field(default=None, repr=False)

    def streets(self, departements: Sequence[str], window: Window) -> list[DrawnStreet]:
        """Streets with at least one address in the window; addresses beyond it are left out."""
        drawn: list[DrawnStreet] = []
        for departement in departements:
            streets, addresses = self.tables(departement)
            inside = (
                addresses["x"].between(window.x0, window.x1)
                & addresses["y"].between(window.y0, window.y1)
            ).to_numpy()
            near = addresses[inside]
            names = streets.set_index("voie_id")
            for voie_id, houses in near.groupby("voie_id", sort=True):
                street = names.loc[voie_id]
                drawn.append(_street(str(street["nom_voie"]), bool(street["is_lieu_dit"]), houses))
        return drawn

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


def _street(nom_voie: str, is_lieu_dit: bool, houses: pd.DataFrame) -> DrawnStreet:
    ordered = houses.sort_values(["numero", "rep"])
    numbers = ordered["numero"].to_numpy(np.int64)
    points = ordered[["x", "y"]].to_numpy(np.float64)
    odd = numbers % 2 == 1
    sides = [mask for mask in (odd, ~odd) if mask.any()]
    return DrawnStreet(
        nom_voie,
        is_lieu_dit,
        tuple(points[mask] for mask in sides),
        tuple(numbers[mask] for mask in sides),
    )
