"""Where establishments are: geolocated file, own geocoder, else the commune."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetteer.places import project
from geomatch.addresses import Geocoder, register_parts
from geomatch.core.schema import COMMUNES_RESOLVED
from geomatch.core.territories import crs_of


@dataclass(frozen=True)
class Quality:
    """What a ``qualite_xy`` of the geolocated file is worth."""

    level: str
    score: float
    uncertainty_m: float


#: 12, 22 and 33 are random points in a street or a commune: their uncertainty says so.
QUALITIES: Mapping[str, Quality] = {
    "11": Quality("housenumber", 0.99, 30.0),
    "21": Quality("housenumber", 0.80, 150.0),
    "12": Quality("street", 0.95, 500.0),
    "22": Quality("street", 0.75, 800.0),
    "33": Quality("commune", 1.0, 5_000.0),
}
#: Columns of the register that say where an establishment is.
_ADDRESS = [
    "numero",
    "numero_fin",
    "rep",
    "type_voie",
    "nom_voie",
    "complement",
    "code_postal",
    "libelle_commune",
    "code_commune",
    "gx",
    "gy",
    "gepsg",
    "gqualite",
]
#: Quality of the geolocated file that no geocoding improves.
EXACT = "11"
#: A geolocated point this far beyond a commune's reach is an error of the file.
BEYOND_M = 10_000.0
#: Levels that say more than the commune.
FINE_LEVELS = ("housenumber", "interpolated", "street", "locality")
_SLICE = 100_000
POSITION = ("geocode_level", "geocode_score", "voie_id", "x", "y", "crs", "uncertainty_m", "ban_id")


def at_commune(rows: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
    """Positions of rows at the centre of their commune, with its radius as uncertainty."""
    centres = communes.set_index("code_commune")
    codes = rows["code_commune"].to_numpy()
    known = centres.reindex(codes)
    has_centre = known["crs"].fillna(0).to_numpy() != 0
    return pd.DataFrame(
        {
            "geocode_level": np.where(has_centre, "commune", "none").astype(object),
            "geocode_score": np.where(has_centre, 1.0, 0.0),
            "voie_id": np.full(len(rows), -1),
            "x": known["x"].to_numpy(),
            "y": known["y"].to_numpy(),
            "crs": np.where(has_centre, [crs_of(c) for c in codes], 0),
            "uncertainty_m": known["radius_m"].to_numpy(),
            "ban_id": np.full(len(rows), "", dtype=object),
        },
        index=rows.index,
    )


def from_geoloc(rows: pd.DataFrame) -> pd.DataFrame:
    """Positions of the rows that the geolocated file has, by its quality and in legal metres."""
    given = rows[rows["gx"].notna() & rows["gqualite"].isin(list(QUALITIES))]
    quality = given["gqualite"].map(QUALITIES)
    crs = given["code_commune"].map(crs_of).astype("int64")
    out = pd.DataFrame(
        {
            "geocode_level": quality.map(lambda q: q.level),
            "geocode_score": quality.map(lambda q: q.score).astype(float),
            "voie_id": -1,
            "x": given["gx"],
            "y": given["gy"],
            "crs": crs,
            "uncertainty_m": quality.map(lambda q: q.uncertainty_m).astype(float),
            "ban_id": "",
        },
        index=given.index,
    )
    epsg = given["gepsg"].fillna(0).astype("int64")
    for source, target in {(int(s), int(t)) for s, t in zip(epsg, crs, strict=True)}:
        if source in (0, target):
            continue
        at = given.index[(epsg == source) & (crs == target)]
        out.loc[at, "x"], out.loc[at, "y"] = project(
            given.loc[at, "gx"], given.loc[at, "gy"], target, source=source
        )
    return out


def in_commune(places: pd.DataFrame, centres: pd.DataFrame) -> pd.DataFrame:
    """The `places` that may lie in the commune they are said to: not much beyond its reach.

    `centres` are the same rows at the centre of their commune. A place whose commune has no
    known centre is kept.
    """
    centre = centres.loc[places.index]
    far = np.hypot(places["x"] - centre["x"], places["y"] - centre["y"])
    return places[~(far > 2 * centre["uncertainty_m"] + BEYOND_M)]


def better(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Of two positions of each row of `new`'s index, the one of the smaller uncertainty."""
    out = old.copy()
    gains = new.index[
        ~(new["uncertainty_m"] >= old.loc[new.index, "uncertainty_m"]) & new["x"].notna()
    ]
    out.loc[gains, list(POSITION)] = new.loc[gains, list(POSITION)]
    return out


def from_geocoder(rows: pd.DataFrame, parts: pd.DataFrame, geocoder: Geocoder) -> pd.DataFrame:
    """Positions that our own geocoder gives the rows, those at commune level left out.

    `parts` are the rows' parsed addresses (ADDRESS_PARTS).
    """
    if not len(rows):
        return pd.DataFrame(columns=list(POSITION))
    communes = pd.DataFrame(
        {"code_commune": rows["code_commune"], "commune_score": 1.0, "commune_method": "code"},
        index=rows.index,
    )
    found = geocoder.geocode(parts, COMMUNES_RESOLVED.conform(communes)).frame(rows.index)
    return found.loc[found["geocode_level"].isin(FINE_LEVELS), list(POSITION)]


def located(
    register: pa.Table, communes: pd.DataFrame, geocoder: Geocoder | None = None
) -> pa.Table:
    """The register rows of one département with the columns :data:`POSITION` added.

    What the geolocated file has exactly is kept. Everything else is looked for by `geocoder`
    (None: the département has no known street), and the surest of the geolocated file, the
    geocoder and the commune is taken. Worked on in slices, so that a big département needs
    little more memory than a small one.
    """
    slices = [
        _positions(register.slice(start, _SLICE).select(_ADDRESS).to_pandas(), communes, geocoder)
        for start in range(0, register.num_rows, _SLICE)
    ]
    places = pd.concat(slices, ignore_index=True)
    for column in (*POSITION, "numero_norm", "voie_norm"):
        register = register.append_column(column, pa.array(places[column]))
    return register


def _positions(
    rows: pd.DataFrame, communes: pd.DataFrame, geocoder: Geocoder | None
) -> pd.DataFrame:
    centres = at_commune(rows, communes)
    given = in_commune(from_geoloc(rows), centres)
    places = better(centres, given)
    parts = register_parts(rows).frame(rows.index)
    if geocoder is not None:
        exact = given.index[rows.loc[given.index, "gqualite"] == EXACT]
        unsure = rows.index.difference(exact)
        places = better(places, from_geocoder(rows.loc[unsure], parts.loc[unsure], geocoder))
    numero = pd.to_numeric(parts["numero"], errors="coerce").fillna(-1).astype("int64")
    return places.assign(numero_norm=numero, voie_norm=parts["nom_voie"])
