"""The maps of a run's cards: drawn when asked for, kept for the next who asks."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geomatch.review.desk.run import ReviewRun
from geomatch.review.desk.search import distances
from geomatch.review.map.atlas import Window
from geomatch.review.map.drawing import Frame, draw_map

#: Drawn maps kept.
_MOST_MAPS = 200
#: Pixels of a card's map, and the least and most height of its window in metres.
SIZE = (640, 400)
#: Least and most pixels of a map.
_SMALLEST, _LARGEST = (240, 160), (1600, 1400)
_LEAST_M, _MOST_M = 60.0, 12_000.0
#: A coordinate farther from the origin than this is no place on Earth.
_FARTHEST_M = 2e7


@dataclass(frozen=True)
class MapRequest:
    """What of a card a map shows: other candidates than its own, a window, a moved point.

    `size` is that of its box on the screen, pixels.
    """

    sirets: tuple[str, ...] = ()
    window: tuple[float, float, float, float] | None = None
    point: tuple[float, float] | None = None
    size: tuple[int, int] = SIZE


class Maps:
    """Maps by card and view. Safe to use from several threads.

    Parameters
    ----------
    run : ReviewRun
    background : str
        Name of a background of :mod:`geomatch.review.map.background`, ``""`` for none.
    """

    def __init__(self, run: ReviewRun, background: str = "") -> None:
        self.run = run
        self.background = background
        self._drawn: dict[tuple[int, MapRequest], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def told(self, number: int, view: MapRequest = MapRequest()) -> dict[str, Any]:
        """``svg``, and the ``window`` it shows as x0, y0, x1, y1 in metres (None without one)."""
        found = self.ready(number, view)
        if found is None:
            found = self._draw(number, view)
            with self._lock:
                self._drawn[(number, view)] = found
                while len(self._drawn) > _MOST_MAPS:
                    del self._drawn[next(iter(self._drawn))]
        return found

    def ready(self, number: int, view: MapRequest = MapRequest()) -> dict[str, Any] | None:
        """A map that was drawn before; None when it was not."""
        with self._lock:
            return self._drawn.get((number, view))

    def place(self, number: int, point: tuple[float, float] | None = None) -> dict[str, Any]:
        """The declared place of a card, or where a clerk put it."""
        dossier = self.run.dossier(self.run.cards[number].ids[:1])
        decision = dict(dossier.decision)
        if point is None:
            return decision
        known = dossier.candidates["crs"]
        crs = int(decision["crs"]) or (int(known.max()) if len(known) else 0)
        moved = {"x": point[0], "y": point[1], "crs": crs, "uncertainty_m": math.nan}
        return {**decision, **moved, "geocode_level": "moved"}

    def placed(self, rows: pd.DataFrame, place: Mapping[str, Any]) -> pd.DataFrame:
        """Register rows as candidates: ranked as they stand, with their distance."""
        far = distances(rows, place)
        return rows.assign(rank=range(1, len(rows) + 1), distance_m=far, found=True)

    def _draw(self, number: int, view: MapRequest) -> dict[str, Any]:
        place = self.place(number, view.point)
        if view.sirets:
            shown = self.placed(self.run.register_rows(view.sirets, number), place)
        else:
            shown = self.run.dossier(self.run.cards[number].ids[:1]).candidates
        window = None if view.window is None else Window(*view.window)
        # drawn as if nobody were chosen: the map must not say who the matcher would take
        frame = Frame(*view.size, window, self.background)
        drawn = draw_map(self.run.atlas, {**place, "decision": "none"}, shown, frame)
        seen = drawn.view.window if drawn.view else None
        bounds = [seen.x0, seen.y0, seen.x1, seen.y1] if seen else None
        return {"svg": drawn.svg, "window": bounds}


def size_of(values: object) -> tuple[int, int]:
    """Pixels of a map out of what a screen tells of its box; the usual ones when it tells none."""
    if not isinstance(values, list) or len(values) != 2 or not all(is_metres(v) for v in values):
        return SIZE
    bounded = [
        int(min(most, max(least, v)))
        for v, least, most in zip(values, _SMALLEST, _LARGEST, strict=True)
    ]
    return bounded[0], bounded[1]


def window_of(
    values: list[float], size: tuple[int, int] = SIZE
) -> tuple[float, float, float, float] | None:
    """A window of the map's proportions out of four numbers; None when they are none."""
    if len(values) != 4 or not all(is_metres(v) for v in values):
        return None
    x, y = (values[0] + values[2]) / 2, (values[1] + values[3]) / 2
    half = min(_MOST_M, max(_LEAST_M, values[3] - values[1])) / 2
    across = half * size[0] / size[1]
    return (x - across, y - half, x + across, y + half)


def is_metres(value: object) -> bool:
    """Whether a value is a number that may be a coordinate."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(float(str(value))) and abs(float(str(value))) < _FARTHEST_M
