"""DuckDB, asked in the few ways that all of its supported versions understand."""

from __future__ import annotations

import errno
import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from geomatch.core.errors import ConfigError, DataError, GeomatchError


@contextmanager
def engine(folder: Path, *, memory_limit: str, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database on disk in `folder`, which also takes what does not fit in memory."""
    if "?" in str(folder):  # DuckDB looks for its own files elsewhere then
        raise ConfigError(f"{folder} has a '?' in its name, which DuckDB cannot take; rename it")
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


#: What systems, and DuckDB, say of a disk that is full, a quota or a bound on file sizes.
_FULL_CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_WORDS = ("No space left", "disk quota", "File too large", "max_temp_directory_size")


def full_disk(error: BaseException, place: object) -> ConfigError | None:
    """The error that blames the disk rather than a source; None when it is not the disk."""
    told = str(error).lower()
    is_full = isinstance(error, OSError) and error.errno in _FULL_CODES
    if not is_full and not any(words.lower() in told for words in _FULL_WORDS):
        return None
    return ConfigError(
        f"the disk of {place} is full; make room there, or give another --out, and run the same "
        "command again: what is finished is kept"
    )


def read_failure(error: duckdb.Error, path: Path, what: str) -> GeomatchError:
    """DuckDB's complaint about a file, said in one line without quoting the file's rows.

    A disk that is full is not the file's fault.
    """
    full = full_disk(error, "the build")
    if full is not None:
        return full
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


def file_named(path: Path, below: str = "") -> str:
    """A file as DuckDB's readers take it, in SQL: ``[`` and ``*`` of its name are themselves.

    `below` is a pattern of files in it.
    """
    return quoted(glob.escape(str(path)) + below)


def quoted(value: object) -> str:
    """A value as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def named(column: str) -> str:
    """A column name as SQL."""
    return '"' + column.replace('"', '""') + '"'


def listed(values: Sequence[object]) -> str:
    """``('a', 'b')`` for IN; a list of no value matches nothing."""
    return "(" + (", ".join(map(quoted, values)) or "NULL") + ")"
