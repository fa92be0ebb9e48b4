"""Establishments around a point: the R-tree on disk answers as brute force does."""

from __future__ import annotations

import gc
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


def test_reading_leaves_the_files_of_the_index_as_they_are(invented, tmp_path: Path) -> None:
    folder = nearby_folder(tmp_path, "35")
    bounds = write_index(folder, establishments(*invented), 2154)
    files = sorted(folder.iterdir())
    before = [(f.stat().st_mtime_ns, f.read_bytes()) for f in files]
    for f in files:
        f.chmod(0o400)
    opened = NearbyIndex(tmp_path, {"35": bounds}, lambda path: path)
    assert len(opened.around(CENTRE, 400.0, crs=2154))
    del opened
    gc.collect()
    assert [(f.stat().st_mtime_ns, f.read_bytes()) for f in sorted(folder.iterdir())] == before


def test_only_those_of_an_activity_or_headcount(invented, tmp_path: Path) -> None:
    table = establishments(*invented)
    naf = ["56.10A", "56.30Z", "84.11Z", None, ""] * 100
    size = ["11", "NN"] * 250
    for column, values in (("naf", naf), ("tranche_effectifs", size)):
        at = table.column_names.index(column)
        table = table.set_column(at, column, pa.array(values, pa.string()))
    bounds = write_index(nearby_folder(tmp_path, "35"), table, 2154)
    index = NearbyIndex(tmp_path, {"35": bounds}, lambda path: path)
    everybody = index.around(CENTRE, 900.0, crs=2154)
    for asked in (["56"], ["56.10A", "8411"], ["5630z"]):
        begins = tuple(code.replace(".", "").upper() for code in asked)
        written = everybody["naf"].fillna("").str.replace(".", "", regex=False)
        expected = everybody[written.str.startswith(begins)]
        found = index.around(CENTRE, 900.0, crs=2154, naf=asked)
        assert 0 < len(found) == len(expected)
        assert found["siret"].tolist() == expected["siret"].tolist()
    both = index.around(CENTRE, 900.0, crs=2154, naf=["56"], tranche_effectifs=["11"])
    assert set(both["tranche_effectifs"]) == {"11"}
    assert len(index.around(CENTRE, 900.0, crs=2154, naf=["99"])) == 0


def test_around_a_geometry(invented, index) -> None:
    import shapely

    position, _ = invented
    square = shapely.box(CENTRE[0] - 200, CENTRE[1] - 300, CENTRE[0] + 100, CENTRE[1] + 50)
    found = index.around(square, 150.0, crs=2154)
    placed = np.isfinite(position[:, 0])
    distance = np.full(len(position), np.inf)
    distance[placed] = shapely.distance(square, shapely.points(position[placed]))
    assert set(found["siret"]) == {f"{i:014d}" for i in np.flatnonzero(distance <= 150.0)}
    assert (found["distance_m"] == 0).sum() == (distance == 0).sum()
    degrees = to_geodataframe(found.head(1)).geometry.iloc[0]
    assert index.around(degrees, 1.0)["siret"].iloc[0] == found["siret"].iloc[0]


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
def test_a_place_is_told_once(tmp_path: Path, point: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="one of them"):
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
