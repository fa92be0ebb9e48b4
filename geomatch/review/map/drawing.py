"""A map of the neighbourhood of a declared place, drawn from addresses alone, as SVG.

No tile, no font, no script: the drawing is the same in a notebook, on a page and on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geomatch.core.territories import departement_of
from geomatch.review.map.atlas import Atlas, DrawnStreet, Floats, Window
from geomatch.review.map.background import background_image
from geomatch.review.map.labels import Label, Room, place_labels
from geomatch.review.map.landmarks import Landmarks, drawn_landmarks
from geomatch.review.map.lines import pieces, street_axis
from geomatch.review.map.marks import GROUND, aside, declared, markers, north, rings, scale_bar
from geomatch.review.map.svg import element, escaped, group, path_data, text
from geomatch.review.map.view import Place, View, framed, number
from geomatch.store.reader import Store

#: Candidates drawn at most.
_DRAWN = 8
_ON_A_STREET = frozenset({"housenumber", "interpolated", "street"})
#: Pixels a metre from which houses are dots, and from which they have their number.
_DOTS, _NUMBERS = 0.26, 0.95
_MOST_NUMBERS = 260
_CASING, _ROAD = "#d5cdbd", "#ffffff"
_FONT = "font-family:system-ui,'Segoe UI',Arial,sans-serif"


@dataclass(frozen=True)
class Frame:
    """How a map is drawn: pixels, the window (None: what holds place and candidates), and the
    background fetched from elsewhere (``""``: none; see :mod:`geomatch.review.map.background`)."""

    width: int = 640
    height: int = 480
    window: Window | None = None
    background: str = ""


@dataclass(frozen=True)
class DrawnMap:
    """An ``<svg>`` element, and the view it shows; None where nothing has a position."""

    svg: str
    view: View | None


def neighbourhood_svg(
    store: Store | Atlas,
    place: Place,
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
    return draw_map(atlas, place, candidates, Frame(width, height)).svg


def draw_map(atlas: Atlas, place: Place, candidates: pd.DataFrame, frame: Frame) -> DrawnMap:
    """The map of :func:`neighbourhood_svg` in a frame, and the view it shows."""
    shown = candidates.sort_values("rank").head(_DRAWN)
    size = (frame.width, frame.height)
    view = View(frame.window, *size) if frame.window else framed(place, shown, *size)
    parts = [element("rect", width=frame.width, height=frame.height, fill=GROUND)]
    if view is None:
        message = "Ni le lieu déclaré ni les candidats n'ont de position."
        middle = (frame.width / 2, frame.height / 2)
        parts.append(text(*middle, message, text_anchor="middle", fill="#555"))
    else:
        streets = atlas.streets(_departements(place, shown), view.window.wider(0.3))
        image = background_image(frame.background, view, _crs(place, shown))
        known = [_landmarks(atlas, d).inside(view.window) for d in _departements(place, shown)]
        parts += _drawing(view, streets, (place, shown), image, (_street_of(atlas, place), known))
    title = element("title", escaped("Plan du voisinage du lieu de travail déclaré"))
    svg = element(
        "svg",
        title + "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {frame.width} {frame.height}",
        width=frame.width,
        height=frame.height,
        role="img",
        style=f"{_FONT};max-width:100%;height:auto",
    )
    return DrawnMap(svg, view)


def _departements(place: Place, shown: pd.DataFrame) -> list[str]:
    codes = [str(place.get("code_commune") or ""), *shown["code_commune"].astype(str)]
    return sorted({departement_of(code) for code in codes if code and code != "nan"})


def _crs(place: Place, shown: pd.DataFrame) -> int:
    """Projection of the map: the place's, else that of a candidate with a position; 0 unknown."""
    own = number(place, "crs")
    known = shown.loc[shown["x"].notna(), "crs"] if "crs" in shown else pd.Series(dtype=float)
    return int(own) if own > 0 else int(known.iloc[0]) if len(known) else 0


# ------------------------------------------------------------------ the drawing


def _drawing(
    view: View,
    streets: Sequence[DrawnStreet],
    told: tuple[Place, pd.DataFrame],
    image: str,
    bearings: tuple[int, Sequence[pd.DataFrame]],
) -> list[str]:
    (place, shown), (voie_id, landmarks) = told, bearings
    sides = [tuple(view.pixels(side) for side in street.sides) for street in streets]
    room = Room(view.width, view.height)
    _reserve_corners(room)
    circle, cross = declared(view, place, room)
    chosen = place.get("decision") != "none"
    discs, missing = markers(view, shown, room, place, chosen=chosen)
    signs = drawn_landmarks(view, landmarks, room)
    order = np.argsort([_off_centre(view, s) for s in sides], kind="stable")
    labels = place_labels([(streets[i], sides[i]) for i in order], room)
    return [
        _roads(view, streets, sides),
        _declared_street(view, streets, sides, voie_id),
        _houses(view, sides),
        image,
        rings(view, place),
        circle,
        signs,
        _street_names(labels),
        _house_numbers(view, streets, sides, room),
        cross,
        *discs,
        scale_bar(view),
        north(view),
        aside(view, place, missing),
    ]


def _street_of(atlas: Atlas, place: Place) -> int:
    """``voie_id`` of the street that was found for the place; -1 when none was."""
    if str(place.get("geocode_level")) not in _ON_A_STREET:
        return -1
    return atlas.voie_of(str(place.get("ban_id") or ""), str(place.get("code_commune") or ""))


def _landmarks(atlas: Atlas, departement: str) -> Landmarks:
    found = atlas.kept.get(departement)
    if not isinstance(found, Landmarks):
        found = atlas.kept[departement] = Landmarks.read(atlas.store, departement)
    return found


def _declared_street(
    view: View,
    streets: Sequence[DrawnStreet],
    sides: Sequence[tuple[Floats, ...]],
    voie_id: int,
) -> str:
    """The street that the form names, lit."""
    scale = view.pixels_per_m
    data = "".join(
        path_data(piece)
        for street, parts in zip(streets, sides, strict=True)
        if street.voie_id == voie_id >= 0
        for piece in pieces(street_axis(parts, 60.0 * scale), 160.0 * scale)
    )
    if not data:
        return ""
    broad = min(9.0, max(3.5, 9.0 * scale))
    line = {"stroke": "#f0b429", "stroke_linecap": "round", "stroke_linejoin": "round"}
    width = round(broad, 1)
    return element("path", d=data, fill="none", stroke_width=width, **line, class_="lit-street")


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
        class_="ours",
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
    if view.pixels_per_m < _DOTS or not sides:
        return ""
    radius = min(2.2, max(0.9, 4.0 * view.pixels_per_m))
    points = np.concatenate([side for parts in sides for side in parts])
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)
    return element(
        "path", d=dots, stroke="#a79c86", stroke_width=round(2 * radius, 1), stroke_linecap="round"
    )


def _house_numbers(
    view: View,
    streets: Sequence[DrawnStreet],
    sides: Sequence[tuple[Floats, ...]],
    room: Room,
) -> str:
    """Numbers of houses where they have room, those of the middle of the map first."""
    if view.pixels_per_m < _NUMBERS:
        return ""
    told = [
        (float(x), float(y), int(n))
        for street, parts in zip(streets, sides, strict=True)
        for points, numbers in zip(parts, street.numbers, strict=True)
        for (x, y), n in zip(points, numbers, strict=True)
        if n > 0
    ]
    told.sort(key=lambda one: abs(one[0] - view.width / 2) + abs(one[1] - view.height / 2))
    written: list[str] = []
    for x, y, n in told:
        if len(written) == _MOST_NUMBERS:
            break
        if room.is_free(x, y, 6.5):
            room.take(x, y, 6.5)
            written.append(text(x, y + 3, str(n)))
    common = {"font_size": 8.5, "fill": "#8a5a2b", "text_anchor": "middle"}
    halo = {"stroke": "#fff", "stroke_width": 2, "style": "paint-order:stroke"}
    return group(written, **common, **halo, class_="ours numbers")
