"""Results of many partitions → one file in input order, a block of bulletins at a time.

Each partition's rows stand in input order already, so that a block of the result is put together
from the next rows of each: what is held is a block and a row group of each partition, however
long the file is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geomatch.schema import Table

#: Where a row's bulletin stands in the input; not in the result.
ORDER = "source_row"
#: Rows of a partition read at once, when it was written so.
GROUP_ROWS = 8_192
#: Bulletins of a block of the result.
_BLOCK = 20_000


def collate(files: Sequence[Path], table: Table, target: Path, *, block: int = _BLOCK) -> None:
    """Rows of all `files` in input order, without :data:`ORDER`; ``""`` becomes null.

    Parameters
    ----------
    files : paths
        Parquet, of one set of columns, each sorted by :data:`ORDER`.
    table : Table
        Says which columns are text. ``id`` stays as it is.
    target : path
        Parquet file to write.
    block : int
        Bulletins put in order together.
    """
    parts = [_Part(f) for f in files]
    texts = [c for c, (kind, _) in table.columns.items() if kind == "text" and c != "id"]
    # a partition without any row may not know the types of its numbers
    known = next((p.schema for p in parts if p.last >= 0), parts[0].schema)
    schema = known.remove(known.get_field_index(ORDER))
    # what is least and most in each group serves who looks for an id, not for a feature
    writing = writing_options(schema) | {
        "compression": "zstd",
        "write_statistics": [c for c in schema.names if c in table.columns],
    }
    # Both halves leave Python's lock: one block is put in order while another is compressed.
    with pq.ParquetWriter(target, schema, **writing) as writer, ThreadPoolExecutor(1) as ahead:
        ready = (
            _without_blanks(rows.drop_columns(ORDER), texts).cast(schema)
            for rows in _blocks(parts, block)
        )
        following = ahead.submit(next, ready, None)
        while (rows := following.result()) is not None:
            following = ahead.submit(next, ready, None)
            writer.write_table(rows)


def writing_options(schema: pa.Schema) -> dict[str, Any]:
    """How a table of results is written: numbers as they are, for they hardly repeat."""
    return {"use_dictionary": [f.name for f in schema if pa.types.is_string(f.type)]}


def _blocks(parts: Sequence[_Part], block: int) -> Iterator[pa.Table]:
    last = max((p.last for p in parts), default=-1)
    for bound in range(block, last + block + 1, block):
        pieces = [piece for part in parts for piece in part.before(bound)]
        if pieces:
            rows = pa.concat_tables(pieces).combine_chunks()
            order = np.argsort(rows.column(ORDER).to_numpy(), kind="stable")
            yield rows.take(pa.array(order))


def _without_blanks(rows: pa.Table, texts: Sequence[str]) -> pa.Table:
    for name in texts:
        column = rows.column(name)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


class _Part:
    """One partition's file, read on as its rows are asked for."""

    def __init__(self, file: Path) -> None:
        self._parquet = pq.ParquetFile(file)
        self.schema = self._parquet.schema_arrow.remove_metadata()
        self._next = 0
        self._rows = self.schema.empty_table()
        self.last = self._last()

    def before(self, bound: int) -> Iterator[pa.Table]:
        """Rows not given yet of the bulletins before `bound`."""
        while True:
            cut = int(np.searchsorted(self._rows.column(ORDER).to_numpy(), bound))
            if cut:
                yield self._rows.slice(0, cut)
            if cut < len(self._rows):
                self._rows = self._rows.slice(cut)
                return
            if self._next == self._parquet.num_row_groups:
                self._rows = self.schema.empty_table()
                return
            rows = self._parquet.read_row_group(self._next)
            self._rows = rows.replace_schema_metadata(None)
            self._next += 1

    def _last(self) -> int:
        """Greatest place of a bulletin, -1 when there is none."""
        groups = self._parquet.num_row_groups
        while groups:
            rows = self._parquet.read_row_group(groups - 1, columns=[ORDER]).column(ORDER)
            if len(rows):
                return int(rows[-1].as_py())
            groups -= 1
        return -1
