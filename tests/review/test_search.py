from __future__ import annotations

import re
import time

import numpy as np
import pandas as pd
import pytest

from geomatch.demo.identifiers import siren_number, siret_number
from geomatch.review.desk.register import Register, siret_problem
from geomatch.review.desk.search import Finder
from geomatch.review.desk.wording import register_names
from geomatch.store.reader import Store

NOWHERE = {"x": np.nan, "y": np.nan, "crs": 0}


@pytest.fixture(scope="module")
def finder(store: Store) -> Finder:
    made = Finder(Register(store))
    made.warm("96")
    return made


@pytest.fixture(scope="module")
def shop(establishments: pd.DataFrame) -> pd.Series:
    """An establishment with a name that no other bears, a street and a number."""
    rows = establishments[(establishments["voie_norm"] != "") & (establishments["numero_norm"] > 0)]
    named = rows[rows["denomination"].str.split().str.len() >= 2]
    alone = named[~named["denomination"].duplicated(keep=False)]
    return alone.iloc[3]


def sirets(found: pd.DataFrame) -> list[str]:
    return found["siret"].tolist()


# ------------------------------------------------------------------ SIRET
@pytest.mark.parametrize(
    ("siret", "part"),
    [
        (siret_number(siren_number(7), 1), ""),
        ("35600000000048", ""),  # La Poste's head office passes Luhn
        ("35600000049837", ""),  # its other offices only add up to a multiple of five
        ("35600000049838", "clé"),
        ("00012345600010", "clé"),
        ("123", "14 chiffres"),
        ("", "14 chiffres"),
        ("1234567890123A", "14 chiffres"),
        ("１２３４５６７８９０１２３４", "14 chiffres"),
    ],
)
def test_a_siret_is_checked(siret: str, part: str) -> None:
    problem = siret_problem(siret)
    assert (problem == "") == (part == "")
    assert part in problem


# ------------------------------------------------------------------ register
def test_rows_come_in_the_order_asked_wherever_they_are(
    finder: Finder, establishments: pd.DataFrame
) -> None:
    asked = establishments["siret"].iloc[[40, 2, 17]].tolist()
    register = finder.register
    for near in (["96"], [], ["35"]):
        assert sirets(register.rows([*asked, "0" * 14, "", "1' OR", "9" * 14], near)) == asked


# ------------------------------------------------------------------ search
def test_a_name_finds_its_establishment_first(finder: Finder, shop: pd.Series) -> None:
    found = finder.search(register_names(shop)[0].lower(), "", departement="96", place=NOWHERE)
    assert sirets(found)[0] == shop["siret"]
    assert len(found) <= 8


def test_a_misspelt_name_still_finds_it(finder: Finder, shop: pd.Series) -> None:
    name = register_names(shop)[0]
    longest = max(re.findall(r"\w+", name), key=len)
    wrong = name.replace(longest, longest[:2] + longest[3:])
    found = finder.search(wrong, "", departement="96", place=NOWHERE)
    assert shop["siret"] in sirets(found)


def test_a_street_and_its_number_find_who_is_there(finder: Finder, shop: pd.Series) -> None:
    street = f"{shop['numero_norm']} {shop['type_voie']} {shop['nom_voie']}"
    found = finder.search("", street, departement="96", place=shop)
    assert shop["siret"] in sirets(found)
    assert found.iloc[0]["voie_norm"] == shop["voie_norm"]
    assert found.iloc[0]["numero_norm"] == shop["numero_norm"]


def test_name_and_street_together_come_before_either(finder: Finder, shop: pd.Series) -> None:
    found = finder.search(
        register_names(shop)[0], str(shop["nom_voie"]), departement="96", place=NOWHERE
    )
    assert sirets(found)[0] == shop["siret"]


def test_the_nearer_of_two_alike_comes_first(finder: Finder, establishments: pd.DataFrame) -> None:
    named = establishments[establishments["denomination"].str.startswith("BOULANGERIE")]
    located = named[named["x"].notna()]
    place = located.iloc[-1]
    found = finder.search("boulangerie", "", departement="96", place=place)
    far = np.hypot(found["x"] - place["x"], found["y"] - place["y"])
    every = np.hypot(located["x"] - place["x"], located["y"] - place["y"])
    assert far.min() <= np.sort(every)[:8].max()


@pytest.mark.parametrize(("name", "street"), [("", ""), ("%_*", ""), ("zzzzqqqq", ""), ("", "12")])
def test_nothing_typed_or_known_finds_nothing(finder: Finder, name: str, street: str) -> None:
    assert finder.search(name, street, departement="96", place=NOWHERE).empty


def test_another_departement_than_the_stores_finds_nothing(finder: Finder) -> None:
    assert finder.search("boulangerie", "", departement="../96", place=NOWHERE).empty


def test_a_new_register_finds_a_row_of_a_departement_it_was_not_told_of(
    store: Store, establishments: pd.DataFrame
) -> None:
    siret = establishments["siret"].iloc[5]
    assert sirets(Register(store).rows([siret, siret], [])) == [siret, siret]


def test_a_search_is_answered_with_less_than_three_tenths_of_a_second_of_work(
    finder: Finder,
) -> None:
    took = []
    for name in ("boulangerie", "commune", "garage du centre", "zanimo", "ecole elementaire"):
        start = time.process_time()
        finder.search(name, "rue de l eglise", departement="96", place=NOWHERE)
        took.append(time.process_time() - start)
    assert float(np.median(took)) < 0.3
