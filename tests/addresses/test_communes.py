from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses import CommuneIndex
from geomatch.addresses.communes.departements import departement_codes, postcode_departements
from geomatch.addresses.parse.town_names import read_town
from geomatch.core.schema import COMMUNES_RESOLVED
from geomatch.store.reader import Store

CASES = Path(__file__).parent.parent / "cases" / "communes.csv"
with CASES.open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file, delimiter=";"))
with (CASES.parent / "communes_outside.csv").open(encoding="utf-8", newline="") as _file:
    OUTSIDE = list(csv.DictReader(_file, delimiter=";"))
ASKED = (
    "commune",
    "departement",
    "code_postal",
    "code_commune_declaree",
    "code_commune_residence",
    "lieu_travail",
)


def label(row: dict[str, str]) -> str:
    return f"{row['case']}: " + " | ".join(row[c] for c in ASKED)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_commune_is_found(row: dict[str, str], communes: CommuneIndex) -> None:
    found = communes.resolve(pd.DataFrame([{c: row[c] for c in ASKED}])).frame().iloc[0]
    assert found["code_commune"] == row["code_commune"], found["commune_method"]
    assert (found["commune_score"] >= 0.9) == (row["sure"] == "1")


def test_cases_are_many() -> None:
    assert len(ROWS) >= 70
    assert len(OUTSIDE) >= 100


@pytest.mark.parametrize("row", OUTSIDE, ids=lambda row: " | ".join(row.values()))
def test_what_stands_in_place_of_a_commune(row: dict[str, str], communes: CommuneIndex) -> None:
    asked = {c: row[c] for c in (*ASKED, "pays") if c in row}
    found = communes.resolve(pd.DataFrame([asked])).frame().iloc[0]
    for column in ("code_commune", "code_pays", "code_departement"):
        assert found[column] == row[column], column
    assert (found["commune_method"] == "abroad") == bool(row["code_pays"])


def test_scores_are_shares_and_methods_are_said(communes: CommuneIndex) -> None:
    found = communes.resolve(pd.DataFrame([{c: row[c] for c in ASKED} for row in ROWS])).frame()
    assert list(found.columns) == COMMUNES_RESOLVED.names
    assert found["commune_score"].between(0, 1).all()
    told = (found["code_commune"] != "") | (found["code_pays"] != "")
    assert ((found["commune_method"] != "") == told).all()


def test_columns_that_are_absent_are_empty(communes: CommuneIndex) -> None:
    found = communes.resolve(pd.DataFrame({"commune": ["Vaubray", ""]}, index=[5, 2]))
    assert found["code_commune"].tolist() == ["96101", ""]


def test_single_facts(communes: CommuneIndex) -> None:
    assert communes.zone("75056") == ("75101", "75105", "75113")
    assert communes.zone("96101") == ("96101",)
    assert communes.city("75105") == "75056"
    assert communes.city("96101") == "96101"
    assert communes.neighbours("96101") == ("96104", "96110")
    assert communes.neighbours("75105") == ()
    assert communes.in_force("96108") == "96107"
    assert communes.in_force("96101") == "96101"
    assert communes.in_force("00000") == ""
    assert communes.departement("96101") == "96"
    assert communes.departement("97411") == "974"


@pytest.mark.parametrize(
    ("text", "postcode", "exact", "expected"),
    [
        ("VAUBRAY", "", True, True),
        ("VAUBRAY", "96100", True, True),
        ("VAUBRAY", "96120", True, False),
        ("VAUBRAY", "96999", True, True),
        ("VAUBREY", "", True, False),
        ("VAUBREY", "", False, True),
        ("ORMEAX", "", False, False),  # too small a town for a slip
        ("SAINT ELOI SUR LANE", "", False, True),  # but nothing else is called so
        ("RUE", "", False, False),
    ],
)
def test_town_or_not(
    text: str, postcode: str, exact: bool, expected: bool, communes: CommuneIndex
) -> None:
    assert communes.is_town(text, postcode, exact=exact) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1", {"01"}), ("01", {"01"}), ("35", {"35"}), ("2a", {"2A"}), ("20", {"2A", "2B"}),
        ("974", {"974"}), ("99", set()), ("00", set()), ("ILLE ET VILAINE", {"35"}), ("", set()),
        ("Hérault", {"34"}), ("Bretagne", {"22", "29", "35", "56"}), ("DIVERS", set()),
        ("SUISSE", set()),
    ],
)  # fmt: skip
def test_departement_codes(written: str, expected: set[str]) -> None:
    assert departement_codes(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("35910", {"35"}), ("97411", {"974"}), ("20137", {"2A", "2B"}), ("3591", set()), ("", set())],
)
def test_departement_of_a_postcode(written: str, expected: set[str]) -> None:
    assert postcode_departements(written) == expected


@given(st.text(max_size=60))
def test_any_text_is_read_as_a_town(text: str) -> None:
    town = read_town(text)
    assert town.key == town.key.strip()
    assert town.rank >= 0


@given(fields=st.lists(st.text(max_size=12), min_size=6, max_size=6))
def test_any_question_has_an_answer(fields: list[str], communes: CommuneIndex) -> None:
    found = communes.resolve(pd.DataFrame([dict(zip(ASKED, fields, strict=True))]))
    assert 0 <= found["commune_score"][0] <= 1


slips = st.sampled_from(["", "X", "EE", "AB", "BRAY"])


@given(
    st.sampled_from([row["commune"] for row in ROWS if row["commune"]]), slips, st.integers(0, 9)
)
def test_letters_rule_out_no_name_that_is_some_slips_away(
    communes: CommuneIndex, name: str, slip: str, at: int
) -> None:
    names, key = communes.names, read_town(name[:at] + slip + name[at + 1 :]).key
    everyone = {n for of_one in names._of_departement.values() for n in of_one}
    expected = names.alike_among(key, sorted(everyone))
    found = names.alike(key, None)
    if len(expected) < 12:  # so many are looked at
        assert sorted(map(repr, found)) == sorted(map(repr, expected))


@given(
    st.lists(st.sampled_from(ROWS), min_size=2, max_size=6),
    st.lists(st.sampled_from(["", *{row["code_commune_residence"] for row in ROWS}]), min_size=6),
)
def test_who_asked_the_same_before_and_lives_elsewhere_changes_no_answer(
    places: Store, communes: CommuneIndex, rows: list[dict[str, str]], homes: list[str]
) -> None:
    asked = pd.DataFrame(
        [
            {**{c: row[c] for c in ASKED}, "code_commune_residence": home}
            for row in rows
            for home in homes[:3]
        ]
    )
    fresh = CommuneIndex.open(places)
    again = fresh.resolve(asked.iloc[::-1]).frame(asked.index[::-1]).iloc[::-1]
    pd.testing.assert_frame_equal(again, communes.resolve(asked).frame())
