from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from registers import register, write_store

from gazetteer.store import write_country, write_departement, write_manifest
from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.core.schema import (
    COUNTRY_TABLES,
    STORE_ADDRESSES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_STREETS,
)
from geomatch.geocoding import geocode_addresses, geocode_file
from geomatch.store.reader import Store

#: Codes that are rewritten to make another département out of one.
CODES = ("code_commune", "voisine", "code_postal", "departement")
#: One street of the same name in both, one in each alone.
HERE = (
    {"nom_voie": "DES PINS"},
    {"nom_voie": "DU LION"},
    {"type_voie": "QUAI", "nom_voie": "NORD"},
)


def moved(frame: pd.DataFrame, departement: str) -> pd.DataFrame:
    """The same rows in another département."""
    told = {c: departement + frame[c].str[2:] for c in CODES if c in frame}
    if "ban_id" in frame:
        told["ban_id"] = departement + "_" + frame["ban_id"]
    return frame.assign(**told)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three départements alike, 94 to 96; 96001 touches 95001, and 95 alone has a Quai Sud."""
    root = tmp_path_factory.mktemp("geocoding") / "store"
    written = write_store(root, register(*({"code_commune": "96001", **row} for row in HERE)))
    for table in COUNTRY_TABLES:
        frame = written.country(table)
        every = [frame, *(moved(frame, d) for d in ("94", "95"))]
        if table is STORE_COMMUNE_NEIGHBOURS:
            pair = {"code_commune": ["96001", "95001"], "voisine": ["95001", "96001"]}
            every.append(pd.DataFrame(pair).assign(distance_m=100.0))
        write_country(root, table, table.conform(pd.concat(every).drop_duplicates()))
    for departement in ("94", "95"):
        for table in (STORE_STREETS, STORE_ADDRESSES):
            frame = moved(written.departement(table, "96"), departement)
            if table is STORE_STREETS and departement == "95":
                is_quai = frame["nom_voie"].str.endswith("NORD")
                texts = ("nom_voie", "nom_norm", "mots_norm")
                frame = frame.assign(
                    **{
                        c: frame[c].mask(is_quai, frame[c].str.replace("NORD", "SUD"))
                        for c in texts
                    }
                )
            write_departement(root, table, departement, table.conform(frame), crs=2154)
    write_manifest(root, {**written.manifest, "departements": ["94", "95", "96"]})
    return Store.open(root)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Whose streets were read, one list a time."""
    asked: list[list[str]] = []
    real = Geocoder.open.__func__  # type: ignore[attr-defined]

    def recorded(cls: type, store: Store, departements: list[str], *more: object, **named: object):
        asked.append(list(departements))
        return real(cls, store, departements, *more, **named)

    monkeypatch.setattr(Geocoder, "open", classmethod(recorded))
    return asked


LINES = [
    "3 RUE DES PINS 95001 VALBRUNE",
    "4 RUE DU LION 96001 VALBRUNE",
    "nulle part",
    "5 QUAI SUD 96001 VALBRUNE",  # across the border
    "3 RUE DES PINS 96001 VALBRUNE",
    "7 QUAI SUD 96003 LE PLESSIS GALANT",  # too far from it
    "3 RUE DES PINS 94001 VALBRUNE",
]


def test_each_address_is_looked_for_where_it_may_be_and_answers_keep_their_order(
    store: Store, opened: list[list[str]]
) -> None:
    found = geocode_addresses(LINES, store)
    assert found["result_citycode"].tolist() == [
        "95001", "96001", "", "95001", "96001", "96003", "94001",
    ]  # fmt: skip
    levels = ["housenumber"] * 2 + ["none"] + ["housenumber"] * 2 + ["commune", "housenumber"]
    assert found["result_level"].tolist() == levels
    assert found["result_housenumber"].tolist() == ["3", "4", "", "5", "3", "", "3"]
    # the streets of the last question are not read again for the next
    assert opened == [[], ["94"], ["95", "96"]]


def test_answers_do_not_hang_on_what_else_the_file_holds(store: Store) -> None:
    whole = geocode_addresses(LINES, store)
    alone = pd.concat([geocode_addresses([line], store) for line in LINES], ignore_index=True)
    pd.testing.assert_frame_equal(whole, alone, check_dtype=False)


def test_a_postcode_alone_tells_where_to_look(store: Store, opened: list[list[str]]) -> None:
    lines = ["3 RUE DES PINS 94001", "3 RUE DES PINS 94999", "3 RUE DES PINS 96999"]
    found = geocode_addresses(lines, store)
    assert found["result_citycode"].tolist() == ["94001", "94001", "96001"]
    assert opened == [["94"], ["96"]]


def test_columns_of_the_file_tell_the_town(store: Store) -> None:
    known = pd.DataFrame({"code_commune_declaree": ["94001", "95001"]})
    found = geocode_addresses(["3 RUE DES PINS"] * 2, store, known=known)
    assert found["result_citycode"].tolist() == ["94001", "95001"]


def test_no_address_gives_no_row_and_every_column(store: Store) -> None:
    some, none = (geocode_addresses(lines, store) for lines in (LINES, []))
    assert list(none) == list(some)
    assert len(none) == 0


@pytest.mark.parametrize("size", [2, 3, 100])
def test_progress_goes_from_nothing_to_all(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int
) -> None:
    monkeypatch.setattr("geomatch.geocoding._CHUNK", size)
    source, out = tmp_path / "a.csv", tmp_path / "b.csv"
    pd.DataFrame({"q": LINES}).to_csv(source, sep=";", index=False)
    told: list[tuple[int, int]] = []
    geocode_file(source, store.path, out, progress=lambda done, of: told.append((done, of)))
    done = [d for d, _ in told]
    assert done == sorted(done)
    assert told[-1] == (7, 7)
    made = pd.read_csv(out, sep=";", dtype=str, keep_default_na=False)
    expected = geocode_addresses(LINES, store)
    assert made["result_label"].tolist() == expected["result_label"].tolist()


def test_neighbours_are_those_of_the_communes_asked(store: Store) -> None:
    index = CommuneIndex.open(store)
    assert "95001" in index.neighbours("96001")
    assert not {c for c in index.neighbours("96003") if c[:2] != "96"}
    assert np.unique([c[:2] for c in index.neighbours("94002")]).tolist() == ["94"]


# ------------------------------------------------------------------ files
def _geocoded(store: Store, folder: Path, frame: pd.DataFrame, out: str) -> pd.DataFrame:
    frame.to_parquet(folder / "in.parquet", index=False)
    geocode_file(folder / "in.parquet", store.path, folder / out)
    file = folder / out
    return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, sep=";")


@pytest.mark.parametrize("kind", ["int64", "float64", "category"])
def test_columns_of_numbers_tell_the_place_and_keep_their_type(
    store: Store, tmp_path: Path, kind: str
) -> None:
    line, place = "QUAI SUD", "95001"
    codes = pd.Series([place]) if kind == "category" else pd.Series([int(place)])
    frame = pd.DataFrame({"adresse": [line], "code_insee": codes.astype(kind)})
    found = _geocoded(store, tmp_path, frame, "out.parquet")
    assert found["result_citycode"].tolist() == [place]
    assert str(found["code_insee"].dtype) in (kind, "object", "str", "string")
    assert found["code_insee"].tolist() == frame["code_insee"].tolist()


@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
def test_a_file_that_was_geocoded_before_has_no_column_twice(
    store: Store, tmp_path: Path, out: str
) -> None:
    frame = pd.DataFrame({"Adresse complète": ["QUAI SUD"], "Code Insee": ["95001"]})
    frame = frame.assign(x=1.5, result_score=0.5, x_input="mine")
    found = _geocoded(store, tmp_path, frame, out)
    assert found.columns.is_unique
    assert found["x_input"].tolist() == ["mine"]
    assert found["x_input_"].tolist() == [1.5]
    assert found["result_score_input"].tolist() == [0.5]
    assert found["x"].iloc[0] > 1000


def test_whole_numbers_with_gaps_stay_whole_numbers_in_csv(store: Store, tmp_path: Path) -> None:
    frame = pd.DataFrame({"adresse": ["QUAI SUD", "QUAI SUD"]})
    frame["menage"] = pd.array([7, None], dtype="Int64")
    _geocoded(store, tmp_path, frame, "out.csv")
    assert (
        (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1].startswith("QUAI SUD;7;")
    )
