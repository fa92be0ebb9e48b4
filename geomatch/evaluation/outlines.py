"""Départements on the map of a run: their outline, from their communes, shaded by rate.

The store holds no borders. A hull drawn around the communes of a département is near enough to
tell where it is; its shade tells the share of its bulletins that is coded, whatever their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
from shapely import concave_hull, multipoints

from geomatch.core.wording import integer, percent

#: Lower bound of a share coded → shade, the darker the more.
SHADES = ((0.0, "#f3ece0"), (0.5, "#e3e8ee"), (0.7, "#c9d9ea"), (0.8, "#a9c6e2"), (0.9, "#84b0d8"))
#: A département without bulletins.
_BLANK = "#f7f5f0"
#: How closely a hull follows the points (0: all hollows, 1: none), and pixels around them.
_RATIO, _AROUND = 0.3, 3.0


def outlines(rows: pd.DataFrame, coded: Sequence[str]) -> str:
    """A shape for each département of the rows.

    Parameters
    ----------
    rows : DataFrame
        One row a commune: ``departement``, ``px``, ``py`` in pixels, ``n`` bulletins, and a
        column for each kind of `coded`.
    coded : sequence of str
        Kinds of bulletins that count as coded.
    """
    parts = []
    for departement, one in rows.groupby("departement", sort=True):
        shape = concave_hull(multipoints(one[["px", "py"]].to_numpy(np.float64)), _RATIO)
        ring = shape.buffer(_AROUND).simplify(0.5).exterior
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in ring.coords)
        n = int(one["n"].sum())
        rate = float(one[list(coded)].to_numpy(np.float64).sum()) / n if n else np.nan
        told = f"{percent(rate, 0)} codés" if n else "aucun"
        title = f"Département {departement} : {integer(n)} bulletins, {told}"
        parts.append(
            f'<path d="M{path}Z" fill="{_shade(rate)}"><title>{escape(title)}</title></path>'
        )
    return f'<g stroke="#8d8677" stroke-width=".7" stroke-linejoin="round">{"".join(parts)}</g>'


def shades_legend(x: float, y: float) -> str:
    """What the shades mean, from `x`, `y` on, in pixels."""
    heads = [f"{percent(low, 0)} et plus" for low, _ in SHADES]
    heads[0] = f"moins de {percent(SHADES[1][0], 0)}"
    parts = [f'<text x="{x:.0f}" y="{y + 11:.0f}">Fond : part codée du département</text>']
    x += 232
    for (_, colour), head in zip(SHADES, heads, strict=True):
        parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="18" height="13" fill="{colour}" '
            f'stroke="#8d8677" stroke-width=".7"/><text x="{x + 23:.0f}" y="{y + 11:.0f}">'
            f"{escape(head)}</text>"
        )
        x += 50 + 6.6 * len(head)
    return f'<g font-size="12.5" fill="#5a5a60">{"".join(parts)}</g>'


def _shade(rate: float) -> str:
    """Colour of a share."""
    if np.isnan(rate):
        return _BLANK
    return next(colour for low, colour in reversed(SHADES) if rate >= low)
