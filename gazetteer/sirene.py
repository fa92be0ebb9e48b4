"""Sirene's stock files: which establishments and units are kept, and in which commune.

What is kept becomes two SQL tables, with the official columns; :mod:`gazetteer.register` joins
them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from gazetteer.engine import quoted, run
from gazetteer.reading import reading, select
from gazetteer.sources import Source
from geomatch.core.errors import DataError

log = logging.getLogger(__name__)

#: What the files write where there is nothing, or nothing may be disclosed.
ABSENT = ("[ND]", "NULL", "null")


@dataclass(frozen=True)
class Scope:
    """Which establishments are kept.

    `active_only` keeps those active in the stock. `period` (two ISO dates) keeps instead those
    active on at least one day from the first to the second: the census register population is
    that of 1 January to 31 March. Without either, all are kept. `departements` None is all.
    """

    active_only: bool = True
    period: tuple[str, str] | None = None
    departements: tuple[str, ...] | None = None


def load_sirene(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], scope: Scope) -> None:
    """Load establishments of the scope, and their legal units, as SQL tables ``etab``, ``unite``.

    Raises :class:`DataError` when a siret or a siren is there twice.
    """
    of_role = {
        role: [s for s in sources if s.role == role]
        for role in ("etablissements", "unites_legales", "historique")
    }
    if of_role["historique"] and scope.period:
        _load_active_sirets(con, of_role["historique"], scope.period)
    for role, table, build in (
        ("etablissements", "etab", _etablissements_sql),
        ("unites_legales", "unite", _unites_sql),
    ):
        for i, source in enumerate(of_role[role]):
            verb = f"INSERT INTO {table}" if i else f"CREATE OR REPLACE TABLE {table} AS"
            with reading(source):
                rows = run(con, f"{verb} {build(source, scope, bool(of_role['historique']))}")
            log.info("%s: %d of %d rows kept", source.path.name, rows[0][0], source.rows)
    _refuse_twins(con, "etab", "siret", of_role["etablissements"])
    _refuse_twins(con, "unite", "siren", of_role["unites_legales"])
    _mend_communes(con)


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


def _etablissements_sql(source: Source, scope: Scope, has_history: bool) -> str:
    where = "regexp_full_match(siret, '[0-9]{14}')"
    if scope.period:
        where += " AND " + _in_period(scope.period, has_history)
    elif scope.active_only:
        where += " AND etatAdministratifEtablissement = 'A'"
    rows = select(source, *source.layout.columns, empty=ABSENT)
    return (
        "SELECT s.*, coalesce(h.code_commune, s.codeCommuneEtablissement) AS code_commune "
        f"FROM ({rows}) s "
        "LEFT JOIN commune_history h ON h.code_ancien = s.codeCommuneEtablissement "
        f"WHERE {where}"
    )


def _in_period(period: tuple[str, str], has_history: bool) -> str:
    """Active on a day of the period, from the spells when there, else from the stock alone.

    The stock tells the current spell only: who is active now counts from the creation date, who
    is closed counts when the closing (``dateDebut`` of the closed spell) is after the start.
    """
    if has_history:
        return "siret IN (SELECT siret FROM active)"
    start, end = map(quoted, period)
    return (
        f"coalesce(dateCreationEtablissement, '') <= {end} "
        f"AND (etatAdministratifEtablissement = 'A' OR dateDebut > {start})"
    )


def _unites_sql(source: Source, scope: Scope, has_history: bool) -> str:
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
