"""Establishments around a point: the R-tree on disk answers as brute force does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomatch.core.errors import ConfigError, StoreError
from geomatch.core.geoframes import to_geodataframe, write_geo
from geomatch.linkage.spatial_index import Positions
from geomatch.store.nearby import COLUMNS, NearbyIndex, nearby_folder, write_index
from geomatch.store.reader import Store

NUMBERS = {"x": pa.float64(), "y": pa.float64(), "uncertainty_m": pa.float64(), "crs": pa.int64()}
CENTRE = (350_000.0, 6_789_000.0)


def establishments(position: np.ndarray, uncertainty: np.ndarray) -> pa.Table:
    n = len(position)
    values = {
        "siret": [f"{i:014d}" for i in range(n)],
        "x": position[:, 0],
        "y": position[:, 1],
        "uncertainty_m": uncertainty,
        "crs": [2154] * n,
    }
    return pa.table(
        {c: pa.array(values.get(c, [""] * n), NUMBERS.get(c, pa.string())) for c in COLUMNS}
    )


@pytest.fixture(scope="module")
def invented() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(7)
    position = CENTRE + draw.uniform(-1_000, 1_000, (500, 2)).round(2)
    position[::50] = np.nan
    return position, draw.choice([5.0, 15.0, 100.0, 900.0], 500)


@pytest.fixture(scope="module")
def index(invented, tmp_path_factory) -> NearbyIndex:
    root = tmp_path_factory.mktemp("store")
    bounds = write_index(nearby_folder(root, "35"), establishments(*invented), 2154)
    empty = write_index(
        nearby_folder(root, "36"), establishments(np.zeros((0, 2)), np.zeros(0)), 2154
    )
    assert empty == []
    return NearbyIndex(root, {"35": bounds, "36": empty}, lambda path: path)


@settings(max_examples=100, deadline=None)
@given(
    st.floats(-1_500, 1_500),
    st.floats(-1_500, 1_500),
    st.floats(0, 800),
    st.floats(0, 200),
    st.booleans(),
)
def test_the_answers_are_those_of_brute_force(invented, index, dx, dy, radius, own, possible):
    position, uncertainty = invented
    x, y = CENTRE[0] + dx, CENTRE[1] + dy
    found = index.around((x, y), radius, crs=2154, point_uncertainty_m=own, possible=possible)
    distance = np.hypot(*(position - (x, y)).T)
    near = distance <= (radius + own + uncertainty if possible else radius)
    assert set(found["siret"]) == {f"{i:014d}" for i in np.flatnonzero(near)}
    assert found["distance_m"].is_monotonic_increasing
    certain = {f"{i:014d}" for i in np.flatnonzero(distance + uncertainty + own <= radius)}
    assert set(found.loc[found["presence"] == "certain", "siret"]) == certain & set(found["siret"])


def test_the_answers_are_those_of_the_tree_in_memory(invented, index) -> None:
    position, uncertainty = invented
    placed = np.flatnonzero(np.isfinite(position[:, 0]))
    tree = Positions.of(placed, position[placed], uncertainty[placed])
    asked = np.array([CENTRE, (CENTRE[0] + 400, CENTRE[1] - 300)])
    asker, place, _ = tree.near(asked, np.array([250.0, 250.0]))
    for i, point in enumerate(asked):
        places = place[asker == i]
        rows = np.concatenate([tree.rows[tree.start[p] : tree.start[p + 1]] for p in places])
        near = rows[np.hypot(*(position[rows] - point).T) <= 250.0 + uncertainty[rows]]
        found = index.around((point[0], point[1]), 250.0, crs=2154, possible=True)
        assert set(found["siret"]) == {f"{r:014d}" for r in near}


@pytest.mark.parametrize(
    ("point", "radius"), [((np.nan, 1.0), 10.0), ((1.0, 2.0), -1.0), ((1.0, 2.0), np.inf)]
)
def test_a_question_that_is_none_is_refused(index, point, radius) -> None:
    with pytest.raises(ConfigError, match="finite numbers"):
        index.around(point, radius)


def test_a_point_far_away_finds_nobody_and_keeps_the_columns(index) -> None:
    found = index.around((2.35, 48.85), 300.0)
    assert len(found) == 0
    assert set(COLUMNS) < set(found.columns)


def test_a_store_without_index_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="build it again"):
        Store(tmp_path, {"departements": ["35"]}).nearby(lon=0.0, lat=0.0, radius_m=10.0)


@pytest.mark.parametrize("point", [{}, {"lon": 1.0}, {"lon": 1.0, "lat": 2.0, "x": 1.0, "y": 2.0}])
def test_a_point_is_one_pair(tmp_path: Path, point: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="one pair"):
        Store(tmp_path, {"nearby": {}}).nearby(radius_m=10.0, **point)


@pytest.mark.parametrize("name", ["points.parquet", "points.gpkg", "points.geojson"])
def test_what_is_found_is_written_for_gis_programs(index, tmp_path: Path, name: str) -> None:
    import geopandas as gpd

    found = index.around(CENTRE, 400.0, crs=2154)
    write_geo(found, tmp_path / name)
    read = gpd.read_parquet if name.endswith("parquet") else gpd.read_file
    back = read(tmp_path / name)
    assert back.crs.to_epsg() == 4326
    assert back["siret"].tolist() == found["siret"].tolist()
    metres = back.to_crs(2154).geometry
    assert np.allclose(np.c_[metres.x, metres.y], found[["x", "y"]], atol=0.02)
    if name.endswith("parquet"):
        assert "bbox" in pa.parquet.read_schema(tmp_path / name).names


def test_rows_without_position_have_no_point(index) -> None:
    frame = index.around(CENTRE, 400.0, crs=2154).head(3)
    frame.loc[1, "x"] = np.nan
    points = to_geodataframe(frame)
    assert points.geometry.isna().tolist() == [False, True, False]
    with pytest.raises(ConfigError, match="no column crs"):
        to_geodataframe(frame.drop(columns="crs"))
