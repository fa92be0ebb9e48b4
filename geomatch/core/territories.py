"""Départements and legal projections, told by the prefix of a commune code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.core.tables import load_table

#: Legal projection by territory: official EPSG codes for the prefix of a commune code.
_CRS_OF_TERRITORY: Mapping[str, int] = {
    "971": 5490,
    "972": 5490,
    "977": 5490,
    "978": 5490,
    "973": 2972,
    "974": 2975,
    "976": 4471,
    "975": 4467,
    "986": 8903,
    "987": 3297,
    "988": 3163,
}
CRS_METROPOLE = 2154


def departement_of(code_commune: str) -> str:
    """Département of a commune code: ``35238`` → ``35``, ``97411`` → ``974``."""
    return code_commune[:3] if code_commune[:2] in ("97", "98") else code_commune[:2]


def departements_of(codes: NDArray[np.object_]) -> NDArray[np.object_]:
    """:func:`departement_of` of many codes; each distinct one is looked at once."""
    number, distinct = pd.factorize(np.asarray(codes, dtype=object))
    return np.array([departement_of(c) for c in distinct], dtype=object)[number]


def crs_of(code_commune: str) -> int:
    """EPSG code of the legal projection where a commune (or département) lies."""
    return _CRS_OF_TERRITORY.get(code_commune[:3], CRS_METROPOLE)


def official_departements() -> frozenset[str]:
    """Codes of all départements, whatever a store holds: 01 … 95, 2A, 2B, 971 …"""
    return frozenset(row[0] for row in load_table("departements"))


def degrees(
    x: NDArray[np.float64], y: NDArray[np.float64], crs: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (EPSG:4326) of positions in metres.

    Parameters
    ----------
    x, y : array (n,)
        Metres in the projection of each row; NaN where there is no position.
    crs : array (n,)
        EPSG code of each row; 0 or NaN where there is no position.

    Returns
    -------
    lon, lat : array (n,)
        Degrees; NaN where there is no position.
    """
    from pyproj import Transformer  # 0.1 s, which commands without positions need not take

    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    placed = np.isfinite(x) & np.isfinite(y) & (crs > 0)
    for code in np.unique(crs[placed]):
        at = np.flatnonzero(placed & (crs == code))
        to_degrees = Transformer.from_crs(int(code), 4326, always_xy=True)
        lon[at], lat[at] = to_degrees.transform(x[at], y[at])
    return lon, lat
