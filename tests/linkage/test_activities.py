from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from registers import NAFS

from geomatch.core.text import normalise
from geomatch.linkage.activities import (
    LABEL_WEIGHT,
    Evidence,
    WordModel,
    _stem,
    _stems,
    label_counts,
    naf_prefix_mask,
    stems,
    without_rare,
    word_counts,
)
from geomatch.linkage.model import no_words

LABELS = label_counts(pd.DataFrame({"naf": list(NAFS), "libelle": list(NAFS.values())}))
CODES = sorted(NAFS)
texts = st.text("ABCDEGILNORSTU ", max_size=30)


@pytest.fixture(scope="module")
def model() -> WordModel:
    return WordModel(CODES, [(no_words(), 1.0), (LABELS, LABEL_WEIGHT)])


def likeliest(model: WordModel, text: str) -> str:
    evidence = model.evidence([text])
    return model.nafs[int(evidence.values[evidence.code_of[0]].argmax())]


@pytest.mark.parametrize(
    ("text", "naf"),
    [
        ("BOULANGERIE", "10.71C"),
        ("boulangerie pâtissière", "10.71C"),
        ("boulangrie", "10.71C"),
        ("HYPERMARCHE", "47.11F"),
        ("transport routier", "49.41A"),
        ("ENSEIGNEMENT SECONDAIRE", "85.31Z"),
        ("installations électriques", "43.21A"),
    ],
)
def test_words_of_the_official_labels_speak_for_their_code(
    model: WordModel, text: str, naf: str
) -> None:
    assert likeliest(model, text) == naf


@pytest.mark.parametrize("text", ["", "ZZYGO", "DE LA", "***"])
def test_a_text_of_no_known_word_says_nothing(model: WordModel, text: str) -> None:
    evidence = model.evidence([text])
    assert not evidence.values[evidence.code_of[0]].any()


def test_words_of_coded_bulletins_speak_too() -> None:
    coded = word_counts(["FOURNIL"] * 20, ["10.71C"] * 20)
    model = WordModel(CODES, [(coded, 1.0), (LABELS, LABEL_WEIGHT)])
    assert likeliest(model, "AU FOURNIL") == "10.71C"


@given(st.lists(st.text("ABESTé ", max_size=10), max_size=6))
def test_stems_of_many_words_are_those_of_each(words: list[str]) -> None:
    assert _stems(pa.array(words, pa.string())).to_pylist() == [_stem(w) for w in words]


@given(st.lists(texts, max_size=8))
def test_evidence_is_finite_bounded_and_the_same_whatever_the_neighbours(
    model: WordModel, asked: list[str]
) -> None:
    evidence = model.evidence(asked)
    assert len(evidence.code_of) == len(asked)
    assert np.isfinite(evidence.values).all()
    assert (np.abs(evidence.values) <= 6.0).all()
    for i, text in enumerate(asked):
        alone = model.evidence([text])
        np.testing.assert_allclose(
            evidence.values[evidence.code_of[i]], alone.values[0], rtol=1e-4, atol=1e-5
        )


def test_spellings_of_one_text_share_a_row(model: WordModel) -> None:
    evidence = model.evidence(["Boulangerie", "BOULANGERIE", "boulangerie."])
    assert set(evidence.code_of.tolist()) == {0}


def test_pairs_get_the_evidence_of_their_text_and_code_and_none_where_the_code_is_unknown(
    model: WordModel,
) -> None:
    evidence = model.evidence(["BOULANGERIE", "HYPERMARCHE"])
    bread, shop = CODES.index("10.71C"), CODES.index("47.11F")
    of_pairs = evidence.of_pairs(np.array([0, 1, 0, 1]), np.array([bread, shop, shop, -1]))
    assert of_pairs[0] == evidence.values[evidence.code_of[0], bread] > 0
    assert of_pairs[1] == evidence.values[evidence.code_of[1], shop] > 0
    assert of_pairs[2] < of_pairs[0]
    assert of_pairs[3] == 0.0


def test_evidence_of_no_pair_is_empty() -> None:
    nothing = Evidence(np.zeros(0, np.int64), np.zeros((0, 3), np.float32))
    none = np.array([], dtype=np.int64)
    assert nothing.of_pairs(none, none).shape == (0,)


def test_chances_before_any_word_add_up_to_one(model: WordModel) -> None:
    assert model.prior.sum() == pytest.approx(1.0)
    assert (model.prior > 0).all()


def test_stems_are_distinct_word_beginnings() -> None:
    assert stems("BOULANGERIES ET BOULANGERIE DE LA MARNE") == ["BOULANG", "MARNE"]
    assert stems("ADMINISTRATION") == stems("ADMINIS") == ["ADMINI"]
    assert stems("A S X") == []
    assert stems("") == []


@given(st.text(max_size=40))
def test_stems_are_never_empty_nor_stop_words(text: str) -> None:
    found = stems(normalise(text))
    assert [_stem(s) for s in found] == found
    assert all(0 < len(s) <= 7 for s in found)
    assert len(set(found)) == len(found)


def test_words_are_counted_once_a_text_and_only_where_the_code_is_known() -> None:
    counts = word_counts(["PAIN PAIN", "PAIN", "PAIN", "ACIER"], ["10.71C", "10.71C", "24.10Z", ""])
    assert counts.set_index(["mot", "naf"])["n"].to_dict() == {
        ("PAIN", "10.71C"): 2,
        ("PAIN", "24.10Z"): 1,
    }


def test_counting_nothing_gives_an_empty_table() -> None:
    assert list(word_counts([], []).columns) == ["mot", "naf", "n"]
    assert not len(word_counts([""], ["10.71C"]))


def test_counts_of_codes_the_store_has_not_are_left_out() -> None:
    counts = word_counts(["ZZYGO"], ["99.99Z"])
    model = WordModel(CODES, [(counts, 1.0), (LABELS, LABEL_WEIGHT)])
    assert not model.evidence(["ZZYGO"]).values.any()


@pytest.mark.parametrize(
    ("prefixes", "expected"),
    [
        (("85",), ["85.20Z", "85.31Z"]),
        (("8411", "10"), ["10.71C", "84.11Z"]),
        (("99",), []),
        ((), []),
    ],
)
def test_prefixes_choose_codes(prefixes: tuple[str, ...], expected: list[str]) -> None:
    mask = naf_prefix_mask(CODES, prefixes)
    assert mask.dtype == bool
    assert [c for c, m in zip(CODES, mask, strict=True) if m] == expected


def test_a_whole_text_that_was_coded_often_outweighs_its_words() -> None:
    texts = ["AIDE"] * 20 + ["AIDE A LA VENTE"] * 30
    counts = word_counts(texts, ["88.10A"] * 20 + ["47.11D"] * 30, whole=True)
    nafs = ["47.11D", "88.10A"]
    evidence = WordModel(nafs, [(counts, 1.0)]).evidence(["AIDE", "AIDE A LA VENTE", "LA VENTE"])
    best = [nafs[i] for i in evidence.values[evidence.code_of].argmax(axis=1)]
    assert best == ["88.10A", "47.11D", "47.11D"]


def test_texts_that_few_people_wrote_are_not_kept() -> None:
    counts = word_counts(["SOUDEUR RUE DU LAC"] * 4 + ["SOUDEUR"] * 6, ["25.11Z"] * 10, whole=True)
    kept = without_rare(counts, 2)["mot"].tolist()
    assert "=SOUDEUR" in kept
    assert "=SOUDEUR RUE DU LAC" not in kept


def test_everyday_words_stand_beside_the_official_labels() -> None:
    naf = pd.DataFrame({"naf": ["84.23Z", "10.71C"], "libelle": ["Justice", "Boulangerie"]})
    model = WordModel(naf["naf"].tolist(), [(label_counts(naf), 4.0)])
    evidence = model.evidence(["Restaurants des prisons"])
    assert evidence.values[0, 0] > evidence.values[0, 1]
