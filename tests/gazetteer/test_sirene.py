from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
from official_files import Country, establishment

from gazetteer.engine import frame, quoted
from gazetteer.loading import Stage
from gazetteer.register import write_register
from geomatch.core.errors import DataError


def _register(
    con,
    load,
    country: Country,
    *,
    sirene: str = ".csv",
    nomenclature: str = "NAFRev2",
    **scope: object,
) -> pd.DataFrame:
    options = dataclasses.replace(country.write(sirene=sirene), **scope)
    load(options, Stage.REGISTER)
    write_register(
        con, country.root / "register", departements=options.departements, nomenclature=nomenclature
    )
    files = quoted(country.root / "register" / "*" / "*.parquet")
    rows = frame(con, f"SELECT * FROM read_parquet({files}, hive_partitioning=true)")
    return rows.set_index("siret").sort_index()


@pytest.mark.parametrize("sirene", [".csv", ".csv.gz", ".zip", ".parquet"])
def test_the_stock_is_read_in_each_of_its_forms(con, load, country, sirene: str):
    rows = _register(con, load, country, sirene=sirene)
    assert list(rows.index.str[:9]) == ["900000001", "900000002", "900000004", "900000005"]
    bakery = rows.iloc[0]
    assert bakery["denomination"] == "BOULANGERIE LEMADEC"
    assert (bakery["sigle"], bakery["enseignes"]) == ("BLM", "AU PAIN DORE")
    assert (bakery["numero"], bakery["type_voie"], bakery["nom_voie"]) == (
        "4", "RUE", "DES TISSERANDS")  # fmt: skip
    assert bakery["categorie_juridique"] == "5499"
    assert bakery["is_siege"]
    assert bakery["is_employeur"]


def test_undisclosed_is_absent_not_text(con, load, country):
    row = _register(con, load, country).loc["90000000400011"]
    assert row["denomination"] == ""
    assert row["personne"] == "MAIWEN HOAREL"


def test_old_communes_are_brought_into_force_and_give_the_departement(con, load, country):
    country.sirene.append(establishment("90000000600016", "20901"))
    rows = _register(con, load, country)
    assert rows.loc["90000000200015", "code_commune"] == "35902"
    assert (rows.loc["90000000600016", ["code_commune", "departement"]] == ["2A901", "2A"]).all()
    assert rows.loc["90000000400011", "departement"] == "974"


def test_all_or_only_active(con, load, country):
    assert "90000000300013" in _register(con, load, country, active_only=False).index


@pytest.mark.parametrize(
    ("created", "state", "since", "kept"),
    [
        ("2010-01-01", "A", "2010-01-01", True),
        ("2020-03-31", "A", "2020-03-31", True),
        ("2020-04-01", "A", "2020-04-01", False),
        ("2010-01-01", "F", "2020-01-02", True),
        ("2010-01-01", "F", "2020-01-01", False),
        ("", "A", "", True),
    ],
)
def test_active_in_a_period_from_the_stock_alone(
    con, load, country, created: str, state: str, since: str, kept: bool
):
    row = establishment(
        "90000000700014",
        "35901",
        dateCreationEtablissement=created,
        etatAdministratifEtablissement=state,
        dateDebut=since,
    )
    country.sirene.append(row)
    rows = _register(con, load, country, period=("2020-01-01", "2020-03-31"))
    assert ("90000000700014" in rows.index) is kept


def test_active_in_a_period_from_the_spells(con, load, country):
    def spell(siret: str, state: str, start: str, end: str) -> dict[str, object]:
        return {"siret": siret, "dateDebut": start, "dateFin": end,
                "etatAdministratifEtablissement": state,
                "changementEtatAdministratifEtablissement": "true"}  # fmt: skip

    country.historique = [
        spell("90000000100017", "A", "2021-05-01", ""),
        spell("90000000100017", "F", "2015-01-01", "2021-04-30"),
        spell("90000000200015", "A", "2008-01-01", ""),
        spell("90000000300013", "A", "2008-01-01", "2020-02-09"),
        spell("90000000300013", "F", "2020-02-10", ""),
    ]
    rows = _register(con, load, country, period=("2020-01-01", "2020-03-31"))
    assert list(rows.index) == ["90000000200015", "90000000300013"]


def test_names_are_parted_and_told_once(con, load, country):
    country.sirene[0].update(
        enseigne1Etablissement="LE FOUR", enseigne2Etablissement="A BOIS",
        enseigne3Etablissement="LE FOUR", denominationUsuelleEtablissement="LEMADEC PERE",
    )  # fmt: skip
    country.unites[0].update(
        denominationUsuelle1UniteLegale="LEMADEC PERE", denominationUsuelle2UniteLegale="LEMADEC"
    )
    row = _register(con, load, country).iloc[0]
    assert row["enseignes"] == "LE FOUR | A BOIS"
    assert row["denominations_usuelles"] == "LEMADEC PERE | LEMADEC"


def test_a_married_name_comes_before_the_birth_name(con, load, country):
    country.unites[2].update(nomUsageUniteLegale="RIVOAL", prenomUsuelUniteLegale="MAI")
    assert _register(con, load, country).loc["90000000400011", "personne"] == "MAI RIVOAL HOAREL"


@pytest.mark.parametrize(
    ("own", "unit", "naf"),
    [
        ("10.71C", "84.11Z", "10.71C"),
        ("", "84.11Z", "84.11Z"),
        ("1071C", "", "10.71C"),
        ("[ND]", "", ""),
        (".", "8411Z", "84.11Z"),
        ("99.0Z", "", ""),
        ("501Z", "", ""),
    ],
)
def test_activity(con, load, country, own: str, unit: str, naf: str):
    country.sirene[0]["activitePrincipaleEtablissement"] = own
    country.unites[0]["activitePrincipaleUniteLegale"] = unit
    assert _register(con, load, country).iloc[0]["naf"] == naf


@pytest.mark.parametrize(
    ("own", "kind", "own_2025", "nomenclature", "naf"),
    [
        ("10.71C", "NAFRev2", "10.71Y", "NAFRev2", "10.71C"),
        ("10.71C", "NAFRev2", "10.71Y", "NAF2025", "10.71Y"),
        ("10.71Y", "NAF2025", "", "NAF2025", "10.71Y"),
        ("10.71Y", "NAF2025", "", "NAFRev2", ""),
        ("15.8C", "NAFRev1", "", "NAFRev2", ""),
    ],
)
def test_activity_in_the_nomenclature_asked_for(
    con, load, country, own: str, kind: str, own_2025: str, nomenclature: str, naf: str
):
    country.sirene[0].update(
        activitePrincipaleEtablissement=own,
        nomenclatureActivitePrincipaleEtablissement=kind,
        activitePrincipaleNAF25Etablissement=own_2025,
    )
    country.unites[0]["activitePrincipaleUniteLegale"] = ""
    rows = _register(con, load, country, nomenclature=nomenclature)
    assert rows.loc["90000000100017", "naf"] == naf


def test_a_register_of_another_nomenclature_is_told(con, load, country, caplog):
    with caplog.at_level("WARNING"):
        _register(con, load, country, nomenclature="NAF2025")
    assert "4 of 4 establishments have no NAF2025 code" in caplog.text


@pytest.mark.parametrize(
    ("code", "postcode", "name", "expected"),
    [
        ("", "35990", "", "35901"),
        ("", "35991", "L'Étang Vieux", "35905"),
        ("", "35991", "AILLEURS", None),
        ("99999", "35991", "Kervallon", "35902"),
        ("[ND]", "[ND]", "[ND]", None),
        ("99234", "", "BERLIN", None),
    ],
)
def test_a_missing_commune_is_found_from_postcode_and_name(
    con, load, country, code: str, postcode: str, name: str, expected: str | None
):
    row = establishment(
        "90000000700014", code, codePostalEtablissement=postcode, libelleCommuneEtablissement=name
    )
    country.sirene.append(row)
    rows = _register(con, load, country)
    assert rows["code_commune"].get("90000000700014") == expected


def test_only_the_departements_asked_for(con, load, country):
    rows = _register(con, load, country, departements=("2A", "974"))
    assert set(rows["departement"]) == {"2A", "974"}


@pytest.mark.parametrize("what", ["sirene", "unites"])
def test_twins_are_refused(con, load, country, what: str):
    rows = getattr(country, what)
    rows.append(dict(rows[0]))
    with pytest.raises(DataError, match=r"stand more than once in .*utf8\.csv"):
        _register(con, load, country)


def test_a_siret_that_is_none_is_left_out(con, load, country):
    country.sirene.append(establishment("12345", "35901"))
    assert "12345" not in _register(con, load, country).index


def test_units_are_not_needed_for_every_establishment(con, load, country):
    country.sirene.append(establishment("90000000700014", "35901"))
    row = _register(con, load, country).loc["90000000700014"]
    assert (row["denomination"], row["personne"], row["categorie_juridique"]) == ("", "", "")


def test_geolocated_positions_are_joined(con, load, country):
    country.geoloc = [
        {"siret": "90000000100017", "x": 351041.2, "y": 6789003.1, "qualite_xy": "11",
         "epsg": "2154"},
        {"siret": "90000000200015", "x": "", "y": "", "qualite_xy": "33", "epsg": "2154"},
    ]  # fmt: skip
    rows = _register(con, load, country)
    assert rows.loc["90000000100017", ["gx", "gqualite"]].tolist() == [351041.2, "11"]
    assert rows["gx"].notna().sum() == 1
