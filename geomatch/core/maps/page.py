"""A map in one HTML page, drawn by Leaflet: points, their uncertainty, what is known of them.

Leaflet and the data are written into the page: it opens from disk and in a notebook, without a
server or a network. Leaflet itself comes with the package XStatic-Leaflet (extra ``maps``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from geomatch.core import paths
from geomatch.core.decision_types import type_label
from geomatch.core.errors import ConfigError
from geomatch.core.geoframes import to_geodataframe
from geomatch.core.maps.background import Background, Box, background_of
from geomatch.core.paths import Location
from geomatch.core.processes import private_files
from geomatch.core.wording import (
    DECISION_COLOURS,
    DECISIONS,
    LEVELS,
    MAP_WORDS,
    decimal,
    integer,
    metres,
)

#: Points that a page shows: more are slow to move, and nobody tells them apart.
MOST_POINTS = 20_000
_NOT_TOLD = ("x", "y", "crs", "geometry", "bbox")
_CANDIDATE, _ANY = "#7b3294", "#0072b2"
_STYLE = """html,body{margin:0;height:100%}#carte{height:100%;background:#f7f5ef}
.leaflet-container{font:14px/1.4 system-ui,sans-serif}dl{display:grid;margin:0;gap:.1rem .7rem;
grid-template-columns:max-content minmax(0,1fr);max-width:24rem;white-space:normal}
dt{color:#5a5a60}dd{margin:0;overflow-wrap:anywhere}
.leaflet-control-layers i{display:inline-block;width:.8em;height:.8em;border-radius:50%;
margin-right:.4em}#note{position:absolute;left:.6rem;bottom:2.4rem;z-index:1000;background:#fff;
padding:.1rem .5rem;border:1px solid #bbb;font:13px system-ui,sans-serif}"""


@dataclass(frozen=True)
class MapPage:
    """A page with a map. A notebook shows it, :meth:`save` writes it to a file."""

    html: str = field(repr=False)
    n_points: int

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that a notebook's styles do not reach it."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{MAP_WORDS["title"]}" '
            'style="width:100%;height:480px;border:1px solid #bbb"></iframe>'
        )

    def save(self, out: Location) -> None:
        """Write the page; the file is whole or not there, and only its owner may read it."""
        with private_files(), paths.writing(out) as partial:
            partial.write_text(self.html, encoding="utf-8")


@dataclass
class _Layer:
    """Points of one colour, with the lines that belong to them."""

    name: str
    colour: str
    size: int
    points: list[tuple[float, float, float, list[tuple[str, str]]]] = field(default_factory=list)
    lines: list[list[tuple[float, float]]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "count": integer(len(self.points))}


def explore(frame: pd.DataFrame, *, background: object = None, label: str = "") -> MapPage:
    """A map of a table's rows, each with all its columns in the tooltip.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        Columns ``x``, ``y`` in metres and ``crs`` (EPSG), or points as geometry. A column
        ``uncertainty_m`` is drawn as a circle. Rows without position are not drawn.
    background : None, path, GeoDataFrame or Store
        See :func:`geomatch.core.maps.background.background_of`.
    label : str
        Name of the layer.

    Returns
    -------
    MapPage

    Raises
    ------
    ConfigError
        For more than :data:`MOST_POINTS` rows, a table without positions, or without the package
        XStatic-Leaflet.

    Examples
    --------
    >>> explore(store.nearby(lon=2.35, lat=48.86, radius_m=300))  # doctest: +SKIP
    """
    points = _with_points(frame)
    told = [c for c in points if c not in _NOT_TOLD]
    layer = _Layer(label or MAP_WORDS["rows"], _ANY, 5)
    rows = points[told].to_dict("records")
    for (lat, lon, radius), row in zip(_places(points), rows, strict=True):
        if np.isfinite(lat):
            pairs = [(c, _text(v)) for c, v in row.items() if _text(v)]
            layer.points.append((lat, lon, radius, pairs))
    return _page([layer], background)


def explore_matches(
    decisions: pd.DataFrame, candidates: pd.DataFrame, *, background: object = None
) -> MapPage:
    """A map of decisions by colour, with their candidates and the line to the first one.

    Parameters
    ----------
    decisions, candidates : DataFrame
        :data:`geomatch.core.schema.DECISIONS` and :data:`geomatch.core.schema.CANDIDATES`.
    background
        As :func:`explore` takes it.
    """
    points = _with_points(decisions)
    of_decision = {
        code: _Layer(DECISIONS[code].title, colour, 6) for code, colour in DECISION_COLOURS.items()
    }
    place: dict[str, tuple[float, float]] = {}
    for (lat, lon, radius), row in zip(_places(points), points.to_dict("records"), strict=True):
        if np.isfinite(lat):
            place[str(row["id"])] = lat, lon
            of_decision[row["decision"]].points.append((lat, lon, radius, _of_decision(row)))
    shown = candidates[candidates["id"].astype(str).isin(place)]
    near = _with_points(shown)
    layer = _Layer(MAP_WORDS["candidates"], _CANDIDATE, 4)
    for (lat, lon, _), row in zip(_places(near), near.to_dict("records"), strict=True):
        if np.isfinite(lat):
            layer.points.append((lat, lon, 0.0, _of_candidate(row)))
            if row["rank"] == 1:
                layer.lines.append([place[str(row["id"])], (lat, lon)])
    return _page([layer, *of_decision.values()], background)


def _with_points(frame: pd.DataFrame) -> pd.DataFrame:
    if len(frame) > MOST_POINTS:
        raise ConfigError(
            f"{len(frame)} rows, a map shows at most {MOST_POINTS}: choose some of them, or write "
            "a GeoPackage for QGIS"
        )
    if not hasattr(frame, "to_crs"):
        return to_geodataframe(frame)
    if frame.crs is None:
        raise ConfigError("the GeoDataFrame has no CRS; say which with set_crs")
    kinds = {*frame.geometry.geom_type.dropna()} - {"Point"}
    if kinds:
        raise ConfigError(
            f"geometries are {', '.join(sorted(kinds))}, expected points; give shapes as background"
        )
    return frame.to_crs(4326)


def _places(points: Any) -> Iterable[tuple[float, float, float]]:
    """Latitude, longitude and radius of uncertainty in metres of each row; NaN for no position."""
    shape = points.geometry
    radius = points["uncertainty_m"] if "uncertainty_m" in points else np.zeros(len(points))
    reach = np.nan_to_num(np.asarray(radius, np.float64))
    return zip(
        shape.y.round(6).tolist(), shape.x.round(6).tolist(), reach.round(1).tolist(), strict=True
    )


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else decimal(value, 2).removesuffix(",00")
    return "" if value is None or value is pd.NA or value is pd.NaT else str(value)


def _told(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(MAP_WORDS[key], value) for key, value in pairs if value]


def _of_decision(row: dict[str, Any]) -> list[tuple[str, str]]:
    level = LEVELS.get(str(row["geocode_level"]))
    return _told(
        [
            ("id", _text(row["id"])),
            ("decision", DECISIONS[row["decision"]].title),
            ("type", type_label(str(row["type"]))),
            ("siret", _text(row["siret"])),
            ("probability", _text(row["probability"])),
            ("reason", _text(row["reason"])),
            ("place", level.title if level else ""),
            ("uncertainty", metres(row["uncertainty_m"]) if row["uncertainty_m"] > 0 else ""),
        ]
    )


def _of_candidate(row: dict[str, Any]) -> list[tuple[str, str]]:
    return _told(
        [
            ("id", _text(row["id"])),
            ("rank", _text(row["rank"])),
            ("name", _text(row.get("raison_sociale"))),
            ("address", _text(row.get("adresse"))),
            ("naf", _text(row.get("naf"))),
            ("siret", _text(row["siret"])),
        ]
    )


def _bounds(layers: Sequence[_Layer]) -> Box | None:
    """The ground of the bulletins: a candidate of the same name may lie far away."""
    layers = [one for one in layers if one.points and one.colour != _CANDIDATE] or layers
    at = [(lat, lon) for layer in layers for lat, lon, _, _ in layer.points]
    if not at:
        return None
    lat, lon = zip(*at, strict=True)
    return min(lon), min(lat), max(lon), max(lat)


def _page(layers: Sequence[_Layer], background: object) -> MapPage:
    box = _bounds(layers)
    under = background_of(background, _wider(box)) if box else Background()
    told = {
        "layers": [layer.as_dict() for layer in layers if layer.points],
        "shapes": under.shapes,
        "tiles": under.tiles,
        "bounds": [[box[1], box[0]], [box[3], box[2]]] if box else None,
    }
    script, style = leaflet()
    note = f'<p id="note">{escape(under.note)}</p>' if under.note else ""
    own = files("geomatch.core.maps").joinpath("page.js").read_text(encoding="utf-8")
    # "</" would end the element that holds the data
    data = json.dumps(told, ensure_ascii=False).replace("</", "<\\/")
    html = f"""<!doctype html><html lang="fr"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{MAP_WORDS["title"]}</title><style>{style}{_STYLE}</style></head>
<body><div id="carte"></div>{note}
<script type="application/json" id="donnees">{data}</script>
<script>{script}</script><script>{own}</script></body></html>"""
    return MapPage(html, sum(len(layer.points) for layer in layers))


def _wider(box: Box) -> Box:
    """The ground that a reader sees beside the points, on a page that is wider than high."""
    west, south, east, north = box
    high = max(0.3 * (north - south), 0.004)
    wide = max(0.8 * (east - west), 0.012)
    return west - wide, south - high, east + wide, north + high


def leaflet() -> tuple[str, str]:
    """Script and style of Leaflet, without what would be fetched beside them."""
    try:
        folder = files("xstatic.pkg.leaflet") / "data"
        script = (folder / "leaflet.js").read_text(encoding="utf-8")
        style = (folder / "leaflet.css").read_text(encoding="utf-8")
    except (ImportError, FileNotFoundError) as error:
        raise ConfigError(
            "maps need the package XStatic-Leaflet: pip install 'geomatch[maps]'"
        ) from error
    # pictures of markers and layers, which this page has no use for
    rules = [rule for rule in style.split("}") if "url(" not in rule or "#default#VML" in rule]
    script = script.split("//# sourceMappingURL")[0]
    return script.replace("</script", "<\\/script"), "}".join(rules)
