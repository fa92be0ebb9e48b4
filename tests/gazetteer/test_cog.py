from __future__ import annotations

import pandas as pd
import pytest
from official_files import Country, mouvement, post

from gazetteer.cog import Cog, read_cog
from gazetteer.loading import Stage
from geomatch.core.errors import DataError


def _read(load, country: Country) -> Cog:
    return read_cog(load(country.write(), Stage.COMMUNES))


@pytest.fixture
def cog(load, country) -> Cog:
    return _read(load, country)


def _names(cog: Cog, name: str) -> list[tuple[str, str, str]]:
    rows = cog.names[cog.names["nom_norm"] == name]
    return [tuple(r) for r in rows[["code_commune", "origine", "code_ancien"]].to_numpy()]


def test_communes_in_force_and_arrondissements_with_their_city(cog):
    parents = cog.communes.set_index("code_commune")["code_parent"]
    assert parents["75101"] == "75056"
    assert parents["75056"] == parents["35901"] == ""
    assert "35903" not in parents.index


def test_departements(cog):
    of = cog.communes.set_index("code_commune")["departement"]
    assert (of["35901"], of["2A901"], of["97490"]) == ("35", "2A", "974")


def test_overseas_collectivities_of_the_postcodes_are_communes_too(cog):
    row = cog.communes.set_index("code_commune").loc["97799"]
    assert (row["libelle"], row["departement"]) == ("Morne Rond", "977")


@pytest.mark.parametrize(
    ("old", "current"), [("35903", "35902"), ("35904", "35902"), ("20901", "2A901")]
)
def test_old_codes_are_brought_into_force(cog, old: str, current: str):
    assert dict(zip(cog.history["code_ancien"], cog.history["code_commune"], strict=True))[
        old
    ] == current  # fmt: skip


def test_codes_in_force_are_never_old(cog):
    assert not set(cog.history["code_ancien"]) & set(cog.communes["code_commune"])


def test_a_seat_that_came_and_went_does_not_go_in_circles(load, country):
    country.mouvements += [
        mouvement("50", "1990-01-01", "35920", "Le Gué", "35921"),
        mouvement("50", "2001-01-01", "35921", "Le Gué", "35920"),
        mouvement("31", "2010-01-01", "35920", "Le Gué", "35901"),
    ]
    cog = _read(load, country)
    history = dict(zip(cog.history["code_ancien"], cog.history["code_commune"], strict=True))
    assert history["35920"] == history["35921"] == "35901"


def test_a_restored_commune_is_no_heir(load, country):
    country.mouvements += [
        mouvement("33", "1973-01-01", "35930", "Le Bourg", "35901"),
        mouvement("21", "1985-01-01", "35930", "Le Bourg", "35905"),
    ]
    history = _read(load, country).history.set_index("code_ancien")["code_commune"]
    assert history["35930"] == "35901"


def test_a_code_that_leads_nowhere_has_no_history(load, country):
    country.mouvements.append(mouvement("31", "1980-01-01", "35940", "Nulle-Part", "35941"))
    cog = _read(load, country)
    assert "35940" not in set(cog.history["code_ancien"])
    assert _names(cog, "NULLE PART") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TREBOURG LES SAULES", [("35901", "cog", "")]),
        ("TREBOURG", [("35901", "ancienne", "")]),
        ("PLOUMANEC", [("35902", "deleguee", "35903")]),
        ("SAINT MALVY", [("35902", "ancienne", "35904")]),
        ("L ETANG VIEUX", [("35905", "cog", "")]),
        ("PARIS", [("75056", "cog", "")]),
        ("PARIS 2E ARRONDISSEMENT", [("75102", "arrondissement", "")]),
        ("PARIS 02", [("75102", "arrondissement", "")]),
        ("PARIS 1ER", [("75101", "arrondissement", "")]),
        ("MORNE ROND", [("97799", "laposte", "")]),
    ],
)
def test_names(cog, name: str, expected: list[tuple[str, str, str]]):
    assert _names(cog, name) == expected


def test_a_name_of_two_communes_stands_for_both(load, country):
    country.laposte.append(post("97490", "KERVALLON", "97491"))
    assert [c for c, _, _ in _names(_read(load, country), "KERVALLON")] == ["35902", "97490"]


def test_postcodes_lead_to_communes_in_force(cog):
    pairs = cog.postcodes[cog.postcodes["code_postal"] == "35991"]["code_commune"]
    assert list(pairs) == ["35902", "35905"]


def test_gps_is_longitude_and_latitude(cog):
    row = cog.gps.set_index("code_commune").loc["97490"]
    assert (row["lon"], row["lat"]) == (55.45, -20.88)


def test_a_place_without_gps_has_none(cog):
    assert "75056" not in set(cog.gps["code_commune"])


def test_tables_are_sorted_and_without_twins(cog):
    key = cog.names[["nom_norm", "code_commune"]]
    assert not key.duplicated().any()
    pd.testing.assert_frame_equal(key, key.sort_values(["nom_norm", "code_commune"]))


def test_a_commune_that_is_there_twice_is_refused(load, country):
    country.communes.append(country.communes[0])
    with pytest.raises(DataError, match=r"1 commune code\(s\) stand more than once"):
        _read(load, country)
