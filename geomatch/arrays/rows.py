"""Tables as arrays of one length, which phases hand to one another while a match runs.

A DataFrame of twenty columns takes most of a millisecond to build and thirty microseconds a
column to read, whatever its length. A call about one bulletin passes a dozen of tables; those
that nobody but the next phase sees are :class:`Rows`. What phases read may be either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: So many neighbouring columns of one kind of numbers become one block of a DataFrame.
_BLOCK = 8


class Rows:
    """A table: its columns, each an array of the same length.

    Parameters
    ----------
    columns : mapping of name to array (n,)
    n : int, optional
        Number of rows; None: that of the columns.
    """

    __slots__ = ("_columns", "_n")

    def __init__(self, columns: Mapping[str, NDArray], n: int | None = None) -> None:
        self._columns = dict(columns)
        self._n = len(next(iter(self._columns.values()))) if n is None else n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, name: str) -> NDArray:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def take(self, at: NDArray[np.int64]) -> Rows:
        """Some of the rows, given by their positions."""
        return Rows({c: values[at] for c, values in self._columns.items()}, len(at))

    def plus(self, **columns: NDArray) -> Rows:
        """The same rows with other columns behind or in place of their own."""
        return Rows(self._columns | columns, self._n)

    def frame(self, index: pd.Index | None = None) -> pd.DataFrame:
        """The table as a DataFrame; text stays Python text."""
        index = pd.RangeIndex(self._n) if index is None else index
        parts: list[pd.DataFrame] = []
        single: dict[str, pd.Series] = {}
        for dtype, run in groupby(self._columns.items(), lambda column: column[1].dtype):
            columns = dict(run)
            if len(columns) < _BLOCK or dtype.kind == "O":
                single |= {c: pd.Series(v, index, dtype, copy=False) for c, v in columns.items()}
                continue
            if single:
                parts.append(pd.DataFrame(single, index))
                single = {}
            block = np.column_stack(list(columns.values()))
            parts.append(pd.DataFrame(block, index, list(columns)))
        if single or not parts:
            parts.append(pd.DataFrame(single, index))
        return parts[0] if len(parts) == 1 else pd.concat(parts, axis=1)

    @classmethod
    def of(cls, table: Columns, names: Sequence[str]) -> Rows:
        """Some columns of a table, as they are."""
        return cls({c: np.asarray(table[c]) for c in names}, len(table))

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, which have the same columns, one after the other."""
        if len(parts) == 1:
            return parts[0]
        columns = {c: np.concatenate([p[c] for p in parts]) for c in parts[0]}
        return cls(columns, sum(map(len, parts)))

    @classmethod
    def moved(cls, parts: Sequence[Rows]) -> Rows:
        """:meth:`joined`, and the parts lose their columns on the way: no row is held twice."""
        if len(parts) == 1:
            return parts[0]
        n = sum(map(len, parts))
        names = list(parts[0])
        return cls({c: np.concatenate([p._columns.pop(c) for p in parts]) for c in names}, n)


class Ordered:
    """Rows in another order; a column is put in it when it is asked for, not before."""

    __slots__ = ("_at", "_rows")

    def __init__(self, rows: Rows, at: NDArray[np.int64]) -> None:
        self._rows, self._at = rows, at

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, name: str) -> NDArray:
        return self._rows[name][self._at]

    def take(self, at: NDArray[np.int64]) -> Rows:
        """Some of the rows, given by their positions in this order."""
        return self._rows.take(self._at[at])


#: What a phase reads: ``table["column"]`` is an array, or what NumPy makes one of.
Columns: TypeAlias = pd.DataFrame | Rows | Ordered


def constant(value: Any, n: int) -> NDArray:
    """A column of one value: text as Python text."""
    return np.full(n, value, dtype=object if isinstance(value, str) else None)
