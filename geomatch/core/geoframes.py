"""Result tables as points on a map: GeoDataFrames and the files that GIS programs open.

geopandas is imported when one of these functions is called, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.core.qgis import write_style
from geomatch.core.territories import degrees

if TYPE_CHECKING:
    import geopandas as gpd

#: Ending of a file name -> driver of GDAL; GeoParquet is written without GDAL.
DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON"}
#: Layer of a GeoPackage.
LAYER = "geomatch"
GEO_ENDINGS = (".parquet", *DRIVERS)


def to_geodataframe(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    """The rows of a table with a point in EPSG:4326 each.

    Parameters
    ----------
    frame : DataFrame
        Columns ``x``, ``y`` in metres and ``crs`` (EPSG code); a table may hold several
        projections. A row without position gets an empty geometry (None).

    Returns
    -------
    GeoDataFrame
        The same rows and columns in the same order, with ``geometry``: longitude, latitude.

    Raises
    ------
    ConfigError
        When one of the three columns is missing.
    """
    import geopandas as gpd

    if missing := [c for c in ("x", "y", "crs") if c not in frame]:
        raise ConfigError(
            f"the table has no column {', '.join(missing)}; expected x, y in metres and crs (EPSG)"
        )
    x, y, crs = (
        pd.to_numeric(frame[c]).to_numpy(np.float64, na_value=np.nan) for c in ("x", "y", "crs")
    )
    lon, lat = degrees(x, y, crs)
    placed = np.isfinite(lon) & np.isfinite(lat)
    points = np.full(len(frame), None, dtype=object)
    points[placed] = gpd.points_from_xy(lon[placed], lat[placed])
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(points, index=frame.index, crs=4326))


def write_table(frame: pd.DataFrame, out: Location, *, style: str = "") -> None:
    """Write a table as CSV (``;``), or with its points as :func:`write_geo` does.

    Raises :class:`ConfigError` for another ending of the name.
    """
    ending = ending_of(out)
    if ending == ".csv":
        with paths.writing(out) as partial:
            frame.to_csv(partial, sep=";", index=False)
        return
    write_geo(frame, out, style=style)


def ending_of(out: Location) -> str:
    """``.csv``, ``.parquet``, … of a file name, in small letters."""
    name = paths.name_of(out).lower()
    return name[name.rfind(".") :] if "." in name else ""


def write_geo(frame: pd.DataFrame, out: Location, *, style: str = "") -> None:
    """Write a table with its points as GeoParquet 1.1 (bbox column), GeoPackage or GeoJSON.

    The ending of `out` says which: ``.parquet``, ``.gpkg``, ``.geojson``. With
    `style`, one of :data:`geomatch.core.qgis.STYLES`, how QGIS draws it lies beside it. The file is
    whole or not there. Raises :class:`ConfigError` for another ending, and what
    :func:`to_geodataframe` raises.
    """
    ending = ending_of(out)
    if ending not in GEO_ENDINGS:
        raise ConfigError(
            f"{paths.name_of(out)}: expected a name that ends in .csv, {', '.join(GEO_ENDINGS)}"
        )
    points = to_geodataframe(frame)
    with paths.writing(out) as partial:
        if ending == ".parquet":
            points.to_parquet(partial, write_covering_bbox=True, schema_version="1.1.0")
        else:  # GDAL would name the layer after the partial file
            layer = {"layer": LAYER} if ending == ".gpkg" else {}
            points.to_file(partial, driver=DRIVERS[ending], **layer)
    if style:
        write_style(style, out)
