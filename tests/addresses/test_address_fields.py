from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses import bulletin_parts, register_parts
from geomatch.addresses.parse.fields import address_line
from geomatch.addresses.parse.rules import RulesParser
from geomatch.core.schema import ADDRESS_PARTS, BULLETINS, STORE_ESTABLISHMENTS

NAMES = ("DES LILAS", "DU GENERAL LECLERC", "DU 8 MAI 1945", "SAINT JACQUES", "DE L EGLISE")
TYPES = {"R": "RUE", "AV": "AVENUE", "BD": "BOULEVARD", "PL": "PLACE", "IMP": "IMPASSE"}


def bulletin(**fields: str) -> pd.Series:
    """Parts of one bulletin."""
    frame = BULLETINS.conform(pd.DataFrame([fields]))
    return bulletin_parts(frame, RulesParser()).frame().iloc[0]


def establishment(**fields: str) -> pd.Series:
    """Parts of one register row."""
    frame = STORE_ESTABLISHMENTS.conform(pd.DataFrame([fields]))
    return register_parts(frame).frame().iloc[0]


def street(parts: pd.Series) -> tuple[str, str, str, str]:
    return tuple(parts[["numero", "rep", "type_voie", "nom_voie"]])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("0012", "", "R", "DES LILAS"), ("12", "", "RUE", "DES LILAS")),
        (("12", "B", "R", "DES LILAS"), ("12", "b", "RUE", "DES LILAS")),
        (("12", "BIS", "R", "DES LILAS"), ("12", "bis", "RUE", "DES LILAS")),
        (("12BIS", "", "R", "DES LILAS"), ("12", "bis", "RUE", "DES LILAS")),
        (("12", "", "R", "RUE DES LILAS"), ("12", "", "RUE", "DES LILAS")),
        (("12", "", "R", "12 RUE DES LILAS"), ("12", "", "RUE", "DES LILAS")),
        (("0012", "B", "R", "12 B RUE DES LILAS"), ("12", "b", "RUE", "DES LILAS")),
        (("12", "", "", "RUE DES LILAS"), ("12", "", "RUE", "DES LILAS")),
        (("", "", "", "12 RUE DES LILAS"), ("12", "", "RUE", "DES LILAS")),
        (("", "", "R", "DES LILAS"), ("", "", "RUE", "DES LILAS")),
        (("12", "", "", "DES LILAS"), ("12", "", "", "DES LILAS")),
        (("3", "", "PL", "DU 14 JUILLET"), ("3", "", "PLACE", "DU 14 JUILLET")),
        (("", "", "R", "DU 8 MAI 1945"), ("", "", "RUE", "DU 8 MAI 1945")),
        (("8", "", "R", "8 MAI 1945"), ("8", "", "RUE", "8 MAI 1945")),
        (("SN", "", "R", "DES LILAS"), ("", "", "RUE", "DES LILAS")),
        (("0", "", "R", "DES LILAS"), ("", "", "RUE", "DES LILAS")),
        (("12", "", "", ""), ("12", "", "", "")),
        (("", "", "", ""), ("", "", "", "")),
    ],
)
def test_census_fields_make_an_address(
    fields: tuple[str, str, str, str], expected: tuple[str, str, str, str]
) -> None:
    numero, rep, kind, name = fields
    assert street(bulletin(numero=numero, rep=rep, type_voie=kind, nom_voie=name)) == expected


@given(
    st.integers(1, 9999),
    st.sampled_from(["", "BIS", "TER", "B"]),
    st.sampled_from(sorted(TYPES)),
    st.sampled_from(NAMES),
)
def test_fields_and_line_give_the_same_parts(numero: int, rep: str, kind: str, name: str) -> None:
    fields = bulletin(numero=f"{numero:04d}", rep=rep, type_voie=kind, nom_voie=name)
    line = bulletin(adresse=f"{numero} {rep} {TYPES[kind].lower()} {name.lower()}")
    assert fields.to_dict() == line.to_dict()
    assert street(fields) == (str(numero), rep.lower(), TYPES[kind], name)


def test_range_is_kept() -> None:
    parts = bulletin(numero="5-7", type_voie="R", nom_voie="DES LILAS")
    assert (parts["numero"], parts["numero_fin"]) == ("5", "7")


@pytest.mark.parametrize("name", ["COLLEGE VICTOR MORIN", "EDUCATION NATIONALE", "MAIRIE"])
def test_institution_in_the_street_field_is_a_name(name: str) -> None:
    parts = bulletin(nom_voie=name)
    assert (parts["nom"], parts["nom_voie"], parts["doubt"]) == (name, "", "name")


def test_line_comes_before_the_fields() -> None:
    parts = bulletin(adresse="3 rue du Four", numero="12", type_voie="R", nom_voie="DES LILAS")
    assert street(parts) == ("3", "", "RUE", "DU FOUR")


def test_columns_of_their_own_replace_town_and_postcode_of_the_line() -> None:
    line = "3 rue du Four 35910 Vaubray"
    parts = bulletin(adresse=line, commune="Brécourt CEDEX 2", code_postal="35920")
    assert (parts["commune"], parts["code_postal"]) == ("BRECOURT 2", "35920")
    assert parts["cedex"]
    parts = bulletin(adresse=line, code_postal="not one")
    assert (parts["commune"], parts["code_postal"]) == ("VAUBRAY", "35910")


def test_complement_is_read_too() -> None:
    parts = bulletin(numero="3", type_voie="R", nom_voie="DU FOUR", complement="BAT B ZA DES PRES")
    assert (parts["complement"], parts["lieu"]) == ("BAT B", "ZONE ARTISANALE DES PRES")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("12||RUE|DES LILAS", ("12", "", "RUE", "DES LILAS")),
        ("12|B|RUE|DES LILAS", ("12", "b", "RUE", "DES LILAS")),
        ("||CHEM|DES VIGNES", ("", "", "CHEMIN", "DES VIGNES")),
        ("||GAL|DES MARCHANDS", ("", "", "GALERIE", "DES MARCHANDS")),
        ("||ZA|DES CHENES", ("", "", "ZONE ARTISANALE", "DES CHENES")),
        ("|||LE BOURG", ("", "", "", "LE BOURG")),
        ("[ND]||[ND]|[ND]", ("", "", "", "")),
        ("||AV|DU GAL LECLERC", ("", "", "AVENUE", "DU GENERAL LECLERC")),
    ],
)
def test_register_rows_make_an_address(fields: str, expected: tuple[str, str, str, str]) -> None:
    columns = ("numero", "rep", "type_voie", "nom_voie")
    row = dict(zip(columns, fields.split("|"), strict=True))
    assert street(establishment(**row)) == expected


def test_register_range_has_its_own_column() -> None:
    parts = establishment(numero="5", numero_fin="9", type_voie="RUE", nom_voie="DES LILAS")
    assert (parts["numero"], parts["numero_fin"]) == ("5", "9")


def test_register_town_without_its_cedex() -> None:
    parts = establishment(libelle_commune="VAUBRAY CEDEX 3", code_postal="35910")
    assert (parts["commune"], parts["code_postal"], parts["cedex"]) == ("VAUBRAY 3", "35910", True)


def test_rows_are_aligned_whatever_their_index() -> None:
    streets = ["RUE DU FOUR", "RUE DU PORT"]
    frame = BULLETINS.conform(pd.DataFrame({"nom_voie": streets}, index=[7, 3]))
    parts = bulletin_parts(frame, RulesParser())
    assert parts["nom_voie"].tolist() == ["DU FOUR", "DU PORT"]
    assert list(parts) == ADDRESS_PARTS.names


@given(st.text(max_size=10), st.text(max_size=4), st.text(max_size=6), st.text(max_size=30))
def test_any_fields_make_one_line(numero: str, rep: str, kind: str, name: str) -> None:
    assert "\n" not in address_line(numero, rep, kind, name, "").strip("\n") or "\n" in numero
