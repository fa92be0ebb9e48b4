"""From a file's bytes to its header and body: compression, encoding, separator.

Nothing here knows what a bulletin is, and no message quotes what a file holds beyond its size
and its kind.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geomatch.bulletins.records import Records, read_records, split_record
from geomatch.bulletins.workbooks import Sheet, is_workbook, read_workbook
from geomatch.core import paths
from geomatch.core.errors import DataError, LayoutError
from geomatch.core.paths import Location

SEPARATORS = (";", ",", "\t", "|")
#: First bytes of what people hand over instead of a text file.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word document"),
    (b"%PDF", "a PDF document"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
)
#: First line by which a spreadsheet is told the separator; it is no header.
_SEPARATOR_LINE = re.compile(rb'\s*"?sep=(?P<separator>[;,\t|])"?[;,\t| ]*\n', re.IGNORECASE)
#: Rows of a Parquet file for each of its bytes: identifiers alone take more room.
MOST_ROWS = 8
_EXPECTED = "CSV (plain or gzip), Parquet, .xlsx or .ods"
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\v")
_SAMPLE = 65_536
#: Files of bulletins unpack to some ten times their size; no more is read than this …
MOST_UNPACKED = 100
#: … unless it is less than this many bytes all the same.
SMALL_UNPACKED = 1 << 28
#: Windows-1252, with the five bytes it leaves undefined read as Latin-1 does.
_CP1252 = "".join(
    bytes([b]).decode("cp1252", "ignore") or bytes([b]).decode("latin-1") for b in range(256)
)


@dataclass(frozen=True)
class Source:
    """An opened file: its column names, and what is needed to read the columns asked for."""

    name: str
    header: tuple[str, ...]
    separator: str = ""
    body: bytes = field(default=b"", repr=False)
    parquet: pq.ParquetFile | None = field(default=None, repr=False)
    sheet: Sheet | None = field(default=None, repr=False)
    #: physical lines before the body: the header, and what stands before it
    above: int = 0

    def columns(self, positions: Sequence[int]) -> tuple[list[pa.ChunkedArray], dict[int, str]]:
        """The columns at `positions`, and what is wrong with which row.

        Returns
        -------
        columns
            One array for each position; text unless the file is Parquet.
        problems
            Row number from 0 → short French reason. Empty for Parquet.
        """
        if self.parquet is not None:
            return _parquet_columns(self.name, self.parquet, positions), {}
        if self.sheet is not None:
            return self.sheet.columns(positions)
        found = self._records(positions)
        return found.table.columns, found.problems

    def _records(self, positions: Sequence[int]) -> Records:
        width = len(self.header)
        return read_records(self.body, self.separator, width=width, positions=positions)

    def lines(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First line of each record, from 1 as an editor counts, and the line behind its last.

        Blank lines behind a record count with it. Of Parquet and spreadsheets a line is a row.
        """
        if self.sheet is not None:
            return self.sheet.lines, self.sheet.lines + 1
        if self.parquet is not None:
            first = np.arange(1, self.parquet.metadata.num_rows + 1)
            return first, first + 1
        first = self._records([0]).lines + self.above + 1
        after = self.above + self.body.count(b"\n") + (not self.body.endswith(b"\n")) + 1
        return first, np.append(first[1:], after)[: len(first)]

    def texts(self, first: Sequence[int], after: Sequence[int]) -> list[str]:
        """Lines as they stand from `first` to before `after`, ends of line as spaces.

        Empty for Parquet and spreadsheets.
        """
        if self.parquet is not None or self.sheet is not None:
            return [""] * len(first)
        lines, start = self.body.split(b"\n"), self.above + 1
        return [
            b" ".join(lines[a - start : b - start]).decode().strip()
            for a, b in zip(first, after, strict=True)
        ]


def open_source(path: Location) -> Source:
    """Open a CSV (any of ``; , tab |``, plain or gzip), Parquet, .xlsx or .ods file.

    UTF-8 when the whole file is UTF-8 (with or without BOM), UTF-16 when its BOM says so, else
    Windows-1252, which contains Latin-1's letters.

    Raises
    ------
    DataError
        The file is missing, unreadable, empty, truncated or binary.
    LayoutError
        No separator can be told, a column name stands twice, or what
        :func:`~geomatch.bulletins.workbooks.read_workbook` says of a spreadsheet.
    """
    name = str(path)
    data = _read_bytes(name)
    if data[:2] == b"\x1f\x8b":
        data = _gunzip(name, data)
    if not data.strip():
        raise DataError(f"{name} is empty: expected a header line and one line per bulletin")
    if data[:4] == b"PAR1":
        return _open_parquet(name, data)
    if data[:4] == b"PK\x03\x04" and is_workbook(data):
        sheet = read_workbook(name, data, most=_most_unpacked(data))
        _refuse_twice(name, sheet.header)
        return Source(name, sheet.header, sheet=sheet)
    _refuse_foreign(name, data)
    body = to_utf8(data)
    del data
    told = _SEPARATOR_LINE.match(body)
    if told is not None:
        body = body[told.end() :]
    stated = told["separator"].decode() if told is not None else ""
    first, separator, start = _first_line(name, body, stated)
    header = tuple(h.strip() for h in split_record(first, separator)[0])
    _refuse_twice(name, header)
    above = body[:start].count(b"\n") + (told is not None)
    return Source(name, header, separator, body[start:], above=above)


def to_utf8(data: bytes) -> bytes:
    r"""Recode to UTF-8 without BOM, lines ended by ``\n`` only."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = codecs.charmap_decode(data, "strict", _CP1252)[0].encode("utf-8")
    if b"\r" in data:
        if b"\n" not in data:
            return data.replace(b"\r", b"\n")
        data = data.replace(b"\r\n", b"\n")
        data = data.replace(b"\r", b"\n" if _cr_ends_lines(data) else b" ")
    return data


def _cr_ends_lines(data: bytes) -> bool:
    r"""Whether a lone ``\r`` ends a record, as under a header that another program wrote.

    It does when most pieces between lone ``\r`` have at least the header's separators; one
    inside a field cuts a record in pieces that have fewer.
    """
    start = len(data) - len(data.lstrip(b"\r\n"))
    first = data[start:].partition(b"\n")[0].partition(b"\r")[0]
    mark = max((s.encode() for s in SEPARATORS), key=first.count)
    n = first.count(mark)
    cut = [line.split(b"\r") for line in data.split(b"\n") if b"\r" in line]
    pieces = [piece for line in cut for piece in line if piece.strip()]
    return n > 0 and 2 * sum(piece.count(mark) >= n for piece in pieces) > len(pieces)


def _read_bytes(name: str) -> bytes:
    try:
        return paths.read_bytes(name)
    except FileNotFoundError as error:
        raise DataError(f"{name} does not exist: check the path") from error
    except IsADirectoryError as error:
        raise DataError(f"{name} is a folder: give one CSV or Parquet file") from error
    except OSError as error:
        raise DataError(f"{name} is not readable: {error.strerror or error}") from error


def _most_unpacked(data: bytes) -> int:
    return max(MOST_UNPACKED * len(data), SMALL_UNPACKED)


def _gunzip(name: str, data: bytes) -> bytes:
    most = _most_unpacked(data)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            content = packed.read(most + 1)
        if len(content) > most:
            raise DataError(
                f"{name} unpacks to more than {MOST_UNPACKED} times its size, which no file of "
                "bulletins does: fetch it again, or unpack it and give the CSV file"
            )
        return content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{name} is a truncated or damaged gzip file ({len(data)} bytes): fetch it again"
        ) from error


def _refuse_foreign(name: str, data: bytes) -> None:
    for magic, kind in _FOREIGN:
        if data.startswith(magic):
            raise DataError(f"{name} is {kind}: expected {_EXPECTED}")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    sample = data[:_SAMPLE]
    controls = sum(n for b, n in Counter(sample).items() if b < 32 and b not in _TEXT_CONTROLS)
    if controls > 8 + 0.05 * len(sample):
        raise DataError(f"{name} is a binary file: expected {_EXPECTED}")


def _first_line(name: str, body: bytes, stated: str = "") -> tuple[str, str, int]:
    """The header line, the separator (`stated` or found), and where the next line starts."""
    start = len(body) - len(body.lstrip(b"\n"))
    end = body.find(b"\n", start)
    end = len(body) if end < 0 else end
    first = body[start:end].decode("utf-8")
    sample = body[end + 1 : end + 1 + _SAMPLE].decode("utf-8", "ignore").split("\n")[:200]
    return first, stated or _separator(name, first, sample), min(end + 1, len(body))


def _separator(name: str, first: str, sample: Sequence[str]) -> str:
    """The separator whose number per line is the steadiest, then the most frequent."""
    lines = [line for line in sample[:-1] or sample if line]
    scores = []
    for separator in SEPARATORS:
        width = len(split_record(first, separator)[0])
        if width > 1:
            alike = sum(len(split_record(line, separator)[0]) == width for line in lines)
            steady = alike / len(lines) if lines else 1.0
            scores.append((steady >= 0.5, width, separator))
    if not scores:
        return SEPARATORS[0]
    scores.sort(reverse=True)
    if len(scores) > 1 and scores[0][:2] == scores[1][:2]:
        raise LayoutError(
            f"{name}: the separator cannot be told, {scores[0][2]!r} and {scores[1][2]!r} part "
            f"the first line alike; write the file with one of ; , tab |"
        )
    return scores[0][2]


def _refuse_twice(name: str, header: Sequence[str]) -> None:
    twice = sorted(h for h, n in Counter(header).items() if n > 1 and h)
    if twice:
        raise LayoutError(
            f"{name}: {len(twice)} column name(s) stand twice in the first line, expected each "
            "once; rename one of each (or add the header line, if the file has none)"
        )


def _open_parquet(name: str, data: bytes) -> Source:
    try:
        parquet = pq.ParquetFile(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{name} is a truncated or damaged Parquet file ({len(data)} bytes): fetch it again"
        ) from error
    if parquet.metadata.num_rows > MOST_ROWS * len(data):
        raise DataError(
            f"{name} tells of {parquet.metadata.num_rows} rows in {len(data)} bytes, too many for "
            "rows that differ: it is damaged, or no file of bulletins"
        )
    header = tuple(parquet.schema_arrow.names)
    _refuse_twice(name, header)
    return Source(name=name, header=header, parquet=parquet)


def _parquet_columns(
    name: str, parquet: pq.ParquetFile, positions: Sequence[int]
) -> list[pa.ChunkedArray]:
    names = parquet.schema_arrow.names
    try:
        table = parquet.read(columns=[names[p] for p in positions])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name} is a damaged Parquet file: fetch it again") from error
    for field_name in table.column_names:
        try:
            table.column(field_name).validate(full=True)
        except pa.ArrowInvalid:
            # What Arrow says quotes the text, which may be a bulletin's: it is not kept.
            raise DataError(
                f"{name}: column {field_name} holds text that is not UTF-8; write the file again "
                "from its source with UTF-8 text"
            ) from None
    return [table.column(names[p]) for p in positions]
