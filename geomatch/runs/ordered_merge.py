"""Results of many partitions → one file in input order, a block of bulletins at a time.

Each partition's rows stand in input order already, so that a block of the result is put together
from the next rows of each: what is held is a block and a batch of each partition, however long
the file is. Partitions are files of Arrow's own format, which take a third of the time of Parquet
to write and to read; the result is Parquet.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from geomatch.core.errors import DataError
from geomatch.core.schema import Table
from geomatch.runs.columns import DESCRIPTION, meanings

#: Where a row's bulletin stands in the input; not in the result.
ORDER = "source_row"
#: How the name of a partition's file ends.
ENDING = ".arrow"
#: Rows of a partition that are read at once.
_BATCH_ROWS = 8_192
#: Bulletins of a block of the result.
_BLOCK = 20_000


def collate(
    files: Sequence[Path],
    table: Table,
    target: Path,
    *,
    change: Callable[[pa.Table], pa.Table] | None = None,
    optional: Collection[str] = (),
    block: int = _BLOCK,
) -> None:
    """Rows of all `files` in input order, without :data:`ORDER`; ``""`` becomes null.

    Parameters
    ----------
    files : paths
        Written by :func:`as_partition`, of one set of columns, each sorted by :data:`ORDER`.
    table : Table
        Says which columns are text. ``id`` stays as it is.
    target : path
        Parquet file to write.
    change : callable, optional
        What becomes of the rows of a block; columns and types stay.
    optional : names of columns
        That may lack values although no partition does.
    block : int
        Bulletins put in order together.
    """
    parts = [_Part(f) for f in files]
    told = meanings(table)
    texts = [c for c, (kind, _) in table.columns.items() if kind == "text" and c != "id"]
    # a partition without any row may not know the types of its numbers
    known = next((p.schema for p in parts if p.last >= 0), parts[0].schema)
    # what has no value anywhere is written faster when the file need not tell where
    lacking = {name for p in parts for name in p.optional}.union(optional)
    schema = pa.schema(
        f.with_nullable(f.name in lacking).with_metadata(_described(f.name, told))
        for f in known
        if f.name != ORDER
    )
    # what is least and most in each group serves who looks for an id, not for a feature
    writing: dict[str, Any] = {
        "compression": "zstd",
        # numbers as they are, for they hardly repeat
        "use_dictionary": [f.name for f in schema if pa.types.is_string(f.type)],
        "write_statistics": [c for c in schema.names if c in table.columns],
    }
    # Both halves leave Python's lock: one block is put in order while another is compressed.
    with pq.ParquetWriter(target, schema, **writing) as writer, ThreadPoolExecutor(1) as ahead:
        ready = (
            _without_blanks(rows.drop_columns(ORDER), texts).cast(schema)
            for rows in map(change or _as_it_is, _blocks(parts, block))
        )
        following = ahead.submit(next, ready, None)
        n_written = 0
        while (rows := following.result()) is not None:
            following = ahead.submit(next, ready, None)
            writer.write_table(rows)
            n_written += rows.num_rows
    n_rows = sum(p.n_rows for p in parts)
    if n_written != n_rows:
        raise DataError(
            f"{target.name}: {n_written} rows were merged of {n_rows} in the partitions; "
            "run again without --resume"
        )


def _described(name: str, told: Mapping[str, str]) -> dict[bytes, bytes] | None:
    """What a file says of its column; readers of Arrow schemas show it."""
    return {DESCRIPTION: told[name].encode()} if name in told else None


def as_partition(rows: pa.Table) -> bytes:
    """The content of a partition's file; numbers that every row has are said to be required."""
    required = [not pa.types.is_string(c.type) and not c.null_count for c in rows.columns]
    fields = zip(rows.schema, required, strict=True)
    rows = rows.cast(pa.schema([f.with_nullable(not r) for f, r in fields], rows.schema.metadata))
    content = io.BytesIO()
    options = ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with ipc.new_file(content, rows.schema, options=options) as writer:
        writer.write_table(rows, max_chunksize=_BATCH_ROWS)
    return content.getvalue()


def read_partition(content: bytes | pa.NativeFile) -> pa.Table:
    """All rows of a partition's file."""
    return ipc.open_file(content).read_all()


def _blocks(parts: Sequence[_Part], block: int) -> Iterator[pa.Table]:
    last = max((p.last for p in parts), default=-1)
    for bound in range(block, last + block + 1, block):
        pieces = [piece for part in parts for piece in part.before(bound)]
        if pieces:
            rows = pa.concat_tables(pieces).combine_chunks()
            order = np.argsort(rows.column(ORDER).to_numpy(), kind="stable")
            yield rows.take(pa.array(order))


def _as_it_is(rows: pa.Table) -> pa.Table:
    return rows


def _without_blanks(rows: pa.Table, texts: Sequence[str]) -> pa.Table:
    for name in texts:
        column = rows.column(name)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


def _n_rows(file: Path) -> int:
    """Rows of a partition's file, of which one column is read."""
    only = ipc.IpcReadOptions(included_fields=[0])
    with pa.memory_map(str(file)) as content:
        part = ipc.open_file(content, options=only)
        return sum(part.get_batch(i).num_rows for i in range(part.num_record_batches))


class _Part:
    """One partition's file, read on as its rows are asked for."""

    def __init__(self, file: Path) -> None:
        self._file = ipc.open_file(pa.memory_map(str(file)))
        told = self._file.schema.remove_metadata()
        self.optional = [f.name for f in told if f.nullable]
        self.schema = pa.schema([f.with_nullable(True) for f in told])
        self._next = 0
        self._rows = self.schema.empty_table()
        self.last = self._last()
        self.n_rows = _n_rows(file)

    def before(self, bound: int) -> Iterator[pa.Table]:
        """Rows not given yet of the bulletins before `bound`."""
        while True:
            cut = int(np.searchsorted(self._rows.column(ORDER).to_numpy(), bound))
            if cut:
                yield self._rows.slice(0, cut)
            if cut < len(self._rows):
                self._rows = self._rows.slice(cut)
                return
            if self._next == self._file.num_record_batches:
                self._rows = self.schema.empty_table()
                return
            self._rows = self._batch(self._next)
            self._next += 1

    def _batch(self, number: int) -> pa.Table:
        rows = self._file.get_batch(number)
        return pa.Table.from_arrays(rows.columns, schema=self.schema)

    def _last(self) -> int:
        """Greatest place of a bulletin, -1 when there is none."""
        for number in reversed(range(self._file.num_record_batches)):
            rows = self._batch(number).column(ORDER)
            if len(rows):
                return int(rows[-1].as_py())
        return -1
