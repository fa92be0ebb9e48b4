"""Spreadsheets (.xlsx, .ods) as columns: the one sheet that is filled in.

A spreadsheet is no plain table: numbers have lost the zeros before them (codes are mended by
:mod:`~geomatch.bulletins.codes`), texts such as ``10-12`` have become dates, long numbers have lost
their last digits, and a file has several sheets. What cannot be read surely is told or refused.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.core.errors import ConfigError, DataError, LayoutError

DATE = "date à la place d'un texte"
#: A file of a workbook's zip → the kind of workbook that it tells of.
_KINDS = {"xl/workbook.xml": "xlsx", "content.xml": "ods"}
#: Spreadsheets keep this many digits of a number; the others have become zeros.
_DIGITS = 15
#: Cells that a spreadsheet has read as a moment.
_MOMENTS = (date, time, timedelta)
_NEEDED = (
    "{name} is a spreadsheet, which needs python-calamine: pip install "
    "'geomatch-sirene[tableur]', or save the sheet as CSV (UTF-8) and give that file"
)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook.

    Attributes
    ----------
    header : names of the columns, without blanks around them
    rows : cells of each row that is not blank, as many as the header has
    lines : number of each of these rows in the sheet, from 1
    """

    header: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    lines: NDArray[np.int64]

    def columns(self, positions: Sequence[int]) -> tuple[list[pa.ChunkedArray], dict[int, str]]:
        """Text of the columns at `positions`; row from 0 → :data:`DATE` where one has a date.

        A date is written ``2024-12-31``.
        """
        found = [
            pa.array([_text(row[p]) for row in self.rows], pa.large_string()) for p in positions
        ]
        dated = {
            i: DATE
            for i, row in enumerate(self.rows)
            if any(isinstance(row[p], _MOMENTS) for p in positions)
        }
        return [pa.chunked_array([c]) for c in found], dated


def is_workbook(data: bytes) -> bool:
    """Whether these bytes are a spreadsheet of one of the kinds that are read."""
    return bool(_names(data) & {*_KINDS})


def read_workbook(name: str, data: bytes, *, most: int) -> Sheet:
    """Read the only filled sheet of a workbook.

    Parameters
    ----------
    name : what the file is called in messages
    data : its bytes
    most : more bytes than this are not unpacked

    Raises
    ------
    ConfigError
        The library that reads spreadsheets is not installed.
    DataError
        The workbook is damaged, locked by a password, empty, or unpacks to more than `most`.
    LayoutError
        Several sheets are filled in, or a column holds numbers that have lost digits.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise ConfigError(_NEEDED.format(name=name)) from error
    if sum(one.file_size for one in zipfile.ZipFile(io.BytesIO(data)).infolist()) > most:
        raise DataError(
            f"{name} unpacks to more than {most} bytes, which no file of bulletins does: save the "
            "sheet as CSV and give that file"
        )
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = {
            s: book.get_sheet_by_name(s).to_python(skip_empty_area=False) for s in book.sheet_names
        }
    except (CalamineError, OSError, ValueError) as error:
        # What the library says may quote a cell.
        raise DataError(
            f"{name} is a damaged spreadsheet, or one with a password: open it, save the sheet as "
            "CSV (UTF-8) and give that file"
        ) from error
    filled = {s: rows for s, rows in sheets.items() if any(map(_is_filled, rows))}
    if not filled:
        raise DataError(f"{name} is empty: expected a header line and one line per bulletin")
    if len(filled) > 1:
        raise LayoutError(
            f"{name} has {len(filled)} sheets that are filled in ({', '.join(filled)}), expected "
            "one: delete the others, or save the one that is meant as CSV"
        )
    return _sheet(name, next(iter(filled.values())))


def _sheet(name: str, cells: Sequence[Sequence[object]]) -> Sheet:
    kept = [i for i, row in enumerate(cells) if _is_filled(row)]
    first, *others = kept
    header = [_text(v).strip() for v in cells[first]]
    width = max((i + 1 for i, h in enumerate(header) if h), default=0)
    used = max(i + 1 for row in cells for i, v in enumerate(row) if v not in ("", None))
    header = header[: max(width, used)]
    rows = [cells[i][: len(header)] for i in others]
    _refuse_lost_digits(name, rows)
    return Sheet(tuple(header), rows, np.array(others, dtype=np.int64) + 1)


def _refuse_lost_digits(name: str, rows: Sequence[Sequence[object]]) -> None:
    """Raise :class:`LayoutError` where a long identifier was kept as a number."""
    lost = [
        place
        for place, column in enumerate(zip(*rows, strict=True), start=1)
        if any(_is_number(v) and abs(v) >= 10**_DIGITS for v in column)
    ]
    if lost:
        which = ", ".join(map(_letters, lost))
        raise LayoutError(
            f"{name}: column(s) {which} hold numbers of more than {_DIGITS} digits, of which a "
            "spreadsheet keeps no more; format the column as text before its values are pasted, "
            "or give the CSV file that the sheet was made of"
        )


def _letters(place: int) -> str:
    """Number of a column from 1 → what spreadsheets call it: ``A``, ``AB``."""
    told = ""
    while place:
        place, sign = divmod(place - 1, 26)
        told = chr(ord("A") + sign) + told
    return told


def _names(data: bytes) -> set[str]:
    try:
        return {*zipfile.ZipFile(io.BytesIO(data)).namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return set()


def _is_filled(row: Sequence[object]) -> bool:
    return any(v is not None and str(v).strip() for v in row)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: object) -> str:
    """A cell as text: ``35000.0`` is ``35000``, a day ``2024-12-31``."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and (value.hour, value.minute, value.second) == (0, 0, 0):
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
