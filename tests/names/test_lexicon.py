from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from geomatch.arrays.groups import Links
from geomatch.names.coverage import Coverage
from geomatch.names.lexicon import Lexicon, Sheet
from geomatch.names.similar import look_up, similar_names

letters = st.text("ABCDE01", min_size=1, max_size=7)
names = st.lists(st.lists(letters, max_size=4), max_size=8)
KNOWN = [
    ["ACIERIES", "OURDAL"],
    ["BOULANGERIE", "CREPIN"],
    ["BOULANGERIE", "GALANT"],
    ["BOUCHERIE", "GALANT"],
    ["TRANSPORTS", "DENIZART"],
    ["LYMERIS"],
    ["ILMERYS"],
]


def weight(lexicon: Lexicon, written: str, known: str) -> float:
    return float(lexicon.alike([written]).toarray()[0, lexicon.positions([known])[0]])


def test_a_word_stands_for_itself_fully() -> None:
    lexicon = Lexicon.of(KNOWN)
    for word in lexicon.words:
        assert weight(lexicon, word, word) == 1.0


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("DENISART", "DENIZART"),
        ("YLMERIS", "LYMERIS"),
        ("OURADL", "OURDAL"),
        ("YLMERIS", "ILMERYS"),
        ("BOULANGRIE", "BOULANGERIE"),
        ("BOULLANGERIE", "BOULANGERIE"),
        ("B0ULANGERIE", "BOULANGERIE"),
        ("BOUL", "BOULANGERIE"),
        ("TRANSP", "TRANSPORTS"),
    ],
)
def test_a_slip_or_a_beginning_stands_for_the_word_but_less(written: str, known: str) -> None:
    assert 0.3 < weight(Lexicon.of(KNOWN), written, known) < 1.0


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("GALANT", "OURDAL"),
        ("CREPIN", "DENIZART"),
        ("BO", "BOULANGERIE"),
        ("ANGERIE", "BOULANGERIE"),
    ],
)
def test_another_word_does_not(written: str, known: str) -> None:
    assert weight(Lexicon.of(KNOWN), written, known) == 0.0


def test_a_word_that_is_known_is_likelier_meant_than_its_lookalike() -> None:
    lexicon = Lexicon.of([["GALANT"], ["GALAND"]])
    assert weight(lexicon, "GALANT", "GALAND") < weight(
        Lexicon.of([["GALAND"]]), "GALANT", "GALAND"
    )


@given(names, st.lists(letters, max_size=6))
def test_weights_lie_between_nothing_and_the_word_itself(
    known: list[list[str]], written: list[str]
) -> None:
    lexicon = Lexicon.of(known)
    alike = lexicon.alike(written)
    assert alike.shape == (len(written), len(lexicon.words))
    assert (alike.data > 0).all()
    assert (alike.data <= 1).all()
    dense = alike.toarray()
    known_words = lexicon.words.tolist()
    for i, (word, position) in enumerate(zip(written, lexicon.positions(written), strict=True)):
        assert position == (known_words.index(word) if word in known_words else -1)
        if position >= 0:
            assert dense[i, position] == 1.0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["BOULANGERIECREPIN"], ["BOULANGERIE", "CREPIN"]),
        (["BOUCHERIEDUGALANT"], ["BOUCHERIE", "GALANT"]),
        (["ACIERIESDELOURDAL", "X"], ["ACIERIES", "OURDAL", "X"]),
        (["BOULANGERIE"], ["BOULANGERIE"]),
        (["BOULANGERIES"], ["BOULANGERIES"]),
        (["BOULANGERIEZZYGO"], ["BOULANGERIEZZYGO"]),
        (["BOULANGERIEDELA"], ["BOULANGERIEDELA"]),
    ],
)
def test_words_run_together_are_taken_apart_into_known_ones_only(
    written: list[str], expected: list[str]
) -> None:
    assert list(Lexicon.of(KNOWN).parted([written])[0]) == expected


@given(names, names)
def test_taking_words_apart_loses_no_name_and_no_known_word(
    known: list[list[str]], written: list[list[str]]
) -> None:
    lexicon = Lexicon.of(known)
    parted = lexicon.parted(written)
    assert len(parted) == len(written)
    for before, after in zip(written, parted, strict=True):
        assert bool(before) == bool(after)
        assert [w for w in before if w in lexicon.words] == [
            w for w in after if w in lexicon.words and w in before
        ]


def _spoil(sheet: Sheet) -> None:
    sheet.names["written"] = 1.0
    raise IndexError


def test_a_sheet_is_for_one_at_a_time_and_comes_back_blank() -> None:
    lexicon = Lexicon.of(KNOWN)
    with lexicon.sheet() as one, lexicon.sheet() as other:
        assert one is not other
        for sheet in (one, other):
            assert sheet.names["weight"].tolist() == lexicon.weight.tolist()
            assert not sheet.names["written"].any()
    with lexicon.sheet() as again:
        assert again is one
    with pytest.raises(IndexError), lexicon.sheet() as spoilt:
        _spoil(spoilt)
    for _ in range(3):
        with lexicon.sheet() as sheet:
            assert not sheet.names["written"].any()


@given(names.filter(any), names)
def test_nothing_is_left_on_the_sheet(known: list[list[str]], written: list[list[str]]) -> None:
    lexicon = Lexicon.of(known)
    rows = np.arange(len(written))
    similar = similar_names(rows, rows, Coverage(lexicon, written), len(written))
    names_of = Links.of(sparse.csr_array(np.eye(len(known))))
    look_up(
        np.repeat(rows, len(known)), np.tile(np.arange(len(known)), len(rows)), similar, names_of
    )
    with lexicon.sheet() as sheet:
        assert sheet.names["weight"].tolist() == lexicon.weight.tolist()
        for column in ("written", "known", "pair"):
            assert not sheet.names[column].any(), column
