from __future__ import annotations

import json

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gazetteer.store import shaped, with_geometry, write_country, write_departement, write_manifest
from geomatch.core.errors import StoreError
from geomatch.core.schema import STORE_ADDRESSES, STORE_FORMAT, STORE_FORMAT_VERSION, STORE_NAF
from geomatch.store.reader import Store, departement_path


def _addresses(*places: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "voie_id": range(len(places)),
            "numero": 1,
            "rep": None,
            "code_postal": "35990",
            "x": [p[0] for p in places],
            "y": [p[1] for p in places],
            "ban_id": [f"35901_0001_{i:05d}" for i in range(len(places))],
        }
    )


@pytest.mark.parametrize("crs", [2154, 5490, 2972, 2975, 4471])
def test_parts_are_geoparquet_in_the_legal_projection(tmp_path, crs: int):
    rows = _addresses((350_000.5, 6_790_000.25), (350_010.0, 6_790_020.0))
    assert write_departement(tmp_path, STORE_ADDRESSES, "35", rows, crs=crs) == 2
    read = geopandas.read_parquet(departement_path(tmp_path, STORE_ADDRESSES, "35"))
    assert read.crs.to_epsg() == crs
    assert list(read.geometry.x) == list(rows["x"])
    assert list(read.geometry.y) == list(rows["y"])
    assert (read.geom_type == "Point").all()


def test_geoparquet_metadata(tmp_path):
    write_departement(tmp_path, STORE_ADDRESSES, "35", _addresses((1, 2), (3, 4)), crs=2154)
    schema = pq.read_schema(departement_path(tmp_path, STORE_ADDRESSES, "35"))
    geo = json.loads(schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["Point"])
    assert column["bbox"] == [1.0, 2.0, 3.0, 4.0]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 2154}


def test_a_row_without_position_has_no_geometry(tmp_path):
    write_departement(
        tmp_path, STORE_ADDRESSES, "35", _addresses((1, 2), (np.nan, np.nan)), crs=2154
    )
    read = geopandas.read_parquet(departement_path(tmp_path, STORE_ADDRESSES, "35"))
    assert list(read.geometry.isna()) == [False, True]


@pytest.mark.parametrize("places", [(), ((np.nan, np.nan),)])
def test_parts_without_any_position_are_still_geoparquet(tmp_path, places):
    write_departement(tmp_path, STORE_ADDRESSES, "35", _addresses(*places), crs=2154)
    read = geopandas.read_parquet(departement_path(tmp_path, STORE_ADDRESSES, "35"))
    assert len(read) == len(places)


def test_absent_text_is_empty_and_types_are_those_of_the_schema():
    table = shaped(STORE_ADDRESSES, _addresses((1, 2)))
    assert table.column("rep").to_pylist() == [""]
    assert table.schema.field("voie_id").type == pa.int64()
    assert table.column_names == STORE_ADDRESSES.names


def test_a_missing_column_is_a_bug_that_shows():
    with pytest.raises(KeyError, match="ban_id"):
        shaped(STORE_ADDRESSES, _addresses((1, 2)).drop(columns="ban_id"))


def test_geometry_comes_beside_x_and_y():
    table = with_geometry(shaped(STORE_ADDRESSES, _addresses((1, 2))), 2154)
    assert table.column_names == [*STORE_ADDRESSES.names, "geometry"]


def test_a_written_store_opens_and_reads_back(tmp_path):
    write_country(tmp_path, STORE_NAF, pd.DataFrame(
        {"naf": ["10.71C"], "libelle": ["Pain"], "nomenclature": ["NAFRev2"]}))  # fmt: skip
    write_departement(tmp_path, STORE_ADDRESSES, "35", _addresses((1, 2)), crs=2154)
    with pytest.raises(StoreError, match="manifest"):
        Store.open(tmp_path)
    write_manifest(tmp_path, {"format": STORE_FORMAT, "format_version": STORE_FORMAT_VERSION,
                              "departements": ["35"]})  # fmt: skip
    store = Store.open(tmp_path)
    assert list(store.country(STORE_NAF)["naf"]) == ["10.71C"]
    assert list(store.departements_of(STORE_ADDRESSES)["x"]) == [1.0]
    assert not list(tmp_path.rglob("*.part"))
