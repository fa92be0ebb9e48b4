"""Writing side of the reference store: tables as (Geo)Parquet, manifest last.

Each file is written under another name and renamed, so a half-written one is never read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from geomatch.core.schema import Table
from geomatch.store.reader import MANIFEST, country_path, departement_path

_ARROW = {"text": pa.string(), "float": pa.float64(), "int": pa.int64(), "bool": pa.bool_()}
GEOMETRY = "geometry"
#: Rows that are read together at least: of a département some villages are asked for by the one
#: beside; country-wide tables are read whole.
_ROW_GROUP, _WHOLE = 10_000, 1 << 20


def write_country(root: Path, table: Table, rows: pd.DataFrame | pa.Table) -> int:
    """Write a country-wide table under `root`; its number of rows."""
    return _write(country_path(root, table), shaped(table, rows), _WHOLE)


def write_departement(
    root: Path, table: Table, departement: str, rows: pd.DataFrame | pa.Table, *, crs: int
) -> int:
    """Write one département's part of a table as GeoParquet; its number of rows.

    `crs` is the EPSG code of the rows' ``x`` and ``y``; a row that lacks them has no geometry.
    """
    path = departement_path(root, table, departement)
    whole = shaped(table, rows)
    rows = with_geometry(whole, crs) if "x" in table.columns else whole
    return _write(path, rows, _ROW_GROUP)


def shaped(table: Table, rows: pd.DataFrame | pa.Table) -> pa.Table:
    """The table's columns in order and typed; absent text is ``""``."""
    arrow = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    columns = []
    for name, (kind, _) in table.columns.items():
        column = arrow.column(name).cast(_ARROW[kind])
        columns.append(pc.fill_null(column, "") if kind == "text" else column)
    return pa.table(columns, names=table.names)


def with_geometry(rows: pa.Table, crs: int) -> pa.Table:
    """Add a WKB point column and GeoParquet 1.1 metadata."""
    x, y = (rows.column(c).to_numpy().astype(float) for c in ("x", "y"))
    known = np.isfinite(x) & np.isfinite(y)
    points = np.full(len(x), None, dtype=object)
    points[known] = shapely.to_wkb(shapely.points(x[known], y[known]))
    bbox = [x[known].min(), y[known].min(), x[known].max(), y[known].max()] if known.any() else None
    column = {
        "encoding": "WKB",
        "geometry_types": ["Point"] if known.any() else [],
        "crs": _projjson(crs),
        **({"bbox": [float(v) for v in bbox]} if bbox else {}),
    }
    geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
    rows = rows.append_column(GEOMETRY, pa.array(points, type=pa.binary()))
    return rows.replace_schema_metadata({"geo": json.dumps(geo)})


@lru_cache(maxsize=16)
def _projjson(crs: int) -> dict[str, Any]:
    return dict(CRS.from_epsg(crs).to_json_dict())


def _write(path: Path, rows: pa.Table, row_group: int) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    pq.write_table(rows, partial, compression="zstd", row_group_size=row_group)
    os.replace(partial, path)
    return int(rows.num_rows)


def write_manifest(root: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest, which makes the folder a store."""
    partial = root / (MANIFEST + ".part")
    with partial.open("w", encoding="utf-8") as out:
        json.dump(manifest, out, ensure_ascii=False, indent=2)
        out.flush()
        os.fsync(out.fileno())
    os.replace(partial, root / MANIFEST)
