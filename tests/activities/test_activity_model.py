"""Activity texts to codes: words, counts, the shipped model, what it may never answer."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import geomatch
from geomatch.activities import learn, shipped
from geomatch.activities.coding import code_activities, code_activity_file, show_activity
from geomatch.activities.counts import LEVELS, Nomenclature, Smoothing, evidence, level_shares
from geomatch.activities.model import ActivityModel, Weights
from geomatch.activities.words import written
from geomatch.core.errors import ConfigError, LayoutError

NAFS = ("10.71C", "10.71D", "43.31Z", "43.33Z", "47.11B")


def test_words_and_pairs_of_a_text_count_less_the_later_they_stand() -> None:
    found = written(["Pose de carrelages, pose", "", "12 rue"])
    words = {
        found.features[f]: w
        for t, f, w in zip(found.text, found.feature, found.weight, strict=True)
        if t == 0
    }
    assert list(words) == ["POSE", "CARRELA", "POSE+CARRELA", "CARRELA+POSE"]
    assert words["POSE"] == 1.0 > words["CARRELA"] > 0
    assert not (found.text == 1).any()
    assert found.features[found.feature[found.text == 2]].tolist() == ["RUE"]


def test_a_word_speaks_for_its_code_then_for_its_class_then_for_its_division() -> None:
    counts = sparse.csr_array(np.array([[3.0, 0, 0, 0, 0]]))
    even = np.full(5, 0.2)
    said = evidence(counts, even, Nomenclature(NAFS), Smoothing(1, 1, 1)).toarray()[0]
    assert said[0] > said[1] > 0  # the same class
    assert said[2] == said[3] == said[4] == 0  # other divisions: nothing but the constant


def test_evidence_is_that_of_the_shares_it_is_defined_by() -> None:
    """Against the definition, level by level, for one word and all codes."""
    n, prior = np.array([2.0, 1.0, 0.0, 4.0, 0.0]), np.array([0.1, 0.3, 0.2, 0.2, 0.2])
    names = Nomenclature(NAFS)
    expected = np.zeros(5)
    parents = [["all"] * 5, names.names("division"), names.names("class")]
    for inner, outer in zip(
        [names.names("division"), names.names("class"), names.names("sub-class")],
        parents,
        strict=True,
    ):
        for i in range(5):
            own = np.array([x == inner[i] for x in inner])
            above = np.array([x == outer[i] for x in outer])
            given = prior[own].sum() / prior[above].sum()
            share = (n[own].sum() + 1.5 * given) / (n[above].sum() + 1.5)
            expected[i] += np.log(share / given)
    found = evidence(sparse.csr_array(n[None, :]), prior, names, Smoothing(1.5, 1.5, 1.5))
    told = found.toarray()[0]
    assert told - told[4] == pytest.approx(expected - expected[4], abs=1e-5)


def test_shares_of_a_level_are_sums_of_its_codes() -> None:
    chance = np.array([[0.1, 0.2, 0.3, 0.15, 0.25]])
    assert level_shares(chance, Nomenclature(NAFS), "class")[0] == pytest.approx(
        [0.3, 0.3, 0.15, 0.25]
    )
    for level in LEVELS:
        assert level_shares(chance, Nomenclature(NAFS), level).sum() == pytest.approx(1.0)


def test_codes_of_no_nomenclature_never_come_out_nor_weigh_in_what_was_before() -> None:
    table = pd.DataFrame({"mot": ["PAIN", "PAIN", ""], "naf": ["00.00Z", "10.71C", "00.00Z"]})
    table["n"] = [1000.0, 2.0, 1000.0]
    labels = pd.DataFrame({"mot": "", "naf": NAFS, "n": 1.0})
    model = ActivityModel(NAFS, {"labels": labels, "register": table}, Weights({"register": 1.0}))
    assert model.prior.sum() == pytest.approx(1.0)
    assert model.prior.max() < 0.5
    assert model.code(["pain"]).probability[0].argmax() == 0


@pytest.fixture(scope="module")
def coded() -> pd.DataFrame:
    return code_activities(
        ["boulangerie pâtisserie", "location de logements", "", "NSP", "xqzv", None]  # type: ignore[list-item]
    )


def test_the_shipped_model_codes_everyday_words(coded: pd.DataFrame) -> None:
    assert coded["naf"].tolist()[:2] == ["10.71C", "68.20A"]
    for row in coded.iloc[:2].itertuples():
        codes = row.naf_candidates.split()
        assert codes[0] == row.naf
        assert len(set(codes)) == 10
        assert all(re.fullmatch(r"(?!00)\d\d\.\d\d[A-Z]", c) for c in codes)
        assert 0 < row.naf_probability <= 1


def test_a_text_that_says_nothing_has_no_code(coded: pd.DataFrame) -> None:
    silent = coded.iloc[[2, 3, 4, 5]]
    assert silent["naf"].isna().all()
    assert silent["naf_candidates"].isna().all()
    assert (silent["naf_level"] == "none").all()


def test_the_level_that_is_sure_deepens_as_less_is_asked() -> None:
    depth = {"none": -1} | {level: i for i, level in enumerate(LEVELS)}
    texts = ["boulangerie", "enseignement", "commerce", "travaux"]
    strict, lenient = (code_activities(texts, sure=s)["naf_level"].map(depth) for s in (0.95, 0.5))
    assert (lenient >= strict).all()
    assert (lenient > strict).any()
    with pytest.raises(ConfigError, match="probability"):
        code_activities(texts, sure=0.0)


def test_answers_do_not_depend_on_the_other_texts() -> None:
    texts = ["boulangerie", "pose de carrelage", "taxi"] * 3
    together = code_activities(texts)
    for i, text in enumerate(texts[:3]):
        alone = code_activities([text])
        assert alone["naf"][0] == together["naf"][i]
        assert alone["naf_probability"][0] == pytest.approx(
            together["naf_probability"][i], abs=1e-6
        )


def test_a_file_gets_the_columns_beside_its_own(tmp_path) -> None:  # type: ignore[no-untyped-def]
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("id;activite\n1;boulangerie\n2;\n", encoding="utf-8")
    code_activity_file(source, out)
    found = pd.read_csv(out, sep=";", dtype=str)
    assert found.columns.tolist()[:3] == ["id", "activite", "naf"]
    assert found["naf"].tolist()[0] == "10.71C"
    assert found["naf"].isna().tolist() == [False, True]
    with pytest.raises(LayoutError, match="--text"):
        code_activity_file(source, out, text="metier")


def test_the_screen_has_eighty_columns_at_most_and_says_which_words() -> None:
    from rich.console import Console

    stream = io.StringIO()
    Console(file=stream, width=200).print(show_activity("boulangerie pâtisserie"))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("10.71C" in line and "BOULANG" in line for line in lines)


def test_a_model_is_learned_crosswise_and_read_as_it_was_written(tmp_path) -> None:  # type: ignore[no-untyped-def]
    labels = pd.DataFrame(
        {
            "naf": NAFS,
            "libelle": [
                "Boulangerie",
                "Pâtisserie",
                "Travaux de plâtrerie",
                "Travaux de revêtement des sols",
                "Alimentation générale",
            ],
        }
    )
    texts = ["pain et viennoiserie", "pose de faience", "epicerie de nuit", "staff et platre"] * 6
    codes = ["10.71C", "43.33Z", "47.11B", "43.31Z"] * 6
    texts = [f"{t} {i}" for i, t in enumerate(texts)]
    known = {"labels": learn.label_table(labels)}
    weights = learn.learned(known, NAFS, texts, codes, n_folds=4)
    counts = {**known, "register": known["labels"], **learn.declared_tables(texts, codes)}
    shipped.save(tmp_path, counts, weights, {"texts": len(texts)})
    again, read, trained_on = shipped.load(tmp_path)
    assert trained_on == {"texts": len(texts)}
    assert read.sources == pytest.approx(weights.sources, abs=1e-4)
    model = ActivityModel(NAFS, again, read)
    coded = model.code(["faience", "epicerie"])
    assert [NAFS[i] for i in coded.probability.argmax(axis=1)] == ["43.33Z", "47.11B"]


def test_words_of_one_text_alone_are_not_kept() -> None:
    tables = learn.declared_tables(["chez Dupont", "chez Durand", "chez Durant"], ["10.71C"] * 3)
    assert {w for w in tables["declared"]["mot"] if w} == set()
    assert tables["declared"]["n"].sum() == 3


def test_a_model_that_is_not_there_is_told(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="learn_activities"):
        shipped.load(tmp_path)


def test_the_library_offers_it() -> None:
    assert geomatch.code_activities is code_activities


def test_a_nomenclature_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="--nomenclature NAF2025"):
        code_activities(["boulangerie"], nomenclature="NAF2025")
    assert code_activities(["boulangerie"], nomenclature="NAFRev2")["naf"].tolist() == ["10.71C"]


def test_a_text_is_coded_the_same_however_often_and_with_whomever_it_stands() -> None:
    texts = ["boulangerie", "pose de carrelage", "", "boulangerie", "IDEM", "pose de carrelage"]
    found = code_activities(texts).fillna({"naf_candidates": ""})
    pd.testing.assert_frame_equal(found.iloc[[3, 5]].reset_index(drop=True),
                                  found.iloc[[0, 1]].reset_index(drop=True))  # fmt: skip
    for i, text in enumerate(texts):
        alone = code_activities([text]).fillna({"naf_candidates": ""})
        assert alone["naf_candidates"].iloc[0] == found["naf_candidates"].iloc[i]
        assert alone["naf_level"].iloc[0] == found["naf_level"].iloc[i]
    coded = shipped.open_model().code(texts)
    assert np.array_equal(coded.probability[0], coded.probability[3])
    assert len(code_activities([])) == 0
