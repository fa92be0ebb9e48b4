"""Slips of the pen, of the keyboard and of optical reading."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.demo.answers import street_parts
from geomatch.demo.naming import elide, tranche_of
from geomatch.demo.streets import towards
from geomatch.demo.writing import (
    leave_out,
    misread,
    misspell,
    noisy,
    shorten,
    slip_of_keyboard,
    turn_round,
)

WORDS = st.text(alphabet="ABCDEINORST 0123456789'", max_size=40)


@given(WORDS, st.integers(0, 1_000), st.sampled_from([slip_of_keyboard, misread, misspell]))
def test_one_slip_changes_at_most_two_letters(
    text: str, seed: int, slip: Callable[[Random, str], str]
) -> None:
    changed = slip(Random(seed), text)
    assert abs(len(changed) - len(text)) <= 1
    assert changed[:1] == text[:1] or slip is not slip_of_keyboard


@given(WORDS, st.integers(0, 1_000), st.booleans())
def test_same_random_same_noise(text: str, seed: int, is_paper: bool) -> None:
    first = noisy(Random(seed), text, is_paper=is_paper)
    assert first == noisy(Random(seed), text, is_paper=is_paper)


def test_paper_is_misread_and_keyboards_slip() -> None:
    text = "SOBRIO CLOS"
    paper = {noisy(Random(s), text, is_paper=True, strength=9) for s in range(50)}
    web = {noisy(Random(s), text, is_paper=False, strength=9) for s in range(50)}
    assert any(set(t) & set("0158") for t in paper)
    assert not any(set(t) & set("0158") for t in web)


@given(WORDS, st.integers(0, 99))
def test_words_are_kept_when_they_only_move(text: str, seed: int) -> None:
    assert sorted(turn_round(Random(seed), text).split()) == sorted(text.split())
    assert len(leave_out(Random(seed), text).split(" ")) in (1, text.count(" "))


def test_shorten_knows_its_words() -> None:
    assert {shorten(Random(s), "SAINT HOUX") for s in range(20)} == {"SAINT HOUX", "ST HOUX"}


@pytest.mark.parametrize(
    ("text", "expected"), [("COMMUNE DE ORME", "COMMUNE D ORME"), ("RUDE ORME", "RUDE ORME")]
)
def test_elide(text: str, expected: str) -> None:
    assert elide(text) == expected


@pytest.mark.parametrize(
    ("nom", "expected"),
    [
        ("Orgefrêne", "d'Orgefrêne"),
        ("Sèvemûre", "de Sèvemûre"),
        ("Le Rochepin", "du Rochepin"),
        ("Les Landes", "des Landes"),
        ("La Louvesource", "de La Louvesource"),
    ],
)
def test_towards(nom: str, expected: str) -> None:
    assert towards(nom) == expected


@pytest.mark.parametrize(
    ("nom_voie", "expected"),
    [
        ("Rue de l'Église", ("RUE", "DE L EGLISE")),
        ("Grande Rue", ("GRANDE RUE", "")),
        ("Le Bois Joli", ("", "LE BOIS JOLI")),
        ("Courbe", ("", "COURBE")),
    ],
)
def test_street_parts(nom_voie: str, expected: tuple[str, str]) -> None:
    assert street_parts(nom_voie) == expected


@pytest.mark.parametrize(("employees", "code"), [(1, "01"), (5, "02"), (19, "11"), (900, "41")])
def test_tranche_of(employees: int, code: str) -> None:
    assert tranche_of(employees) == code
