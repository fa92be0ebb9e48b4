"""What official columns hold, and how a spreadsheet's damage to them is undone, in SQL.

A program that takes codes for numbers writes ``1901`` or ``1901.0`` for ``01901`` and ``6,5``
for ``6.5``; people write ``="01901"`` or ``'01901`` to keep it from doing so; dates become
``15/12/2015``. None of these is another value, so all are read as what they were. What cannot be
known again (``5,41022E+11``) stays as it is, and the reader that needs it refuses the row.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from gazetteer.engine import quoted, run

#: Kind of a column → the columns of all layouts that are of it; all others are plain text.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code5": (
        "code_insee", "code_insee_ancienne_commune", "code_postal", "code_commune_insee",
        "codeCommuneEtablissement", "codePostalEtablissement", "com", "comparent", "com_av",
        "com_ap", "plg_code_commune", "nicSiegeUniteLegale",
    ),
    "code2": ("dep", "trancheEffectifsEtablissement"),
    "siret": ("siret",),
    "siren": ("siren",),
    "whole": (
        "numero", "numeroVoieEtablissement", "dernierNumeroVoieEtablissement", "mod",
        "categorieJuridiqueUniteLegale", "qualite_xy", "epsg", "certification_commune",
        "etablissementSiege",
    ),
    "decimal": ("x", "y", "lon", "lat", "distance_precision"),
    "date": ("dateCreationEtablissement", "dateDebut", "dateFin", "date_eff"),
}  # fmt: skip
#: Column → its kind.
KINDS: Mapping[str, str] = {column: kind for kind, names in _COLUMNS.items() for column in names}

#: Signs that spreadsheets put around a code, and blanks of all sorts.
_AROUND = " =\"'\t\u00a0\u202f"
#: Each macro takes the trimmed text of a value and whether its column is of numbers. The usual
#: value goes through a cheap test first: most files have nothing to undo.
_MACROS: Mapping[str, str] = {
    # bare digits and letters: no quotes, blanks, nor the tail of a number that was a code
    "bare(t)": (
        f"regexp_replace(regexp_replace(trim(t, {quoted(_AROUND)}), '[\\s\u00a0\u202f]', '', 'g'), "
        "'^([0-9]+)[.,]0+$', '\\1')"
    ),
    "known(t)": "nullif(nullif(t, ''), 'nan')",
    "filled(t, n)": "CASE WHEN length(t) = n - 1 AND regexp_full_match(t, '[0-9]+') "
    "THEN '0' || t ELSE known(t) END",
    "is_plain(t)": "regexp_full_match(t, '[0-9A-Z]+')",
    # sum of digits, every second one from the right doubled: a multiple of 10 in a true number
    "luhn(t)": "list_sum([CASE WHEN (length(t) - i) % 2 = 0 THEN t[i]::INT "
    "ELSE (2 * t[i]::INT) // 10 + (2 * t[i]::INT) % 10 END FOR i IN range(1, length(t) + 1)]) "
    "% 10 = 0",
    # a column of numbers has lost its zeros for sure; text only if what results is a number's own
    "identifier(t, n, is_number)": "CASE WHEN length(t) < n AND regexp_full_match(t, '[0-9]+') "
    "AND (is_number OR (length(t) >= n - 3 AND luhn(t))) THEN lpad(t, n, '0') ELSE known(t) END",
    "as_code5(t, is_number)": "CASE WHEN length(t) = 5 AND is_plain(t) THEN t "
    "ELSE filled(bare(t), 5) END",
    "as_code2(t, is_number)": "CASE WHEN length(t) = 2 THEN t ELSE filled(bare(t), 2) END",
    "as_siret(t, is_number)": "CASE WHEN length(t) = 14 AND is_plain(t) THEN t "
    "ELSE identifier(bare(t), 14, is_number) END",
    "as_siren(t, is_number)": "CASE WHEN length(t) = 9 AND is_plain(t) THEN t "
    "ELSE identifier(bare(t), 9, is_number) END",
    "as_whole(t, is_number)": "CASE WHEN is_plain(t) THEN t ELSE known(bare(t)) END",
    "as_decimal(t, is_number)": "CASE WHEN contains(t, ',') OR contains(t, '\u00a0') "
    "THEN replace(bare(t), ',', '.') ELSE t END",
    "as_date(t, is_number)": "CASE WHEN length(t) = 10 AND t[3] = '/' AND t[6] = '/' "
    "THEN t[7:10] || '-' || t[4:5] || '-' || t[1:2] ELSE left(t, 10) END",
}
_NUMBERS = "('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', "
_NUMBERS += "'UBIGINT', 'HUGEINT', 'FLOAT', 'DOUBLE')"


def define_field_macros(con: duckdb.DuckDBPyConnection) -> None:
    """SQL functions ``as_code5``, ``as_siret`` … that :func:`mended` uses."""
    for head, body in _MACROS.items():
        run(con, f"CREATE OR REPLACE MACRO {head} AS {body}")


def mended(column: str, text: str, field: str) -> str:
    """A column's value in SQL, what a spreadsheet did to it undone.

    `column` is the project's name of the column, `text` its trimmed text and `field` the column
    itself, in SQL. Columns of plain text are left as they are.
    """
    kind = KINDS.get(column)
    if kind is None:
        return text
    return f"as_{kind}({text}, typeof({field}) IN {_NUMBERS})"
