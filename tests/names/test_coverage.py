"""What two names share, with and without words that crowds of names hold."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.names import common_words
from geomatch.names.common_words import Crowds
from geomatch.names.coverage import Coverage
from geomatch.names.lexicon import Lexicon

letters = st.text("ABCDE01", min_size=1, max_size=7)
names = st.lists(st.lists(letters, max_size=4), max_size=8)
#: a few words, so that many names share some
few_words = st.lists(st.sampled_from(["PARIS", "SCI", "LION", "CABINET", "PINS"]), max_size=4)
KNOWN = [
    ["ACIERIES", "OURDAL"],
    ["BOULANGERIE", "CREPIN"],
    ["BOULANGERIE", "GALANT"],
    ["BOUCHERIE", "GALANT"],
]


def of_pairs(coverage: Coverage, written: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The two coverages of given pairs of names, word by word; shape (2, pairs)."""
    out = np.zeros((len(written), 2), np.float32)
    held = coverage.lexicon.matrix.toarray()
    for i, (w, k) in enumerate(zip(written, known, strict=True)):
        for at in range(coverage.start[w], coverage.start[w + 1]):
            out[i] += coverage.adds[at] * held[k, coverage.word[at]]
    out[:, 1] /= coverage.lexicon.weight[known]
    return np.minimum(out, 1.0).T


@given(names, names)
def test_coverages_are_shares(known: list[list[str]], written: list[list[str]]) -> None:
    coverage = Coverage(Lexicon.of(known), written)
    a, b, of_written, of_known = coverage.search(0, len(written), 1e-9)
    assert len(a) == len(b) == len(of_written) == len(of_known)
    for shares in (of_written, of_known):
        assert (shares >= 0).all()
        assert (shares <= 1).all()
    assert np.isin(a, np.arange(len(written))).all()
    assert np.isin(b, np.arange(len(known))).all()


@given(names.filter(lambda ns: any(ns)))
def test_a_name_covers_itself_and_is_found_again(known: list[list[str]]) -> None:
    known = [n for n in known if n]
    coverage = Coverage(Lexicon.of(known), known)
    written, found, of_written, of_known = coverage.search(0, len(known), 0.99)
    own = written == found
    assert sorted(set(written[own])) == list(range(len(known)))
    np.testing.assert_allclose(of_written[own], 1.0, atol=1e-4)
    np.testing.assert_allclose(of_known[own], 1.0, atol=1e-4)


@given(names, names)
def test_pairs_asked_for_get_the_coverages_that_the_search_gives(
    known: list[list[str]], written: list[list[str]]
) -> None:
    coverage = Coverage(Lexicon.of(known), written)
    a, b, of_written, of_known = coverage.search(0, len(written), 1e-9)
    if len(a):
        again = of_pairs(coverage, a, b)
        np.testing.assert_allclose(again[0], of_written, atol=1e-5)
        np.testing.assert_allclose(again[1], of_known, atol=1e-5)


@given(names, names, st.integers(0, 8))
def test_a_search_in_pieces_finds_what_a_whole_one_finds(
    known: list[list[str]], written: list[list[str]], cut: int
) -> None:
    coverage = Coverage(Lexicon.of(known), written)
    cut = min(cut, len(written))
    pieces = [coverage.search(0, cut, 0.3), coverage.search(cut, len(written), 0.3)]
    pairs = {(w, k) for p in pieces for w, k in zip(p[0], p[1], strict=True)}
    whole = coverage.search(0, len(written), 0.3)
    assert pairs == set(zip(whole[0], whole[1], strict=True))


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    lexicon = Lexicon.of(KNOWN)
    coverage = Coverage(lexicon, [["BOULANGERIE"], ["CREPIN"]])
    of_known = of_pairs(coverage, np.array([0, 1]), np.array([1, 1]))[1]
    assert of_known[1] > of_known[0] > 0


def test_the_order_of_the_words_does_not_matter() -> None:
    coverage = Coverage(Lexicon.of(KNOWN), [["CREPIN", "BOULANGERIE"], ["BOULANGERIE", "CREPIN"]])
    of_written, of_known = of_pairs(coverage, np.array([0, 1]), np.array([1, 1]))
    assert of_written[0] == of_written[1]
    assert of_known[0] == of_known[1]


def test_words_unknown_to_all_lower_what_is_explained() -> None:
    coverage = Coverage(Lexicon.of(KNOWN), [["CREPIN"], ["CREPIN", "ZZYGO"]])
    of_written, _ = of_pairs(coverage, np.array([0, 1]), np.array([1, 1]))
    assert of_written[0] == pytest.approx(1.0)
    assert 0 < of_written[1] < 1


@given(
    st.lists(few_words, min_size=1, max_size=12),
    st.lists(few_words, min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([0.05, 0.33, 0.5, 0.7, 0.95]),
)
def test_crowds_hide_nobody(
    known: list[list[str]], written: list[list[str]], crowd: int, most: int, least: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common_words, "_CROWD", crowd)
        patch.setattr(common_words, "_MOST", most)
        coverage = Coverage(Lexicon.of(known), written)
        found = coverage.search(0, len(written), least)
        assert (np.diff(found[0]) >= 0).all()
        scores = {(w, k): 0.6 * a + 0.4 * b for w, k, a, b in zip(*found, strict=True)}
        assert len(scores) == len(found[0])  # nobody twice
        again = coverage.search(0, len(written), least)
        assert all((a == b).all() for a, b in zip(found, again, strict=True))
    pairs = np.array(list(product(range(len(written)), range(len(known)))))
    a, b = of_pairs(coverage, *pairs.T)
    for pair, score in zip(map(tuple, pairs.tolist()), 0.6 * a + 0.4 * b, strict=True):
        if abs(score - least) > 1e-5:
            assert (pair in scores) == (score > least)
        if pair in scores:
            assert scores[pair] == pytest.approx(score, abs=1e-5)


def test_names_of_a_crowd_stand_by_weight_and_have_its_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_words, "_CROWD", 3)
    known = [["PARIS", "LION"], ["PARIS"], ["SCI", "PARIS"], ["SCI", "LION"], ["SCI"], ["PINS"]]
    lexicon = Lexicon.of(known)
    found = lexicon.crowds
    assert isinstance(found, Crowds)
    paris, sci = found.number[lexicon.positions(["PARIS", "SCI"])]
    assert sorted((paris, sci)) == [0, 1]
    assert found.number[lexicon.positions(["LION"])] == -1
    holds = [bool(bits >> np.uint64(paris) & np.uint64(1)) for bits in found.bits]
    assert holds == [True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("known", "written"),
    [
        (["ENERGIBELLE"], ["ENERGI", "BELLE"]),
        (["FIT", "KERLANN"], ["FITKERLANN"]),
        (["BELLE", "VUE"], ["BELLEVUE"]),
        (["BELLEVUE"], ["BELLE", "VUE"]),
        (["MARIE"], ["CHEZMARIE"]),
    ],
)
def test_a_space_more_or_less_hides_no_name(known: list[str], written: list[str]) -> None:
    """Also where the word, or the words, are known as they were written to another name."""
    others = [["BELLEVUE"], ["BELLE", "VUE"], ["GARAGE", "ORMEAU"]]
    lexicon = Lexicon.of([known, *others])
    _, found, of_written, of_known = Coverage(lexicon, [written]).search(0, 1, 0.33)
    at = found.tolist().index(0)
    assert min(of_written[at], of_known[at]) > 0.95
