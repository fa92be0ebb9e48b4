"""Rows of the store for people: establishments and addresses of a département or of a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geomatch.core.errors import ConfigError
from geomatch.core.schema import (
    STORE_ADDRESSES,
    STORE_COMMUNES,
    STORE_ESTABLISHMENTS,
    STORE_STREETS,
    Table,
)
from geomatch.core.territories import crs_of, degrees, departement_of

if TYPE_CHECKING:
    import geopandas as gpd

    from geomatch.store.reader import Store

#: West, south, east, north in degrees.
Box = tuple[float, float, float, float]
_METRES_OF_A_DEGREE = 111_000.0
#: Columns of the streets that are told of each address.
_OF_STREET = ("voie_id", "code_commune", "nom_voie", "is_lieu_dit")


def establishments(store: Store, departement: str, bbox: Box | None) -> pd.DataFrame:
    """See :meth:`geomatch.store.reader.Store.establishments`."""
    return _chosen(store, STORE_ESTABLISHMENTS, departement, bbox)


def addresses(store: Store, departement: str, bbox: Box | None, commune: str) -> pd.DataFrame:
    """See :meth:`geomatch.store.reader.Store.addresses`."""
    if commune and not departement and bbox is None:
        departement = departement_of(commune)
    found = _chosen(store, STORE_ADDRESSES, departement, bbox)
    return found[found["code_commune"] == commune].reset_index(drop=True) if commune else found


def streets(store: Store, bbox: Box) -> gpd.GeoDataFrame:
    """See :meth:`geomatch.store.reader.Store.streets`."""
    import geopandas as gpd
    import shapely

    rows = addresses(store, "", bbox, "")
    rows = rows.assign(side=rows["numero"] % 2)
    of_side = ["code_commune", "voie_id", "side"]
    rows = rows.sort_values([*of_side, "numero"], kind="stable")
    sides = rows.groupby(of_side, sort=False)
    told = sides[["nom_voie"]].first().reset_index()
    number = np.repeat(np.arange(len(told)), sides.size())
    position = rows[["lon", "lat"]].to_numpy(np.float64)
    is_line = (sides.size() > 1).to_numpy()
    geometry = np.empty(len(told), dtype=object)
    along = is_line[number]
    geometry[is_line] = shapely.linestrings(
        position[along], indices=np.unique(number[along], return_inverse=True)[1]
    )
    geometry[~is_line] = shapely.points(position[~along])
    columns = told[["voie_id", "nom_voie", "code_commune"]]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def _chosen(store: Store, table: Table, departement: str, bbox: Box | None) -> pd.DataFrame:
    if bool(departement) == (bbox is not None):
        raise ConfigError("give a departement or a bbox (west, south, east, north), one of them")
    if bbox is None:
        if departement not in store.departements:
            raise ConfigError(
                f"departement {departement} is not in this store; "
                f"it has {', '.join(store.departements)}"
            )
        return _placed(store, table, departement)
    west, south, east, north = _box(bbox)
    found = []
    for code in _touched(store, (west, south, east, north)):
        rows = _placed(store, table, code)
        inside = rows["lon"].between(west, east) & rows["lat"].between(south, north)
        found.append(rows[inside])
    if not found:
        raise ConfigError(
            f"bbox {tuple(bbox)} touches no département of this store; "
            f"it has {', '.join(store.departements)}"
        )
    return pd.concat(found, ignore_index=True)


def _box(bbox: Sequence[float]) -> Box:
    if len(bbox) != 4 or not np.isfinite(bbox).all() or bbox[0] > bbox[2] or bbox[1] > bbox[3]:
        raise ConfigError(f"bbox is {tuple(bbox)}, expected west, south, east, north in degrees")
    return bbox[0], bbox[1], bbox[2], bbox[3]


def _touched(store: Store, box: Box) -> list[str]:
    """Départements that may have rows in a box: those of the communes whose circle touches it.

    The circle is twice the radius that holds 95 % of a commune's addresses, and 0.2° at least.
    """
    west, south, east, north = box
    communes = store.country(STORE_COMMUNES)
    reach = np.maximum(2.0 * communes["radius_m"].fillna(0.0) / _METRES_OF_A_DEGREE, 0.2)
    wide = reach / np.maximum(np.cos(np.radians(communes["lat"])), 0.1)
    near = communes["lon"].between(west - wide, east + wide)
    near &= communes["lat"].between(south - reach, north + reach)
    return sorted({*communes.loc[near, "departement"]} & {*store.departements})


def _placed(store: Store, table: Table, departement: str) -> pd.DataFrame:
    """Rows of one département with ``crs``, ``lon`` and ``lat``; addresses with their street."""
    rows = store.departement(table, departement)
    if table is STORE_ADDRESSES:
        streets = store.departement(STORE_STREETS, departement, _OF_STREET)
        rows = rows.merge(streets, on="voie_id", how="left", validate="many_to_one")
    crs = crs_of(f"{departement}000"[:5])
    x, y = (rows[c].to_numpy(np.float64) for c in ("x", "y"))
    lon, lat = degrees(x, y, np.full(len(rows), float(crs)))
    return rows.assign(crs=crs, lon=lon.round(6), lat=lat.round(6))
