"""From the houses of a street to the line it is drawn as; in pixels, but any unit will do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geomatch.review.map.atlas import Floats


def street_axis(sides: Sequence[Floats], widest: float) -> Floats:
    """The line between the two sides of a street: half-way to the nearest point of the other.

    Parameters
    ----------
    sides : one or two arrays of shape (n, 2)
        Houses of one parity each, in order of their numbers.
    widest : float
        Sides farther apart than this are not taken for sides of one road; same unit.
    """
    order = sorted(sides, key=len, reverse=True)
    if len(order) < 2 or len(order[1]) < 2:
        return order[0]
    longest, other = order
    starts, ends = other[:-1], other[1:]
    along = ends - starts
    share = ((longest[:, None] - starts) * along).sum(axis=2)
    share = np.clip(share / np.maximum((along**2).sum(axis=1), 1e-9), 0.0, 1.0)
    nearest = starts + share[:, :, None] * along
    distance = np.hypot(*np.moveaxis(longest[:, None] - nearest, 2, 0))
    best = distance.argmin(axis=1)
    rows = np.arange(len(longest))
    opposite = np.where((distance[rows, best] < widest)[:, None], nearest[rows, best], longest)
    middle: Floats = (longest + opposite) / 2
    return middle


def pieces(line: Floats, widest: float) -> list[Floats]:
    """A line cut where two points are too far apart to be joined.

    That is `widest`, or five times the usual step where that is more. Points less than 2.5
    units after the one before are dropped; a piece has at least two points.
    """
    if len(line) < 2:
        return []
    gaps = np.hypot(*np.diff(line, axis=0).T)
    cuts = np.flatnonzero(gaps > max(widest, 5 * float(np.median(gaps)))) + 1
    made = []
    for piece in np.split(line, cuts):
        steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(piece, axis=0).T))])
        first_of_each = np.unique(steps // 2.5, return_index=True)[1]
        kept = np.unique(np.append(first_of_each, len(piece) - 1))
        if len(kept) > 1:
            made.append(piece[kept])
    return made
