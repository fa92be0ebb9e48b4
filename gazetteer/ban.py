"""BAN addresses and lieux-dits → the store's streets and addresses, one département at a time."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gazetteer.accounts import Account
from gazetteer.engine import arrow, frame, listed, quoted, registered, run
from gazetteer.files import Source
from gazetteer.places import project
from gazetteer.reading import reading, select
from gazetteer.store import write_departement
from gazetteer.streets import grouped
from gazetteer.territory import DEPARTEMENT_SQL
from geomatch.core.schema import STORE_ADDRESSES, STORE_STREETS
from geomatch.core.territories import crs_of

#: Begins the key of a locality that has no BAN identifier.
_NO_ID = "nom_ld:"
#: A locality of which only one point is known: most of its houses are nearer than this.
LIEU_DIT_RADIUS_M = 300.0

#: Positions of one address that are preferred when it is there twice.
_BEST_POSITION = (
    "(certification_commune IS NOT DISTINCT FROM '1')::INT * 2 "
    "+ (type_position IS NOT DISTINCT FROM 'entrée')::INT"
)


_SHARED = ("id", "code_insee", "code_insee_ancienne_commune", "code_postal", "x", "y", "lon", "lat")
_OF_ADDRESSES = (
    "numero",
    "rep",
    "nom_voie",
    "nom_ld",
    "type_position",
    "certification_commune",
)
#: Name, number, repetition, preference and locality of a row, in SQL.
_LIEU_DIT = ("nom_lieu_dit", "-1", "''", "0", "NULL")
_ADDRESS = (
    "nom_voie",
    "TRY_CAST(numero AS INTEGER)",
    "lower(coalesce(rep, ''))",
    _BEST_POSITION,
    "nullif(nom_ld, nom_voie)",
)


#: Columns of the table ``ban``.
_BAN_COLUMNS = {
    "ban_id": "VARCHAR",
    "numero": "INTEGER",
    "rep": "VARCHAR",
    "nom_voie": "VARCHAR",
    "code_postal": "VARCHAR",
    "code_commune": "VARCHAR",
    "code_ancienne_commune": "VARCHAR",
    "x": "DOUBLE",
    "y": "DOUBLE",
    "lon": "DOUBLE",
    "lat": "DOUBLE",
    "preference": "INTEGER",
    "is_lieu_dit": "BOOLEAN",
    "nom_ld": "VARCHAR",
    "departement": "VARCHAR",
}


@dataclass(frozen=True)
class BanParts:
    """Rows written by département, and what is known of each commune's extent.

    `extents` has code_commune, x, y, radius_m, n_addresses; `cells` has code_commune, x, y: one
    address for each square of 250 m in which the commune has any.
    """

    streets: dict[str, int]
    addresses: dict[str, int]
    extents: pd.DataFrame
    cells: pd.DataFrame

    @classmethod
    def nothing(cls) -> BanParts:
        """No row of any département."""
        return cls({}, {}, _nowhere(_EXTENT), _nowhere(_CELL))


#: Département of rows that are not usable: this sign, then why not. Those that were not asked
#: for bear the sign alone.
_NOT_KEPT = "~"
#: Why a row cannot be used → the condition, the first that holds.
_REFUSALS = {
    "without an identifier": "id IS NULL",
    "without a name": "nom IS NULL",
    "without a number": "n IS NULL",
    "without a position": "NOT is_placed",
    "of a commune that the COG does not know": "code_commune IS NULL",
}


def load_ban(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], departements: Sequence[str] | None
) -> list[Account]:
    """Load address and lieu-dit files into the table ``ban``, communes brought into force.

    Rows without a usable number, name or position, and those of communes that the COG does not
    know, are left out and counted. Needs ``communes`` and ``commune_history``.
    """
    columns = ", ".join(f"{name} {kind}" for name, kind in _BAN_COLUMNS.items())
    run(con, f"CREATE OR REPLACE TABLE ban ({columns})")
    kept = "true" if departements is None else f"departement IN {listed(departements)}"
    accounts: list[Account] = []
    for source in sources:
        with reading(source):
            run(con, f"INSERT INTO ban {_rows_sql(source, kept)}")
        rows = run(con, "SELECT departement, count(*) FROM ban GROUP BY 1")
        before = sum(a.kept for a in accounts)
        run(con, f"DELETE FROM ban WHERE starts_with(departement, {quoted(_NOT_KEPT)})")
        accounts.append(_account(source, dict(rows), before))
    return accounts


def split(con: duckdb.DuckDBPyConnection, source: Source, folder: Path, kept: str) -> Account:
    """Write a file's rows of :func:`load_ban` as ``folder/departement=35/*.parquet``.

    `kept` is a condition on ``departement``. Needs ``communes`` and ``commune_history``.
    """
    folder.mkdir(parents=True)
    run(
        con,
        f"COPY ({_rows_sql(source, kept)}) "
        f"TO {quoted(folder)} (FORMAT parquet, PARTITION_BY (departement), "
        "WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE true)",
    )
    rows: Counter[str] = Counter()
    for part in folder.glob("departement=*"):
        departement = unquote(part.name.removeprefix("departement="))
        rows[departement] += sum(pq.read_metadata(f).num_rows for f in part.glob("*.parquet"))
        if departement.startswith(_NOT_KEPT):
            shutil.rmtree(part)
    return _account(source, rows)


def _account(source: Source, rows: Mapping[str, int], before: int = 0) -> Account:
    """What became of a file's rows, of which `rows` counts those of each value of departement.

    `before` rows are of files that were there already.
    """
    sides = {d.removeprefix(_NOT_KEPT): n for d, n in rows.items() if d.startswith(_NOT_KEPT)}
    kept = sum(rows.values()) - sum(sides.values()) - before
    sides.pop("", None)
    return Account.of(source.name, sum(rows.values()) - before, kept, sides)


def _rows_sql(source: Source, kept: str) -> str:
    """All rows of a file as those of the table ``ban``; `departement` tells what is not kept.

    A commune that the COG does not know is looked for by the former commune of the row: the file
    may be newer than the COG.
    """
    is_lieu_dit = source.role == "lieux_dits"
    columns = (*_SHARED, *(("nom_lieu_dit",) if is_lieu_dit else _OF_ADDRESSES))
    name, number, rep, preference, locality = _LIEU_DIT if is_lieu_dit else _ADDRESS
    # a locality that is nowhere is usual: it is not damage
    refusals = {r: c for r, c in _REFUSALS.items() if not is_lieu_dit or "is_placed" not in c}
    why = "".join(f" WHEN {c} THEN {quoted(_NOT_KEPT + r)}" for r, c in refusals.items())
    written = DEPARTEMENT_SQL.format("coalesce(code_commune, code_insee)")
    names = ", ".join(_BAN_COLUMNS)
    return f"""
        WITH rows AS (
            SELECT id, code_insee, {number} AS n, {rep} AS rep, {name} AS nom,
                coalesce(code_postal, '') AS cp,
                coalesce(c.code_commune, a.code_commune) AS code_commune,
                coalesce(code_insee_ancienne_commune, h.code_ancien, '') AS ancienne,
                TRY_CAST(x AS DOUBLE) AS px, TRY_CAST(y AS DOUBLE) AS py,
                TRY_CAST(lon AS DOUBLE) AS plon, TRY_CAST(lat AS DOUBLE) AS plat,
                coalesce(isfinite(px) AND isfinite(py), false)
                    OR coalesce(abs(plon) <= 180 AND abs(plat) <= 90, false) AS is_placed,
                {preference} AS preference, {str(is_lieu_dit).lower()} AS is_lieu_dit,
                {locality} AS nom_ld
            FROM ({select(source, *columns)}) s
            LEFT JOIN commune_history h ON h.code_ancien = s.code_insee
            LEFT JOIN communes c ON c.code_commune = coalesce(h.code_commune, s.code_insee)
            LEFT JOIN commune_history k ON k.code_ancien = s.code_insee_ancienne_commune
            LEFT JOIN communes a ON a.code_commune
                = coalesce(k.code_commune, s.code_insee_ancienne_commune)
        ), told AS (
            SELECT id, n, rep, nom, cp, code_commune, ancienne, px, py, plon, plat, preference,
                is_lieu_dit, nom_ld, {written} AS departement,
                CASE WHEN NOT ({kept}) THEN {quoted(_NOT_KEPT)}{why}
                    WHEN NOT is_placed THEN {quoted(_NOT_KEPT)} END AS side
            FROM rows
        )
        SELECT * EXCLUDE (side) REPLACE (coalesce(side, departement) AS departement)
        FROM told AS told ({names}, side)
    """


def write_ban(con: duckdb.DuckDBPyConnection, root: Path) -> BanParts:
    """Write every département's streets and addresses under `root`."""
    found = run(con, "SELECT DISTINCT departement FROM ban ORDER BY 1")
    return joined_parts([write_ban_of(con, root, departement) for (departement,) in found])


def write_ban_of(con: duckdb.DuckDBPyConnection, root: Path, departement: str) -> BanParts:
    """Write one département's streets and addresses under `root`."""
    _prepare(con, departement)
    counts = {}
    for table, query in (
        (STORE_ADDRESSES, "SELECT * FROM addresses_d ORDER BY voie_id, numero, rep"),
        (STORE_STREETS, _STREETS_SQL),
    ):
        rows: pa.Table = arrow(con, query)
        crs = crs_of(departement)
        counts[table.name] = write_departement(root, table, departement, rows, crs=crs)
    return BanParts(
        {departement: counts[STORE_STREETS.name]},
        {departement: counts[STORE_ADDRESSES.name]},
        frame(con, _EXTENTS_SQL),
        frame(con, _CELLS_SQL),
    )


def joined_parts(parts: Sequence[BanParts]) -> BanParts:
    """Several départements' parts as one."""
    if not parts:
        return BanParts({}, {}, _nowhere(_EXTENT), _nowhere(_CELL))
    return BanParts(
        {d: n for part in parts for d, n in part.streets.items()},
        {d: n for part in parts for d, n in part.addresses.items()},
        pd.concat([part.extents for part in parts], ignore_index=True),
        pd.concat([part.cells for part in parts], ignore_index=True),
    )


_EXTENT = ["code_commune", "x", "y", "radius_m", "n_addresses"]
_CELL = ["code_commune", "x", "y"]


def _nowhere(columns: list[str]) -> pd.DataFrame:
    typed = {c: pd.Series(dtype="object" if c == "code_commune" else "float64") for c in columns}
    return pd.DataFrame(typed)


def _prepare(con: duckdb.DuckDBPyConnection, departement: str) -> None:
    """Tables of one département: ``ban_d``, ``voies_d`` and ``addresses_d``."""
    run(
        con,
        "CREATE OR REPLACE TEMP TABLE ban_d AS SELECT *, "
        "CASE WHEN is_lieu_dit THEN ban_id ELSE regexp_extract(ban_id, '^[^_]+_[^_]+') END "
        f"AS voie_ban FROM ban WHERE departement = {quoted(departement)}",
    )
    _project_missing(con, departement)
    run(con, _LOCALITIES_SQL)
    written = frame(
        con,
        "SELECT voie_ban, code_commune, code_ancienne_commune, nom_voie, is_lieu_dit, "
        "median(x) AS x, median(y) AS y, count(*) AS n, "
        "greatest(max(x) - min(x), max(y) - min(y)) / 2 AS reach "
        "FROM ban_d GROUP BY ALL",
    )
    with registered(con, _grouped=grouped(written)):
        run(con, "CREATE OR REPLACE TEMP TABLE voies_d AS SELECT * FROM _grouped")
    run(con, _ADDRESSES_SQL)


def _project_missing(con: duckdb.DuckDBPyConnection, departement: str) -> None:
    query = "SELECT DISTINCT lon, lat FROM ban_d WHERE x IS NULL OR y IS NULL"
    places = frame(con, query)
    if not len(places):
        return
    places["px"], places["py"] = project(places["lon"], places["lat"], crs_of(departement))
    with registered(con, _places=places):
        run(
            con,
            "UPDATE ban_d SET x = px, y = py FROM _places p WHERE (x IS NULL OR y IS NULL) "
            "AND ban_d.lon = p.lon AND ban_d.lat = p.lat",
        )
    # degrees that are none, or of another territory, project to infinity
    run(con, "DELETE FROM ban_d WHERE NOT (isfinite(x) AND isfinite(y))")


#: Localities that addresses name, at the middle of these addresses; they have no identifier.
_LOCALITIES_SQL = f"""
    INSERT INTO ban_d BY NAME
    SELECT '{_NO_ID}' || code_commune || code_ancienne_commune || nom_ld AS voie_ban,
        '{_NO_ID}' AS ban_id, nom_ld AS nom_voie, mode(code_postal) AS code_postal,
        code_commune, code_ancienne_commune, median(x) AS x, median(y) AS y,
        true AS is_lieu_dit
    FROM ban_d WHERE nom_ld IS NOT NULL
    GROUP BY code_commune, code_ancienne_commune, nom_ld
"""
_VOIE_OF = "USING (voie_ban, code_commune, code_ancienne_commune, nom_voie, is_lieu_dit)"
_ADDRESSES_SQL = f"""
    CREATE OR REPLACE TEMP TABLE addresses_d AS
    SELECT v.voie_id, numero, rep, code_postal, b.x, b.y, ban_id
    FROM ban_d b JOIN voies_d v {_VOIE_OF}
    WHERE NOT is_lieu_dit
    QUALIFY row_number() OVER (
        PARTITION BY v.voie_id, numero, rep ORDER BY preference DESC, ban_id) = 1
"""
_STREETS_SQL = f"""
    WITH middle AS (
        SELECT voie_id, median(x) AS mx, median(y) AS my, mode(code_postal) AS cp, count(*) AS n
        FROM addresses_d GROUP BY voie_id
    ), place AS (
        SELECT voie_id, arg_min(x, hypot2(x - mx, y - my)) AS x,
            arg_min(y, hypot2(x - mx, y - my)) AS y
        FROM addresses_d JOIN middle USING (voie_id) GROUP BY voie_id
    ), reach AS (
        SELECT a.voie_id, sqrt(quantile_cont(hypot2(a.x - p.x, a.y - p.y), 0.95)) AS half
        FROM addresses_d a JOIN place p USING (voie_id) GROUP BY a.voie_id
    ), named AS (
        SELECT voie_id, any_value(code_commune) AS code_commune,
            any_value(ancienne) AS code_ancienne_commune, any_value(libelle) AS nom_voie,
            any_value(nom_norm) AS nom_norm, any_value(type_norm) AS type_norm,
            any_value(mots_norm) AS mots_norm,
            regexp_replace(any_value(identifiant), '^{_NO_ID}.*$', '') AS ban_id,
            bool_and(is_lieu_dit) AS is_lieu_dit, median(x) AS x, median(y) AS y
        FROM voies_d GROUP BY voie_id
    ), locality AS (
        SELECT v.voie_id, mode(b.code_postal) AS cp
        FROM ban_d b JOIN voies_d v {_VOIE_OF} WHERE is_lieu_dit GROUP BY v.voie_id
    )
    SELECT s.voie_id, s.code_commune, s.code_ancienne_commune, s.nom_voie, s.nom_norm,
        s.type_norm, s.mots_norm,
        coalesce(m.cp, l.cp, '') AS code_postal, s.is_lieu_dit, s.ban_id,
        coalesce(p.x, s.x) AS x, coalesce(p.y, s.y) AS y,
        coalesce(r.half, {LIEU_DIT_RADIUS_M}) AS half_length_m, coalesce(m.n, 0) AS n_addresses,
        (sum(coalesce(m.n, 0)) OVER (ORDER BY s.voie_id) - coalesce(m.n, 0))::BIGINT
            AS first_address
    FROM named s LEFT JOIN middle m USING (voie_id) LEFT JOIN place p USING (voie_id)
        LEFT JOIN reach r USING (voie_id) LEFT JOIN locality l USING (voie_id)
    ORDER BY s.voie_id
"""
_LOCATED = """(
        SELECT v.code_commune, a.x, a.y FROM addresses_d a
        JOIN (SELECT DISTINCT voie_id, code_commune FROM voies_d) v USING (voie_id))"""
_EXTENTS_SQL = f"""
    WITH located AS {_LOCATED}, centre AS (
        SELECT code_commune, median(x) AS cx, median(y) AS cy, count(*) AS n
        FROM located GROUP BY code_commune)
    SELECT code_commune, any_value(cx) AS x, any_value(cy) AS y,
        sqrt(quantile_cont(hypot2(x - cx, y - cy), 0.95)) AS radius_m, any_value(n) AS n_addresses
    FROM located JOIN centre USING (code_commune) GROUP BY code_commune
"""
_CELLS_SQL = f"""
    SELECT code_commune, first(x) AS x, first(y) AS y FROM {_LOCATED}
    GROUP BY code_commune, floor(x / 250), floor(y / 250)
"""
