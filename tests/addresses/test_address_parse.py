from __future__ import annotations

import csv
import string
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses import get_parser
from geomatch.addresses.parse import tokens
from geomatch.addresses.parse.rules import RulesParser, parse_line
from geomatch.core.config import AddressOptions
from geomatch.core.errors import ConfigError
from geomatch.core.schema import ADDRESS_PARTS

CASES = Path(__file__).parent.parent / "cases" / "parse.csv"
with CASES.open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file, delimiter=";"))

WORDS = (
    "12 12B 0012 BIS TER A B D RUE R AV BD ZA LIEU DIT DE LA L 8 MAI 1945 PARIS 75013 35910 CEDEX "
    "BP CS 40012 BAT ETAGE 2E ECOLE MAIRIE SAINT ST GAL RN 7 - / , ( ) É œ DOUZE 1O N° \n"
)
pieces = st.sampled_from(WORDS.split(" "))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['case']}: {row['text']}")
def test_line_is_cut_into_parts(row: dict[str, str]) -> None:
    got = dict(zip(ADDRESS_PARTS.columns, parse_line(row["text"]), strict=True))
    expected = {c: row[c] == "1" if c == "cedex" else row.get(c, "") for c in ADDRESS_PARTS.columns}
    assert got == expected


def test_cases_are_many() -> None:
    assert len(ROWS) >= 200
    assert len({row["text"] for row in ROWS}) == len(ROWS)


@given(st.text(max_size=80))
def test_any_text_gives_one_row_of_text(text: str) -> None:
    parts = RulesParser().parse([text]).frame()
    assert list(parts.columns) == ADDRESS_PARTS.names
    assert len(parts) == 1
    assert all(isinstance(v, str) for v in parts.drop(columns="cedex").iloc[0])


@given(st.lists(pieces, max_size=12))
def test_parts_are_normalised_words_of_the_line(words: list[str]) -> None:
    parts = RulesParser().parse([" ".join(words)]).frame().iloc[0]
    allowed = set(string.ascii_uppercase + string.digits + " ")
    for column in ("type_voie", "nom_voie", "lieu", "complement", "nom", "commune"):
        assert set(parts[column]) <= allowed
        assert parts[column] == parts[column].strip()
    assert parts["numero"] == "" or (parts["numero"].isdigit() and parts["numero"][0] != "0")
    assert parts["code_postal"] == "" or len(parts["code_postal"]) == 5


@given(st.lists(pieces, max_size=10))
def test_case_and_outer_blanks_do_not_matter(words: list[str]) -> None:
    line = " ".join(words)
    parser = RulesParser()
    one, other = (parser.parse([text]).frame() for text in (line, f"  {line.lower()} "))
    pd.testing.assert_frame_equal(one, other)


@given(st.lists(pieces | st.sampled_from("0123456789-/–n°ºDNdnF, "), max_size=12), st.booleans())
def test_no_line_that_is_spelt_otherwise_is_passed_over(words: list[str], parted: bool) -> None:
    line = (" " if parted else "").join(words)
    if any(spelling.search(line) for spelling, _ in tokens._SPELLINGS):
        assert tokens._MAYBE_SPELT.search(line)


def test_rows_keep_their_order_and_repeat() -> None:
    lines = ["3 rue du Four", "", "5 rue du Port", "3 rue du Four"]
    assert RulesParser().parse(lines)["nom_voie"].tolist() == ["DU FOUR", "", "DU PORT", "DU FOUR"]


def test_no_lines_give_an_empty_table() -> None:
    assert list(RulesParser().parse([]).frame().columns) == ADDRESS_PARTS.names


def test_unknown_parser_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'magic'.*auto, rules, libpostal"):
        get_parser(AddressOptions(parser="magic"))
