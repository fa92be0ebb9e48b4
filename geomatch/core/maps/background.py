"""What lies under the points of a map: outlines, picture tiles, or the streets of a store."""

from __future__ import annotations

import base64
import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from geomatch.core import paths
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location

if TYPE_CHECKING:
    import geopandas as gpd

#: West, south, east, north in degrees.
Box: TypeAlias = tuple[float, float, float, float]
OUTLINES = (".gpkg", ".geojson", ".parquet", ".shp")
TILES = (".mbtiles", ".pmtiles")
#: Tiles written into a page, and bytes of them: what a browser opens without a thought.
_MOST_TILES, _MOST_BYTES = 400, 30_000_000
_DEEPEST = 19
#: Beyond so many degrees, streets would be a grey area and take minutes to read.
_WIDEST = 0.4
_PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
#: First bytes of each kind of picture, where a file does not say what its tiles are.
_SIGNS = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpg"), (b"RIFF", "webp"))


@runtime_checkable
class HasStreets(Protocol):
    """A reference store: :class:`geomatch.Store`."""

    def streets(self, bbox: Box) -> gpd.GeoDataFrame:
        """Streets within a box, as lines."""


@dataclass(frozen=True)
class Background:
    """Shapes (GeoJSON), or tiles ``z/x/y`` → picture as a data URI; and what to tell the reader."""

    shapes: Mapping[str, Any] | None = None
    tiles: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def background_of(given: object, box: Box) -> Background:
    """The background of the ground within `box`.

    Parameters
    ----------
    given : None, path, GeoDataFrame or Store
        A file of outlines (GeoPackage, GeoJSON, GeoParquet, Shapefile, any CRS), a file of
        picture tiles (MBTiles, PMTiles), shapes already read, or a store, whose streets are drawn.

    Raises
    ------
    ConfigError
        When `given` is none of these, or tiles are vectors.
    DataError
        When the file cannot be read.
    """
    if given is None or given == "":
        return Background()
    if hasattr(given, "to_crs"):
        return _shapes(given, box)
    if isinstance(given, HasStreets):
        if max(box[2] - box[0], box[3] - box[1]) > _WIDEST:
            return Background(note="zone trop étendue pour en dessiner les rues")
        return _shapes(given.streets(box), box)
    if not isinstance(given, str | Path):
        raise ConfigError(
            f"background is a {type(given).__name__}, expected a file, a GeoDataFrame or a Store"
        )
    ending = Path(given).suffix.lower()
    if ending in TILES:
        return Background(tiles=_tiles(given, ending, box))
    if ending in OUTLINES:
        return _shapes(_read(given, box), box)
    raise ConfigError(
        f"background {paths.name_of(given)}: expected a name that ends in "
        f"{', '.join((*OUTLINES, *TILES))}"
    )


def _read(file: Location, box: Box) -> gpd.GeoDataFrame:
    import geopandas as gpd

    try:
        if Path(file).suffix.lower() == ".parquet":
            return gpd.read_parquet(file)
        return gpd.read_file(file, bbox=gpd.GeoSeries.from_wkt([_wkt(box)], crs=4326))
    except Exception as error:  # whatever GDAL and Arrow raise for a file that is none of theirs
        raise DataError(
            f"background {paths.name_of(file)} cannot be read as shapes; is the file whole?"
        ) from error


def _wkt(box: Box) -> str:
    west, south, east, north = box
    return f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"


def _shapes(frame: gpd.GeoDataFrame, box: Box) -> Background:
    """Shapes within the box, in degrees, simplified to a metre or two."""
    if frame.crs is None:
        raise ConfigError("the background has no CRS; say which with set_crs")
    west, south, east, north = box
    near = frame.to_crs(4326).cx[west:east, south:north]
    lines = near.geometry.simplify(1.5e-5)
    return Background(shapes=json.loads(lines.to_json(drop_id=True)))


def _tiles(file: Location, ending: str, box: Box) -> dict[str, str]:
    read = _mbtiles if ending == ".mbtiles" else _pmtiles
    try:
        return dict(read(Path(file), box))
    except ConfigError:
        raise
    except Exception as error:  # whatever a damaged file makes its reader raise
        raise DataError(
            f"background {paths.name_of(file)} cannot be read as {ending[1:]}; is the file whole?"
        ) from error


def tile_of(lon: float, lat: float, zoom: int) -> tuple[float, float]:
    """Column and row of a point in the Web Mercator tiles of a zoom level, as fractions."""
    n = 2.0**zoom
    lat = min(max(lat, -85.05), 85.05)
    y = math.asinh(math.tan(math.radians(lat)))
    return (lon + 180.0) / 360.0 * n, (1.0 - y / math.pi) / 2.0 * n


def _wanted(box: Box, levels: range) -> Iterator[tuple[int, int, int]]:
    """Tiles that cover the box, level by level, until they are too many for one page."""
    west, south, east, north = box
    count = 0
    for zoom in levels:
        left, top = tile_of(west, north, zoom)
        right, bottom = tile_of(east, south, zoom)
        columns, rows = range(int(left), int(right) + 1), range(int(top), int(bottom) + 1)
        count += len(columns) * len(rows)
        if count > _MOST_TILES:
            return
        yield from ((zoom, x, y) for x in columns for y in rows)


def _mbtiles(file: Path, box: Box) -> Iterator[tuple[str, str]]:
    if not file.is_file():
        raise FileNotFoundError(file.name)
    asked = "SELECT tile_data FROM tiles WHERE zoom_level=? AND tile_column=? AND tile_row=?"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as con:
        low, high = con.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
        if low is None:
            raise ValueError("no tiles")

        def data(zoom: int, x: int, y: int) -> bytes | None:
            # MBTiles counts rows from the south
            found = con.execute(asked, (zoom, x, 2**zoom - 1 - y)).fetchone()
            return found[0] if found else None

        yield from _pictures(data, box, range(low, min(high, _DEEPEST) + 1))


def _pmtiles(file: Path, box: Box) -> Iterator[tuple[str, str]]:
    try:
        from pmtiles.reader import MmapSource, Reader
    except ImportError as error:
        raise ConfigError(
            "a PMTiles background needs the package pmtiles: pip install 'geomatch[maps]'"
        ) from error
    with file.open("rb") as opened:
        reader = Reader(MmapSource(opened))
        header = reader.header()
        levels = range(header["min_zoom"], min(header["max_zoom"], _DEEPEST) + 1)
        yield from _pictures(reader.get, box, levels)


def _pictures(data: Any, box: Box, levels: range) -> Iterator[tuple[str, str]]:
    written = 0
    for zoom, x, y in _wanted(box, levels):
        content = data(zoom, x, y)
        if content is None:
            continue
        kind = next((k for sign, k in _SIGNS if content.startswith(sign)), "")
        if not kind:
            raise ConfigError(
                "the tiles of the background are vectors; expected pictures (PNG, JPEG, WebP), or "
                "give outlines as a GeoPackage"
            )
        written += len(content)
        if written > _MOST_BYTES:
            return
        text = base64.b64encode(content).decode("ascii")
        yield f"{zoom}/{x}/{y}", f"data:{_PICTURES[kind]};base64,{text}"
