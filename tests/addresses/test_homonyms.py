from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from geomatch.addresses import CommuneIndex, Geocoder, complete_parts
from geomatch.addresses.parse.rules import RulesParser
from geomatch.addresses.streets.doors import Addresses
from geomatch.addresses.streets.homonyms import cut_apart
from geomatch.addresses.streets.index import StreetIndex
from geomatch.core.config import AddressOptions
from geomatch.store.reader import Store

FAR_M = 9_000.0


def moved(places: Store, street: str, beyond: int, metres: float) -> tuple[pa.Table, Addresses]:
    """The streets of the invented places; one's doors from a number on stand elsewhere."""
    index = StreetIndex.open(places, places.departements)
    row = index.streets.column("nom_voie").to_pylist().index(street)
    old = index.addresses
    away = (old.street == row) & (old.numero > beyond)
    postcodes = np.where(away, "96109", old.code_postal.to_numpy(zero_copy_only=False))
    addresses = dataclasses.replace(old, x=old.x + metres * away, code_postal=pa.array(postcodes))
    half = index.half_length.copy()
    half[row] = metres / 2
    at = index.streets.column_names.index("half_length_m")
    return index.streets.set_column(at, "half_length_m", pa.array(half)), addresses


@pytest.fixture(scope="module")
def two_villages(places: Store, communes: CommuneIndex) -> Geocoder:
    """RUE PASTEUR is in Vaubray (to number 9) and in a village of it with another postcode."""
    index = StreetIndex(*cut_apart(*moved(places, "Rue Pasteur", 9, FAR_M)))
    return Geocoder(index, communes, AddressOptions())


def looked(geocoder: Geocoder, *lines: str) -> pd.DataFrame:
    parts = complete_parts(RulesParser().parse(list(lines)), geocoder.communes)
    asked = geocoder.communes.resolve(parts)
    return geocoder.geocode(parts, asked, claimed=True).frame()


def test_each_part_has_its_own_doors(two_villages: Geocoder) -> None:
    index = two_villages.streets
    rows = np.flatnonzero(index.is_cut)
    assert index.told(rows)["code_postal"].tolist() == ["96100", "96109"]
    assert len(set(index.told(rows)["voie_id"].tolist())) == 1
    assert index.count[rows].tolist() == [9, 9]
    assert (index.half_length[rows] < 100).all()
    assert (np.diff(index.addresses.number_key) >= 0).all()
    for row in range(len(index)):
        doors = slice(index.first[row], index.first[row] + index.count[row])
        assert (index.addresses.street[doors] == row).all()
    assert int(index.count.sum()) == len(index.addresses.street)


@pytest.mark.parametrize(("metres", "n"), [(500.0, 0), (FAR_M, 2)])
def test_only_what_is_far_away_is_another_street(places: Store, metres: float, n: int) -> None:
    index = StreetIndex(*cut_apart(*moved(places, "Rue Pasteur", 9, metres)))
    assert int(index.is_cut.sum()) == n


def test_a_road_that_goes_on_is_one_road(places: Store) -> None:
    streets, addresses = moved(places, "Chemin de la Vallée", 100, 0.0)
    long = dataclasses.replace(addresses, x=addresses.x * 1.0)
    far = dataclasses.replace(long, x=np.where(long.numero > 0, long.x * 10, long.x))
    assert len(cut_apart(streets, far)[0]) == len(streets)


@pytest.mark.parametrize(
    ("line", "postcode"),
    [
        ("rue Pasteur 96109 Vaubray", "96109"),
        ("12 rue Pasteur 96109 Vaubray", "96109"),
        ("3 rue Pasteur 96109 Vaubray", "96109"),
        ("R PASTEUR 96109 VAUBRAY", "96109"),
        ("rue Pasteur 96100 Vaubray", "96100"),
        ("3 rue Pasteur 96100 Vaubray", "96100"),
        ("12 rue Pasteur 96100 Vaubray", "96100"),
    ],
)
def test_the_postcode_chooses(two_villages: Geocoder, line: str, postcode: str) -> None:
    found = looked(two_villages, line).iloc[0]
    assert (found["libelle_voie"], found["code_postal"]) == ("Rue Pasteur", postcode)
    assert found["uncertainty_m"] < FAR_M / 2


@pytest.mark.parametrize(
    "line",
    [
        "rue Pasteur Vaubray",
        "3 rue Pasteur Vaubray",
        "12 r pasteur vaubray",
        "5 rue Pastuer Vaubray",
    ],
)
def test_what_nothing_tells_apart_is_covered(two_villages: Geocoder, line: str) -> None:
    found = looked(two_villages, line).iloc[0]
    assert found["libelle_voie"] == "Rue Pasteur"
    assert found["uncertainty_m"] >= FAR_M * 0.9
    assert found["geocode_score"] <= 0.5
    assert found["n_alike"] == 2


def test_a_former_commune_has_its_code(communes: CommuneIndex) -> None:
    assert communes.former("Morin-le-Bas", "96107") == "96108"
    assert communes.former("Château-Morin", "96107") == ""
    assert communes.former("", "96107") == ""


@pytest.mark.parametrize(
    ("line", "code", "kind"),
    [
        ("Mas Orneau", "96111", ""),
        ("MAS-ORNEAU 96170", "96111", ""),
        ("mas orneau", "96111", ""),
        ("3 Mas Orneau", "", "MAS"),
        ("Mas Orneau 75001", "75101", "MAS"),
    ],
)
def test_a_type_may_begin_a_towns_name(geocoder: Geocoder, line: str, code: str, kind: str) -> None:
    parts = complete_parts(RulesParser().parse([line]), geocoder.communes)
    assert geocoder.communes.resolve(parts)["code_commune"].tolist() == [code]
    assert parts["type_voie"].tolist() == [kind]
