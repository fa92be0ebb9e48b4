"""Objects made of arrays, kept in a file: computed when a store is built, read ever after.

A class marks with :class:`stored` which of its properties are kept; of a dataclass without such
properties all fields are. Their annotations say what is read back. The file is an Arrow file of
one row, with a column for each array, named by the way to it: ``lexicon.crowds.bits``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.arrays.arrow import texts
from geomatch.core import paths
from geomatch.core.errors import StoreError

_T = TypeVar("_T")
#: It leaves 56 bytes of 100; zstd would leave 38 and take three to five times as long to read.
_WRITTEN = pa.ipc.IpcWriteOptions(compression="lz4")


class stored(cached_property[_T]):  # noqa: N801 — used as a decorator, like its parent
    """A property computed when it is first asked for, unless it was read with its object."""


def write(file: Path, value: object) -> None:
    """Write an object's arrays, the file whole or not at all."""
    arrays = dict(_apart(value, type(value), ""))
    rows = {name: _one_row(array) for name, array in arrays.items()}
    table = pa.table(rows)
    with (
        paths.writing(file) as partial,
        pa.OSFile(str(partial), "wb") as sink,
        pa.ipc.new_file(sink, table.schema, options=_WRITTEN) as out,
    ):
        out.write_table(table)


def read(file: Path, kind: type[_T]) -> _T:
    """The object of a class that :func:`write` wrote, with all that is stored of it.

    What else it was made of is not there: properties that need it must be stored. Raises
    :class:`StoreError` when the file is not readable, or of something else.
    """
    try:
        with pa.memory_map(str(file)) as source:
            table = pa.ipc.open_file(source).read_all()
            columns = {n: table.column(n).chunk(0).values for n in table.column_names}
            made: _T = _together(columns, kind, "")
    except KeyError as error:
        raise _unreadable(file, f"it has no {error.args[0]}") from error
    except (OSError, IndexError, pa.ArrowException) as error:
        raise _unreadable(file, error) from error
    return made


def _unreadable(file: Path, why: object) -> StoreError:
    return StoreError(f"{file} of the store is not readable: {why}; build the store again")


def _one_row(array: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(array)], pa.int32()), array)


@cache
def _parts(kind: Any) -> Mapping[str, Any]:
    """What a kind of value is made of, with the kind of each part; empty for an array."""
    if get_origin(kind) is tuple:
        return {str(i): part for i, part in enumerate(get_args(kind))}
    members = vars(kind).items() if isinstance(kind, type) else ()
    kept = {n: get_type_hints(p.func)["return"] for n, p in members if isinstance(p, stored)}
    return kept or (get_type_hints(kind) if is_dataclass(kind) else {})


def _apart(value: Any, kind: Any, name: str) -> Iterator[tuple[str, pa.Array]]:
    parts = _parts(kind)
    if not parts:
        yield name, _column(value)
    for part, its in parts.items():
        one = value[int(part)] if isinstance(value, tuple) else getattr(value, part)
        yield from _apart(one, its, f"{name}.{part}".lstrip("."))


def _together(columns: Mapping[str, pa.Array], kind: Any, name: str) -> Any:
    parts = _parts(kind)
    if not parts:
        return _value(columns[name], kind)
    made = {
        part: _together(columns, its, f"{name}.{part}".lstrip(".")) for part, its in parts.items()
    }
    if get_origin(kind) is tuple:
        return tuple(made.values())
    # as if every stored property had been asked for
    restored = object.__new__(kind)
    restored.__dict__.update(made)
    return restored


def _column(value: Any) -> pa.Array:
    """An array, a text column or a number as one column."""
    if isinstance(value, pa.Array):
        return value
    array = np.asarray(value)
    if array.ndim == 0:
        return pa.array(array.reshape(1))
    if array.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(pa.array(array.reshape(-1)), array.shape[1])
    if array.dtype.kind == "S":
        width = pa.binary(array.dtype.itemsize)
        buffer = pa.py_buffer(np.ascontiguousarray(array))
        return pa.Array.from_buffers(width, len(array), [None, buffer])
    return pa.array(array, pa.string()) if array.dtype == object else pa.array(array)


def _value(column: pa.Array, kind: Any) -> Any:
    if kind is pa.Array:
        return column
    if kind in (float, int):
        return kind(column[0].as_py())
    if pa.types.is_fixed_size_list(column.type):
        return _numbers(column.values).reshape(-1, column.type.list_size)
    return texts(column) if pa.types.is_string(column.type) else _numbers(column)


def _numbers(column: pa.Array) -> NDArray[Any]:
    """A column's values as they lie in memory, to be written in: nobody else has them."""
    if pa.types.is_boolean(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    is_bytes = pa.types.is_fixed_size_binary(column.type)
    dtype = f"S{column.type.byte_width}" if is_bytes else column.type.to_pandas_dtype()
    if not len(column):
        return np.zeros(0, dtype)
    values = np.frombuffer(column.buffers()[1], dtype)[column.offset :][: len(column)]
    return values if values.flags.writeable else values.copy()
