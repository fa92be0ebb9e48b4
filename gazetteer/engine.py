"""DuckDB, asked in the few ways that all of its supported versions understand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from geomatch.core.errors import DataError


@contextmanager
def engine(folder: Path, *, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database on disk in `folder`, which also takes what does not fit in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(folder / "build.duckdb"))
    try:
        run(con, f"SET memory_limit = {quoted(memory_limit)}")
        run(con, f"SET threads = {int(threads)}")
        run(con, f"SET temp_directory = {quoted(folder / 'spill')}")
        run(con, "SET preserve_insertion_order = false")
        # in a notebook that lacks ipywidgets it is off already and may not even be turned off
        if run(con, "SELECT current_setting('enable_progress_bar')") == [(True,)]:
            run(con, "SET enable_progress_bar = false")
        yield con
    finally:
        con.close()


def run(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Execute one statement and return its rows (those of INSERT and COPY are a count)."""
    rows: list[tuple[Any, ...]] = con.execute(sql).fetchall()
    return rows


def arrow(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The rows of a query as an Arrow table."""
    return con.sql(sql).to_arrow_table()


def frame(con: duckdb.DuckDBPyConnection, sql: str) -> pd.DataFrame:
    """The rows of a query as a frame; meant for one département or one small table."""
    return arrow(con, sql).to_pandas()


@contextmanager
def registered(con: duckdb.DuckDBPyConnection, **tables: pd.DataFrame | pa.Table) -> Iterator[None]:
    """Make frames readable in SQL under the names given, for the length of the block."""
    for name, table in tables.items():
        con.register(name, _as_arrow(table))
    try:
        yield
    finally:
        for name in tables:
            con.unregister(name)


def _as_arrow(table: pd.DataFrame | pa.Table) -> pa.Table:
    if isinstance(table, pa.Table):
        return table
    return pa.Table.from_pandas(table, preserve_index=False)


def store_frame(con: duckdb.DuckDBPyConnection, name: str, table: pd.DataFrame) -> None:
    """Keep a frame as a table of the database, in the place of one of that name."""
    with registered(con, _incoming=table):
        run(con, f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM _incoming")


def read_failure(error: duckdb.Error, path: Path, what: str) -> DataError:
    """DuckDB's complaint about a file, said in one line without quoting the file's rows."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = [
        line.strip()
        for line in lines
        if line.startswith(("Invalid Input Error", "IO Error", "Expected", "Conversion Error"))
    ]
    detail = "; ".join(told) or type(error).__name__
    return DataError(
        f"{path} ({what}) is not readable: {detail}. Fetch the file again from its official source."
    )


def quoted(value: object) -> str:
    """A value as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def named(column: str) -> str:
    """A column name as SQL."""
    return '"' + column.replace('"', '""') + '"'


def listed(values: Sequence[object]) -> str:
    """``('a', 'b')`` for IN; a list of no value matches nothing."""
    return "(" + (", ".join(map(quoted, values)) or "NULL") + ")"
