"""Sirene's stock files: which establishments and units are kept, and in which commune.

Each loader leaves an SQL table with the official columns; :mod:`gazetteer.register` joins them.
Spells come first: establishments are chosen by them, and units by establishments.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import duckdb

from gazetteer.accounts import REFUSED, Account
from gazetteer.engine import quoted, run
from gazetteer.files import Source
from gazetteer.loading import Added, Loading
from gazetteer.options import BuildOptions
from gazetteer.reading import reading, select
from geomatch.core.errors import DataError

log = logging.getLogger(__name__)

#: What the files write where there is nothing, or nothing may be disclosed.
ABSENT = ("[ND]", "NULL", "null")
#: Why a row is refused, in the table it was loaded into.
_WHY = "refusal"
_NOT_SIRET = "whose siret is not 14 digits"
_NOT_SIREN = "whose siren is not 9 digits"
_NO_STATE = "neither active (A) nor closed (F)"
_NO_COMMUNE = "of a commune that the COG does not know"
_IS_SIRET = "regexp_full_match(siret, '[0-9]{14}')"
_IS_SIREN = "regexp_full_match(siren, '[0-9]{9}')"


def load_spells(loading: Loading) -> Added:
    """Load the SIRETs with an open spell in the options' period as the SQL table ``active``."""
    sources = loading.of("historique")
    if sources and loading.options.period:
        run(loading.con, "CREATE OR REPLACE TABLE active (siret VARCHAR)")
        for source in sources:
            lost = _active_sirets(loading.con, source, loading.options.period)
            reasons = {_NOT_SIRET: lost}
            loading.accounts.append(
                Account.of(source.name, source.rows, source.rows - lost, reasons)
            )
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
    _settle(loading, "etab", sources)
    return ()


def load_units(loading: Loading) -> Added:
    """Load the legal units of the establishments kept as the SQL table ``unite``.

    Raises :class:`DataError` when a SIREN is there twice.
    """
    sources = loading.of("unites_legales")
    _load(loading.con, "unite", sources, _unites_sql)
    _refuse_twins(loading.con, "unite", "siren", sources)
    _settle(loading, "unite", sources)
    _tell_units_missing(loading.con)
    return ()


def _load(
    con: duckdb.DuckDBPyConnection,
    table: str,
    sources: Sequence[Source],
    query_of: Callable[[Source], str],
) -> None:
    """Load all files of one role into an SQL table, refused rows with the reason."""
    for i, source in enumerate(sources):
        verb = f"INSERT INTO {table}" if i else f"CREATE OR REPLACE TABLE {table} AS"
        with reading(source):
            run(con, f"{verb} SELECT *, {i} AS file FROM ({query_of(source)})")


def _settle(loading: Loading, table: str, sources: Sequence[Source]) -> None:
    """Take refused rows out of a table; an account of each file's rows."""
    con = loading.con
    counts = run(con, f"SELECT file, coalesce({_WHY}, ''), count(*) FROM {table} GROUP BY ALL")
    run(con, f"DELETE FROM {table} WHERE {_WHY} IS NOT NULL")
    for i, source in enumerate(sources):
        reasons = {why: n for file, why, n in counts if file == i}
        kept = reasons.pop("", 0)
        loading.accounts.append(Account.of(source.name, _rows(con, source), kept, reasons))


def _rows(con: duckdb.DuckDBPyConnection, source: Source) -> int:
    """Rows of a file; of a text they are fewer than its lines where a name has a line break."""
    if source.kind == "parquet":
        return source.rows
    with reading(source):
        return int(run(con, f"SELECT count(*) FROM ({select(source, 'siret', 'siren')})")[0][0])


def _tell_units_missing(con: duckdb.DuckDBPyConnection) -> None:
    """Establishments whose legal unit is not there lack the names that it bears."""
    alone, every = run(
        con,
        "SELECT count(*) FILTER (WHERE siret[1:9] NOT IN (SELECT siren FROM unite)), count(*) "
        "FROM etab",
    )[0]
    level = logging.WARNING if alone > REFUSED * every else logging.INFO
    log.log(level, "%d of %d establishments have no legal unit in the files", alone, every)


def _active_sirets(con: duckdb.DuckDBPyConnection, source: Source, period: tuple[str, str]) -> int:
    """Add the sirets with an open spell that meets the period to the table ``active``.

    The number of rows without a siret is given back.
    """
    start, end = map(quoted, period)
    columns = ("siret", "dateDebut", "dateFin", "etatAdministratifEtablissement")
    with reading(source):
        run(
            con,
            f"INSERT INTO active SELECT DISTINCT siret FROM ({select(source, *columns)}) "
            f"WHERE etatAdministratifEtablissement = 'A' AND coalesce(dateDebut, '') <= {end} "
            f"AND coalesce(dateFin, '9999') >= {start}",
        )
        bad = f"SELECT count(*) FROM ({select(source, 'siret')}) WHERE ({_IS_SIRET}) IS NOT TRUE"
        return int(run(con, bad)[0][0])


def _etablissements_sql(source: Source, options: BuildOptions, has_spells: bool) -> str:
    where = "true"
    if options.period:
        where = _in_period(options.period, has_spells)
    elif options.active_only:
        where = "etatAdministratifEtablissement = 'A'"
    rows = select(source, *source.layout.columns, empty=ABSENT)
    return (
        "SELECT s.*, coalesce(h.code_commune, s.codeCommuneEtablissement) AS code_commune, "
        f"CASE WHEN ({_IS_SIRET}) IS NOT TRUE THEN {quoted(_NOT_SIRET)} "
        "WHEN (etatAdministratifEtablissement IN ('A', 'F')) IS NOT TRUE "
        f"THEN {quoted(_NO_STATE)} END AS {_WHY} "
        f"FROM ({rows}) s "
        "LEFT JOIN commune_history h ON h.code_ancien = s.codeCommuneEtablissement "
        f"WHERE {_WHY} IS NOT NULL OR ({where})"
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
        f"SELECT *, CASE WHEN ({_IS_SIREN}) IS NOT TRUE THEN {quoted(_NOT_SIREN)} END AS {_WHY} "
        f"FROM ({select(source, *source.layout.columns, empty=ABSENT)}) "
        f"WHERE {_WHY} IS NOT NULL OR siren IN (SELECT siret[1:9] FROM etab)"
    )


def _refuse_twins(
    con: duckdb.DuckDBPyConnection, table: str, key: str, sources: Sequence[Source]
) -> None:
    twins = run(
        con,
        f"SELECT count(*), min(k) FROM (SELECT {key} AS k FROM {table} "
        f"WHERE {_WHY} IS NULL GROUP BY {key} HAVING count(*) > 1)",
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

    What says nothing of a commune (abroad, undisclosed) is left out of the store; what names one
    that the COG does not have is refused.
    """
    unknown = (
        "(e.code_commune IS NULL OR e.code_commune NOT IN (SELECT code_commune FROM communes))"
    )
    run(
        con,
        f"""
        CREATE OR REPLACE TEMP TABLE mended AS
        SELECT e.siret, coalesce(
            min(p.code_commune) FILTER (WHERE n.code_commune IS NOT NULL),
            CASE WHEN count(DISTINCT p.code_commune) = 1 THEN min(p.code_commune) END) AS code
        FROM etab e
        JOIN commune_postcodes p ON p.code_postal = e.codePostalEtablissement
        LEFT JOIN commune_names n ON n.code_commune = p.code_commune
            AND n.nom_norm = name_key(e.libelleCommuneEtablissement)
        WHERE {unknown}
        GROUP BY e.siret
        """,
    )
    run(con, "UPDATE etab SET code_commune = m.code FROM mended m WHERE m.siret = etab.siret")
    nowhere = (
        "e.codePaysEtrangerEtablissement IS NOT NULL OR (e.codeCommuneEtablissement IS NULL "
        "AND e.codePostalEtablissement IS NULL)"
    )
    lost = run(con, f"DELETE FROM etab e WHERE {_WHY} IS NULL AND {unknown} AND ({nowhere})")
    log.info("%d establishments abroad or of no disclosed commune are left out", lost[0][0])
    run(
        con,
        f"UPDATE etab e SET {_WHY} = {quoted(_NO_COMMUNE)} WHERE {_WHY} IS NULL AND {unknown}",
    )
