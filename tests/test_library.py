"""The public surface as colleagues use it: own columns, other table libraries, maps, folders."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chains import Chain
from commands import Commands

import geomatch
from geomatch import ConfigError, DataError, Geocoder, LayoutError, Matcher, Result, Store, open_run
from geomatch.bulletins import read_bulletins
from geomatch.core.frames import KINDS, as_kind, as_pandas, kind_of

OWN = {"raison_sociale": "chez qui", "adresse": "ou", "commune": "bourg"}


@pytest.fixture(scope="module")
def matcher(chain: Chain) -> Matcher:
    return Matcher.open(chain.store, chain.config)


@pytest.fixture(scope="module")
def store(chain: Chain) -> Store:
    return Store.open(chain.store)


@pytest.fixture(scope="module")
def associations(store: Store) -> pd.DataFrame:
    """A list with columns of its own: establishments of the register as somebody noted them."""
    rows = store.establishments(store.departements[0])
    rows = rows[(rows["denomination"] != "") & (rows["nom_voie"] != "")].head(30)
    line = rows["numero"] + " " + rows["type_voie"] + " " + rows["nom_voie"]
    return pd.DataFrame(
        {
            "numero interne": range(len(rows)),
            "chez qui": rows["denomination"].to_numpy(),
            "ou": line.str.strip().to_numpy(),
            "bourg": rows["libelle_commune"].to_numpy(),
        }
    )


@pytest.fixture(scope="module")
def own(associations: pd.DataFrame) -> pd.DataFrame:
    return associations.rename(columns={"numero interne": "id"})


@pytest.fixture(scope="module")
def result(matcher: Matcher, own: pd.DataFrame) -> Result:
    return matcher.match(own, columns=OWN)


# ------------------------------------------------------------------ tables in and out
@pytest.mark.parametrize("kind", ["pandas", "arrow", "polars", "duckdb"])
def test_a_table_of_any_kind_is_matched_and_the_same_kind_comes_out(
    kind: str, matcher: Matcher, own: pd.DataFrame, result: Result
) -> None:
    given = as_kind(own, kind)
    assert kind_of(given) == kind
    found = matcher.match(given, columns=OWN)
    pd.testing.assert_frame_equal(found.decisions, result.decisions, check_index_type=False)
    told = found.table()
    assert kind_of(told) == kind
    assert as_pandas(told)["id"].tolist() == result.decisions["id"].tolist()
    assert kind_of(found.table("candidates", "arrow")) == "arrow"


def test_what_is_no_table_or_no_kind_is_told(matcher: Matcher, result: Result) -> None:
    with pytest.raises(ConfigError, match="got list, expected a table"):
        matcher.match([1, 2])
    with pytest.raises(ConfigError, match="'spss', expected one of pandas"):
        result.table("decisions", "spss")
    with pytest.raises(ConfigError, match="'rows', expected decisions or candidates"):
        result.table("rows")


def test_a_library_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, result: Result
) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigError, match="needs the library polars"):
        result.table(kind="polars")


# ------------------------------------------------------------------ options of one call
def test_own_columns_are_matched_like_those_that_are_known(
    matcher: Matcher, own: pd.DataFrame, result: Result
) -> None:
    known = own.rename(columns={v: k for k, v in OWN.items()})
    pd.testing.assert_frame_equal(matcher.match(known).decisions, result.decisions)
    with pytest.raises(LayoutError):
        matcher.match(own)
    with pytest.raises(LayoutError, match="absente"):
        matcher.match(own, columns={"raison_sociale": "absente"})


def test_the_precision_of_a_call_holds_for_that_call(matcher: Matcher, own: pd.DataFrame) -> None:
    def coded(**asked: Any) -> int:
        decisions = matcher.match(own, columns=OWN, **asked).decisions
        return int((decisions["decision"] == "auto").sum())

    usual = coded()
    assert coded(precision=0.5) >= usual >= coded(precision=0.9999)
    assert coded(precision=0.5) > coded(precision=0.9999)
    assert coded() == usual
    for wrong in (0.0, 1.0, 95.0):
        with pytest.raises(ConfigError, match="expected one between 0 and 1"):
            coded(precision=wrong)


def test_one_bulletin_is_decided_as_in_a_table_that_is_not_collective(
    matcher: Matcher, own: pd.DataFrame
) -> None:
    alone = matcher.match(own, columns=OWN, collective=False).decisions
    for i, row in own.head(5).iterrows():
        one = matcher.match_one(
            raison_sociale=row["chez qui"], adresse=row["ou"], commune=row["bourg"]
        ).decisions
        pd.testing.assert_frame_equal(
            one.drop(columns="id"), alone.iloc[[i]].drop(columns="id").reset_index(drop=True)
        )
    with pytest.raises(ConfigError, match="patron: expected columns among"):
        matcher.match_one(raison_sociale="X", patron="Y")


def test_a_result_shows_its_counts(result: Result) -> None:
    counts = result.decisions["decision"].value_counts()
    assert repr(result) == (
        f"<Result : {len(result.decisions)} bulletins, {counts.get('auto', 0)} codés, "
        f"{counts.get('review', 0)} à reprendre, {counts.get('none', 0)} sans établissement>"
    )


# ------------------------------------------------------------------ recipes
def test_why_a_bulletin_was_decided_so_is_data(result: Result, own: pd.DataFrame) -> None:
    coded = result.decisions[result.decisions["decision"] == "auto"]
    told = result.explain(coded["id"].iloc[0])
    assert told.decision["siret"] == told.candidates["siret"].iloc[0] == coded["siret"].iloc[0]
    assert told.candidates["rank"].tolist() == list(range(1, len(told.candidates) + 1))
    table = told.evidence_table()
    assert len(table) == sum(len(kind.facts) for kind in told.evidence) > 0
    assert told.pros
    text, page = repr(told), told._repr_html_()
    assert coded["siret"].iloc[0] in text
    assert coded["siret"].iloc[0] in page
    assert "codé automatiquement" in text
    with pytest.raises(ConfigError, match="0 bulletins with that identifier") as error:
        result.explain("nobody's")
    assert "nobody" not in str(error.value)


def test_names_of_a_register_are_no_markup(result: Result) -> None:
    told = result.explain(result.decisions["id"].iloc[0])
    told.candidates["raison_sociale"] = "<b>&"
    assert "<b>&" not in told._repr_html_()
    assert "&lt;b&gt;&amp;" in told._repr_html_()


def test_a_finished_run_explains_as_its_result_did(chain: Chain) -> None:
    run = open_run(chain.out)
    id = run.decisions.loc[run.decisions["decision"] == "auto", "id"].iloc[0]
    told = run.explain(id)
    assert told.decision["id"] == id
    assert len(told.candidates) == (run.candidates["id"] == id).sum()
    assert told.evidence
    other = {**run.description, "model": {**run.description["model"], "sha256": "0" * 64}}
    with pytest.raises(DataError, match="no longer the one"):
        replace(run, description=other).explain(id)


def test_a_list_of_associations_becomes_a_map_layer(
    associations: pd.DataFrame, matcher: Matcher, tmp_path: Path
) -> None:
    """Siretise a list with its own columns, and give it to a GIS program."""
    columns = {"id": "numero interne", **OWN}
    found = matcher.match(associations, columns=columns)
    found.save(tmp_path / "associations.gpkg")
    layer = gpd.read_file(tmp_path / "associations.gpkg")
    assert layer.crs.to_epsg() == 4326
    assert layer["siret"].tolist() == found.decisions["siret"].tolist()
    assert layer.geometry.notna().sum() == found.decisions["x"].notna().sum() > 0


@pytest.mark.parametrize("ending", ["csv", "parquet", "gpkg", "geojson"])
def test_decisions_are_saved_in_each_format(ending: str, result: Result, tmp_path: Path) -> None:
    file = tmp_path / f"r.{ending}"
    result.save(file)
    read = {"csv": lambda f: pd.read_csv(f, sep=";", dtype=str), "parquet": gpd.read_parquet}
    rows = read.get(ending, gpd.read_file)(file)
    assert rows["id"].astype(str).tolist() == result.decisions["id"].tolist()


def test_both_tables_are_saved_into_a_folder(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "r")
    assert {f.name for f in (tmp_path / "r").iterdir()} == {
        f"{table}.{ending}"
        for table in ("decisions", "candidates")
        for ending in ("parquet", "qml")
    }


def test_only_geocode_a_list(chain: Chain, associations: pd.DataFrame) -> None:
    geocoder = Geocoder.open(chain.store)
    lines = (associations["ou"] + ", " + associations["bourg"]).tolist()
    places = geocoder.geocode(lines)
    table = pd.DataFrame({"n": range(len(lines)), "adresse": lines})
    beside = geocoder.geocode(table, kind="arrow")
    assert isinstance(beside, pa.Table)
    assert beside.column("n").to_pylist() == table["n"].tolist()
    told = beside.to_pandas()[list(places.columns)]
    pd.testing.assert_frame_equal(told, places, check_dtype=False)
    assert places["lon"].notna().mean() > 0.9
    assert len(geocoder.geocode([])) == 0
    assert list(geocoder.geocode([]).columns) == list(places.columns)


def test_a_town_in_a_column_of_its_own_is_used(chain: Chain, associations: pd.DataFrame) -> None:
    geocoder = Geocoder.open(chain.store)
    found = geocoder.geocode(associations, address="ou", columns={"commune": "bourg"})
    joined = geocoder.geocode((associations["ou"] + ", " + associations["bourg"]).tolist())
    assert found["result_citycode"].tolist() == joined["result_citycode"].tolist()
    with pytest.raises(LayoutError, match="expected code_commune_declaree"):
        geocoder.geocode(associations, address="ou", columns={"commune": "absente"})


def test_results_are_joined_to_a_survey_in_duckdb(chain: Chain) -> None:
    import duckdb

    run = open_run(chain.out)
    survey = pd.DataFrame({"id": run.decisions["id"], "weight": 2.0})
    with duckdb.connect() as connection:
        connection.register("survey", survey)
        connection.register("decisions", run.table(kind="arrow"))
        query = "select sum(weight) from survey join decisions using (id) where decision = 'auto'"
        total = connection.sql(query).fetchall()
    assert total == [(2.0 * (run.decisions["decision"] == "auto").sum(),)]


def test_a_finished_run_is_opened(chain: Chain) -> None:
    run = open_run(chain.out)
    assert repr(run) == f"<Run {chain.out} : {len(run.decisions)} bulletins>"
    first = run.decisions["id"].iloc[:2].tolist()
    assert set(run.of(first)["id"]) <= set(first)
    assert len(run.of(first)) == run.candidates["id"].isin(first).sum()
    assert run.to_geodataframe().crs.to_epsg() == 4326


def test_errors_are_caught_by_their_root(tmp_path: Path) -> None:
    with pytest.raises(geomatch.GeomatchError, match="no reference store"):
        Matcher.open(tmp_path)
    with pytest.raises(DataError):
        open_run(tmp_path)


# ------------------------------------------------------------------ what the store holds
def test_establishments_of_a_box_are_those_inside(store: Store) -> None:
    every = store.establishments(store.departements[0])
    placed = every.dropna(subset=["lon"])
    box = tuple(placed[["lon", "lat"]].quantile(q).to_numpy() for q in (0.2, 0.6))
    (west, south), (east, north) = box
    inside = placed[placed["lon"].between(west, east) & placed["lat"].between(south, north)]
    found = store.establishments(bbox=(west, south, east, north))
    assert 0 < len(found) < len(placed)
    assert sorted(found["siret"]) == sorted(inside["siret"])


def test_addresses_of_a_commune(store: Store) -> None:
    every = store.addresses(store.departements[0])
    code = every["code_commune"].mode().iloc[0]
    own = store.addresses(commune=code)
    assert len(own) == (every["code_commune"] == code).sum() > 0
    assert {"numero", "nom_voie", "lon", "lat", "crs"} <= set(own.columns)
    assert (own["nom_voie"] != "").all()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "one of them"),
        ({"departement": "96", "bbox": (0, 0, 1, 1)}, "one of them"),
        ({"departement": "98"}, "not in this store; it has"),
        ({"bbox": (1, 0, 0, 1)}, "west, south, east, north"),
        ({"bbox": (-150.0, -10.0, -149.0, -9.0)}, "touches no département"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told(
    store: Store, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        store.establishments(**asked)


# ------------------------------------------------------------------ GeoParquet of a run
def test_match_with_geo_leaves_geoparquet_and_the_same_rows(
    chain: Chain, commands: Commands, tmp_path: Path
) -> None:
    asked = ["match", chain.files.bulletins, "--store", chain.store, "--out", tmp_path / "r"]
    ran = commands(*asked, "--geo")
    assert ran.code == 0, ran.err
    plain = pq.read_table(chain.out / "decisions.parquet")
    told = pq.read_table(tmp_path / "r" / "decisions.parquet")
    assert told.column_names == [*plain.column_names, "geometry", "bbox"]
    points = gpd.read_parquet(tmp_path / "r" / "decisions.parquet")
    assert points.crs.to_epsg() == 4326
    expected = open_run(tmp_path / "r").to_geodataframe()
    placed = expected.geometry.notna()
    assert (points.geometry.notna() == placed).all()
    assert points.geometry[placed].geom_equals_exact(expected.geometry[placed], 1e-9).all()
    metadata = json.loads(told.schema.metadata[b"geo"])
    assert metadata["version"] == "1.1.0"
    assert metadata["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    # only what lies in the box is read
    lon, lat = points.geometry[placed].iloc[0].x, points.geometry[placed].iloc[0].y
    near = gpd.read_parquet(
        tmp_path / "r" / "decisions.parquet",
        bbox=(lon - 1e-4, lat - 1e-4, lon + 1e-4, lat + 1e-4),
    )
    assert 0 < len(near) < len(points)


def test_geocode_writes_a_geopackage(chain: Chain, commands: Commands, tmp_path: Path) -> None:
    source, out = tmp_path / "a.csv", tmp_path / "a.gpkg"
    frame = read_bulletins(chain.files.bulletins).head(20)
    lines = frame["numero"] + " " + frame["type_voie"] + " " + frame["nom_voie"]
    pd.DataFrame({"adresse": lines + " " + frame["commune"]}).to_csv(source, index=False)
    ran = commands("geocode", source, "--store", chain.store, "--out", out)
    assert ran.code == 0, ran.err
    layer = gpd.read_file(out)
    assert len(layer) == 20
    assert np.allclose(layer.geometry.dropna().x, layer["lon"].dropna(), atol=1e-5)


def test_who_is_around_a_point_by_activity(
    chain: Chain, store: Store, commands: Commands, tmp_path: Path
) -> None:
    rows = store.establishments(store.departements[0]).dropna(subset=["x", "y"])
    one = rows[rows["naf"] != ""].iloc[0]
    out = tmp_path / "autour.csv"
    point = ("--x", str(one["x"]), "--y", str(one["y"]), "--crs", str(one["crs"]))
    ran = commands(
        "nearby", "--store", chain.store, *point, "--radius", "2000", "--naf", one["naf"][:2],
        "--out", out,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    found = pd.read_csv(out, dtype=str, sep=None, engine="python")
    assert one["siret"] in set(found["siret"])
    assert {naf[:2] for naf in found["naf"]} == {one["naf"][:2]}


# ------------------------------------------------------------------ what importing costs
def test_every_public_name_is_there_and_documented() -> None:
    for name in geomatch.__all__:
        thing = getattr(geomatch, name)
        assert name == "__version__" or thing.__doc__, name
    assert set(geomatch.__all__) == {*geomatch._PUBLIC, "__version__"}
    assert set(geomatch.__all__) <= set(dir(geomatch))


@pytest.mark.parametrize(
    ("used", "not_loaded"),
    [
        ("", ("pandas", "numpy", "geopandas", "rtree", "polars")),
        (
            "geomatch.Matcher; geomatch.Store; geomatch.Geocoder; geomatch.open_run",
            ("geopandas", "rtree", "polars", "dask", "anywidget"),
        ),
    ],
)
def test_importing_loads_no_package_before_it_is_needed(
    used: str, not_loaded: tuple[str, ...]
) -> None:
    code = (
        f"import sys, geomatch; {used or None}; print(sorted({{*{not_loaded}}} & {{*sys.modules}}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_kinds_are_those_that_the_documentation_names() -> None:
    assert set(KINDS) == {"pandas", "arrow", "polars", "duckdb", "geopandas"}


def test_rows_without_identifiers_are_numbered(matcher: Matcher, own: pd.DataFrame) -> None:
    numbered = matcher.match(own.drop(columns="id"), columns=OWN).decisions
    assert numbered["id"].tolist() == [str(n) for n in range(1, len(own) + 1)]
    named = matcher.match(own, columns=OWN).decisions
    pd.testing.assert_frame_equal(numbered.drop(columns="id"), named.drop(columns="id"))


def test_streets_of_a_box_are_lines(store: Store) -> None:
    addresses = store.addresses(store.departements[0])
    west, south = addresses[["lon", "lat"]].quantile(0.4)
    box = (west, south, west + 0.02, south + 0.02)
    inside = store.addresses(bbox=box)
    streets = store.streets(box)
    assert streets.crs == 4326
    sides = inside.assign(side=inside["numero"] % 2)[["code_commune", "voie_id", "side"]]
    assert len(streets) == len(sides.drop_duplicates()) > 0
    drawn = streets.geometry.count_coordinates().sum()
    assert drawn == len(inside)
