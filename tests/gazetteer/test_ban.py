from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from official_files import Country, Row, address

from gazetteer.accounts import settle
from gazetteer.ban import BanParts, load_ban, write_ban
from gazetteer.engine import run, store_frame
from gazetteer.loading import Stage
from gazetteer.places import project
from geomatch.core.schema import STORE_ADDRESSES, STORE_STREETS
from geomatch.store.reader import Store


def _store(con: duckdb.DuckDBPyConnection, load, country: Country, *departements: str) -> BanParts:
    loading = load(country.write(), Stage.ADDRESSES)
    settle(load_ban(con, loading.of("ban", "lieux_dits"), departements or None), allowed=1)
    return write_ban(con, country.root / "written")


def _streets(country: Country, departement: str = "35") -> pd.DataFrame:
    store = Store(country.root / "written", {})
    return store.departement(STORE_STREETS, departement)


def _addresses(country: Country, departement: str = "35") -> pd.DataFrame:
    store = Store(country.root / "written", {})
    return store.departement(STORE_ADDRESSES, departement)


def _lieu_dit(name: str, x: float, y: float, **more: object) -> Row:
    row: Row = {"id": f"35901_{name[:4].lower()}", "nom_lieu_dit": name, "code_insee": "35901"}
    return {**row, "code_postal": "35990", "x": x, "y": y, **more}


def test_streets_of_the_country(con, load, country):
    _store(con, load, country)
    streets = _streets(country).set_index(["code_commune", "nom_norm", "code_ancienne_commune"])
    assert len(streets) == 4
    row = streets.loc[("35901", "RUE DES TISSERANDS", "")]
    assert (row["nom_voie"], row["code_postal"]) == ("Rue des Tisserands", "35990")
    assert row["n_addresses"] == 21
    assert 351_090 <= row["x"] <= 351_120
    assert 85 <= row["half_length_m"] <= 110
    assert not row["is_lieu_dit"]


def test_two_former_communes_have_their_own_rue_de_l_eglise(con, load, country):
    _store(con, load, country)
    streets = _streets(country)
    churches = streets[streets["nom_norm"] == "RUE DE L EGLISE"]
    assert list(churches["code_commune"]) == ["35902", "35902"]
    assert set(churches["code_ancienne_commune"]) == {"", "35903"}


def test_first_address_and_order_of_the_addresses(con, load, country):
    _store(con, load, country)
    streets, addresses = _streets(country), _addresses(country)
    assert list(streets["voie_id"]) == list(range(len(streets)))
    key = addresses[["voie_id", "numero", "rep"]]
    pd.testing.assert_frame_equal(key, key.sort_values(["voie_id", "numero", "rep"]))
    for street in streets.itertuples():
        own = addresses.iloc[street.first_address : street.first_address + street.n_addresses]
        assert set(own["voie_id"]) == {street.voie_id}
    assert streets["n_addresses"].sum() == len(addresses)


def test_repetition_is_lower_case(con, load, country):
    _store(con, load, country)
    addresses = _addresses(country)
    assert list(addresses[addresses["numero"] == 4]["rep"]) .count("bis") == 1  # fmt: skip


def test_one_row_for_an_address_that_is_there_twice(con, load, country):
    country.ban.append(
        address(1, "Rue des Tisserands", "35901", 1, 1, id="35901_1_1", type_position="parcelle")
    )
    _store(con, load, country)
    addresses = _addresses(country)
    first = addresses[(addresses["voie_id"] == 1) & (addresses["numero"] == 1)]
    assert list(first["x"]) == [351_010]


@pytest.mark.parametrize(
    ("code", "departement", "crs"),
    [
        ("35905", "35", 2154),
        ("2A901", "2A", 2154),
        ("97190", "971", 5490),
        ("97390", "973", 2972),
        ("97490", "974", 2975),
        ("97690", "976", 4471),
    ],
)
def test_missing_coordinates_are_projected_where_the_commune_lies(
    con, load, country, code: str, departement: str, crs: int
):
    places = {row["Code_commune_INSEE"]: row["coordonnees_gps"] for row in country.laposte}
    lat, lon = map(float, str(places[code]).split(","))
    country.ban.append(address(7, "Chemin du Phare", code, "", "", lon=lon, lat=lat))
    _store(con, load, country)
    row = _addresses(country, departement).iloc[-1]
    x, y = project([lon], [lat], crs)
    assert (row["x"], row["y"]) == pytest.approx((x[0], y[0]), abs=0.01)
    assert 0 < row["x"] < 1_300_000


def test_old_commune_codes_are_brought_into_force(con, load, country):
    country.ban = [address(1, "Rue du Moulin", "35904", 350_000, 6_790_000)]
    _store(con, load, country)
    street = _streets(country).iloc[0]
    assert (street["code_commune"], street["code_ancienne_commune"]) == ("35902", "35904")


def test_rows_that_cannot_be_used_are_left_out_and_counted(con, load, country, caplog):
    country.ban = [
        address(1, "Rue du Moulin", "35901", 350_000, 6_790_000),
        address("", "Rue du Moulin", "35901", 350_000, 6_790_000),
        address(3, "Rue du Moulin", "35999", 350_000, 6_790_000),
        address(4, "Rue du Moulin", "35901", "", ""),
        address(5, "", "35901", 350_000, 6_790_000),
    ]
    with caplog.at_level("INFO"):
        _store(con, load, country)
    assert list(_addresses(country)["numero"]) == [1]
    assert "adresses-35.csv.gz: 5 rows read, 1 kept, 0 outside" in caplog.text
    for reason in ("number", "name", "position"):
        assert f"1 without a {reason}" in caplog.text
    assert "1 of a commune that the COG does not know" in caplog.text


def test_lieux_dits_are_streets_without_addresses(con, load, country):
    country.lieux_dits = [_lieu_dit("Le Clos Hamon", 352_000, 6_790_500)]
    _store(con, load, country)
    row = _streets(country).set_index("nom_norm").loc["LE CLOS HAMON"]
    assert (row["x"], row["y"], row["code_postal"]) == (352_000, 6_790_500, "35990")
    assert row["is_lieu_dit"]
    assert row["n_addresses"] == 0
    assert row["ban_id"] == "35901_le c"


def test_a_lieu_dit_that_has_addresses_is_that_street(con, load, country):
    country.ban.append(address(2, "Le Clos Hamon", "35901", 352_010, 6_790_500))
    country.lieux_dits = [_lieu_dit("Le Clos Hamon", 352_000, 6_790_500)]
    _store(con, load, country)
    rows = _streets(country)
    row = rows[rows["nom_norm"] == "LE CLOS HAMON"]
    assert len(row) == 1
    assert list(row["n_addresses"]) == [1]
    assert not row["is_lieu_dit"].any()


def test_localities_that_addresses_name(con, load, country):
    for n in (2, 4, 6):
        more = {"nom_ld": "La Ville Oger", "id": f"35901_0009_{n}"}
        country.ban.append(address(n, "Chemin du Bas", "35901", 352_000 + n, 6_790_500, **more))
    _store(con, load, country)
    row = _streets(country).set_index("nom_norm").loc["LA VILLE OGER"]
    assert (row["x"], row["code_postal"], row["ban_id"]) == (352_004, "35990", "")
    assert row["is_lieu_dit"]
    assert row["n_addresses"] == 0


def test_a_locality_of_a_file_keeps_its_identifier_when_addresses_name_it_too(con, load, country):
    country.lieux_dits = [_lieu_dit("La Ville Oger", 352_000, 6_790_500)]
    country.ban.append(
        address(2, "Chemin du Bas", "35901", 352_000, 6_790_500, nom_ld="La Ville Oger")
    )
    _store(con, load, country)
    row = _streets(country).set_index("nom_norm").loc["LA VILLE OGER"]
    assert row["ban_id"] == "35901_la v"


def test_only_the_departements_asked_for(con, load, country):
    country.ban.append(address(7, "Chemin du Phare", "97490", 340_000, 7_690_000))
    parts = _store(con, load, country, "974")
    assert parts.addresses == {"974": 1}


def test_extents_and_cells_of_communes(con, load, country):
    parts = _store(con, load, country)
    extents = parts.extents.set_index("code_commune")
    assert extents.loc["35901", "n_addresses"] == 31
    assert set(parts.cells["code_commune"]) == {"35901", "35902"}
    assert len(parts.cells) < len(_addresses(country))


def test_no_address_at_all(con):
    store_frame(con, "communes", pd.DataFrame({"code_commune": ["35901"]}))
    run(con, "CREATE TABLE commune_history (code_ancien VARCHAR, code_commune VARCHAR)")
    load_ban(con, [], None)
    parts = write_ban(con, None)
    assert parts.addresses == {}
    assert list(parts.cells.columns) == ["code_commune", "x", "y"]
