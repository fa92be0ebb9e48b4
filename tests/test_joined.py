from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.joined import JoinedWords

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
    code_of = {w: i for i, w in enumerate(WORDS)}
    row = np.repeat(np.arange(len(NAMES)), [len(n) for n in NAMES])
    code = np.array([code_of[w] for name in NAMES for w in name])
    return JoinedWords(np.array(WORDS, dtype=object), code_of, row, code)


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
    code_of = {w: i for i, w in enumerate(WORDS)}
    row = np.repeat(np.arange(len(NAMES)), [len(n) for n in NAMES])
    code = np.array([code_of[w] for name in NAMES for w in name])
    parts = JoinedWords(np.array(WORDS, dtype=object), code_of, row, code).parts(word)
    assert set(parts) <= code_of.keys()
    assert len(parts) != 1
