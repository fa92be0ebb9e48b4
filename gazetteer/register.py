"""Establishments, units and positions joined into the store's columns, by département."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from gazetteer.engine import file_named, listed, quoted, run
from gazetteer.territory import DEPARTEMENT_SQL
from geomatch.core.errors import DataError

log = logging.getLogger(__name__)

NAFREV2 = "NAFRev2"
NAF2025 = "NAF2025"
#: Where a code of each nomenclature may stand, the best place first; {0} table, {1} owner.
_CODES: Mapping[str, tuple[str, ...]] = {
    NAFREV2: (
        "CASE WHEN coalesce({0}.nomenclatureActivitePrincipale{1}, 'NAFRev2') = 'NAFRev2' "
        "THEN valid_naf({0}.activitePrincipale{1}) END",
    ),
    NAF2025: (
        "valid_naf({0}.activitePrincipaleNAF25{1})",
        "CASE WHEN {0}.nomenclatureActivitePrincipale{1} = 'NAF2025' "
        "THEN valid_naf({0}.activitePrincipale{1}) END",
    ),
}
NOMENCLATURES = tuple(_CODES)


def write_register(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    *,
    departements: Sequence[str] | None = None,
    nomenclature: str = NAFREV2,
) -> dict[str, int]:
    """Write the register, joined, as ``folder/departement=35/*.parquet``; rows of each.

    Needs the tables ``etab``, ``unite`` and ``geoloc``. Activities are those of the
    `nomenclature` asked for: the files have both while one takes the place of the other.
    Raises :class:`DataError` when no establishment is kept.
    """
    kept = "" if departements is None else f"WHERE departement IN {listed(departements)}"
    run(
        con,
        f"COPY (SELECT * FROM ({_register_sql(nomenclature)}) {kept}) TO {quoted(folder)} "
        "(FORMAT parquet, PARTITION_BY (departement))",
    )
    rows: Counter[str] = Counter()
    for file in sorted(folder.glob("departement=*/*.parquet")):
        rows[file.parent.name.removeprefix("departement=")] += pq.read_metadata(file).num_rows
    if not rows:
        asked = "any commune of the COG" if departements is None else ", ".join(departements)
        raise DataError(
            f"the Sirene files have no establishment to keep in {asked}; check --departements, "
            "and that the files are whole and of the same year"
        )
    _tell_uncoded(con, folder, nomenclature)
    return dict(sorted(rows.items()))


def _joined(*columns: str) -> str:
    """Distinct texts of several columns, parted by ``' | '``, in order."""
    items = [columns[0]]
    for i, column in enumerate(columns[1:], start=1):
        unlike = " AND ".join(f"{column} IS DISTINCT FROM {c}" for c in columns[:i])
        items.append(f"CASE WHEN {unlike} THEN {column} END")
    return f"concat_ws(' | ', {', '.join(items)})"


_REGISTER_SQL = f"""
    SELECT e.siret, e.siret[1:9] AS siren,
        coalesce(u.denominationUniteLegale, '') AS denomination,
        coalesce(u.sigleUniteLegale, '') AS sigle,
        {
    _joined(
        "e.denominationUsuelleEtablissement",
        "u.denominationUsuelle1UniteLegale",
        "u.denominationUsuelle2UniteLegale",
        "u.denominationUsuelle3UniteLegale",
        "u.pseudonymeUniteLegale",
    )
} AS denominations_usuelles,
        {
    _joined("e.enseigne1Etablissement", "e.enseigne2Etablissement", "e.enseigne3Etablissement")
} AS enseignes,
        concat_ws(' ', coalesce(u.prenomUsuelUniteLegale, u.prenom1UniteLegale),
            nullif(u.nomUsageUniteLegale, u.nomUniteLegale), u.nomUniteLegale) AS personne,
        coalesce(e.numeroVoieEtablissement, '') AS numero,
        coalesce(e.dernierNumeroVoieEtablissement, '') AS numero_fin,
        coalesce(e.indiceRepetitionEtablissement, '') AS rep,
        coalesce(e.typeVoieEtablissement, '') AS type_voie,
        coalesce(e.libelleVoieEtablissement, '') AS nom_voie,
        coalesce(e.complementAdresseEtablissement, '') AS complement,
        coalesce(e.codePostalEtablissement, '') AS code_postal,
        coalesce(e.libelleCommuneEtablissement, '') AS libelle_commune,
        e.code_commune,
        {{naf}} AS naf,
        coalesce(e.trancheEffectifsEtablissement, 'NN') AS tranche_effectifs,
        coalesce(u.categorieJuridiqueUniteLegale, '') AS categorie_juridique,
        coalesce(lower(e.etablissementSiege) IN ('true', 'oui', '1', 't'),
            e.siret[10:14] = u.nicSiegeUniteLegale, false) AS is_siege,
        e.caractereEmployeurEtablissement IS NOT DISTINCT FROM 'O' AS is_employeur,
        coalesce(e.dateCreationEtablissement, '') AS date_creation,
        g.gx, g.gy, g.gepsg, g.gqualite, g.gprecision,
        {DEPARTEMENT_SQL.format("e.code_commune")} AS departement
    FROM etab e
    LEFT JOIN unite u ON u.siren = e.siret[1:9]
    LEFT JOIN geoloc g ON g.siret = e.siret
"""


def _register_sql(nomenclature: str) -> str:
    codes = [
        code.format(table, owner)
        for table, owner in (("e", "Etablissement"), ("u", "UniteLegale"))
        for code in _CODES[nomenclature]
    ]
    return _REGISTER_SQL.format(naf=f"coalesce({', '.join(codes)}, '')")


def _tell_uncoded(con: duckdb.DuckDBPyConnection, folder: Path, nomenclature: str) -> None:
    files = file_named(folder, "/*/*.parquet")
    counts = "SELECT count(*), count(*) FILTER (WHERE naf = '') FROM"
    rows, uncoded = run(con, f"{counts} read_parquet({files}, hive_partitioning=false)")[0]
    if uncoded:
        level = logging.WARNING if uncoded > rows / 2 else logging.INFO
        log.log(level, "%d of %d establishments have no %s code", uncoded, rows, nomenclature)
