from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from registers import register

from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.core.text import normalise
from geomatch.names.clean import (
    NAMES,
    STOP_WORDS,
    clean_names,
    employer_kinds,
    employer_names,
    name_words,
    towns_named,
)
from geomatch.names.register import register_names, sigles

CASES = Path(__file__).parents[1] / "cases" / "names.csv"
written = st.text(max_size=40)
#: What bulletins are made of: words of the tables and others.
words = st.sampled_from(
    [
        "SARL",
        "SAS",
        "STE",
        "ETS",
        "CTRE",
        "AUTO",
        "ST",
        "S",
        "A",
        "DE",
        "LA",
        "B0UL",
        "X",
        "12",
        "M",
    ]
)


def cases() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize("case", cases(), ids=lambda c: c["case"])
def test_a_written_name_is_cleaned(case: dict[str, str]) -> None:
    assert clean_names([case["written"]]) == [case["expected"]]


@given(st.lists(st.one_of(written, st.lists(words).map(" ".join)), max_size=10))
def test_cleaning_never_fails_nor_empties_a_name_that_says_something(names: list[str]) -> None:
    cleaned = clean_names(names)
    assert len(cleaned) == len(names)
    for name, clean in zip(names, cleaned, strict=True):
        assert bool(clean) == bool(normalise(name))
        assert clean == normalise(clean)


@given(st.lists(written, max_size=8))
def test_a_name_is_cleaned_the_same_whatever_its_neighbours(names: list[str]) -> None:
    together = clean_names(names)
    assert together == [clean_names([n])[0] for n in names]


@given(written)
def test_a_cleaned_name_keeps_a_word_to_be_found_by(name: str) -> None:
    for clean in clean_names([name]):
        assert bool(name_words(clean)) == bool(clean)


def test_stop_words_identify_only_where_there_is_nothing_else() -> None:
    assert name_words("LE COMPTOIR DE LA MARNE") == ["COMPTOIR", "MARNE"]
    assert name_words("DE LA") == ["DE", "LA"]
    assert name_words("") == []


# ------------------------------------------------------------------ bulletins
def names_of(raison: str, address: str = "", town: str = "") -> dict[str, str]:
    frame = employer_names([raison], [address], [town]).frame()
    assert list(frame.columns) == NAMES.names
    assert (frame["row"] == 0).all()
    return dict(zip(frame["name"], frame["form"], strict=True))


def test_brackets_give_the_whole_the_inside_and_the_outside() -> None:
    names = names_of("GARAGE GALANT (CARROSSERIE TREMBLE)")
    assert {"GARAGE GALANT", "CARROSSERIE TREMBLE"} <= set(names)


def test_the_town_in_brackets_is_no_name_of_its_own() -> None:
    assert "VALBRUNE" not in names_of("HOPITAL DU LION (Valbrune)", town="VALBRUNE")
    assert "HOPITAL DU LION" in names_of("HOPITAL DU LION (Valbrune)", town="VALBRUNE")
    assert set(names_of("(Valbrune)", town="VALBRUNE")) == {"VALBRUNE"}
    assert "TREMBLE" in names_of("HOPITAL DU LION (Tremble)", town="VALBRUNE")


@pytest.mark.parametrize("raison", ["GALANT (TREMBLE", "GALANT TREMBLE)", "((GALANT))", "()", "("])
def test_brackets_that_do_not_close_do_no_harm(raison: str) -> None:
    names = names_of(raison)
    assert all(n == normalise(n) and n for n in names)
    assert bool(names) == bool(normalise(raison))


def test_a_generic_employer_gives_way_to_what_stands_in_brackets_or_in_the_address() -> None:
    assert set(names_of("EDUCATION NATIONALE (COLLEGE HENRI TREMBLE)")) == {"COLLEGE HENRI TREMBLE"}
    assert set(names_of("EDUCATION NATIONALE", address="LYCEE DES PINS")) == {"LYCEE DES PINS"}
    assert names_of("EDUCATION NATIONALE") == {}
    assert names_of("") == {}


@pytest.mark.parametrize("raison", ["COLLEGE TREMBLE VALBRUNE", "COLLEGE TREMBLE DE VALBRUNE"])
def test_an_inserted_town_name_is_also_left_out(raison: str) -> None:
    names = names_of(raison, town="VALBRUNE")
    assert "COLLEGE TREMBLE" in names
    assert normalise(raison) in names


@pytest.mark.parametrize(
    ("raison", "town"),
    [("VALBRUNE", "VALBRUNE"), ("LE VALBRUNE", "VALBRUNE"), ("VALBRUNES METAL", "VALBRUNE")],
)
def test_a_town_that_is_the_whole_name_or_part_of_a_word_stays(raison: str, town: str) -> None:
    assert set(names_of(raison, town=town)) == {raison}


def test_a_name_is_given_once_for_each_bulletin_and_rows_are_in_order() -> None:
    frame = employer_names(
        ["GALANT", "", "GALANT (GALANT)"], ["GALANT", "TREMBLE", ""], [""] * 3
    ).frame()
    assert not frame.duplicated(["row", "name"]).any()
    assert frame["row"].is_monotonic_increasing
    assert frame.loc[frame["row"] == 1, "name"].tolist() == ["TREMBLE"]


@given(st.lists(st.tuples(written, written, written), max_size=6))
def test_employer_names_never_fail_and_never_give_an_empty_one(
    bulletins: list[tuple[str, str, str]],
) -> None:
    raisons, addresses, towns = ([b[i] for b in bulletins] for i in range(3))
    frame = employer_names(raisons, addresses, [normalise(t) for t in towns]).frame()
    assert (frame["name"] != "").all()
    assert frame["row"].isin(range(len(bulletins))).all()


@pytest.mark.parametrize(
    ("raison", "kind"),
    [
        ("EDUCATION NATIONALE", "education"),
        ("Éducation nationale (école des Pins)", "education"),
        ("MINISTERE DE LA DEFENSE", "armee"),
        ("MINISTERE DE L'INTERIEUR", "police"),
        ("GENDARMERIE", "gendarmerie"),
        ("CESU", "private_employer"),
        ("PARTICULIERS", "private_employer"),
        ("ASSISTANTE MATERNELLE", "private_employer"),
        ("Ass. maternelle", "private_employer"),
        ("ADECCO", "temp_agency"),
        ("INTERIMAIRE", "temp_agency"),
        ("DIVERS", "no_declaration"),
        ("", "no_declaration"),
        ("...", "no_declaration"),
        ("AUTO ENTREPRENEUR", "self_employed"),
        ("BOULANGERIE CREPIN", ""),
        ("PARTICULARITE", ""),
        ("GENDARMERIE IMMOBILIER", ""),
    ],
)
def test_generic_employers_are_known_by_kind(raison: str, kind: str) -> None:
    kinds, _ = employer_kinds([raison])
    assert kinds == [kind]


@pytest.mark.parametrize(
    ("raison", "nafs"),
    [
        ("EDUCATION NATIONALE", ("85",)),
        ("RECTORAT", ("8411", "8412", "85")),
        ("ASSISTANTE MATERNELLE", ("8891", "97")),
        ("CESU", ("97", "8810")),
        ("DIVERS", ()),
        ("BOULANGERIE CREPIN", ()),
    ],
)
def test_a_generic_name_implies_its_own_naf(raison: str, nafs: tuple[str, ...]) -> None:
    # Several names of one kind imply different activities.
    _, implied = employer_kinds([raison, "RECTORAT", "FEMME DE MENAGE"])
    assert implied[0] == nafs


def test_kind_of_a_cleaned_name() -> None:
    kinds, _ = employer_kinds(["EDUCATION NATIONALE", "BOULANGERIE CREPIN"])
    assert kinds == ["education", ""]


# ------------------------------------------------------------------ register
def register_name_set(**columns: str) -> set[str]:
    frame = register(columns)
    names = register_names(frame, frame["libelle_commune"].tolist())
    assert list(names.columns) == NAMES.names
    assert (names["name"] != "").all()
    assert not names.duplicated(["row", "name"]).any()
    return set(names["name"])


def test_every_name_of_an_establishment_is_known() -> None:
    names = register_name_set(
        denomination="PATELIER SARL",
        sigle="S.P.V.",
        enseignes="SUPER GALANT",
        denominations_usuelles="CHEZ PATELIER | LE MARCHE",
        personne="ODETTE DUVERNAY",
    )
    assert {"PATELIER", "SPV", "SUPER GALANT", "CHEZ PATELIER", "LE MARCHE"} <= names
    assert "ODETTE DUVERNAY" in names


def test_an_enseigne_cut_in_three_is_also_known_whole() -> None:
    names = register_name_set(enseignes="HOTEL | DU LION | GALANT")
    assert {"HOTEL DU LION GALANT", "HOTEL", "DU LION GALANT"} - names == {"DU LION GALANT"}


@pytest.mark.parametrize("name", ["MAIRIE", "MAIRIE DE VALBRUNE", "VILLE DE VALBRUNE"])
def test_a_commune_is_also_its_mairie(name: str) -> None:
    names = register_name_set(siren="219600010", denomination="COMMUNE DE VALBRUNE", naf="84.11Z")
    assert name in names


def test_a_school_of_the_commune_is_not_the_mairie() -> None:
    names = register_name_set(
        siren="219600010",
        denomination="COMMUNE DE VALBRUNE",
        enseignes="ECOLE DES PINS",
        naf="85.20Z",
    )
    assert not {n for n in names if n.startswith("MAIRIE")}
    assert "COMMUNE VALBRUNE ECOLE DES PINS" in {n.replace(" DE VAL", " VAL") for n in names}


def test_a_school_is_also_called_by_its_street_and_place() -> None:
    school = {"siren": "219600010", "enseignes": "ECOLE MATERNELLE", "nom_voie": "DES PINS",
              "complement": "HAMEAU GALANT"}  # fmt: skip
    by_place = {"ECOLE MATERNELLE DES PINS", "ECOLE MATERNELLE HAMEAU GALANT"}
    assert by_place <= register_name_set(**school, naf="85.10Z")
    assert not by_place & register_name_set(**school, naf="84.11Z")
    assert not by_place & register_name_set(**(school | {"siren": "399600010"}), naf="85.10Z")
    assert not by_place & register_name_set(**(school | {"enseignes": ""}), naf="85.10Z")


@pytest.mark.parametrize(
    ("enseigne", "naf", "said"),
    [
        ("CP VALBRUNE", "84.23Z", "MAISON D ARRET VALBRUNE"),
        ("MAISON D'ARRET VALBRUNE", "84.23Z", "CD VALBRUNE"),
        ("CTRE HOSPITALIER DES PINS", "86.10Z", "HOPITAL DES PINS"),
        ("MEDIATHEQUE", "91.01Z", "BIBLIOTHEQUE"),
    ],
)
def test_beginnings_that_people_take_for_one_another_are_names_too(
    enseigne: str, naf: str, said: str
) -> None:
    assert said in register_name_set(enseignes=enseigne, naf=naf)
    assert said not in register_name_set(enseignes=enseigne, naf="43.21A")
    assert said not in register_name_set(enseignes=f"X{enseigne}", naf=naf)


def test_a_departement_goes_by_its_name_whatever_the_register_calls_it() -> None:
    names = register_name_set(
        siren="224400028", denomination="BUDGET PRINCIPAL", naf="84.11Z", code_commune="44109"
    )
    assert {"DEPARTEMENT LOIRE ATLANTIQUE", "CONSEIL DEPARTEMENTAL LOIRE ATLANTIQUE"} <= names


@pytest.mark.parametrize(
    ("complement", "names"),
    [
        ("HOPITAL NECKER", {"HOPITAL NECKER", "GALANT HOPITAL NECKER"}),
        ("LYCEE DE LA LYS", {"LYCEE DE LA LYS", "GALANT LYCEE DE LA LYS"}),
        ("MAIRIE", set()),
        ("MAIRIE DE VALBRUNE", set()),
        ("HOTEL DE VILLE", set()),
        ("CHEZ DUPONT", set()),
        ("CENTRE COMMERCIAL AUCHAN", set()),
        ("CENTRE SOCIAL", set()),
        ("RIS REP PAR SA CABINET X", set()),
        ("BATIMENT 3", set()),
    ],
)
def test_a_site_named_in_its_address_goes_by_that_name(complement: str, names: set[str]) -> None:
    without = register_name_set(denomination="GALANT")
    assert register_name_set(denomination="GALANT", complement=complement) - without == names


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("MAIRIE", ["CENTRE COMMUNAL ACTION SOCIAL"]),
        ("MAIRIE DE ROUSSET", ["CENTRE COMMUNAL ACTION SOCIAL"]),
        ("COLLEGE HUGO", ["CENTRE COMMUNAL ACTION SOCIAL", "COLLEGE HUGO"]),
    ],
)
def test_who_lodges_at_the_mairie_is_not_the_mairie(address: str, names: list[str]) -> None:
    assert employer_names(["CCAS"], [address], ["ROUSSET"])["name"].tolist() == names


def test_a_company_called_after_a_town_is_no_mairie() -> None:
    assert not {
        n for n in register_name_set(denomination="VALBRUNE", naf="43.21A") if "MAIRIE" in n
    }


def test_an_establishment_without_any_name_has_no_row() -> None:
    assert register_name_set(numero="3", nom_voie="DES PINS") == set()


def test_no_establishment_gives_no_names() -> None:
    frame = register({"denomination": "X"}).iloc[:0]
    pd.testing.assert_frame_equal(register_names(frame, []), NAMES.empty())


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("AGENCE DES OURSINS GALANTS", "AOG"),
        ("AGENCE GALANTE", ""),
        ("SUPER 2000 GALANT", ""),
        ("B C F G H I J K", ""),
        ("", ""),
    ],
)
def test_initials_stand_for_names_of_three_words_or_more(name: str, initials: str) -> None:
    assert sigles([name]) == [initials]


def test_stop_words_are_normalised_words() -> None:
    assert {normalise(w) for w in STOP_WORDS} == set(STOP_WORDS)


def test_a_commune_made_by_a_merger_is_a_commune_though_its_siren_begins_with_20() -> None:
    rows = [
        {"siren": "200056703", "enseignes": "MAIRIE", "naf": "84.11Z", "libelle_commune": "PORDIC"},
        {"siren": "200056703", "enseignes": "ECOLE DU PORT", "naf": "85.20Z",
         "libelle_commune": "PORDIC"},
        {"siren": "200011111", "enseignes": "", "naf": "84.11Z", "libelle_commune": "PORDIC"},
    ]  # fmt: skip
    columns = list(STORE_ESTABLISHMENTS.columns)
    frame = pd.DataFrame(rows).reindex(columns=columns, fill_value="").fillna("")
    names = register_names(frame, frame["libelle_commune"].tolist())
    borne = names.groupby("row")["name"].agg(set).to_dict()
    assert {"MAIRIE DE PORDIC", "COMMUNE DE PORDIC"} <= borne[0]
    assert "COMMUNE DE PORDIC ECOLE DU PORT" in borne[1]
    assert 2 not in borne


@pytest.mark.parametrize(
    ("raison", "names"),
    [
        ("MINISTERES SOCIAUX", ["MINISTERES SOCIAUX"]),
        ("ADECCO", ["ADECCO"]),
        ("INTERIM", []),
        ("EDUCATION NATIONALE", []),
        ("ECOLE DU PORT (SARL)", ["ECOLE DU PORT"]),
    ],
)
def test_a_generic_employer_is_looked_for_by_name_where_the_register_may_hold_it(
    raison: str, names: list[str]
) -> None:
    assert sorted(set(employer_names([raison], [""], [""])["name"])) == names


def test_towns_in_a_name_are_found_whole() -> None:
    towns = ["ARNAGE", "LA TOUR DE SALVAGNY", "LE MANS", "LE MANS"]
    held = towns_named(["CCAS D ARNAGE", "GARAGE TOUR SALVAGNY", "TOUR", "VILLE MANS"], towns)
    expected = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 1]]
    assert held.toarray().tolist() == expected
