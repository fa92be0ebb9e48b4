"""The window of ground that a map shows, and pixels for metres."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from geomatch.review.map.atlas import Floats, Window

#: Candidates that the window should hold.
_FRAMED = 4
#: Least and most half-height of the window, in metres.
_LEAST_M, _MOST_M = 130.0, 3_500.0

#: Where somebody said to work: a row of decisions, or what stands for one.
Place: TypeAlias = Mapping[str, object] | pd.Series


@dataclass(frozen=True)
class View:
    """A window of ground on a picture of `width` × `height` pixels."""

    window: Window
    width: float
    height: float

    @property
    def pixels_per_m(self) -> float:
        """Scale."""
        return self.width / (self.window.x1 - self.window.x0)

    def pixels(self, points: Floats) -> Floats:
        """Metres of shape (n, 2) → pixels, y downwards."""
        scale = self.pixels_per_m
        return np.column_stack(
            [(points[:, 0] - self.window.x0) * scale, (self.window.y1 - points[:, 1]) * scale]
        )

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """One point in pixels."""
        (px, py), *_ = self.pixels(np.array([[x, y]]))
        return float(px), float(py)


def number(place: Place, column: str) -> float:
    """A number of a place, NaN when it is null or not there."""
    value = place.get(column)
    return float(str(value)) if value is not None and not pd.isna(value) else math.nan


def framed(place: Place, shown: pd.DataFrame, width: int, height: int) -> View | None:
    """The place, its circle and the best candidates that are not far off; None without a point."""
    x, y = number(place, "x"), number(place, "y")
    located = shown[shown["x"].notna() & shown["y"].notna()]
    if math.isnan(x) and not len(located):
        return None
    is_unknown = math.isnan(x)
    if is_unknown:
        first = located.head(_FRAMED)
        x, y = float(first["x"].mean()), float(first["y"].mean())
    circle = number(place, "uncertainty_m")
    half = max(_LEAST_M, min(_MOST_M, 0.0 if math.isnan(circle) else circle * 1.15))
    far = np.hypot(located["x"] - x, located["y"] - y).to_numpy(np.float64)
    # around a point that was put by hand all that was found is shown
    if place.get("geocode_level") != "moved":
        far = far[:_FRAMED]
    # without a place there is nobody to be far from
    near = far if is_unknown else far[far < max(1_000.0, 2.5 * half)]
    if len(near):
        half = max(half, float(near.max()) * 1.12)
    half = max(half, half * height / width)  # a tall box holds the circle too
    across = half * width / height
    return View(Window(x - across, y - half, x + across, y + half), width, height)
