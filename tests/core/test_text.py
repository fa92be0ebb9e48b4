from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geomatch.core.text import (
    MAX_TEXT,
    factorise,
    normalise,
    normalise_all,
    repair_mojibake,
    split_digits,
)

french = st.text(st.characters(codec="cp1252", exclude_categories=("Cc",)), max_size=60)
#: What text becomes when a program reads its UTF-8 as something else.
MISREAD = ("cp1252", "latin-1")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ""),
        ("  \t\n ", ""),
        ("Crêperie de l'Œuf n°2", "CREPERIE DE L OEUF N 2"),
        ("L’ATELIER", "L ATELIER"),
        ("Dupré & Fils", "DUPRE ET FILS"),
        ("DUPRE&FILS", "DUPRE ET FILS"),
        ("Straße", "STRASSE"),
        ("AllÃ©e des chÃªnes", "ALLEE DES CHENES"),
        ("ALLÉE-DES...CHÊNES", "ALLEE DES CHENES"),
        ("n° 12/14", "N 12 14"),
        ("日本", ""),
    ],
)
def test_normalised_text_is_plain_capital_words(written: str, expected: str) -> None:
    assert normalise(written) == expected


@given(st.text(max_size=80))
@example("&" * MAX_TEXT)
@example("½" * MAX_TEXT)
@example("ﬃ" * MAX_TEXT)
def test_normalising_twice_changes_nothing_and_leaves_only_words(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert re.fullmatch(r"(?:[A-Z0-9]+(?: [A-Z0-9]+)*)?", once)
    assert len(once) <= MAX_TEXT


@given(french)
def test_case_and_accents_never_part_two_spellings(text: str) -> None:
    assert normalise(text.lower().upper()) == normalise(text.upper())


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", max_size=40))
def test_ascii_letters_and_digits_all_survive(text: str) -> None:
    assert normalise(text) == text.upper()


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_text_is_normalised_as_any_other(text: str) -> None:
    # an accent, which goes again, has it read letter by letter
    assert normalise(text) == normalise("\u0301" + text)


def test_a_text_longer_than_any_field_is_cut() -> None:
    assert normalise("A" * 5 * MAX_TEXT) == "A" * MAX_TEXT


@given(st.lists(st.text(max_size=10), max_size=20))
def test_many_texts_are_normalised_as_each_is(texts: list[str]) -> None:
    assert normalise_all(texts) == [normalise(t) for t in texts]


@pytest.mark.parametrize("misread", MISREAD)
@pytest.mark.parametrize("text", ["Allée", "Hôtel de la Forêt", "Œillet", "Noël à Saint-Éloi"])
def test_misread_utf8_is_read_again(text: str, misread: str) -> None:
    wrong = text.encode("utf-8").decode(misread, errors="surrogateescape")
    if any("\udc80" <= c <= "\udcff" for c in wrong):
        pytest.skip(f"{misread} has no letter for a byte of this text")
    assert repair_mojibake(wrong) == text


@pytest.mark.parametrize("text", ["Âge d'or", "CHÂTEAU", "MÂCON", "SÃO PAULO", "Ça va", "ÅLAND"])
def test_text_that_is_right_is_left_alone(text: str) -> None:
    assert repair_mojibake(text) == text


@given(st.text(max_size=40))
def test_repairing_never_raises(text: str) -> None:
    repair_mojibake(text)


@pytest.mark.parametrize(
    ("joined", "parted"),
    [("12BIS", "12 BIS"), ("BAT3", "BAT 3"), ("12", "12"), ("A1B2", "A 1 B 2"), ("", "")],
)
def test_digits_are_parted_from_letters(joined: str, parted: str) -> None:
    assert split_digits(joined) == parted


@given(st.lists(st.text(max_size=3), max_size=30))
def test_factorising_keeps_every_value_in_order_of_appearance(values: list[str]) -> None:
    codes, distinct = factorise(values)
    assert [distinct[c] for c in codes] == values
    assert distinct == list(dict.fromkeys(values))
    assert codes.dtype == np.int64
