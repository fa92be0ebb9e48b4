"""Activity labels, and what the words of register names say of the activity."""

from __future__ import annotations

import logging

import duckdb
import pandas as pd

from gazetteer.engine import frame, quoted, run
from gazetteer.fields import define_field_macros
from gazetteer.files import Source
from gazetteer.loading import Added, Loading
from gazetteer.reading import reading, select
from geomatch.core.schema import STORE_NAF

log = logging.getLogger(__name__)

#: Pairs (word, NAF) seen fewer times than this say nothing.
MIN_COUNT = 2
#: Commonest pairs kept.
MAX_PAIRS = 300_000
#: A label has a code of five signs: 84.11Z. No nomenclature has a division 00: Sirene writes
#: 00.00Z where it knows no activity.
_CODE = "^(0[1-9]|[1-9][0-9])[.][0-9]{2}[A-Z]$"


def load_labels(loading: Loading) -> Added:
    """The store's labels; without a file, the codes of the register without labels.

    Of files of both nomenclatures those of the one asked for.
    """
    labels = read_naf(loading.con, loading.of("naf"))
    if labels["nomenclature"].nunique() > 1:
        labels = labels[labels["nomenclature"] == loading.options.nomenclature]
    if not len(labels):
        log.warning("no file of NAF labels: the register's codes are stored without labels")
        labels = unlabelled_naf(loading.con, loading.register, loading.options.nomenclature)
    return [(STORE_NAF, labels)]


def read_naf(con: duckdb.DuckDBPyConnection, sources: list[Source]) -> pd.DataFrame:
    """The labels of the files given, sub-classes only; codes without their dot get it."""
    tables = []
    for source in sources:
        is_2025 = "2025" in (source.columns["code_naf"] + source.path.name + source.member)
        guess = quoted("NAF2025" if is_2025 else "NAFRev2")
        query = (
            "SELECT DISTINCT valid_naf(code_naf) AS naf, libelle, "
            f"coalesce(nomenclature, {guess}) AS nomenclature "
            f"FROM ({select(source, 'code_naf', 'libelle', 'nomenclature')}) "
            "WHERE libelle IS NOT NULL AND valid_naf(code_naf) IS NOT NULL ORDER BY 1"
        )
        with reading(source):
            tables.append(frame(con, query))
    return pd.concat(tables, ignore_index=True) if tables else STORE_NAF.empty()


def unlabelled_naf(
    con: duckdb.DuckDBPyConnection, register: str, nomenclature: str
) -> pd.DataFrame:
    """The codes of the register, with no label: what is stored when no label file was given."""
    query = (
        f"SELECT DISTINCT naf, '' AS libelle, {quoted(nomenclature)} AS nomenclature "
        f"FROM {register} WHERE naf <> '' ORDER BY 1"
    )
    return frame(con, query)


def naf_words(con: duckdb.DuckDBPyConnection, register: str) -> pd.DataFrame:
    """How often establishments whose names hold a word have an activity.

    A word counts once for an establishment, whatever number of its names hold it. Words of one
    letter and numbers are left out; so are pairs seen fewer than :data:`MIN_COUNT` times, and,
    beyond :data:`MAX_PAIRS`, the rarest.
    """
    query = f"""
        SELECT mot, naf, count(*) AS n FROM (
            SELECT naf, unnest(list_distinct(string_split(name_key(
                concat_ws(' ', denomination, denominations_usuelles, enseignes)), ' '))) AS mot
            FROM {register} WHERE naf <> '')
        WHERE length(mot) > 1 AND NOT regexp_full_match(mot, '[0-9]+')
        GROUP BY mot, naf HAVING count(*) >= {MIN_COUNT}
        ORDER BY n DESC, mot, naf LIMIT {MAX_PAIRS}
    """
    return frame(con, query).sort_values(["mot", "naf"], ignore_index=True)


def define_macros(con: duckdb.DuckDBPyConnection) -> None:
    """SQL functions the build uses: ``hypot2``, ``name_key``, ``valid_naf``, those of fields.

    ``name_key`` is :func:`geomatch.core.text.normalise` without the repair of doubly encoded text.
    ``valid_naf`` gives a code of five signs its dot, and NULL for anything else.
    """
    define_field_macros(con)
    run(con, "CREATE OR REPLACE MACRO hypot2(a, b) AS a * a + b * b")
    run(
        con,
        "CREATE OR REPLACE MACRO name_key(t) AS trim(regexp_replace(upper(strip_accents("
        "replace(replace(replace(replace(replace(replace(upper(t), 'Œ', 'OE'), 'Æ', 'AE'), "
        "'ß', 'SS'), '&', ' ET '), '’', ' '), 'Ø', 'O'))), '[^A-Z0-9]+', ' ', 'g'))",
    )
    run(
        con,
        "CREATE OR REPLACE MACRO dotted(c) AS "
        "regexp_replace(upper(c), '^([0-9][0-9])([0-9][0-9][A-Z])$', '\\1.\\2')",
    )
    run(
        con,
        "CREATE OR REPLACE MACRO valid_naf(c) AS "
        f"CASE WHEN regexp_full_match(dotted(c), {quoted(_CODE)}) THEN dotted(c) END",
    )
