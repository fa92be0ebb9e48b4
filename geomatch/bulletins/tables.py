"""Any CSV, Parquet or spreadsheet file as a table, and a table with columns added as a file."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geomatch.bulletins import open_source
from geomatch.bulletins.clean import clean_column
from geomatch.bulletins.rejects import reasons_of
from geomatch.bulletins.workbooks import DATE
from geomatch.core import paths
from geomatch.core.geoframes import DRIVERS, ending_of, write_geo
from geomatch.core.paths import Location
from geomatch.core.processes import private_files
from geomatch.core.wording import rejected_rows

log = logging.getLogger(__name__)


def read_table(source: Location) -> pa.Table:
    """Every column of a CSV, Parquet, .xlsx or .ods file that has a name or a value, with its type.

    Columns without a name are called ``colonne_4``, by their place.
    """
    opened = open_source(source)
    columns, problems = opened.columns(range(len(opened.header)))
    # a spreadsheet's dates are what they are: only bulletins have no place for them
    problems = {row: reason for row, reason in problems.items() if reason != DATE}
    if problems:
        log.warning("%s: %s", source, rejected_rows(len(problems), reasons_of(problems.values())))
    taken = {}
    for place, (name, values) in enumerate(zip(opened.header, columns, strict=True), start=1):
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if name or not _is_blank(values):
            taken[name or f"colonne_{place}"] = values
    return pa.table(taken)


def _is_blank(values: pa.ChunkedArray) -> bool:
    return not any(clean_column(values).values) if pa.types.is_large_string(values.type) else False


def beside(table: pa.Table, found: pd.DataFrame) -> pa.Table:
    """The file's columns, then those found; see :func:`unlike`."""
    table = table.rename_columns(unlike(table.column_names, list(found.columns)))
    added = pa.Table.from_pandas(found, preserve_index=False)
    for name in added.column_names:
        table = table.append_column(name, added.column(name))
    return table


def unlike(given: Sequence[str], results: Sequence[str]) -> list[str]:
    """Names of the columns that were given; one that bears a result's name gets another.

    A file that was geocoded before has ``x``, ``result_score`` …: they become ``x_input`` …
    """
    names = list(given)
    for ours in results:
        for at in (i for i, name in enumerate(names) if name == ours):
            other = f"{ours}_input"
            while other in names or other in results:
                other += "_"
            names[at] = other
    renamed = [f"{a} → {b}" for a, b in zip(given, names, strict=True) if a != b]
    if renamed:
        log.warning("columns of the file that bear a name of the results: %s", ", ".join(renamed))
    return names


def write_table(table: pa.Table, out: Location) -> None:
    """Write CSV (`;`), Parquet, GeoPackage or GeoJSON: the file is whole or not there."""
    if ending_of(out) in DRIVERS:
        with private_files():
            write_geo(table.to_pandas(), out)
        return
    with private_files(), paths.writing(out) as partial:
        if partial.suffix == ".parquet":
            pq.write_table(table, partial)
        else:
            # Arrow's own types: a column of whole numbers with gaps stays one of whole numbers
            frame = table.to_pandas(types_mapper=pd.ArrowDtype)
            frame.to_csv(partial, sep=";", index=False)
