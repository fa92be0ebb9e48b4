from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fictional_places import CRS, NUMBER_STEP_M, place_of
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.addresses.parse.rules import RulesParser
from geomatch.core.config import AddressOptions
from geomatch.core.schema import ADDRESS_PARTS, COMMUNES_RESOLVED, GEOCODES
from geomatch.store.reader import Store

Geocode = Callable[..., pd.DataFrame]
CASES = Path(__file__).parent.parent / "cases" / "geocode.csv"
with CASES.open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file, delimiter=";"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['case']}: {row['text']}")
def test_address_is_found(row: dict[str, str], geocode: Geocode) -> None:
    found = geocode(row["text"]).iloc[0]
    for column in ("code_commune", "libelle_voie", "numero", "rep"):
        assert found[column] == row[column], column
    assert found["geocode_level"] == row["level"]
    assert (found["geocode_score"] >= 0.9) == (row["sure"] == "1")
    assert found["n_alike"] == int(row["alike"])


def test_cases_are_many() -> None:
    assert len(ROWS) >= 120
    assert len({row["text"] for row in ROWS}) == len(ROWS)


def test_table_is_geocodes(geocode: Geocode) -> None:
    found = geocode(*(row["text"] for row in ROWS))
    assert list(found) == GEOCODES.names
    placed = found["geocode_level"] != "none"
    assert (found["crs"] == np.where(placed, CRS, 0)).all()
    assert found["x"].notna().equals(placed)
    assert (found.loc[placed, "uncertainty_m"] > 0).all()
    assert found["geocode_score"].between(0, 1).all()


def test_door_is_where_the_gazetteer_has_it(geocode: Geocode) -> None:
    found = geocode("12 rue des Lilas 96100 Vaubray").iloc[0]
    assert (found["x"], found["y"]) == place_of("96101", "Rue des Lilas", 12)
    assert found["ban_id"] == "96101_0000_00012"
    assert found["code_postal"] == "96100"
    assert found["uncertainty_m"] < 50


def test_number_between_two_doors_lies_between_them(geocode: Geocode) -> None:
    found = geocode("101 chemin de la Vallée 96100 Vaubray").iloc[0]
    x, y = place_of("96101", "Chemin de la Vallée", 101)
    assert (found["x"], found["y"]) == (pytest.approx(x), y)
    # doors stand 66 numbers apart
    assert found["uncertainty_m"] >= 0.5 * 66 * NUMBER_STEP_M


def test_number_behind_the_last_door_is_beside_it(geocode: Geocode) -> None:
    found = geocode("46 rue des Lilas 96100 Vaubray").iloc[0]
    assert found["geocode_level"] == "interpolated"
    assert found["x"] == place_of("96101", "Rue des Lilas", 40)[0]


def test_the_farther_behind_the_less_sure(geocode: Geocode) -> None:
    near, far = geocode("42 rue des Lilas 96100 Vaubray", "60 rue des Lilas 96100 Vaubray")[
        "uncertainty_m"
    ]
    assert near < far


def test_street_without_number_is_its_middle_and_half_length(geocode: Geocode) -> None:
    found = geocode("rue des Lilas 96100 Vaubray").iloc[0]
    assert found["x"] == pytest.approx(place_of("96101", "Rue des Lilas", 19)[0], abs=30)
    assert found["uncertainty_m"] == pytest.approx(195)
    assert found["ban_id"] == "96101_0000"


def test_commune_without_streets_is_its_centre_and_radius(geocode: Geocode) -> None:
    found = geocode("5 rue Jules Verdier 96140 L'Ile Marande").iloc[0]
    assert found["geocode_level"] == "commune"
    assert found["uncertainty_m"] == 2_000.0
    assert (found["voie_id"], found["ban_id"]) == (-1, "")


def test_parts_of_a_street_in_several_arrondissements_widen_the_uncertainty(
    geocode: Geocode,
) -> None:
    found = geocode("boulevard Saint-Ambroise Paris").iloc[0]
    assert found["n_alike"] == 2
    assert found["uncertainty_m"] > 5_000  # the other part is 5 km off


def test_a_slip_costs_score(geocode: Geocode) -> None:
    right, slip, other = geocode(
        "5 rue Pasteur 96100 Vaubray", "5 rue Pastuer 96100 Vaubray", "5 rue Pasteiru 96100 Vaubray"
    )["geocode_score"]
    assert right > slip > other


def test_some_departements_only(places: Store, communes: CommuneIndex) -> None:
    geocoder = Geocoder.open(places, ["90"])
    parts = RulesParser().parse(
        ["10 rue du Commerce 90120 Montgarnier", "12 rue des Lilas 96100 Vaubray"]
    )
    found = geocoder.geocode(parts, communes.resolve(parts))
    assert found["geocode_level"].tolist() == ["housenumber", "commune"]


def test_unlikely_streets_are_given_only_when_asked_for(places: Store) -> None:
    line = "5 boulevard Marguerite Thibert 96100 Vaubray"
    levels = []
    for least in (0.3, 0.9):
        geocoder = Geocoder.open(places, ["96"], AddressOptions(least_probability=least))
        parts = RulesParser().parse([line])
        found = geocoder.geocode(parts, geocoder.communes.resolve(parts))
        levels.append(found["geocode_level"][0])
    assert levels == ["housenumber", "commune"]


def test_store_without_streets_gives_communes(places: Store, communes: CommuneIndex) -> None:
    geocoder = Geocoder.open(places, [])
    parts = RulesParser().parse(["12 rue des Lilas 96100 Vaubray"])
    assert geocoder.geocode(parts, communes.resolve(parts))["geocode_level"].tolist() == ["commune"]


def test_no_rows(geocoder: Geocoder) -> None:
    found = geocoder.geocode(ADDRESS_PARTS.empty(), COMMUNES_RESOLVED.empty())
    assert len(found) == 0
    assert list(found) == GEOCODES.names


def test_order_and_repetition_are_kept(geocoder: Geocoder, communes: CommuneIndex) -> None:
    lines = ["3 rue Pasteur 96100 Vaubray", "x", "5 rue Pasteur 96100 Vaubray"] * 3
    parts = RulesParser().parse(lines)
    found = geocoder.geocode(parts, communes.resolve(parts))
    assert found["numero"].tolist() == ["3", "", "5"] * 3


def test_one_by_one_is_the_same_as_together(geocode: Geocode) -> None:
    lines = [row["text"] for row in ROWS]
    random.Random(3).shuffle(lines)
    together = geocode(*lines)
    for i in range(0, len(lines), 9):
        alone = geocode(lines[i]).iloc[0]
        for column in GEOCODES.columns:
            same = alone[column] == together[column].iloc[i]
            both_nan = isinstance(alone[column], float) and math.isnan(alone[column])
            assert same or both_nan, (lines[i], column)


WORDS = (
    "12 12B RUE R AV DES DE LA LILAS PASTEUR SAINT ELOI 96100 75005 VAUBRAY PARIS CEDEX BP ZA "
    "LE BOURG 8 MAI 1945 , É 😀 \x00 ١٢ ב 99999 00000"
)
words = st.sampled_from(WORDS.split(" "))


@given(written=st.lists(words, max_size=10), spaced=st.booleans())
def test_any_words_are_geocoded(written: list[str], spaced: bool, geocode: Geocode) -> None:
    found = geocode((" " if spaced else "").join(written))
    assert len(found) == 1


@given(text=st.text(max_size=60))
def test_any_text_is_geocoded(text: str, geocode: Geocode) -> None:
    assert len(geocode(text)) == 1


def test_long_and_hostile_lines(geocode: Geocode) -> None:
    lines = ["9" * 100_000, "RUE " * 25_000, "\x00" * 1_000, "\u202e12 rue des Lilas", "(" * 5_000,
             "1-" * 20_000, "12 " * 30_000, "\ud800", "A©" * 9_000, "é" * 100_000]  # fmt: skip
    assert len(geocode(*lines)) == len(lines)
