"""Where street names go on a map: along their street, never one over another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from geomatch.review.map.atlas import DrawnStreet, Floats

#: Width of a letter compared with the size of the font, on average.
_LETTER = 0.54
_SHORT = (
    ("Avenue ", "Av. "),
    ("Boulevard ", "Bd "),
    ("Chemin ", "Ch. "),
    ("Impasse ", "Imp. "),
    ("Place ", "Pl. "),
    ("Route ", "Rte "),
    ("Allée ", "All. "),
    ("Square ", "Sq. "),
    ("Passage ", "Pass. "),
)
#: Streets that are a place more than a line.
_SQUARES = ("Place ", "Square ", "Esplanade ", "Parvis ", "Rond-Point ")


@dataclass(frozen=True)
class Label:
    """A name at pixel `x`, `y` (its middle), turned by `angle` degrees."""

    text: str
    x: float
    y: float
    angle: float


@dataclass
class Room:
    """What is taken on the map: discs of pixels."""

    width: float
    height: float
    _taken: list[tuple[float, float, float]] = field(default_factory=list)

    def is_free(self, x: float, y: float, radius: float) -> bool:
        """Whether a disc lies on the map and touches nothing."""
        if not (radius <= x <= self.width - radius and radius <= y <= self.height - radius):
            return False
        return all((x - a) ** 2 + (y - b) ** 2 >= (radius + r) ** 2 for a, b, r in self._taken)

    def take(self, x: float, y: float, radius: float) -> None:
        """Mark a disc as taken."""
        self._taken.append((x, y, radius))


def place_labels(
    streets: Sequence[tuple[DrawnStreet, tuple[Floats, ...]]], room: Room, *, size: float = 10.5
) -> list[Label]:
    """Names for streets given with their sides in pixels, the first served first.

    A name that fits neither in full nor shortened is left out, as is one that has no room.
    """
    placed: list[Label] = []
    for street, sides in streets:
        for name in _spellings(street.nom_voie):
            label = _along(name, sides, room, size=size, is_lieu_dit=street.is_lieu_dit)
            if label is not None:
                placed.append(label)
                break
        else:
            # a square is known by its name, and seldom long enough for it
            if street.nom_voie.startswith(_SQUARES):
                label = _along(street.nom_voie, sides, room, size=size, is_lieu_dit=True)
                placed += [] if label is None else [label]
    return placed


def _spellings(nom_voie: str) -> tuple[str, ...]:
    for long, short in _SHORT:
        if nom_voie.startswith(long):
            return nom_voie, short + nom_voie[len(long) :]
    return (nom_voie,)


def _along(
    name: str, sides: tuple[Floats, ...], room: Room, *, size: float, is_lieu_dit: bool
) -> Label | None:
    """The first place along the street where the name fits: its middle, then off it."""
    axis = max(sides, key=len)
    long = len(name) * size * _LETTER
    if is_lieu_dit:
        x, y = np.concatenate(sides).mean(axis=0)
        return _try(Label(name, float(x), float(y) - size, 0.0), room, long=long, size=size)
    if len(axis) < 2:
        return None
    offset = _to_the_middle(axis, sides)
    total = float(np.hypot(*np.diff(axis, axis=0).T).sum())
    if total < long * 0.9:
        return None
    for share in (0.5, 0.35, 0.65, 0.22, 0.78):
        start, end = _stretch(axis, total, share, long)
        if math.dist(start, end) < long * 0.8:
            continue  # bends too much here for a straight name
        x, y = (start[0] + end[0]) / 2 + offset[0], (start[1] + end[1]) / 2 + offset[1]
        angle = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0]))
        angle = angle - 180 if angle > 90 else angle + 180 if angle < -90 else angle
        label = _try(Label(name, x, y, angle), room, long=long, size=size)
        if label is not None:
            return label
    return None


def _to_the_middle(axis: Floats, sides: tuple[Floats, ...]) -> tuple[float, float]:
    """From one side of a street to between both, in pixels."""
    if len(sides) < 2:
        return 0.0, 0.0
    other = sides[0] if sides[1] is axis else sides[1]
    middle = axis[len(axis) // 2]
    nearest = other[np.argmin(np.hypot(*(other - middle).T))]
    gap = (nearest - middle) / 2
    return (float(gap[0]), float(gap[1])) if np.hypot(*gap) < 30 else (0.0, 0.0)


def _stretch(
    axis: Floats, total: float, share: float, long: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The two points of the line between which a text of this length is centred at `share`."""
    steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(axis, axis=0).T))])
    middle = min(max(total * share, long / 2), total - long / 2)
    at = [max(0.0, middle - long / 2), min(total, middle + long / 2)]
    xs, ys = np.interp(at, steps, axis[:, 0]), np.interp(at, steps, axis[:, 1])
    return (float(xs[0]), float(ys[0])), (float(xs[1]), float(ys[1]))


def _try(label: Label, room: Room, *, long: float, size: float) -> Label | None:
    """The label, its room taken, or None when something is there already."""
    turn = math.radians(label.angle)
    count = max(2, round(long / size))
    along = [(k / (count - 1) - 0.5) * long for k in range(count)]
    discs = [(label.x + d * math.cos(turn), label.y + d * math.sin(turn)) for d in along]
    radius = size * 0.62
    if not all(room.is_free(a, b, radius) for a, b in discs):
        return None
    for a, b in discs:
        room.take(a, b, radius)
    return label
