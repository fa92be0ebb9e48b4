"""Raw columns in, the bulletins table out: cleaning, occupations, reasons for bad rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows
from geomatch.bulletins.clean import Cleaned, clean_column
from geomatch.bulletins.files import open_source
from geomatch.bulletins.layouts import Layout, names_rows, recognise
from geomatch.bulletins.records import TOO_FEW, TOO_MANY
from geomatch.bulletins.workbooks import DATE
from geomatch.core.config import BulletinOptions
from geomatch.core.errors import LayoutError
from geomatch.core.paths import Location
from geomatch.core.schema import BULLETINS, text_array

EMPTY_ID = "identifiant vide"
DUPLICATE_ID = "identifiant en double"
CONTROLS = "caractères de contrôle remplacés"
#: Every reason ``probleme`` may hold, several parted by ``"; "`` in this order.
PROBLEMS = (EMPTY_ID, DUPLICATE_ID, TOO_FEW, TOO_MANY, DATE, CONTROLS)

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+)?|\d\d:\d\d:[\d.]+")
#: TYPCOL, or what a free file says, → how the bulletin was collected.
_COLLECTED = {"1": "web", "0": "paper", "web": "web", "internet": "web"} | dict.fromkeys(
    ("paper", "papier"), "paper"
)
#: Codes that are changed when a program takes them for numbers, with the signs they have; 1: any.
_CODE_WIDTHS = {
    "departement": 2,
    "lieu_travail": 1,
    "lieu_variable": 1,
    "collecte": 1,
    "numero": 1,
    "code_postal": 5,
    "code_commune_declaree": 5,
    "code_commune_residence": 5,
    "siret_mca": 14,
    "siret_gestionnaire": 14,
    "siret_final": 14,
}


def read_bulletins(
    path: Location,
    options: BulletinOptions | None = None,
    *,
    only: Collection[str] | None = None,
) -> pd.DataFrame:
    """Read a bulletins file.

    Parameters
    ----------
    path
        CSV (``;``, ``,``, tab or ``|``; UTF-8 or Latin-1; plain or gzip), Parquet, .xlsx or .ods.
    options
        Layout and column mapping; None: everything is recognised.
    only
        Identifiers of the bulletins to read, None for all.

    Returns
    -------
    DataFrame
        Table :data:`geomatch.core.schema.BULLETINS`, one row per record, in the order of the file.
        A file with only a header gives no rows.

    Raises
    ------
    DataError
        The file is missing, empty, truncated or binary.
    LayoutError
        Its columns are not usable; all that is wrong with them in one message.
    """
    source = open_source(path)
    layout = recognise(source.header, options or BulletinOptions(), source=source.name)
    positions = sorted(set(layout.columns.values()))
    arrays, ragged = source.columns(positions)
    columns = dict(zip(positions, arrays, strict=True))
    if only is None:
        return _assemble(columns, layout, ragged).frame()
    ids = pd.Series(clean_column(columns[layout.columns["id"]]).values, dtype=object)
    rows = np.flatnonzero(ids.isin(set(only)))
    chosen = {p: a.take(pa.array(rows)) for p, a in columns.items()}
    # All rows of an identifier are there, so that the doubles among them are told as ever.
    torn = {i: ragged[row] for i, row in enumerate(rows.tolist()) if row in ragged}
    return _assemble(chosen, layout, torn).plus(source_row=rows).frame()


def standardise(frame: pd.DataFrame, options: BulletinOptions | None = None) -> pd.DataFrame:
    """Bring bulletins that are already in memory to the bulletins table.

    `frame` may have any columns :func:`read_bulletins` recognises, text or numbers; it is not
    changed. A frame that already is a bulletins table is returned conformed, with its
    ``source_row`` and ``probleme`` kept.

    Raises
    ------
    LayoutError
        As for :func:`read_bulletins`.
    """
    return standard_rows(frame, options).frame()


def standard_rows(frame: pd.DataFrame, options: BulletinOptions | None = None) -> Rows:
    """:func:`standardise` as arrays: for one bulletin, the DataFrame costs as much as reading.

    A table in memory without a column of identifiers has its rows numbered from 1; a file must
    have one, for its results are read without it.
    """
    if set(BULLETINS.names) <= set(frame.columns):
        conformed = BULLETINS.conform(frame)
        typed = {
            c: text_array(conformed[c]) if kind == "text" else conformed[c].to_numpy()
            for c, (kind, _) in BULLETINS.columns.items()
        }
        return Rows(typed, len(frame))
    options = options or BulletinOptions()
    header = [str(c) for c in frame.columns]
    if not names_rows(header, options):
        header.append("id")
    layout = recognise(header, options, source="bulletins")
    wanted = {*layout.columns.values()}
    columns = {p: c.tolist() for p, (_, c) in enumerate(frame.items()) if p in wanted}
    if len(header) > frame.shape[1]:
        columns[frame.shape[1]] = [str(n) for n in range(1, len(frame) + 1)]
    return _assemble(columns, layout, {})


def read_strata(
    path: Location, columns: Sequence[str], options: BulletinOptions | None = None
) -> pd.DataFrame:
    """Read other columns of a bulletins file, to break results down by them.

    Returns
    -------
    DataFrame
        ``id`` and `columns`, as in the file, in its order.

    Raises
    ------
    LayoutError
        Columns that the file does not have, all in one message.
    """
    source = open_source(path)
    layout = recognise(source.header, options or BulletinOptions(), source=source.name)
    missing = [c for c in columns if c not in source.header]
    if missing:
        raise LayoutError(
            f"{source.name}: column(s) {', '.join(missing)} not found; "
            f"the file has {', '.join(source.header)}"
        )
    wanted = [layout.columns["id"], *(source.header.index(c) for c in columns)]
    positions = sorted(set(wanted))
    arrays, _ = source.columns(positions)
    texts = {p: clean_column(a).values for p, a in zip(positions, arrays, strict=True)}
    return pd.DataFrame(dict(zip(["id", *columns], (texts[p] for p in wanted), strict=True)))


def _assemble(
    columns: Mapping[int, pa.ChunkedArray | list[object]],
    layout: Layout,
    ragged: Mapping[int, str],
) -> Rows:
    n = len(next(iter(columns.values())))
    raw: dict[str, Cleaned] = {
        name: clean_column(columns[p], width=_CODE_WIDTHS.get(name, 0))
        for name, p in layout.columns.items()
    }
    texts = {name: cleaned.values for name, cleaned in raw.items()}
    _without_dates(texts, [row for row, reason in ragged.items() if reason == DATE])
    has_controls = np.zeros(n, dtype=bool)
    for cleaned in raw.values():
        has_controls |= cleaned.had_controls
    profession, is_salarie = _occupation(texts, n)
    said = texts.get("collecte", _blank(n)).tolist()
    mode = {s: _COLLECTED.get(s.lower(), "") for s in set(said)}
    made = texts | {
        "source_row": np.arange(n),
        "profession": profession,
        "is_salarie": is_salarie,
        "mode_collecte": np.array([mode[s] for s in said], dtype=object),
        "probleme": _problems(texts["id"], ragged, has_controls),
    }
    blank = _blank(n)
    return Rows({name: made.get(name, blank) for name in BULLETINS.names}, n)


def _without_dates(texts: Mapping[str, NDArray[np.object_]], rows: Sequence[int]) -> None:
    """Empty the dates of these rows, in place: a house number 10-12 would be the year 2024's."""
    for name, values in texts.items():
        for row in rows if name != "id" else ():
            if _ISO_DATE.fullmatch(values[row]):
                values[row] = ""


def _blank(n: int) -> NDArray[np.object_]:
    return np.full(n, "", dtype=object)


def _occupation(
    texts: Mapping[str, NDArray[np.object_]], n: int
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Occupation as an employee, else self-employed, else previous; whether an employee's."""
    given = [
        texts.get(name, _blank(n))
        for name in (
            "profession",
            "profession_salarie",
            "profession_independant",
            "profession_anterieure",
        )
    ]
    profession = given[0]
    for other in given[1:]:
        profession = np.where(profession == "", other, profession)
    is_independant = (given[0] == "") & (given[1] == "") & (given[2] != "")
    return profession, ~is_independant.astype(bool)


def _problems(
    ids: NDArray[np.object_], ragged: Mapping[int, str], has_controls: NDArray[np.bool_]
) -> NDArray[np.object_]:
    is_empty = (ids == "").astype(bool)
    is_twice = pd.Series(ids, dtype=object).duplicated().to_numpy() & ~is_empty
    flags = {EMPTY_ID: is_empty, DUPLICATE_ID: is_twice}
    for reason in (TOO_FEW, TOO_MANY, DATE):
        flags[reason] = np.zeros(len(ids), dtype=bool)
        flags[reason][[row for row, problem in ragged.items() if problem == reason]] = True
    flags[CONTROLS] = has_controls
    out = _blank(len(ids))
    for reason in PROBLEMS:
        at = np.flatnonzero(flags[reason])
        out[at] = [f"{out[i]}; {reason}" if out[i] else reason for i in at]
    return out
