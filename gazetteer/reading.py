"""Check official files whole, and make them readable in SQL."""

from __future__ import annotations

import codecs
import hashlib
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import duckdb
import pyarrow.parquet as pq

from gazetteer.engine import file_named, full_disk, named, quoted, read_failure, run
from gazetteer.fields import mended
from gazetteer.files import CHUNK, DAMAGE, Source, damaged, opened, refuse_bomb
from geomatch.core.errors import DataError

log = logging.getLogger(__name__)

#: Latin-1 decodes every byte; what it leaves as control characters Windows-1252 has letters for.
_WINDOWS = {i: bytes([i]).decode("cp1252", errors="ignore") or chr(i) for i in range(0x80, 0xA0)}


def checked(source: Source, folder: Path) -> Source:
    """Read a source to its end: the source with its rows, and a plain file where one is needed.

    A zip is unpacked into `folder`, and so is text that is not UTF-8, rewritten as UTF-8.
    Raises :class:`DataError` when the file is truncated or has no row.
    """
    try:
        if source.kind == "parquet":
            done = replace(source, rows=pq.ParquetFile(source.path).metadata.num_rows)
        else:
            done = _checked_text(source, folder)
    except DAMAGE as error:
        raise full_disk(error, folder) or damaged(source.path, error) from error
    if done.rows < 1 and not source.layout.may_be_empty:
        raise DataError(f"{source.path} has a header but no row; expected {source.layout.title}")
    return done


def _checked_text(source: Source, folder: Path) -> Source:
    member = hashlib.sha256(source.member.encode()).hexdigest()[:8]
    plain = folder / f"{source.role}-{source.sha256[:12]}-{member}.csv"
    if source.kind == "zip":
        with opened(source.path, "zip", source.member) as packed, plain.open("wb") as out:
            size = source.path.stat().st_size
            while chunk := packed.read(CHUNK):
                out.write(chunk)
                refuse_bomb(source.path, size, out.tell())
        source = replace(source, unpacked=plain)
    with _text(source) as stream:
        rows, is_utf8 = _survey(stream, source.path)
    if is_utf8:
        return replace(source, rows=rows)
    log.info("%s is not UTF-8: read as Windows-1252", source.path.name)
    recoded = plain.with_suffix(".utf8.csv")
    with _text(source) as stream, recoded.open("wb") as out:
        while chunk := stream.read(CHUNK):
            out.write(chunk.decode("latin-1").translate(_WINDOWS).encode("utf-8"))
    return replace(source, rows=rows, unpacked=recoded)


def _text(source: Source) -> AbstractContextManager[IO[bytes]]:
    if source.unpacked is not None:
        return source.unpacked.open("rb")
    return opened(source.path, source.kind, source.member)


def _survey(stream: IO[bytes], file: Path) -> tuple[int, bool]:
    """Data lines of a text file, and whether all of it is UTF-8."""
    size, got = file.stat().st_size, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    lines = 0
    last = b"\n"
    while chunk := stream.read(CHUNK):
        lines += chunk.count(b"\n")
        got += len(chunk)
        refuse_bomb(file, size, got)
        last = chunk
        is_utf8 = is_utf8 and _continues(decoder, chunk, final=False)
    is_utf8 = is_utf8 and _continues(decoder, b"", final=True)
    lines += not last.endswith(b"\n")
    return max(lines - 1, 0), is_utf8


def _continues(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def select(source: Source, *columns: str, empty: tuple[str, ...] = ("",)) -> str:
    """A query for columns of a checked source, by the project's names.

    All are text, trimmed, what a spreadsheet did to codes and numbers undone
    (:mod:`gazetteer.fields`); what is blank, or one of `empty`, is NULL, and so is a column the
    file does not have.
    """
    void = ", ".join(map(quoted, ("", *empty)))
    places = {name: f"c{i}" for i, name in enumerate(source.header)}
    items = []
    for column in columns:
        name = source.columns.get(column)
        if name is None:
            items.append(f"NULL::VARCHAR AS {named(column)}")
            continue
        field = named(name) if source.kind == "parquet" else places[name]
        text = f"trim({field}::VARCHAR)"
        items.append(
            f"CASE WHEN {text} NOT IN ({void}) "
            f"THEN {mended(column, text, field)} END AS {named(column)}"
        )
    return f"SELECT {', '.join(items)} FROM {_relation(source)}"


def _relation(source: Source) -> str:
    if source.kind == "parquet":
        return f"read_parquet({file_named(source.path)})"
    file = source.unpacked or source.path
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(source.header)))
    packing = "gzip" if source.kind == "gz" and source.unpacked is None else "none"
    return (
        f"read_csv({file_named(file)}, delim={quoted(source.delimiter)}, header=true, "
        f"quote='\"', escape='\"', auto_detect=false, compression='{packing}', "
        f"columns={{{columns}}})"
    )


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """Turn DuckDB's complaint about a file into a :class:`DataError` that names it."""
    try:
        yield
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException) as error:
        raise read_failure(error, source.path, source.layout.title) from error


def table_of(con: duckdb.DuckDBPyConnection, source: Source, name: str) -> None:
    """Load all known columns of a small source as a table of the database."""
    with reading(source):
        run(con, f"CREATE OR REPLACE TABLE {name} AS {select(source, *source.layout.columns)}")
