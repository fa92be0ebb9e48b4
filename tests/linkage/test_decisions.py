from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses.parse.areas import country_of
from geomatch.core.config import DecisionOptions
from geomatch.core.decision_types import decision_types
from geomatch.core.schema import BULLETINS
from geomatch.core.text import normalise
from geomatch.linkage.calibration_features import (
    CALIBRATION_FEATURES,
    best_candidates,
    bulletin_flags,
)
from geomatch.linkage.collective import candidate_probabilities
from geomatch.linkage.decisions import NAF_FEATURES, assess, decide_naf, naf_features
from geomatch.linkage.model import Linear, Model
from geomatch.linkage.ranking import FEATURE_NAMES
from geomatch.linkage.settling import decided_of
from geomatch.training.train import UNTRAINED

#: Sure from a chance of 0.9 on: the probability is the chance itself.
MODEL = replace(
    UNTRAINED,
    naf=Linear({"share_log_odds": 1.0}, 0.0),
    thresholds={"0.5": 0.5, "0.95": 0.9, "0.99": 0.98},
    naf_thresholds={"0.5": 0.5, "0.95": 0.9, "0.99": 0.98},
)
OPTIONS = DecisionOptions(precision=0.95, naf_precision=0.95)
scores = st.lists(st.lists(st.floats(-18, 18), max_size=6), max_size=6)


def flat(groups: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    row = [i for i, g in enumerate(groups) for _ in g]
    return np.array(row, dtype=np.int64), np.array([s for g in groups for s in g], dtype=float)


# ------------------------------------------------------------------ chances
@given(scores)
def test_chances_of_one_bulletin_leave_room_for_none(groups: list[list[float]]) -> None:
    row, score = flat(groups)
    chance = candidate_probabilities(row, score)
    assert chance.shape == row.shape
    assert (chance > 0).all()
    for i in range(len(groups)):
        assert chance[row == i].sum() < 1


@given(scores)
def test_a_better_score_is_never_a_worse_chance(groups: list[list[float]]) -> None:
    row, score = flat(groups)
    chance = candidate_probabilities(row, score)
    for i in range(len(groups)):
        order = np.argsort(score[row == i])
        assert (np.diff(chance[row == i][order]) >= 0).all()


@given(scores, st.integers(0, 5), st.floats(0.01, 5))
def test_raising_one_score_raises_its_chance_and_lowers_its_rivals(
    groups: list[list[float]], at: int, gain: float
) -> None:
    row, score = flat(groups)
    if at >= len(row):
        return
    before = candidate_probabilities(row, score)
    raised = score.copy()
    raised[at] += gain
    after = candidate_probabilities(row, raised)
    rivals = (row == row[at]) & (np.arange(len(row)) != at)
    assert after[at] > before[at]
    assert (after[rivals] < before[rivals]).all()
    np.testing.assert_array_equal(after[row != row[at]], before[row != row[at]])


@pytest.mark.parametrize("score", [1e4, -1e4, 0.0])
def test_scores_of_any_size_give_finite_chances(score: float) -> None:
    chance = candidate_probabilities(np.array([0, 0, 1]), np.array([score, 0.0, score]))
    assert np.isfinite(chance).all()
    assert ((chance >= 0) & (chance <= 1)).all()


# ------------------------------------------------------------------ candidates and decisions
def pairs_of(*bulletins: list[tuple[float, int, str]]) -> pd.DataFrame:
    """Ranked pairs: for each bulletin (score, siren, naf) of its candidates, best first."""
    rows = [(i, *pair) for i, pairs in enumerate(bulletins) for pair in pairs]
    frame = pd.DataFrame(rows, columns=["row", "score", "siren", "naf"])
    frame = frame.astype({"row": "int64", "score": "float64", "siren": "int64"})
    chance = candidate_probabilities(frame["row"].to_numpy(), frame["score"].to_numpy())
    return frame.assign(chance=chance, code_commune="35238", seen=0.0, missed=0.0)


def flags_of(*bulletins: dict[str, str], kinds: list[str] | None = None) -> pd.DataFrame:
    given = [{"raison_sociale": "GALANT", **b} for b in bulletins]
    frame = BULLETINS.conform(pd.DataFrame(given))
    level = np.array(["street"] * len(frame), dtype=object)
    abroad = np.array([bool(country_of(normalise(c))) for c in frame["pays"]], dtype=bool)
    flags = bulletin_flags(frame, kinds or [""] * len(frame), level, is_abroad=abroad)
    return flags.frame()


def features_of(pairs: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.random((len(pairs), len(FEATURE_NAMES))), columns=list(FEATURE_NAMES))


def decided(
    pairs: pd.DataFrame, flags: pd.DataFrame, options: DecisionOptions = OPTIONS
) -> pd.DataFrame:
    leading = best_candidates(pairs, features_of(pairs), flags)
    nafs = decide_naf(pairs, leading, texts_of(*[("", 0.0)] * len(flags)), MODEL, 0.95)
    siret = np.where(leading["first"] >= 0, "12345678200010", "").astype(object)
    known = assess(leading, flags, MODEL).plus(siret=siret, **{c: nafs[c] for c in nafs})
    return decided_of(known, MODEL, options, whole=True)[0].frame()


def test_a_sure_echo_is_coded_and_a_doubtful_one_goes_to_a_clerk() -> None:
    pairs = pairs_of([(6.0, 1, "A")], [(0.5, 1, "A")])
    out = decided(pairs, flags_of({}, {}))
    assert out["decision"].tolist() == ["auto", "review"]
    assert out["type"].tolist() == ["sure", "low_probability"]
    assert out["reason"][1].startswith(decision_types()["low_probability"].reason)
    np.testing.assert_allclose(out["probability"], pairs["chance"], atol=2e-6)


def test_no_candidate_means_none() -> None:
    out = decided(pairs_of([], [(6.0, 1, "A")], []), flags_of({}, {}, {}))
    assert out["decision"].tolist() == ["none", "auto", "none"]
    assert out["type"].tolist()[::2] == ["no_candidate"] * 2
    assert out["probability"].tolist()[::2] == [0.0, 0.0]
    assert out["margin"].tolist()[::2] == [0.0, 0.0]


def test_two_as_good_are_a_tie_and_two_of_one_unit_are_told_as_such() -> None:
    pairs = pairs_of([(3.0, 1, "A"), (3.0, 2, "A")], [(3.0, 1, "A"), (3.0, 1, "A")])
    out = decided(pairs, flags_of({}, {}))
    assert out["type"].tolist() == ["tie", "same_siren"]
    assert out["decision"].tolist() == ["review", "review"]
    assert out["margin"].tolist() == pytest.approx([0.0, 0.0], abs=2e-6)


@pytest.mark.parametrize(
    ("bulletin", "kind", "expected"),
    [
        ({"pays": "BELGIQUE"}, "", ("none", "abroad")),
        ({"pays": "france"}, "", ("review", "low_probability")),
        ({"lieu_variable": "3"}, "", ("none", "private_employer")),
        ({}, "private_employer", ("none", "private_employer")),
        ({"lieu_variable": "2"}, "", ("review", "home")),
        ({"lieu_variable": "1"}, "", ("review", "itinerant")),
        ({}, "temp_agency", ("review", "temp_agency")),
        ({}, "education", ("review", "generic_employer")),
        ({}, "self_employed", ("review", "self_employed")),
        ({}, "no_declaration", ("review", "no_declaration")),
    ],
)
def test_the_kind_of_bulletin_names_the_type_of_an_unsure_one(
    bulletin: dict[str, str], kind: str, expected: tuple[str, str]
) -> None:
    out = decided(pairs_of([(-2.5, 1, "A")]), flags_of(bulletin, kinds=[kind]))
    assert (out["decision"][0], out["type"][0]) == expected
    sure = decided(pairs_of([(6.0, 1, "A")]), flags_of(bulletin, kinds=[kind]))
    # no establishment of France is where somebody works abroad, however sure it looks
    is_abroad = expected[1] == "abroad"
    assert sure["decision"][0] == ("review" if is_abroad else "auto")
    assert (sure["type"][0] == "abroad") == is_abroad


@given(scores)
def test_every_decision_is_of_the_contract_and_probabilities_are_shares(
    groups: list[list[float]],
) -> None:
    ranked = [[(s, i, "A") for i, s in enumerate(sorted(g, reverse=True))] for g in groups]
    if not ranked:
        return
    out = decided(pairs_of(*ranked), flags_of(*({} for _ in ranked)))
    assert out["decision"].isin(["auto", "review", "none"]).all()
    assert out["type"].isin(decision_types()).all()
    for column in ("probability", "margin"):
        assert out[column].between(0, 1).all()
    assert (out["margin"] <= out["probability"]).all()


@given(scores, st.floats(0.5, 1.0), st.floats(0.5, 1.0))
def test_asking_for_more_precision_never_codes_more(
    groups: list[list[float]], one: float, other: float
) -> None:
    ranked = [[(s, i, "A") for i, s in enumerate(sorted(g, reverse=True))] for g in groups]
    if not ranked:
        return
    pairs, flags = pairs_of(*ranked), flags_of(*({} for _ in ranked))
    strict, lax = (
        set(np.flatnonzero(decided(pairs, flags, DecisionOptions(p))["decision"] == "auto"))
        for p in (max(one, other), min(one, other))
    )
    assert strict <= lax


def test_echoes_have_a_row_for_each_bulletin_and_every_calibration_feature() -> None:
    pairs = pairs_of([], [(2.0, 7, "A"), (1.0, 7, "A"), (0.0, 8, "A")], [])
    features = features_of(pairs)
    leading = best_candidates(pairs, features, flags_of({}, {}, {}))
    assert leading["first"].tolist() == [-1, 0, -1]
    assert all(np.isfinite(leading[name]).all() for name in CALIBRATION_FEATURES)
    assert leading["chance"][1] == pairs["chance"][0]
    assert leading["second_chance"].tolist() == [0.0, pairs["chance"][1], 0.0]
    assert leading["unit_chance"][1] == pytest.approx(pairs["chance"][:2].sum())
    assert leading["unit_chance"][0] == 0.0
    tops = [c for c in CALIBRATION_FEATURES if c.startswith("top_")]
    assert tops
    for column in tops:
        name = column.removeprefix("top_")
        assert leading[column][1] == (features if name in features else pairs)[name][0]
        assert leading[column][0] == 0.0


# ------------------------------------------------------------------ NAF
def texts_of(*bulletins: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame(bulletins, columns=["naf", "naf_chance"])


def naf_of(
    pairs: pd.DataFrame, texts: pd.DataFrame, model: Model = MODEL, precision: float = 0.95
) -> pd.DataFrame:
    flags = flags_of(*({} for _ in range(len(texts))))
    leading = best_candidates(pairs, features_of(pairs), flags)
    return decide_naf(pairs, leading, texts, model, precision).frame()


def test_the_activity_is_decided_where_likely_echoes_agree_though_the_siret_is_not() -> None:
    pairs = pairs_of([(6.0, 1, "85.20Z"), (6.0, 2, "85.20Z")])
    flags = flags_of({})
    assert decided(pairs, flags)["decision"].tolist() == ["review"]
    out = naf_of(pairs, texts_of(("85.31Z", 0.3)))
    assert out["naf"].tolist() == ["85.20Z"]
    assert out["naf_decision"].tolist() == ["auto"]


def test_without_an_echo_the_texts_alone_give_the_activity() -> None:
    out = naf_of(pairs_of([]), texts_of(("85.31Z", 0.97)))
    assert out[["naf", "naf_decision"]].values.tolist() == [["85.31Z", "auto"]]
    assert out["naf_share"][0] == pytest.approx(0.97)


def test_nothing_known_means_no_activity() -> None:
    out = naf_of(pairs_of([]), texts_of(("", 0.0)))
    assert out[["naf", "naf_decision", "naf_probability"]].values.tolist() == [["", "none", 0.0]]


def test_an_echo_without_activity_leaves_the_decision_to_the_texts() -> None:
    out = naf_of(pairs_of([(1.0, 1, "")]), texts_of(("85.31Z", 0.5)))
    assert out["naf"].tolist() == ["85.31Z"]


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.floats(-9, 9), st.sampled_from(["", "A", "B"])), max_size=4),
            st.sampled_from(["", "A", "C"]),
            st.floats(0, 1),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_activity_decisions_are_of_the_contract(
    bulletins: list[tuple[list[tuple[float, str]], str, float]],
) -> None:
    ranked = [sorted(((s, 1, n) for s, n in b[0]), key=lambda p: -p[0]) for b in bulletins]
    out = naf_of(pairs_of(*ranked), texts_of(*((n, c) for _, n, c in bulletins)))
    assert len(out) == len(bulletins)
    assert out["naf_decision"].isin(["auto", "review", "none"]).all()
    assert out["naf_probability"].between(0, 1).all()
    assert out["naf_share"].between(0, 1 + 1e-9).all()
    assert ((out["naf"] == "") == (out["naf_decision"] == "none")).all()


def test_naf_features_are_those_the_model_names() -> None:
    pairs = pairs_of([(1.0, 1, "A")])
    leading = best_candidates(pairs, features_of(pairs), flags_of({}))
    assert list(naf_features(np.array([0.5]), leading)) == list(NAF_FEATURES)
