"""Sirene's stock files: which establishments and units are kept, and in which commune.

Each loader leaves an SQL table with the official columns; :mod:`gazetteer.register` joins them.
Spells come first: establishments are chosen by them, and units by establishments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import duckdb

from gazetteer.engine import quoted, run
from gazetteer.files import Source
from gazetteer.loading import Added, Loading
from gazetteer.options import BuildOptions
from gazetteer.reading import reading, select
from geomatch.core.errors import DataError

log = logging.getLogger(__name__)

#: What the files write where there is nothing, or nothing may be disclosed.
ABSENT = ("[ND]", "NULL", "null")


def load_spells(loading: Loading) -> Added:
    """Load the SIRETs with an open spell in the options' period as the SQL table ``active``."""
    sources = loading.of("historique")
    if sources and loading.options.period:
        _load_active_sirets(loading.con, sources, loading.options.period)
    return ()


def load_establishments(loading: Loading) -> Added:
    """Load the establishments that the options keep as the SQL table ``etab``.

    `active_only` keeps those active in the stock. `period` keeps instead those active on at least
    one day of it: the census register population is that of 1 January to 31 March. Without
    either, all are kept. Raises :class:`DataError` when a SIRET is there twice.
    """
    sources = loading.of("etablissements")
    has_spells = bool(loading.of("historique"))
    _load(
        loading.con,
        "etab",
        sources,
        lambda source: _etablissements_sql(source, loading.options, has_spells),
    )
    _refuse_twins(loading.con, "etab", "siret", sources)
    _mend_communes(loading.con)
    return ()


def load_units(loading: Loading) -> Added:
    """Load the legal units of the establishments kept as the SQL table ``unite``.

    Raises :class:`DataError` when a SIREN is there twice.
    """
    sources = loading.of("unites_legales")
    _load(loading.con, "unite", sources, _unites_sql)
    _refuse_twins(loading.con, "unite", "siren", sources)
    return ()


def _load(
    con: duckdb.DuckDBPyConnection,
    table: str,
    sources: Sequence[Source],
    query_of: Callable[[Source], str],
) -> None:
    """Load all files of one role into an SQL table, which they make."""
    for i, source in enumerate(sources):
        verb = f"INSERT INTO {table}" if i else f"CREATE OR REPLACE TABLE {table} AS"
        with reading(source):
            rows = run(con, f"{verb} {query_of(source)}")
        log.info("%s: %d of %d rows kept", source.path.name, rows[0][0], source.rows)


def _load_active_sirets(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], period: tuple[str, str]
) -> None:
    """Table ``active``: sirets with an open spell that meets the period."""
    start, end = map(quoted, period)
    run(con, "CREATE OR REPLACE TABLE active (siret VARCHAR)")
    for source in sources:
        columns = ("siret", "dateDebut", "dateFin", "etatAdministratifEtablissement")
        with reading(source):
            run(
                con,
                f"INSERT INTO active SELECT DISTINCT siret FROM ({select(source, *columns)}) "
                f"WHERE etatAdministratifEtablissement = 'A' AND coalesce(dateDebut, '') <= {end} "
                f"AND coalesce(dateFin, '9999') >= {start}",
            )


def _etablissements_sql(source: Source, options: BuildOptions, has_spells: bool) -> str:
    where = "regexp_full_match(siret, '[0-9]{14}')"
    if options.period:
        where += " AND " + _in_period(options.period, has_spells)
    elif options.active_only:
        where += " AND etatAdministratifEtablissement = 'A'"
    rows = select(source, *source.layout.columns, empty=ABSENT)
    return (
        "SELECT s.*, coalesce(h.code_commune, s.codeCommuneEtablissement) AS code_commune "
        f"FROM ({rows}) s "
        "LEFT JOIN commune_history h ON h.code_ancien = s.codeCommuneEtablissement "
        f"WHERE {where}"
    )


def _in_period(period: tuple[str, str], has_spells: bool) -> str:
    """Active on a day of the period, from the spells when there, else from the stock alone.

    The stock tells the current spell only: who is active now counts from the creation date, who
    is closed counts when the closing (``dateDebut`` of the closed spell) is after the start.
    """
    if has_spells:
        return "siret IN (SELECT siret FROM active)"
    start, end = map(quoted, period)
    return (
        f"coalesce(dateCreationEtablissement, '') <= {end} "
        f"AND (etatAdministratifEtablissement = 'A' OR dateDebut > {start})"
    )


def _unites_sql(source: Source) -> str:
    return (
        f"SELECT * FROM ({select(source, *source.layout.columns, empty=ABSENT)}) "
        "WHERE siren IN (SELECT siret[1:9] FROM etab)"
    )


def _refuse_twins(
    con: duckdb.DuckDBPyConnection, table: str, key: str, sources: Sequence[Source]
) -> None:
    twins = run(
        con,
        f"SELECT count(*), min(k) FROM (SELECT {key} AS k FROM {table} "
        f"GROUP BY {key} HAVING count(*) > 1)",
    )
    number, example = twins[0]
    if number:
        files = ", ".join(str(s.path) for s in sources)
        raise DataError(
            f"{number} {key} stand more than once in {files} (the first is {example}); "
            "give each establishment and each unit once: keep one of the files"
        )


def _mend_communes(con: duckdb.DuckDBPyConnection) -> None:
    """Find the commune of rows whose code is missing or unknown from postcode and name.

    What remains without a commune (abroad, undisclosed) is left out of the store.
    """
    run(
        con,
        """
        CREATE OR REPLACE TEMP TABLE mended AS
        SELECT e.siret, coalesce(
            min(p.code_commune) FILTER (WHERE n.code_commune IS NOT NULL),
            CASE WHEN count(DISTINCT p.code_commune) = 1 THEN min(p.code_commune) END) AS code
        FROM etab e
        JOIN commune_postcodes p ON p.code_postal = e.codePostalEtablissement
        LEFT JOIN commune_names n ON n.code_commune = p.code_commune
            AND n.nom_norm = name_key(e.libelleCommuneEtablissement)
        WHERE e.code_commune IS NULL
            OR e.code_commune NOT IN (SELECT code_commune FROM communes)
        GROUP BY e.siret
        """,
    )
    run(con, "UPDATE etab SET code_commune = m.code FROM mended m WHERE m.siret = etab.siret")
    lost = run(
        con,
        "DELETE FROM etab WHERE code_commune IS NULL "
        "OR code_commune NOT IN (SELECT code_commune FROM communes)",
    )
    log.info("%d establishments without a commune of the COG are left out", lost[0][0])
