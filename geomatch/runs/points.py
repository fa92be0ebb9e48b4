"""GeoParquet: a point in EPSG:4326 and its bounding box beside every row of a run's tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geomatch.core import paths
from geomatch.core.paths import Location
from geomatch.core.qgis import write_style
from geomatch.core.territories import degrees

#: Columns that are added.
GEOMETRY, BBOX = "geometry", "bbox"
_SIDES = ("xmin", "ymin", "xmax", "ymax")
#: Tables of a run that have positions.
_FILES = ("decisions.parquet", "candidates.parquet")
#: Rows whose points are made at once.
_ROWS = 200_000


def add_points(run: Location) -> None:
    """Make ``decisions.parquet`` and ``candidates.parquet`` of a run GeoParquet 1.1.

    Rows, order and other columns stay as they are. A row without position gets a null point. A
    file that has points already is left alone. How QGIS draws each table lies beside it.
    """
    for name in _FILES:
        file = paths.join(run, name)
        with paths.reading(file) as local:
            if GEOMETRY in pq.read_schema(local).names:
                continue
            with paths.writing(file) as partial:
                _copy_with_points(local, partial)
        write_style(name.removesuffix(".parquet"), file)


def _metadata() -> bytes:
    """What the GeoParquet 1.1 specification wants to be told, as JSON."""
    from pyproj import CRS

    column = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "crs": CRS.from_epsg(4326).to_json_dict(),
        "covering": {"bbox": {s: [BBOX, s] for s in _SIDES}},
    }
    told = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    return json.dumps(told).encode()


def without_points(table: pa.Table) -> pa.Table:
    """A table of a run as it was before :func:`add_points`."""
    added = [c for c in (GEOMETRY, BBOX) if c in table.column_names]
    return table.drop_columns(added).replace_schema_metadata(None) if added else table


def _copy_with_points(source: Path, target: Path) -> None:
    with pq.ParquetFile(source) as parquet:
        schema = parquet.schema_arrow
        told = dict(schema.metadata or {}) | {b"geo": _metadata()}
        for field in _points(schema.empty_table()).schema:
            schema = schema.append(field)
        schema = schema.with_metadata(told)
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for batch in parquet.iter_batches(_ROWS):
                rows = pa.Table.from_batches([batch])
                added = _points(rows)
                for field in added.schema:
                    rows = rows.append_column(field, added.column(field.name))
                writer.write_table(rows.cast(schema).replace_schema_metadata(told))


def _points(rows: pa.Table) -> pa.Table:
    """``geometry`` (WKB) and ``bbox`` of rows with ``x``, ``y`` in metres and ``crs``."""
    import shapely

    x, y, crs = (_floats(rows, c) for c in ("x", "y", "crs"))
    lon, lat = degrees(x, y, crs)
    is_placed = np.isfinite(lon) & np.isfinite(lat)
    point = np.full(len(x), None, dtype=object)
    point[is_placed] = shapely.to_wkb(shapely.points(lon[is_placed], lat[is_placed]))
    sides = [pa.array(v, pa.float64(), mask=~is_placed) for v in (lon, lat, lon, lat)]
    box = pa.StructArray.from_arrays(sides, list(_SIDES), mask=pa.array(~is_placed))
    return pa.table({GEOMETRY: pa.array(point, pa.binary()), BBOX: box})


def _floats(rows: pa.Table, column: str) -> NDArray[np.float64]:
    return np.asarray(rows.column(column).cast(pa.float64()).to_numpy(zero_copy_only=False))
