"""What a map shows over its streets: the declared place, the candidates, scale and north."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd

from geomatch.core.wording import LEVELS, metres
from geomatch.review.map.labels import Room
from geomatch.review.map.svg import element, group, text
from geomatch.review.map.view import Place, View, number

Row: TypeAlias = Mapping[Any, Any]
GROUND = "#f4f1ea"
_DECLARED, _BEST, _OTHER = "#c2410c", "#15603b", "#33507a"
#: Disc of a candidate whose position is approximate: best one or not.
#: A circle larger than this share of the map is an outline: its colour would cover all.
_FILLED = 0.3
#: Distances of the rings, metres; least pixels between two, and how many there are at most.
_RINGS = (50, 100, 250, 500, 1_000, 2_500, 5_000)
_RING_PIXELS, _MOST_RINGS = 62.0, 3
#: Levels of a place that distances can be told from.
_NEAR = frozenset({"housenumber", "interpolated", "street", "locality", "moved"})
#: Pixels from the edge at which a candidate off the map is told.
_EDGE = 22.0
_TINT = {True: "#dff1e6", False: "#e6ecf5"}


def declared(view: View, place: Place, room: Room) -> tuple[str, str]:
    """The uncertainty circle and the cross of the declared place; nothing without a place."""
    x, y = number(place, "x"), number(place, "y")
    if math.isnan(x):
        return "", ""
    px, py = view.pixel(x, y)
    radius = number(place, "uncertainty_m") * view.pixels_per_m
    room.take(px, py, 9)
    circle = ""
    if not math.isnan(radius):
        circle = element(
            "circle",
            cx=round(px, 1),
            cy=round(py, 1),
            r=round(max(6.0, radius), 1),
            fill=_DECLARED if radius < _FILLED * min(view.width, view.height) else "none",
            fill_opacity=0.09,
            class_="circle",
            stroke=_DECLARED,
            stroke_width=1.4,
            stroke_dasharray="5 4",
        )
    cross = f"M{px - 7:.1f} {py:.1f}h14M{px:.1f} {py - 7:.1f}v14"
    arms = {"d": cross, "fill": "none", "stroke_linecap": "round"}
    # the disc that nobody sees is what a hand takes hold of
    hold = element("circle", cx=round(px, 1), cy=round(py, 1), r=15, fill=GROUND, fill_opacity=0)
    lines = element("path", **arms, stroke="#fff", stroke_width=6) + element(
        "path", **arms, stroke=_DECLARED, stroke_width=2.8
    )
    return circle, group([hold, lines], class_="declared")


def rings(view: View, place: Place) -> str:
    """Circles of round distances about a place that is known better than its commune."""
    x, y = number(place, "x"), number(place, "y")
    if math.isnan(x) or str(place.get("geocode_level")) not in _NEAR:
        return ""
    px, py = view.pixel(x, y)
    far = [m for m in _RINGS if m * view.pixels_per_m >= _RING_PIXELS]
    kept = [m for m in far if m * view.pixels_per_m < 0.5 * max(view.width, view.height)]
    pieces = []
    for metres_off in kept[:_MOST_RINGS]:
        r = metres_off * view.pixels_per_m
        pieces.append(element("circle", cx=round(px, 1), cy=round(py, 1), r=round(r, 1)))
        label = metres(float(metres_off))
        words = {"stroke": GROUND, "stroke_width": 3, "style": "paint-order:stroke"}
        pieces.append(text(px, py - r + 3.5, label, fill="#5f5746", **words))
    line = {"fill": "none", "stroke": "#8a7f6a", "stroke_width": 1, "stroke_dasharray": "1 4"}
    return group(pieces, **line, text_anchor="middle", font_size=10, class_="rings")


def _arrow(view: View, row: Row, place: Place, room: Room) -> str:
    """A candidate off the map: an arrow at the edge that points to it, with its distance."""
    px, py = view.pixel(float(row["x"]), float(row["y"]))
    dx, dy = px - view.width / 2, py - view.height / 2
    across, along = view.width / 2 - _EDGE, view.height / 2 - _EDGE
    share = min(across / abs(dx) if dx else math.inf, along / abs(dy) if dy else math.inf)
    at = _free_spot(room, view.width / 2 + dx * share, view.height / 2 + dy * share)
    if at is None:
        return ""
    room.take(*at, 14.0)
    inwards = 1.0 if at[0] < view.width / 2 else -1.0
    for along_text in (22.0, 42.0):
        room.take(at[0] + inwards * along_text, at[1], 10.0)
    turn = math.degrees(math.atan2(dy, dx))
    x, y = at
    head = element(
        "path",
        d="M10 -5L18 0L10 5Z",
        fill=_OTHER,
        transform=f"translate({x:.1f} {y:.1f}) rotate({turn:.1f})",
    )
    disc = element("circle", cx=round(x, 1), cy=round(y, 1), r=9, fill="#fff", stroke=_OTHER)
    style = {"text_anchor": "middle", "font_weight": 700, "fill": _OTHER}
    key = text(x, y + 4, str(int(row["rank"])), font_size=11, **style)
    return group([head, disc, key, _how_far(view, row, place, at)], class_="mark off",
                 data_key=int(row["rank"]))  # fmt: skip


def _how_far(view: View, row: Row, place: Place, at: tuple[float, float]) -> str:
    """The distance beside an arrow, towards the middle of the map; nothing from a mere commune."""
    x, y = number(place, "x"), number(place, "y")
    if math.isnan(x) or str(place.get("geocode_level")) not in _NEAR:
        return ""
    told = metres(math.dist((x, y), (float(row["x"]), float(row["y"]))))
    is_left = at[0] < view.width / 2
    halo = {"stroke": GROUND, "stroke_width": 3, "style": "paint-order:stroke", "fill": _OTHER}
    anchor = "start" if is_left else "end"
    return text(at[0] + (13 if is_left else -13), at[1] + 4, told, font_size=10.5,
                text_anchor=anchor, **halo)  # fmt: skip


def markers(
    view: View, shown: pd.DataFrame, room: Room, place: Place, *, chosen: bool
) -> tuple[list[str], list[str]]:
    """Numbered discs, best on top, side by side where places coincide; and who has no position.

    Those off the map are arrows at its edge. The first is told from the others when it was
    `chosen`.
    """
    discs, missing, away = [], [], []
    for row in shown.to_dict("records"):
        rank, x, y = int(row["rank"]), float(row["x"]), float(row["y"])
        if math.isnan(x) or math.isnan(y):
            missing.append(str(rank))
            continue
        if not view.window.holds(x, y):
            away.append(row)
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
    return [*discs[::-1], *(_arrow(view, row, place, room) for row in away)], missing


def _free_spot(room: Room, px: float, py: float) -> tuple[float, float] | None:
    """The place itself when nothing is there, else the nearest free one on a spiral."""
    for turn in range(40):
        distance, angle = 0.0 if turn == 0 else 13.0 + 2.4 * turn, 2.4 * turn - 1.1
        x, y = px + distance * math.cos(angle), py + distance * math.sin(angle)
        if room.is_free(x, y, 9.5):
            return x, y
    return None


def _marker(
    key: str,
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
        dot = element("circle", cx=round(point[0], 1), cy=round(point[1], 1), r=2.4, fill=colour)
        line = element("path", d=lead, stroke=colour, stroke_width=1.2)
        # not to be taken hold of: it may lie on the cross
        drawn.append(group([line, dot], class_="lead", pointer_events="none"))
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
    return group([*drawn, text(at[0], at[1] + 4, key, **style)], class_="mark", data_key=key)


# ------------------------------------------------------------------ around the drawing


def scale_bar(view: View) -> str:
    """A bar of a round length."""
    lengths = (20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
    length = max((m for m in lengths if m * view.pixels_per_m <= 130), default=lengths[0])
    long, y = length * view.pixels_per_m, view.height - 14
    label = f"{length} m" if length < 1_000 else f"{length // 1_000} km"
    bar = f"M14 {y - 5:.1f}v5h{long:.1f}v-5"
    return element("path", d=bar, fill="none", stroke="#333", stroke_width=1.5) + text(
        14 + long / 2, y - 5, label, text_anchor="middle", font_size=11, fill="#333"
    )


def north(view: View) -> str:
    """An arrow: up is north."""
    x, y = view.width - 24, 14
    arrow = f"M{x} {y}l6 20l-6 -4l-6 4z"
    return element("path", d=arrow, fill="#333") + text(
        x, y + 34, "N", text_anchor="middle", font_size=11, fill="#333"
    )


def aside(view: View, place: Place, missing: Sequence[str]) -> str:
    """One line at the foot: what the cross is, and which candidates the map does not show."""
    level = LEVELS.get(str(place.get("geocode_level")), LEVELS["none"]).title
    words = [level.capitalize() if level == LEVELS["moved"].title else f"Lieu déclaré : {level}"]
    circle = number(place, "uncertainty_m")
    if not math.isnan(circle):
        words[0] += f" (± {metres(circle)})"
    if missing:
        words.append(f"sans position : {', '.join(missing)}")
    return text(
        view.width - 10,
        view.height - 12,
        " · ".join(words),
        text_anchor="end",
        font_size=11,
        fill="#333",
        stroke=GROUND,
        stroke_width=3,
        style="paint-order:stroke",
    )
