"""A map of the neighbourhood of a declared place, drawn from addresses alone, as SVG.

No tile, no font, no script: the drawing is the same in a notebook, on a page and on paper.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geomatch.review.atlas import Atlas, DrawnStreet, Floats, Window
from geomatch.review.labels import Label, Room, place_labels
from geomatch.review.lines import pieces, street_axis
from geomatch.review.svg import element, escaped, group, path_data, text
from geomatch.store import Store
from geomatch.territories import departement_of

#: What a geocode level is called on the screens of clerks.
LEVELS: Mapping[str, str] = {
    "housenumber": "numéro trouvé",
    "interpolated": "numéro estimé",
    "street": "rue trouvée",
    "locality": "lieu-dit trouvé",
    "commune": "commune seulement",
    "none": "lieu inconnu",
}
#: Candidates drawn at most, and those that the window should hold.
_DRAWN = 8
_FRAMED = 4
#: Least and most half-height of the window, in metres.
_LEAST_M, _MOST_M = 130.0, 3_500.0
_GROUND, _CASING, _ROAD = "#f4f1ea", "#d5cdbd", "#ffffff"
_DECLARED, _BEST, _OTHER = "#c2410c", "#15603b", "#33507a"
#: Disc of a candidate whose position is approximate: best one or not.
_TINT = {True: "#dff1e6", False: "#e6ecf5"}
_FONT = "font-family:system-ui,'Segoe UI',Arial,sans-serif"


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


def neighbourhood_svg(
    store: Store | Atlas,
    place: Mapping[str, object] | pd.Series,
    candidates: pd.DataFrame,
    *,
    width: int = 640,
    height: int = 480,
) -> str:
    """Streets around a declared place, the place with its uncertainty, candidates by rank.

    Parameters
    ----------
    store : Store or Atlas
        Where streets and addresses are; an Atlas keeps what it has read for the next map.
    place : mapping
        ``x``, ``y`` (metres, NaN when unknown), ``uncertainty_m``, ``geocode_level`` and
        ``code_commune``, as in a row of decisions.
    candidates : DataFrame
        ``rank``, ``x``, ``y``, ``uncertainty_m`` and ``code_commune`` of establishments, in the
        projection of the place. Rows without a position are named beside the map.
    width, height : int
        Pixels of the drawing.

    Returns
    -------
    str
        One ``<svg>`` element, with no reference to anything outside of it.
    """
    atlas = store if isinstance(store, Atlas) else Atlas(store)
    shown = candidates.sort_values("rank").head(_DRAWN)
    view = _view(place, shown, width, height)
    parts = [element("rect", width=width, height=height, fill=_GROUND)]
    if view is None:
        message = "Ni le lieu déclaré ni les candidats n'ont de position."
        parts.append(text(width / 2, height / 2, message, text_anchor="middle", fill="#555"))
    else:
        streets = atlas.streets(_departements(place, shown), view.window.wider(0.3))
        parts += _drawing(view, streets, place, shown)
    title = element("title", escaped("Plan du voisinage du lieu de travail déclaré"))
    return element(
        "svg",
        title + "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        style=f"{_FONT};max-width:100%;height:auto",
    )


# ------------------------------------------------------------------ the window


def _number(place: Mapping[str, object] | pd.Series, column: str) -> float:
    value = place.get(column)
    return float(str(value)) if value is not None and not pd.isna(value) else math.nan


def _view(
    place: Mapping[str, object] | pd.Series, shown: pd.DataFrame, width: int, height: int
) -> View | None:
    """The place, its circle and the best candidates that are not far off; None without a point."""
    x, y = _number(place, "x"), _number(place, "y")
    located = shown[shown["x"].notna() & shown["y"].notna()]
    if math.isnan(x) and not len(located):
        return None
    if math.isnan(x):
        first = located.head(_FRAMED)
        x, y = float(first["x"].mean()), float(first["y"].mean())
    circle = _number(place, "uncertainty_m")
    half = max(_LEAST_M, min(_MOST_M, 0.0 if math.isnan(circle) else circle * 1.15))
    far = np.hypot(located["x"] - x, located["y"] - y).to_numpy(np.float64)
    near = far[:_FRAMED][far[:_FRAMED] < max(900.0, 2.5 * half)]
    if len(near):
        half = max(half, float(near.max()) * 1.12)
    across = half * width / height
    return View(Window(x - across, y - half, x + across, y + half), width, height)


def _departements(place: Mapping[str, object] | pd.Series, shown: pd.DataFrame) -> list[str]:
    codes = [str(place.get("code_commune") or ""), *shown["code_commune"].astype(str)]
    return sorted({departement_of(code) for code in codes if code and code != "nan"})


# ------------------------------------------------------------------ the drawing


def _drawing(
    view: View,
    streets: Sequence[DrawnStreet],
    place: Mapping[str, object] | pd.Series,
    shown: pd.DataFrame,
) -> list[str]:
    sides = [tuple(view.pixels(side) for side in street.sides) for street in streets]
    room = Room(view.width, view.height)
    _reserve_corners(room)
    declared = _declared(view, place, room)
    chosen = place.get("decision") != "none"
    markers, missing = _markers(view, shown, room, chosen=chosen)
    order = np.argsort([_off_centre(view, s) for s in sides], kind="stable")
    labels = place_labels([(streets[i], sides[i]) for i in order], room)
    return [
        _roads(view, streets, sides),
        _houses(view, sides),
        *declared[:1],
        _street_names(labels),
        *declared[1:],
        *markers,
        _scale_bar(view),
        _north(view),
        _aside(view, place, missing),
    ]


def _street_names(labels: Sequence[Label]) -> str:
    written = (
        text(
            label.x,
            label.y + 3.5,
            label.text,
            transform=f"rotate({label.angle:.1f} {label.x:.1f} {label.y:.1f})",
        )
        for label in labels
    )
    return group(
        written,
        font_size=10.5,
        fill="#4a4438",
        text_anchor="middle",
        stroke="#fff",
        stroke_width=2.6,
        stroke_linejoin="round",
        style="paint-order:stroke",
    )


def _reserve_corners(room: Room) -> None:
    """Keep street names off the foot of the map and the north arrow."""
    for x in range(0, int(room.width), 12):
        room.take(float(x), room.height - 12, 14)
    room.take(room.width - 24, 28, 24)


def _off_centre(view: View, sides: tuple[Floats, ...]) -> float:
    """Streets near the middle of the map are named first, the longer the sooner."""
    points = np.concatenate(sides)
    nearest = np.hypot(points[:, 0] - view.width / 2, points[:, 1] - view.height / 2).min()
    extent = np.hypot(*np.ptp(points, axis=0))
    return float(nearest - 0.5 * extent)


def _roads(view: View, streets: Sequence[DrawnStreet], sides: Sequence[tuple[Floats, ...]]) -> str:
    """Every street as a white line with an edge, along the middle of its two sides of houses."""
    scale = view.pixels_per_m
    broad = min(9.0, max(2.0, 9.0 * scale))
    data = "".join(
        path_data(piece)
        for street, parts in zip(streets, sides, strict=True)
        if not street.is_lieu_dit
        for piece in pieces(street_axis(parts, 60.0 * scale), 160.0 * scale)
    )
    if not data:
        return ""
    common = {"d": data, "fill": "none", "stroke_linecap": "round", "stroke_linejoin": "round"}
    return element("path", **common, stroke=_CASING, stroke_width=round(broad + 1.8, 1)) + element(
        "path", **common, stroke=_ROAD, stroke_width=round(broad, 1)
    )


def _houses(view: View, sides: Sequence[tuple[Floats, ...]]) -> str:
    """A dot for each address, when there is room for dots."""
    if view.pixels_per_m < 0.26 or not sides:
        return ""
    radius = min(2.2, max(0.9, 4.0 * view.pixels_per_m))
    points = np.concatenate([side for parts in sides for side in parts])
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    return element(
        "path", d=dots, stroke="#a79c86", stroke_width=round(2 * radius, 1), stroke_linecap="round"
    )


def _declared(view: View, place: Mapping[str, object] | pd.Series, room: Room) -> list[str]:
    """The uncertainty circle, then the cross of the declared place; nothing without a place."""
    x, y = _number(place, "x"), _number(place, "y")
    if math.isnan(x):
        return []
    px, py = view.pixel(x, y)
    radius = _number(place, "uncertainty_m") * view.pixels_per_m
    room.take(px, py, 9)
    circle = ""
    if not math.isnan(radius):
        circle = element(
            "circle",
            cx=round(px, 1),
            cy=round(py, 1),
            r=round(max(6.0, radius), 1),
            fill=_DECLARED,
            fill_opacity=0.09,
            stroke=_DECLARED,
            stroke_width=1.4,
            stroke_dasharray="5 4",
        )
    cross = f"M{px - 7:.1f} {py:.1f}h14M{px:.1f} {py - 7:.1f}v14"
    arms = {"d": cross, "fill": "none", "stroke_linecap": "round"}
    return [
        circle,
        element("path", **arms, stroke="#fff", stroke_width=6)
        + element("path", **arms, stroke=_DECLARED, stroke_width=2.8),
    ]


def _markers(
    view: View, shown: pd.DataFrame, room: Room, *, chosen: bool
) -> tuple[list[str], list[str]]:
    """Numbered discs, best on top, side by side where places coincide; and who is off the map.

    The first is told from the others when it was `chosen`.
    """
    discs, missing = [], []
    for row in shown.to_dict("records"):
        rank, x, y = int(row["rank"]), float(row["x"]), float(row["y"])
        if not view.window.holds(x, y):
            missing.append(str(rank))
            continue
        px, py = view.pixel(x, y)
        at = _free_spot(room, px, py)
        if at is None:
            missing.append(str(rank))
            continue
        room.take(*at, 10.0)
        uncertain = not float(row.get("uncertainty_m") or math.nan) <= 60.0
        is_best = chosen and rank == 1
        discs.append(_marker(str(rank), (px, py), at, is_best=is_best, uncertain=uncertain))
    return discs[::-1], missing


def _free_spot(room: Room, px: float, py: float) -> tuple[float, float] | None:
    """The place itself when nothing is there, else the nearest free one on a spiral."""
    for turn in range(40):
        distance, angle = 0.0 if turn == 0 else 13.0 + 2.4 * turn, 2.4 * turn - 1.1
        x, y = px + distance * math.cos(angle), py + distance * math.sin(angle)
        if room.is_free(x, y, 9.5):
            return x, y
    return None


def _marker(
    number: str,
    point: tuple[float, float],
    at: tuple[float, float],
    *,
    is_best: bool,
    uncertain: bool,
) -> str:
    colour = _BEST if is_best else _OTHER
    drawn = []
    if math.dist(point, at) > 3:
        lead = f"M{point[0]:.1f} {point[1]:.1f}L{at[0]:.1f} {at[1]:.1f}"
        drawn.append(element("path", d=lead, stroke=colour, stroke_width=1.2))
        drawn.append(
            element("circle", cx=round(point[0], 1), cy=round(point[1], 1), r=2.4, fill=colour)
        )
    drawn.append(
        element(
            "circle",
            cx=round(at[0], 1),
            cy=round(at[1], 1),
            r=10,
            fill=_TINT[is_best] if uncertain else colour,
            stroke=colour if uncertain else "#fff",
            stroke_width=1.6,
            stroke_dasharray="3 2.2" if uncertain else None,
        )
    )
    ink = colour if uncertain else "#fff"
    style = {"text_anchor": "middle", "font_size": 11.5, "font_weight": 700, "fill": ink}
    return group([*drawn, text(at[0], at[1] + 4, number, **style)])


# ------------------------------------------------------------------ around the drawing


def _scale_bar(view: View) -> str:
    lengths = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
    metres = max((m for m in lengths if m * view.pixels_per_m <= 130), default=lengths[0])
    long, y = metres * view.pixels_per_m, view.height - 14
    label = f"{metres} m" if metres < 1_000 else f"{metres // 1_000} km"
    bar = f"M14 {y - 5:.1f}v5h{long:.1f}v-5"
    return element("path", d=bar, fill="none", stroke="#333", stroke_width=1.5) + text(
        14 + long / 2, y - 5, label, text_anchor="middle", font_size=11, fill="#333"
    )


def _north(view: View) -> str:
    x, y = view.width - 24, 14
    arrow = f"M{x} {y}l6 20l-6 -4l-6 4z"
    return element("path", d=arrow, fill="#333") + text(
        x, y + 34, "N", text_anchor="middle", font_size=11, fill="#333"
    )


def _aside(view: View, place: Mapping[str, object] | pd.Series, missing: Sequence[str]) -> str:
    """One line at the foot: what the cross is, and which candidates the map does not show."""
    level = LEVELS.get(str(place.get("geocode_level")), LEVELS["none"])
    words = [f"Lieu déclaré : {level}"]
    circle = _number(place, "uncertainty_m")
    if not math.isnan(circle):
        words[0] += f" (± {metres_text(circle)})"
    if missing:
        words.append(f"hors du plan : {', '.join(missing)}")
    return text(
        view.width - 10,
        view.height - 12,
        " · ".join(words),
        text_anchor="end",
        font_size=11,
        fill="#333",
        stroke=_GROUND,
        stroke_width=3,
        style="paint-order:stroke",
    )


def metres_text(metres: float) -> str:
    """A distance as clerks read it: ``35 m``, ``1,2 km``; ``–`` when unknown."""
    if math.isnan(metres):
        return "–"
    if metres < 995:
        return f"{metres:.0f}\u00a0m"
    return f"{metres / 1000:.1f}\u00a0km".replace(".", ",")
