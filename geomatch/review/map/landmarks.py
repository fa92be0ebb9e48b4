"""What a person finds their way by, out of the register: town halls, stations, schools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.review.map.atlas import Window
from geomatch.review.map.labels import Room
from geomatch.review.map.svg import element, group, text
from geomatch.review.map.view import View
from geomatch.store.reader import Store

COLOUR = "#5b3f8c"
#: A position less sure than this is no landmark, metres.
_SURE_M = 60.0
#: Landmarks drawn at most, and pixels that each takes.
_MOST, _ROOM = 14, 7.0
_COLUMNS = ("naf", "enseignes", "denominations_usuelles", "denomination", "x", "y", "uncertainty_m")


class _Kind(NamedTuple):
    """A kind of landmark: its word on the map, its activities, how one of its names begins."""

    label: str
    nafs: tuple[str, ...]
    words: str


_KINDS = (
    _Kind("Mairie", ("84.11Z",), r"MAIRIE|HOTEL DE VILLE|COMMUNE D"),
    _Kind("Gare", ("49.10Z", "52.21Z"), r"GARE\b"),
    _Kind("Hôpital", ("86.10Z",), r"HOPITAL|CENTRE HOSPITALIER|CHU\b|CLINIQUE"),
    _Kind("Lycée", ("85.31Z", "85.32Z"), r"LYCEE|LPO?\b"),
    _Kind("Collège", ("85.31Z",), r"COLLEGE|CLG\b"),
    _Kind("École", ("85.10Z", "85.20Z"), r"ECOLE|GROUPE SCOLAIRE"),
)


@dataclass(frozen=True)
class Landmarks:
    """Landmarks of a département: ``label``, ``x``, ``y``, those that tell most first."""

    rows: pd.DataFrame

    @classmethod
    def read(cls, store: Store, departement: str) -> Landmarks:
        """Out of the register of a département; of several at one place the first kind."""
        if not store.has(STORE_ESTABLISHMENTS, departement):
            return cls(pd.DataFrame({"label": [], "x": [], "y": []}))
        table = store.arrow(STORE_ESTABLISHMENTS, departement, list(_COLUMNS))
        nafs = sorted({naf for kind in _KINDS for naf in kind.nafs})
        table = table.filter(pc.is_in(table.column("naf"), pa.array(nafs)))
        rows = table.to_pandas()
        rows = rows[rows["x"].notna() & (rows["uncertainty_m"] <= _SURE_M)]
        names = rows["enseignes"].fillna("") + " | " + rows["denominations_usuelles"].fillna("")
        names = names + " | " + rows["denomination"].fillna("")
        found = [
            rows.loc[
                rows["naf"].isin(kind.nafs) & names.str.contains(rf"(?:^|\| )(?:{kind.words})"),
                ["x", "y"],
            ].assign(label=kind.label)
            for kind in _KINDS
        ]
        return cls(pd.concat(found, ignore_index=True).drop_duplicates(["x", "y"]))

    def inside(self, window: Window) -> pd.DataFrame:
        """Those in a window, in order."""
        x, y = self.rows["x"].to_numpy(np.float64), self.rows["y"].to_numpy(np.float64)
        across, along = (x >= window.x0) & (x <= window.x1), (y >= window.y0) & (y <= window.y1)
        return self.rows[across & along]


def drawn_landmarks(view: View, found: Sequence[pd.DataFrame], room: Room) -> str:
    """A small square and a word for each that has room."""
    pieces: list[str] = []
    rows = pd.concat(found) if found else pd.DataFrame({"label": [], "x": [], "y": []})
    for label, x, y in rows[["label", "x", "y"]].itertuples(index=False):
        if len(pieces) == _MOST:
            break
        px, py = view.pixel(float(x), float(y))
        discs = [(px + d, py) for d in range(0, 8 + 6 * len(label), 12)]
        if not all(room.is_free(a, b, _ROOM) for a, b in discs):
            continue
        for a, b in discs:
            room.take(a, b, _ROOM)
        square = element("rect", x=round(px - 3, 1), y=round(py - 3, 1), width=6, height=6)
        pieces.append(square + text(px + 6, py + 3.5, label))
    halo = {"stroke": "#fff", "stroke_width": 2.4, "style": "paint-order:stroke"}
    return group(pieces, fill=COLOUR, font_size=9.5, **halo, class_="landmarks")
