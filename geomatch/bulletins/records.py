r"""Records of a delimited text, ragged rows and stray quotes included.

The whole body is given to Arrow first. When every physical line turns out to be one record of
the right width, that is the answer. Otherwise the lines are sorted into regular ones, which
Arrow reads in bulk without quotes, and the few others, which are looked at one by one:
a quote that opens a field and is not closed where it should be is a character like another
(``"CHEZ PAUL``), not the beginning of a field that swallows the following bulletins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from geomatch.core.errors import DataError

TOO_FEW = "champs manquants"
TOO_MANY = "champs en trop"
#: A quoted field may hold this many line breaks; beyond, its quote is a stray one.
MAX_LINES = 50
#: Lines longer than this are kept from Arrow, whose blocks they would not fit.
_LONG_LINE = 1 << 20
_BLOCK = 1 << 24


class Records(NamedTuple):
    """What a text was read as.

    Attributes
    ----------
    table : one row per record
    problems : row number from 0 → :data:`TOO_FEW` or :data:`TOO_MANY`
    lines : of each record, the physical line from 0 that it begins on
    """

    table: pa.Table
    problems: dict[int, str]
    lines: NDArray[np.int64]


def read_records(body: bytes, separator: str, *, width: int, positions: Sequence[int]) -> Records:
    r"""Columns at `positions` of a UTF-8 text without header.

    Parameters
    ----------
    body
        Lines ended by ``\n``. Blank lines are no records.
    width
        Number of fields a record has.

    Returns
    -------
    Records
        ``table`` has ``len(positions)`` text columns, in the order of the text. Absent fields are
        ``""``, fields in excess are left out. Every line that is not blank is in one record.
    """
    ends, is_blank = _lines(body)
    n_lines = int((~is_blank).sum())
    if n_lines == 0:
        return Records(_table([], positions), {}, np.zeros(0, np.int64))
    shape = _Shape(separator, width, tuple(positions))
    if width > 1:
        table = _arrow(body, shape, is_quoted=b'"' in body)
        # A blank line inside quotes would make up for a line that was swallowed.
        may_hide = is_blank.any() and b'"' in body
        if table is not None and table.num_rows == n_lines and not may_hide:
            return Records(table, {}, np.flatnonzero(~is_blank))
    return _careful(body, ends, is_blank, shape)


def split_record(line: str, separator: str) -> tuple[list[str], bool]:
    """Fields of one record, quotes undone, and whether the last quote is closed."""
    if '"' not in line:
        return line.split(separator), True
    fields: list[str] = []
    start, n = 0, len(line)
    while True:
        if start < n and line[start] == '"':
            value, start, is_closed = _quoted(line, start + 1, separator)
            fields.append(value)
            if not is_closed:
                return fields, False
        else:
            end = line.find(separator, start)
            end = n if end < 0 else end
            fields.append(line[start:end])
            start = end
        if start >= n:
            return fields, True
        start += 1


def _quoted(line: str, start: int, separator: str) -> tuple[str, int, bool]:
    """Value of a field whose quote is already open, where it ends, whether it was closed."""
    parts: list[str] = []
    while True:
        end = line.find('"', start)
        if end < 0:
            return "".join([*parts, line[start:]]), len(line), False
        parts.append(line[start:end])
        if line[end + 1 : end + 2] != '"':
            break
        parts.append('"')
        start = end + 2
    stop = line.find(separator, end + 1)
    stop = len(line) if stop < 0 else stop
    parts.append(line[end + 1 : stop])
    return "".join(parts), stop, True


@dataclass(frozen=True)
class _Shape:
    separator: str
    width: int
    positions: tuple[int, ...]


@dataclass
class _Odd:
    """Records read one by one: first line, lines used, fields and problem of each."""

    lines: list[int] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _lines(body: bytes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """End of each physical line (without its break), and which are blank."""
    buffer = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(buffer == 10)
    if len(buffer) and buffer[-1] != 10:
        ends = np.append(ends, len(buffer))
    return ends, np.diff(ends, prepend=-1) == 1


def _arrow(body: bytes, shape: _Shape, *, is_quoted: bool) -> pa.Table | None:
    """All records, or None when one has another width or does not fit a block."""
    names = [f"f{i}" for i in range(shape.width)]
    kept = [names[p] for p in shape.positions]
    try:
        return pa_csv.read_csv(
            pa.BufferReader(body),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pa_csv.ParseOptions(
                delimiter=shape.separator,
                quote_char='"' if is_quoted else False,
                newlines_in_values=is_quoted,
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=kept,
                column_types=dict.fromkeys(kept, pa.large_string()),
                strings_can_be_null=False,
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return None


def _careful(
    body: bytes, ends: NDArray[np.int64], is_blank: NDArray[np.bool_], shape: _Shape
) -> Records:
    starts = np.concatenate(([0], ends[:-1] + 1))
    is_odd = _is_odd(body, ends, shape) & ~is_blank
    odd = _read_odd(body, starts, ends, is_odd, shape)
    is_regular = ~is_odd & ~is_blank
    regular = _read_regular(body, starts, ends, is_regular, shape)
    line_of = np.concatenate([np.flatnonzero(is_regular), np.array(odd.lines, np.int64)])
    told = len(regular) + sum(odd.used)
    if told != np.count_nonzero(is_regular | is_odd) or len(regular) != is_regular.sum():
        raise DataError(
            f"{len(ends)} lines were read as {told}: nothing was done with them; please report it"
        )
    order = np.argsort(line_of, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    table = pa.concat_tables([regular, _table(odd.rows, shape.positions)])
    problems = {
        int(rank[regular.num_rows + i]): problem
        for i, problem in enumerate(odd.problems)
        if problem
    }
    return Records(table.take(pa.array(order)), problems, line_of[order])


def _is_odd(body: bytes, ends: NDArray[np.int64], shape: _Shape) -> NDArray[np.bool_]:
    """Lines with a quote, with another number of separators than they should, or very long."""
    buffer = np.frombuffer(body, np.uint8)
    marks = np.flatnonzero(buffer == ord(shape.separator))
    upto = np.searchsorted(marks, ends)
    n_marks = np.diff(upto, prepend=0)
    quotes = np.flatnonzero(buffer == ord('"'))
    n_quotes = np.diff(np.searchsorted(quotes, ends), prepend=0)
    length = np.diff(ends, prepend=-1)
    is_odd: NDArray[np.bool_] = (
        (n_marks != shape.width - 1) | (n_quotes > 0) | (length > _LONG_LINE)
    )
    return is_odd


def _read_regular(
    body: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    is_regular: NDArray[np.bool_],
    shape: _Shape,
) -> pa.Table:
    """The regular lines in bulk: their runs are glued together and read without quotes."""
    if not is_regular.any():
        return _table([], shape.positions)
    edges = np.diff(np.concatenate(([0], is_regular.astype(np.int8), [0])))
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    view = memoryview(body)
    runs = [view[starts[a] : ends[b]] for a, b in zip(first, last, strict=True)]
    if shape.width == 1:
        lines = b"\n".join(runs).decode("utf-8").split("\n")
        return _table([[line] for line in lines], shape.positions)
    table = _arrow(b"\n".join(runs), shape, is_quoted=False)
    if table is None:
        raise DataError("regular lines were not read one record each; please report it")
    return table


def _read_odd(
    body: bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    is_odd: NDArray[np.bool_],
    shape: _Shape,
) -> _Odd:
    """The other lines one by one; a record may run over several of them."""
    odd = _Odd()
    wanted = np.flatnonzero(is_odd)
    done = -1
    for i in wanted.tolist():
        if i <= done:
            continue
        texts = _Texts(body, starts, ends, i)
        fields, used = _record(texts, shape)
        done = i + used - 1
        is_odd[i : done + 1] = True
        fields, problem = _fitted(fields, shape.width)
        odd.lines.append(i)
        odd.used.append(used)
        odd.rows.append(fields)
        odd.problems.append(problem)
    return odd


@dataclass(frozen=True)
class _Texts:
    """Physical lines from one on."""

    body: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    first: int

    def line(self, offset: int) -> str | None:
        i = self.first + offset
        if i >= len(self.ends):
            return None
        return self.body[self.starts[i] : self.ends[i]].decode("utf-8")


def _record(texts: _Texts, shape: _Shape) -> tuple[list[str], int]:
    """Fields of the record that starts here, and how many lines it takes."""
    line = texts.line(0) or ""
    fields, is_closed = split_record(line, shape.separator)
    if is_closed:
        if (
            len(fields) != shape.width
            and len(literal := line.split(shape.separator)) == shape.width
        ):
            return literal, 1
        return fields, 1
    joined = line
    # Lines that have all their fields by themselves are records with a stray quote each.
    all_alone = _is_literal(line, shape)
    for offset in range(1, MAX_LINES + 1):
        following = texts.line(offset)
        if following is None or _is_record(following, shape):
            break
        joined += "\n" + following
        all_alone = all_alone and _is_literal(following, shape)
        if '"' in following and not all_alone and _closes_well(joined, shape.separator):
            fields, is_closed = split_record(joined, shape.separator)
            if is_closed and len(fields) == shape.width:
                return fields, offset + 1
    return line.split(shape.separator), 1


def _is_literal(line: str, shape: _Shape) -> bool:
    """Whether a line has all its fields when quotes are characters like others."""
    return line.count(shape.separator) == shape.width - 1


def _closes_well(text: str, separator: str) -> bool:
    """Whether every quote that opens a field is closed right before a separator or the end.

    In ``"CHEZ PAUL`` over ``"CHEZ PAUL`` the second quote is followed by a letter: it does not
    close the field that the first opened, and both lines are records of their own.
    """
    inside, i = False, 0
    while i < len(text):
        if text[i] == '"':
            if not inside:
                inside = i == 0 or text[i - 1] == separator
            elif text[i + 1 : i + 2] == '"':
                i += 1
            elif i + 1 == len(text) or text[i + 1] == separator:
                inside = False
            else:
                return False
        i += 1
    return not inside


def _is_record(line: str, shape: _Shape) -> bool:
    fields, is_closed = split_record(line, shape.separator)
    return is_closed and len(fields) == shape.width


def _fitted(fields: list[str], width: int) -> tuple[list[str], str]:
    """Exactly `width` fields, and what was wrong; empty fields in excess are nothing wrong."""
    if len(fields) < width:
        return fields + [""] * (width - len(fields)), TOO_FEW
    is_excess = any(value.strip() for value in fields[width:])
    return fields[:width], TOO_MANY if is_excess else ""


def _table(rows: Sequence[Sequence[str]], positions: Sequence[int]) -> pa.Table:
    columns = [pa.array([row[p] for row in rows], pa.large_string()) for p in positions]
    return pa.table(columns, names=[f"f{p}" for p in positions])
