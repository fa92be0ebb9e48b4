"""The geolocated Sirene file: positions of establishments, and of communes through them."""

from __future__ import annotations

import duckdb
import pandas as pd

from gazetteer.accounts import Account
from gazetteer.engine import frame, listed, quoted, run
from gazetteer.loading import Added, Loading
from gazetteer.locate import QUALITIES
from gazetteer.reading import reading, select
from geomatch.core.territories import crs_of

#: Why a row cannot be used → the condition.
_REFUSALS = {
    "whose siret is not 14 digits": "regexp_full_match(siret, '[0-9]{14}') IS NOT TRUE",
    "without a position": "gx IS NULL OR gy IS NULL OR gepsg IS NULL",
    "whose quality is none of the layout's":
        f"coalesce(gqualite, '') NOT IN {listed(list(QUALITIES))}",
}  # fmt: skip
#: Fewer positions than this do not show where a commune is.
MIN_GEOLOCATED = 5


def load_geoloc(loading: Loading) -> Added:
    """Load the positions of kept establishments as the SQL table ``geoloc``, empty without file.

    A row of an establishment that the store does not have is outside.
    """
    con = loading.con
    run(
        con,
        "CREATE OR REPLACE TABLE geoloc (siret VARCHAR, gx DOUBLE, gy DOUBLE, "
        "gepsg INTEGER, gqualite VARCHAR, gprecision DOUBLE)",
    )
    for source in loading.of("geoloc"):
        rows = select(source, "siret", "x", "y", "epsg", "qualite_xy", "distance_precision")
        read = (
            "SELECT siret, TRY_CAST(x AS DOUBLE) AS gx, TRY_CAST(y AS DOUBLE) AS gy, "
            "TRY_CAST(epsg AS INTEGER) AS gepsg, qualite_xy AS gqualite, "
            f"TRY_CAST(distance_precision AS DOUBLE) AS gprecision FROM ({rows})"
        )
        why = "".join(f"WHEN {cond} THEN {quoted(name)} " for name, cond in _REFUSALS.items())
        with reading(source):
            reasons = run(
                con,
                f"SELECT CASE {why} WHEN siret IN (SELECT siret FROM etab) THEN '' ELSE '-' END, "
                f"count(*) FROM ({read}) GROUP BY 1",
            )
            run(
                con,
                f"INSERT INTO geoloc SELECT * FROM ({read}) WHERE siret IN "
                f"(SELECT siret FROM etab) AND CASE {why} END IS NULL",
            )
        counts = dict(reasons)
        kept, outside = counts.pop("", 0), counts.pop("-", 0)
        every = kept + outside + sum(counts.values())
        loading.accounts.append(Account.of(source.name, every, kept, counts))
    return ()


def geolocated_extents(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Middle and reach of communes from their geolocated establishments, in legal metres.

    code_commune, x, y, radius_m, and n_addresses 0; of communes with at least
    :data:`MIN_GEOLOCATED` establishments whose street was found.
    """
    query = f"""
        WITH located AS (
            SELECT e.code_commune, gx, gy, gepsg FROM geoloc g JOIN etab e USING (siret)
            WHERE gqualite IN ('11', '12', '21', '22')
        ), middle AS (
            SELECT code_commune, gepsg, median(gx) AS x, median(gy) AS y, count(*) AS n
            FROM located GROUP BY ALL HAVING count(*) >= {MIN_GEOLOCATED}
        )
        SELECT code_commune, gepsg, any_value(x) AS x, any_value(y) AS y,
            sqrt(quantile_cont(hypot2(gx - x, gy - y), 0.95)) AS radius_m, 0 AS n_addresses
        FROM located JOIN middle USING (code_commune, gepsg) GROUP BY ALL
    """
    rows = frame(con, query)
    legal = rows["code_commune"].map(crs_of)
    return rows[rows["gepsg"] == legal].drop(columns="gepsg")
