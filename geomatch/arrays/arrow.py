"""Columns of Arrow tables as arrays: texts as integers and the few distinct ones, in few bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows


def texts(column: pa.Array | pa.ChunkedArray) -> NDArray[np.object_]:
    """Text as Python strings; what is absent is ``""``."""
    column = _filled(column)
    if isinstance(column, pa.ChunkedArray):
        return np.asarray(column.to_numpy(), dtype=object)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)


def as_table(rows: Rows) -> pa.Table:
    """The same table in few bytes: millions of short texts take a tenth of the memory."""
    return pa.table({c: pa.array(rows[c]) for c in rows})


def as_rows(table: pa.Table) -> Rows:
    """:func:`as_table` undone; text that is absent is ``""``."""
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_null)
    columns = {
        name: texts(column) if any(kind(column.type) for kind in is_text) else column.to_numpy()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return Rows(columns, table.num_rows)


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Text as one array; what is absent is ``""``."""
    column = _filled(column)
    if isinstance(column, pa.ChunkedArray):
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    return column


def encoded(column: pa.Array | pa.ChunkedArray | Sequence[str]) -> pa.DictionaryArray:
    """Text as one array of numbers and the distinct texts; what is absent is ``""``."""
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        column = pa.array(np.asarray(column, dtype=object), pa.string())
    column = whole(column)  # so that there is one dictionary
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def coded(column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], pa.Array]:
    """Number of each text, and the distinct ones, as they first come; what is absent is ``""``."""
    column = whole(column)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
        return column.indices.to_numpy().astype(np.int64), column.dictionary
    # the dictionary of a file also holds texts of rows that are not here
    code, met = pd.factorize(column.indices.to_numpy())
    return code.astype(np.int64, copy=False), column.dictionary.take(pa.array(met))


def _filled(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.fill_null(column.cast(pa.string()), "") if column.null_count else column


def narrow(*positions: NDArray[np.integer]) -> tuple[NDArray[np.integer], ...]:
    """Positions in four bytes each where all fit: sparse products take half the time then."""
    fit = all(p.max(initial=0) <= np.iinfo(np.int32).max for p in positions)
    return tuple(p.astype(np.int32, copy=False) for p in positions) if fit else positions
