from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.names.compounds import JoinedWords
from geomatch.names.word_bags import Bags

NAMES = (
    ["LOU", "BISTROT"],
    ["BIG", "BUDDHA", "CAFE"],
    ["GARAGE", "ORMEAU"],
    ["SANTA", "MARINA"],
    ["CAFE", "OR"],
)
WORDS = list(dict.fromkeys(w for name in NAMES for w in name))


@pytest.fixture(scope="module")
def joined() -> JoinedWords:
    return _joined()


def _joined() -> JoinedWords:
    names = Bags.of(NAMES)
    assert names.words.tolist() == WORDS
    return JoinedWords(names.words, names.followers)


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("LOUBISTROT", ["LOU", "BISTROT"]),
        ("BIGBUDDHA", ["BIG", "BUDDHA"]),
        ("SANTAMARIINA", ["SANTA", "MARINA"]),
        ("SANTTAMARINA", ["SANTA", "MARINA"]),
        ("GARAGEDELORMEAU", ["GARAGE", "ORMEAU"]),
        ("BUDDHACAFE", ["BUDDHA", "CAFE"]),
        ("CAFEOR", ["CAFE", "OR"]),
        ("LOUBUDDHA", []),
        ("BISTROTBIG", []),  # side by side in no name: one ends with the first, one begins so
        ("BISTROTLOU", []),
        ("INCONNUDUTOUT", []),
        ("", []),
    ],
)
def test_words_run_together_are_taken_apart_where_a_name_holds_them(
    joined: JoinedWords, word: str, parts: list[str]
) -> None:
    assert joined.parts(word) == parts


@given(st.text(st.sampled_from("ABCDEGILMNORSTU"), max_size=24))
def test_parts_are_known_words(word: str) -> None:
    parts = _joined().parts(word)
    assert set(parts) <= set(WORDS)
    assert len(parts) != 1


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("RESIDUNIV", ["RESIDENCE", "UNIVERSITE"]),
        ("CTREPMI", ["CENTRE", "PROTECTION", "MATERNELLE", "INFANTILE"]),
        ("RESIDENCEUNIV", ["RESIDENCE", "UNIVERSITE"]),
        ("UNIVRESID", []),  # in this order in no name
    ],
)
def test_abbreviations_run_together_stand_for_what_names_have(word: str, words: list[str]) -> None:
    names = [["RESIDENCE", "UNIVERSITE"], ["CENTRE", "PROTECTION", "MATERNELLE", "INFANTILE"]]
    bags = Bags.of(names)
    codes = JoinedWords(bags.words, bags.followers).exact_parts(word)
    assert [bags.words[i] for found in codes for i in found] == words
