from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import assume, given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from geomatch.names.clean import name_bags, name_words
from geomatch.names.letter_masks import Letters, edits_apart
from geomatch.names.word_bags import Bags

words = st.text("ABCDEFGRSTUVXYZ0189", min_size=1, max_size=20)


def letters(*words: str) -> Letters:
    return Letters(np.array(words, dtype=object))


@given(words, words)
def test_masks_never_bound_more_edits_than_there_are(a: str, b: str) -> None:
    mask = letters(a, b).masks
    assert edits_apart(mask[:1], mask[1:])[0] <= OSA.distance(a, b)


@given(words, st.randoms())
def test_words_of_the_same_letters_have_one_sum(word: str, random) -> None:
    other = "".join(random.sample(word, len(word)))
    sums = letters(word, other).sums
    assert sums[0] == sums[1]


@given(words, words)
def test_words_of_other_letters_have_another_sum(a: str, b: str) -> None:
    assume(sorted(a) != sorted(b))
    sums = letters(a, b).sums
    assert sums[0] != sums[1]


def test_an_empty_word_has_no_letters() -> None:
    assert letters("", "AB", "").sums.tolist()[::2] == [0, 0]
    assert letters("AB", "").masks.tolist()[1] == 0


names = st.lists(st.text("AB ", max_size=12).map(lambda t: " ".join(t.split())), max_size=8)
french = st.lists(
    st.lists(st.sampled_from(["DE", "LA", "GARAGE", "ORMEAU", "ET"]), max_size=4).map(" ".join),
    max_size=8,
)


@given(st.one_of(names, french))
def test_words_of_many_names_at_once_are_those_of_each(texts: list[str]) -> None:
    one_by_one = Bags.of([name_words(t) for t in texts])
    at_once = name_bags(pa.array(texts, pa.string()))
    assert at_once.n == one_by_one.n == len(texts)
    assert at_once.words.tolist() == one_by_one.words.tolist()
    np.testing.assert_array_equal(at_once.row, one_by_one.row)
    np.testing.assert_array_equal(at_once.code, one_by_one.code)
