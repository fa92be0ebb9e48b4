from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas
import pandas as pd
import pytest
from official_files import COLUMNS, address, as_csv, establishment, write

from gazetteer.build import BuildOptions, build
from gazetteer.journal import Journal
from gazetteer.parts import _borders
from gazetteer.places import WGS84, project
from gazetteer.references import COG_YEAR, REFERENCES
from geomatch.core.errors import ConfigError, DataError, LayoutError
from geomatch.core.schema import (
    COUNTRY_TABLES,
    DEPARTEMENT_TABLES,
    NAMES,
    STORE_ADDRESSES,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
    STORE_ESTABLISHMENTS,
    STORE_NAF,
    STORE_NAF_WORDS,
    STORE_STREETS,
)
from geomatch.store.reader import MANIFEST, Store, country_path, departement_path

SHARED = Path(__file__).parents[3] / "shared" / "data"


def _stamp(out: Path) -> tuple[int, int]:
    status = (out / MANIFEST).stat()
    return status.st_ino, status.st_mtime_ns


def test_a_store_from_official_files(built):
    store = Store.open(built.out)
    assert store.departements == ["2A", "35", "974"]
    for table in COUNTRY_TABLES:
        assert list(store.country(table).columns) == table.names
    rows = store.departement(STORE_ESTABLISHMENTS, "35")
    assert list(rows["siret"]) == ["90000000100017", "90000000200015"]
    assert list(rows["geocode_level"])[1] == "commune"
    assert (rows["crs"] == 2154).all()
    communes = store.country(STORE_COMMUNES).set_index("code_commune")
    assert communes.loc["35901", ["n_addresses", "n_establishments"]].tolist() == [31, 1]
    assert len(store.country(STORE_COMMUNE_POSTCODES)) == 11
    assert list(store.country(STORE_NAF)["naf"]) == ["10.71C", "84.11Z"]
    words = store.country(STORE_NAF_WORDS)
    assert [tuple(w) for w in words.to_numpy()] == [("BOULANGERIE", "10.71C", 2)]


def test_rows_are_sorted_by_commune(country):
    country.sirene.append(establishment("90000000000001", "35905"))
    rows = build(country.write()).departement(STORE_ESTABLISHMENTS, "35")
    key = rows[["code_commune", "siret"]]
    pd.testing.assert_frame_equal(key, key.sort_values(["code_commune", "siret"]))


def test_communes_at_one_border_stand_together() -> None:
    class Index:
        labels = dict.fromkeys(["35001", "35002", "35003", "35004", "22001", "50001"], "")

        def neighbours(self, code: str) -> tuple[str, ...]:
            return {"35001": ("35002",), "35002": ("50001", "22001"), "35003": ("22001",)}.get(
                code, ()
            )

    borders = _borders(Index(), "35").to_pydict()
    assert borders == {"code_commune": ["35002", "35003"], "others": ["22 50", "22"]}


PLACED_TABLES = tuple(t for t in DEPARTEMENT_TABLES if "x" in t.columns)


def test_names_point_at_their_establishments(built):
    store = Store.open(built.out)
    names = store.departement(NAMES, "35")
    assert set(names["row"]) <= set(range(len(store.departement(STORE_ESTABLISHMENTS, "35"))))
    assert (names["name"] != "").all()


def test_the_parts_are_geoparquet(built):
    options = built
    for table in PLACED_TABLES:
        read = geopandas.read_parquet(departement_path(options.out, table, "35"))
        assert read.crs.to_epsg() == 2154
        assert set(table.names) <= set(read.columns)


def test_manifest(built, country):
    options = built
    manifest = json.loads((options.out / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["crs"] == {"2A": 2154, "35": 2154, "974": 2975}
    assert manifest["options"]["active_only"] is True
    assert manifest["tables"]["streets"] == {"rows": 4, "departements": {"35": 4}}
    assert manifest["tables"]["establishments"]["rows"] == 4
    by_role = {s["role"]: s for s in manifest["sources"]}
    written = {r.role for r in REFERENCES if country.rows_of(r) and options.places(r.option)}
    assert set(by_role) == written >= {"ban", "communes", "etablissements", "naf"}
    ban = by_role["ban"]
    assert (ban["name"], ban["rows"], ban["vintage"]) == ("adresses-35.csv.gz", 44, None)
    assert len(ban["sha256"]) == 64
    assert ban["size"] == (options.ban[0] / "adresses-35.csv.gz").stat().st_size
    assert by_role["communes"]["vintage"] == str(COG_YEAR)
    assert str(options.out.parent) not in json.dumps(manifest)


def test_the_same_files_again_do_nothing(built):
    options = built
    before = _stamp(options.out)
    steps: list[str] = []
    build(
        dataclasses.replace(options, memory_limit="400MB"), lambda step, share: steps.append(step)
    )
    assert _stamp(options.out) == before
    assert steps == ["fichiers", "inchangé"]


@pytest.mark.parametrize(
    "change",
    ["file", "options", "name", "version", "force", "other format", "part gone", "table gone"],
)
def test_any_change_builds_again(country, built, monkeypatch, change: str):
    options = built
    before = _stamp(options.out)
    if change == "file":
        country.naf.append({"code_naf": "01.11Z", "libelle": "Culture"})
        options = country.write()
    elif change == "options":
        options = dataclasses.replace(options, active_only=False)
    elif change == "name":
        (options.ban[0] / "adresses-35.csv.gz").rename(options.ban[0] / "autre.csv.gz")
    elif change == "version":
        monkeypatch.setattr("geomatch.__version__", "99")
    elif change == "other format":
        manifest = json.loads((options.out / MANIFEST).read_text())
        (options.out / MANIFEST).write_text(json.dumps({**manifest, "format_version": 0}))
    elif change == "part gone":
        shutil.rmtree(departement_path(options.out, STORE_ADDRESSES, "35").parent)
    elif change == "table gone":
        country_path(options.out, STORE_NAF).unlink()
    else:
        options = dataclasses.replace(options, force=True)
    build(options)
    assert _stamp(options.out) != before


def _break(options: BuildOptions, what: str) -> BuildOptions:
    files = options.sirene.parent
    stock = options.sirene / "StockEtablissement_utf8.csv"
    ban = options.ban[0] / "adresses-35.csv.gz"
    if what == "missing folder":
        return dataclasses.replace(options, sirene=files / "absent")
    if what == "missing file":
        stock.unlink()
    elif what == "empty":
        stock.write_bytes(b"")
    elif what == "header only":
        write(stock, as_csv([], COLUMNS["etablissements"]))
    elif what == "wrong layout":
        return dataclasses.replace(options, ban=(options.cog / "naf_rev2.csv",))
    elif what == "missing column":
        text = stock.read_text(encoding="utf-8")
        write(stock, text.replace("enseigne1Etablissement", "enseigneA"))
    elif what == "truncated gz":
        ban.write_bytes(ban.read_bytes()[:-20])
    elif what == "ragged row":
        with stock.open("a", encoding="utf-8") as out:
            out.write("1,2,3\n")
    return options


BROKEN = [
    ("missing folder", DataError, "--sirene: .*absent does not exist"),
    ("missing file", DataError, "no file in the layout of Sirene StockEtablissement"),
    ("empty", DataError, "StockEtablissement_utf8.csv is empty"),
    ("header only", DataError, "has a header but no row"),
    (
        "wrong layout",
        LayoutError,
        "has the layout of NAF labels; expected BAN addresses",
    ),
    ("missing column", LayoutError, "enseigne1Etablissement missing"),
    ("truncated gz", DataError, "adresses-35.csv.gz is damaged or truncated"),
    ("ragged row", DataError, "StockEtablissement_utf8.csv .* is not readable"),
]


@pytest.mark.parametrize(("what", "error", "message"), BROKEN)
def test_a_bad_file_stops_the_build_and_leaves_the_old_store(
    country, built, what: str, error: type[Exception], message: str
):
    options = built
    before = _stamp(options.out)
    broken = dataclasses.replace(_break(options, what), force=True)
    with pytest.raises(error, match=message) as caught:
        build(broken)
    assert getattr(caught.value, "exit_code", None) == 3
    assert _stamp(options.out) == before
    assert len(Store.open(options.out).departement(STORE_ADDRESSES, "35")) == 44
    assert not [p.name for p in country.root.glob(".store.*") if p.name != ".store.lock"]


def test_a_bad_first_build_leaves_nothing(country):
    options = _break(country.write(), "truncated gz")
    with pytest.raises(DataError):
        build(options)
    assert not options.out.exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"nomenclature": "NAF1993"}, "nomenclature 'NAF1993' is not known"),
        ({"memory_limit": "plenty"}, "memory limit 'plenty' is not known"),
        ({"threads": 0}, "threads must be 1 or more"),
        ({"workers": 0}, "workers must be 1 or more"),
        ({"period": ("2024-01-01", "2023-01-01")}, "2024-01-01 is after 2023-01-01"),
        ({"period": ("2024", "demain")}, "expected two dates"),
        ({"departements": ("35", "20")}, "got 20; expected codes such as"),
        ({"departements": ()}, "got nothing; expected codes such as"),
        ({"departements": ("97",)}, "got 97"),
    ],
)
def test_options_that_cannot_be(country, option: dict[str, object], message: str):
    options = dataclasses.replace(country.write(), **option)
    with pytest.raises(ConfigError, match=message):
        build(options)
    assert not options.out.exists()


def test_a_departement_without_establishments_is_told(country):
    options = dataclasses.replace(country.write(), departements=("13",))
    with pytest.raises(DataError, match=r"no establishment to keep in 13; check --departements"):
        build(options)
    assert not options.out.exists()
    assert not (options.out.parent / ".store.building").exists()


def test_memory_that_does_not_suffice_is_told(country):
    options = dataclasses.replace(country.write(), memory_limit="1MB")
    with pytest.raises(ConfigError, match="needs more memory than 1MB"):
        build(options)
    assert not options.out.exists()


def test_a_place_that_cannot_be_written(country):
    options = country.write()
    file = write(country.root / "file", "")
    with pytest.raises(ConfigError, match="cannot be written in"):
        build(dataclasses.replace(options, out=file / "store"))


def test_a_folder_that_is_no_store_is_never_replaced(country):
    options = country.write()
    write(options.out / "precious.txt", "?")
    with pytest.raises(ConfigError, match="is a folder that is no store"):
        build(options)
    assert (options.out / "precious.txt").exists()
    with pytest.raises(ConfigError, match="is a file; give a folder"):
        build(dataclasses.replace(options, out=options.out / "precious.txt"))


_SCRIPT = """
import signal, sys, time
from pathlib import Path
from gazetteer import build as module

# whoever starts the tests in the background has it ignored
signal.signal(signal.SIGINT, signal.default_int_handler)

def slow(step, share):
    print(step, flush=True)
    if step.startswith("activités"):
        time.sleep(60)

options = module.BuildOptions(
    ban=(Path(sys.argv[1]) / "ban",), sirene=Path(sys.argv[1]) / "sirene",
    cog=Path(sys.argv[1]) / "cog", out=Path(sys.argv[2]), memory_limit="500MB", threads=1,
    force=True,
)
module.build(options, slow)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_build_leaves_the_old_store_and_the_next_one_tidies(country, built, number: int):
    options = built
    before = _stamp(options.out)
    arguments = [sys.executable, "-c", _SCRIPT, str(options.sirene.parent), str(options.out)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("activités"):
                break
        time.sleep(0.1)
        os.kill(process.pid, number)
        process.wait(20)
    assert process.returncode != 0
    assert _stamp(options.out) == before
    assert len(Store.open(options.out).departement(STORE_STREETS, "35")) == 4
    build(dataclasses.replace(options, force=True))
    assert sorted(p.name for p in country.root.iterdir()) == [".store.lock", "official", "store"]


# ------------------------------------------------------------------ interrupted and parallel
def _content(store: Path) -> dict[str, bytes]:
    """Every file of a store but the manifest, which tells the time."""
    return {
        str(f.relative_to(store)): f.read_bytes()
        for f in sorted(store.rglob("*"))
        if f.is_file() and f.name != MANIFEST
    }


class Stopped(BaseException):
    """Like a kill: nothing in between handles it."""


@pytest.mark.parametrize(
    "step", ["communes", "adresses 1 sur", "établissements", "établissements 1 sur", "activités"]
)
def test_an_interrupted_build_repeats_nothing_that_was_finished(built, step, monkeypatch):
    before = _content(built.out)
    options = dataclasses.replace(built, force=True)
    finished: list[str] = []

    def stop(name: str, share: float) -> None:
        if name.startswith(step):
            raise Stopped

    with pytest.raises(Stopped):
        build(options, stop)
    assert _content(built.out) == before
    put = Journal.put
    monkeypatch.setattr(
        Journal,
        "put",
        lambda self, name, content: (finished.append(name), put(self, name, content)),
    )
    left = {p.stem for p in (built.out.parent / ".store.building" / "done").iterdir()}
    assert left
    build(options)
    assert not left & set(finished)
    assert _content(built.out) == before
    assert not (built.out.parent / ".store.building").exists()


def test_an_interrupted_build_of_other_options_begins_afresh(built):
    def stop(name: str, share: float) -> None:
        if name == "activités":
            raise Stopped

    with pytest.raises(Stopped):
        build(dataclasses.replace(built, force=True), stop)
    store = build(dataclasses.replace(built, departements=("974",)))
    assert store.departements == ["974"]


@pytest.mark.slow
def test_several_processes_build_the_same_store(built, monkeypatch):
    monkeypatch.setattr("gazetteer.build._SMALL", 0)
    before = _content(built.out)
    build(dataclasses.replace(built, workers=2, force=True))
    assert _content(built.out) == before


@pytest.mark.slow
def test_a_killed_build_of_several_processes_goes_on(built, tmp_path):
    before = _content(built.out)
    script = _SCRIPT.replace("threads=1,", "threads=1, workers=2,").replace(
        "def slow", "module._SMALL = 0\n\ndef slow"
    )
    arguments = [sys.executable, "-c", script, str(built.sirene.parent), str(built.out)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("établissements 35"):
                break
        process.kill()
        process.wait(20)
    assert _content(built.out) == before
    done = built.out.parent / ".store.building" / "done"
    assert {"addresses-35.json", "establishments-35.json"} <= {p.name for p in done.iterdir()}
    build(dataclasses.replace(built, force=True))
    assert _content(built.out) == before


def test_departements_asked_for(country):
    options = dataclasses.replace(country.write(), departements=("974",))
    store = build(options)
    assert store.departements == ["974"]
    assert len(store.country(STORE_COMMUNES)) > 10


def _place(store: Store, siret: str) -> pd.Series:
    return store.departements_of(STORE_ESTABLISHMENTS).set_index("siret").loc[siret]


def test_establishments_are_found_at_their_address(built):
    row = _place(Store.open(built.out), "90000000100017")
    assert row["geocode_level"] == "housenumber"
    assert (row["x"], row["y"]) == (351_040, 6_789_000)
    assert row["uncertainty_m"] < 50
    assert row["ban_id"].startswith("35901_")
    assert row["voie_id"] >= 0


def _geolocated(quality: str) -> dict[str, object]:
    return {"siret": "90000000100017", "x": 351_900, "y": 6_789_500, "qualite_xy": quality,
            "epsg": 2154}  # fmt: skip


def test_an_exact_geolocation_is_kept(country):
    country.geoloc = [_geolocated("11")]
    row = _place(build(country.write()), "90000000100017")
    assert (row["geocode_level"], row["x"]) == ("housenumber", 351_900)


@pytest.mark.parametrize("quality", ["12", "22", "33"])
def test_a_random_point_is_never_taken_for_the_place(country, quality: str):
    country.geoloc = [_geolocated(quality)]
    row = _place(build(country.write()), "90000000100017")
    assert (row["geocode_level"], row["x"]) == ("housenumber", 351_040)


def test_an_exact_geolocation_of_another_town_is_not_kept(country):
    country.geoloc = [{**_geolocated("11"), "x": 652_000}]
    row = _place(build(country.write()), "90000000100017")
    assert (row["geocode_level"], row["x"]) == ("housenumber", 351_040)


def test_a_geolocated_establishment_of_no_known_street_keeps_its_position(country):
    country.sirene[0]["libelleVoieEtablissement"] = "DES FLEURS INCONNUES"
    country.geoloc = [_geolocated("21")]
    row = _place(build(country.write()), "90000000100017")
    assert (row["x"], row["uncertainty_m"]) == (351_900, 150)


@pytest.mark.parametrize(
    ("commune", "departement", "crs", "lon", "lat"),
    [
        ("97190", "971", 5490, -61.53, 16.24),
        ("97390", "973", 2972, -52.31, 4.92),
        ("97490", "974", 2975, 55.45, -20.88),
        ("97690", "976", 4471, 45.23, -12.78),
        ("2A901", "2A", 2154, 8.74, 41.92),
    ],
)
def test_territories(country, commune, departement, crs, lon, lat):
    country.ban.append(address(3, "Rue du Phare", commune, "", "", lon=lon, lat=lat))
    country.sirene.append(
        establishment(
            "90000000800012", commune, numeroVoieEtablissement="3", typeVoieEtablissement="RUE",
            libelleVoieEtablissement="DU PHARE", codePostalEtablissement="",
        )
    )  # fmt: skip
    options = country.write()
    store = build(options)
    rows = store.departement(STORE_ESTABLISHMENTS, departement).set_index("siret")
    assert rows.loc["90000000800012", "crs"] == crs
    for table in PLACED_TABLES:
        part = geopandas.read_parquet(departement_path(options.out, table, departement))
        assert part.crs.to_epsg() == crs
        point = part.geometry.iloc[-1]
        degrees = project([point.x], [point.y], WGS84, source=crs)
        assert (degrees[0][0], degrees[1][0]) == pytest.approx((lon, lat), abs=0.01)


def test_a_register_without_labels_says_so(country, caplog):
    country.naf = []
    with caplog.at_level("WARNING"):
        store = build(country.write())
    assert "no file of NAF labels" in caplog.text
    assert list(store.country(STORE_NAF)["libelle"]) == ["", ""]


def test_labels_given_apart_win_over_those_of_the_cog_folder(country):
    options = country.write()
    other = write(country.root / "naf.csv", "code;libelle\n10.71C;Pain\n")
    store = build(dataclasses.replace(options, naf=other))
    assert list(store.country(STORE_NAF)["libelle"]) == ["Pain"]


def test_progress_goes_from_nothing_to_all(country):
    shares: list[float] = []
    build(country.write(), lambda step, share: shares.append(share))
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


@pytest.mark.shared
@pytest.mark.slow
def test_the_real_extracts(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("the shared real data is not beside the checkout")
    options = BuildOptions(
        ban=(SHARED / "ban",),
        sirene=SHARED / "sirene",
        cog=SHARED / "reference",
        out=tmp_path / "store",
    )
    start = time.monotonic()
    store = build(options)
    assert time.monotonic() - start < 600
    tables = store.manifest["tables"]
    assert tables["addresses"]["rows"] > 677_000
    assert tables["establishments"]["rows"] > 408_000
    assert len(tables["establishments"]["departements"]) > 100
    rows = store.departement(STORE_ESTABLISHMENTS, "75")
    assert (rows["geocode_level"].isin(["housenumber", "interpolated", "street"])).mean() > 0.5


def test_a_store_is_built_where_a_link_leads(built: BuildOptions, tmp_path: Path) -> None:
    before = _stamp(built.out)
    link = tmp_path / "link"
    link.symlink_to(built.out)
    build(dataclasses.replace(built, out=link, force=True))
    assert link.is_symlink()
    assert _stamp(built.out) != before
