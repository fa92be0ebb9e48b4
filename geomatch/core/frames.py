"""Tables of other libraries in, and the same kind out: pandas, polars, Arrow, DuckDB.

They are read through the Arrow PyCapsule interface, so none of the libraries is needed to read
its tables; each is imported only when a table of its kind is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa

from geomatch.core.errors import ConfigError
from geomatch.core.geoframes import to_geodataframe

#: Any table that a public function takes.
AnyFrame = Any


def _arrow(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def _polars(frame: pd.DataFrame) -> Any:
    import polars

    return polars.from_arrow(_arrow(frame))


def _duckdb(frame: pd.DataFrame) -> Any:
    import duckdb

    # A relation lives as long as its connection, so each has one of its own.
    return duckdb.connect().from_arrow(_arrow(frame))


#: Kind of table -> how to make it of a DataFrame.
KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "arrow": _arrow,
    "polars": _polars,
    "duckdb": _duckdb,
    "geopandas": to_geodataframe,
}
#: First part of the module that defines a table -> its kind. DuckDB's is ``_duckdb`` in some
#: versions.
_LIBRARIES = {"pyarrow": "arrow", "polars": "polars", "duckdb": "duckdb", "_duckdb": "duckdb"}


def kind_of(frame: AnyFrame) -> str:
    """Which of :data:`KINDS` a table is; ``arrow`` for another that speaks Arrow.

    Raises :class:`ConfigError` when it is no table.
    """
    if isinstance(frame, pd.DataFrame):
        return "pandas"
    if not hasattr(frame, "__arrow_c_stream__"):
        raise ConfigError(
            f"got {type(frame).__name__}, expected a table: pandas, polars, Arrow, DuckDB, or "
            "another with the Arrow PyCapsule interface (collect a lazy query first)"
        )
    return _LIBRARIES.get(type(frame).__module__.split(".")[0], "arrow")


def as_pandas(frame: AnyFrame) -> pd.DataFrame:
    """A table of any kind as a DataFrame; a pandas one is returned as it is.

    Raises :class:`ConfigError` when it is no table.
    """
    if kind_of(frame) == "pandas":
        return frame
    found: pd.DataFrame = pa.table(frame).to_pandas()
    return found


def as_kind(frame: pd.DataFrame, kind: str) -> Any:
    """A DataFrame as a table of another kind; see :data:`KINDS`.

    Raises :class:`ConfigError` when the kind is not known or its library is not installed.
    """
    if kind not in KINDS:
        raise ConfigError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    try:
        return KINDS[kind](frame)
    except ImportError as error:
        raise ConfigError(
            f"a table of kind {kind} needs the library {error.name}; install it"
        ) from error
