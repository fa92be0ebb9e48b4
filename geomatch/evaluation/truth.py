"""Truth files: which establishment each bulletin really names."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from geomatch.bulletins import DATE, open_source
from geomatch.bulletins.clean import clean_column
from geomatch.core.errors import DataError, LayoutError
from geomatch.core.paths import Location
from geomatch.core.text import normalise

TRUTH_COLUMNS = ("id", "siret", "naf", "siren")
#: Names the four columns go by, normalised, the surest first.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("ID", "CABBI", "IDENTIFIANT", "ID BULLETIN"),
    "siret": ("SIRET", "SIRET VRAI", "TRUE SIRET", "SIRET DEC", "SIRET FINAL"),
    "naf": ("NAF", "APE", "CODE NAF", "CODE APE", "NAF VRAI"),
    "siren": ("SIREN",),
}
_WIDTHS = {"siret": 14, "siren": 9}


def read_truth(path: Location) -> pd.DataFrame:
    """Read a truth file (CSV with any separator, plain or gzip, Parquet, .xlsx or .ods).

    Returns
    -------
    DataFrame
        ``id``, ``siret`` (``""``: the establishment is not in the register), ``naf`` and
        ``siren`` (``""`` when unknown), then the file's other columns, which serve as strata.

    Raises
    ------
    LayoutError
        No identifier or no SIRET column.
    DataError
        The file is unreadable, an identifier is absent or stands twice, a SIRET is not 14
        digits.
    """
    source = open_source(path)
    by_name = {normalise(h): i for i, h in reversed(list(enumerate(source.header)))}
    found = {
        column: next((by_name[n] for n in names if n in by_name), -1)
        for column, names in _NAMES.items()
    }
    missing = [column for column in ("id", "siret") if found[column] < 0]
    if missing:
        raise LayoutError(
            f"{source.name}: no column {' nor '.join(missing)}; expected a truth file "
            f"CABBI;SIRET;… or id;siret;…, got {len(source.header)} column(s)"
        )
    arrays, ragged = source.columns(range(len(source.header)))
    ragged = {row: reason for row, reason in ragged.items() if reason != DATE}
    if ragged:
        raise DataError(
            f"{source.name}: {len(ragged)} row(s) have not {len(source.header)} fields; "
            "mend the file"
        )
    if not len(arrays[0]):
        raise DataError(
            f"{source.name} has a header but no row; expected one row per coded bulletin"
        )
    at = {p: column for column, p in found.items() if p >= 0}
    columns = {
        at.get(p, source.header[p]): clean_column(a, width=_WIDTHS.get(at.get(p, ""), 0)).values
        for p, a in enumerate(arrays)
        if source.header[p]
    }
    return check_truth(pd.DataFrame(columns), what=source.name)


def check_truth(frame: pd.DataFrame, *, what: str = "truth") -> pd.DataFrame:
    """A truth table in memory, completed and checked; see :func:`read_truth`."""
    missing = [c for c in ("id", "siret") if c not in frame.columns]
    if missing:
        raise DataError(f"{what}: column(s) {', '.join(missing)} missing")
    columns = {c: _text(frame[c]) for c in frame.columns if c in TRUTH_COLUMNS}
    siret = columns["siret"]
    # Blanks within are taken out of the few that may have some: on all of them it is dear.
    is_odd = siret.str.len() != _WIDTHS["siret"]
    siret = siret.mask(is_odd, siret[is_odd].str.replace(r"\s", "", regex=True))
    _refuse(siret[(siret != "") & ~siret.str.fullmatch(r"\d{14}")], f"{what}: SIRET not 14 digits")
    _refuse(columns["id"][columns["id"] == ""], f"{what}: row(s) without identifier")
    _refuse(columns["id"][columns["id"].duplicated()], f"{what}: identifier(s) that stand twice")
    out = pd.DataFrame({"id": columns["id"], "siret": siret})
    out["naf"] = columns.get("naf", "")
    siren = columns.get("siren", pd.Series("", index=frame.index, dtype=object))
    out["siren"] = siren.where(siren != "", siret.str[:9])
    others = frame[[c for c in frame.columns if c not in TRUTH_COLUMNS]]
    return pd.concat([out, others], axis=1).reset_index(drop=True)


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "").astype(str).str.strip()


def _refuse(rows: pd.Series, what: str) -> None:
    if len(rows):
        raise DataError(f"{what}: {len(rows)} row(s); mend the table (leading zeros lost?)")
