"""A background map fetched by the browser from IGN's Géoplateforme; only where it is asked for.

The address asked for tells IGN what neighbourhood is looked at. So the window is widened to a
coarse grid, the same for whoever looks at that part of the town, no referrer is sent, and
nothing of this happens by default. Where the image does not come, our own streets are seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from urllib.parse import urlencode

from geomatch.review.map.atlas import Window
from geomatch.review.map.svg import element
from geomatch.review.map.view import View

#: Host that a page with a background may ask, and no other.
IGN_HOST = "https://data.geopf.fr"
IGN = "ign"
#: Backgrounds by name: layer of the web map service.
_LAYERS: Mapping[str, str] = {IGN: "GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2"}
BACKGROUNDS = ("", *_LAYERS)
#: Legal projections of the territories, which the service draws in.
_PROJECTIONS = frozenset({2154, 5490, 2972, 2975, 4471})
_MOST_PIXELS = 2048


def background_image(name: str, view: View, crs: int) -> str:
    """An ``<image>`` under a view in the projection `crs`; ``""`` without name or projection."""
    if not name or crs not in _PROJECTIONS:
        return ""
    wide = _coarse(view.window)
    x, y = view.pixel(wide.x0, wide.y1)
    width, height = (
        (wide.x1 - wide.x0) * view.pixels_per_m,
        (wide.y1 - wide.y0) * view.pixels_per_m,
    )
    query = {
        "SERVICE": "WMS",
        "VERSION": "1.3.0",
        "REQUEST": "GetMap",
        "LAYERS": _LAYERS[name],
        "STYLES": "",
        "FORMAT": "image/png",
        "CRS": f"EPSG:{crs}",
        "BBOX": ",".join(f"{v:.0f}" for v in (wide.x0, wide.y0, wide.x1, wide.y1)),
        "WIDTH": min(_MOST_PIXELS, round(width)),
        "HEIGHT": min(_MOST_PIXELS, round(height)),
    }
    return element(
        "image",
        href=f"{IGN_HOST}/wms-r/wms?{urlencode(query)}",
        x=round(x, 1),
        y=round(y, 1),
        width=round(width, 1),
        height=round(height, 1),
        preserveAspectRatio="none",
        class_="background",
    ) + _source(view)


def _coarse(window: Window) -> Window:
    """The window widened to a grid whose step is a power of two, near half its height."""
    step = 2.0 ** math.ceil(math.log2((window.y1 - window.y0) / 2))
    return Window(
        math.floor(window.x0 / step) * step,
        math.floor(window.y0 / step) * step,
        math.ceil(window.x1 / step) * step,
        math.ceil(window.y1 / step) * step,
    )


def _source(view: View) -> str:
    """What the licence asks for."""
    return element(
        "text", "© IGN – Géoplateforme", x=8, y=14, font_size=9, fill="#333", class_="source"
    )
