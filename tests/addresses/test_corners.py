from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from geomatch.addresses import CommuneIndex, Geocoder, complete_parts, with_second
from geomatch.addresses.parse.rules import RulesParser
from geomatch.addresses.streets.index import StreetIndex
from geomatch.core.config import AddressOptions
from geomatch.store.reader import Store


@pytest.mark.parametrize(
    ("line", "first", "second"),
    [
        ("52 RUE A / 2 RUE BOCHART", "52 RUE A", "2 RUE BOCHART"),
        ("angle rue Alpha et rue Beta", "RUE ALPHA", "RUE BETA"),
        ("à l'angle de la rue Alpha et de la rue Beta", "RUE ALPHA", "RUE BETA"),
        ("coin rue Alpha / bd Beta", "RUE ALPHA", "BOULEVARD BETA"),
        ("Pan coupé 5 rue Alpha - 7 rue Beta", "5 RUE ALPHA", "7 RUE BETA"),
        ("carrefour avenue Alpha et chemin Beta", "AVENUE ALPHA", "CHEMIN BETA"),
        ("rue Alpha angle rue Beta", "RUE ALPHA", "RUE BETA"),
        ("12 rue Alpha", "12 RUE ALPHA", ""),
        ("rue Pierre et Marie Curie", "RUE PIERRE ET MARIE CURIE", ""),
        ("10 - 12 rue Alpha", "10 RUE ALPHA", ""),
        ("rue Alpha - Paris", "RUE ALPHA", ""),
        ("carrefour des Quatre Routes", "CARREFOUR DES QUATRE ROUTES", ""),
    ],
)
def test_both_are_read(line: str, first: str, second: str) -> None:
    parts = with_second([line], RulesParser().parse([line]), RulesParser())
    for suffix, expected in (("", first), ("_2", second)):
        columns = (f"{c}{suffix}" for c in ("numero", "type_voie", "nom_voie"))
        assert " ".join(filter(None, (parts[c][0] for c in columns))) == expected


def test_any_text_is_read() -> None:
    texts = [
        "",
        " / ",
        "angle",
        "et et et",
        "a / " * 20_000,
        "\ud800 / 12 rue A / 3 rue B",
        "-" * 300,
    ]
    parts = with_second(texts, RulesParser().parse(texts), RulesParser())
    assert len(parts) == len(texts)


@pytest.fixture(scope="module")
def crossing(places: Store, communes: CommuneIndex) -> Geocoder:
    """Rue Pasteur's number 5 is 20 m from number 12 of Rue des Lilas."""
    index = StreetIndex.open(places, places.departements)
    old, names = index.addresses, index.streets.column("nom_voie").to_pylist()
    codes = index.streets.column("code_commune").to_pylist()
    of = {n: i for i, (n, c) in enumerate(zip(names, codes, strict=True)) if c == "96101"}
    door = {n: (old.street == of[n]) & (old.numero == k) for n, k in DOORS.items()}
    lilas = int(np.flatnonzero(door["Rue des Lilas"])[0])
    x, y = (
        np.where(door["Rue Pasteur"], v[lilas] + off, v) for v, off in ((old.x, 20.0), (old.y, 0.0))
    )
    moved = dataclasses.replace(old, x=x, y=y)
    return Geocoder(StreetIndex(index.streets, moved), communes, AddressOptions())


DOORS = {"Rue des Lilas": 12, "Rue Pasteur": 5}


def looked(geocoder: Geocoder, line: str) -> pd.Series:
    parts = with_second([line], RulesParser().parse([line]), RulesParser())
    parts = complete_parts(parts, geocoder.communes)
    found = geocoder.geocode(parts, geocoder.communes.resolve(parts), claimed=True)
    return found.frame().iloc[0]


@pytest.mark.parametrize(
    "line",
    [
        "angle rue des Lilas et rue Pasteur 96100 Vaubray",
        "rue des Lilas / rue Pasteur Vaubray",
        "coin rue des Lilas - rue Pasteur, Vaubray",
    ],
)
def test_where_both_streets_are_found_they_meet(crossing: Geocoder, line: str) -> None:
    found, door = looked(crossing, line), looked(crossing, "12 rue des Lilas 96100 Vaubray")
    assert found["geocode_level"] == "interpolated"
    assert abs(found["x"] - door["x"]) <= 20.0
    assert found["uncertainty_m"] == 40.0
    assert found["libelle_voie"] == "Rue des Lilas"


def test_streets_that_do_not_meet_are_no_corner(crossing: Geocoder) -> None:
    found = looked(crossing, "angle rue des Lilas et quai de la Lanne 96100 Vaubray")
    assert found["geocode_level"] == "street"
