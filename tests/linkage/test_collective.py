from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.linkage.collective import FEATURES, candidate_probabilities, chances, told_elsewhere

sirets = st.sampled_from(["A", "B", "C"])
candidates = st.lists(st.tuples(sirets, st.floats(-8, 8)), max_size=3)
bulletins = st.lists(st.tuples(candidates, st.sampled_from(["1", "2"])), max_size=8)


def pairs_of(given_bulletins: list[tuple[list[tuple[str, float]], str]]) -> pd.DataFrame:
    rows = [(i, s, v) for i, (pairs, _) in enumerate(given_bulletins) for s, v in pairs]
    frame = pd.DataFrame(rows, columns=["row", "siret", "own"])
    number = [ord(s) for s in frame["siret"]]
    return frame.assign(siret_number=number).astype(
        {"row": "int64", "siret_number": "int64", "own": "float64"}
    )


def run(
    given_bulletins: list[tuple[list[tuple[str, float]], str]],
    weight: float = 1.0,
    missed: float = 0.0,
) -> pd.DataFrame:
    """Scored pairs; A has 20 employees, B 400, C half a one."""
    pairs = pairs_of(given_bulletins)
    group = np.array([g for _, g in given_bulletins], dtype=object)
    size = np.log(pairs["siret"].map({"A": 20.0, "B": 400.0, "C": 0.5}).to_numpy(np.float64))
    weights = {"seen": weight, "missed": missed} if weight or missed else {}
    return pairs.assign(**chances(pairs, pairs["own"].to_numpy(), size, group, weights))


SURE_OF_A = ([("A", 6.0)], "1")
OPEN = ([("A", 0.0), ("B", 0.0)], "1")


def test_sure_colleagues_speak_for_their_establishment() -> None:
    out = run([*[SURE_OF_A] * 15, OPEN])
    a, b = out.iloc[-2], out.iloc[-1]
    assert a["chance"] > b["chance"]
    assert a["score"] > 0.0 == b["score"]
    assert a["seen"] > 0.0 == b["seen"]


def test_more_colleagues_speak_louder() -> None:
    few, many = (run([*[SURE_OF_A] * n, OPEN])["seen"].iloc[-2] for n in (4, 40))
    assert 0 < few < many


def test_nobody_speaks_for_himself() -> None:
    assert run([SURE_OF_A, *[([("B", 6.0)], "1")] * 9])["seen"].iloc[0] == 0.0


def test_a_bulletin_of_another_departement_has_no_say() -> None:
    out = run([*[([("A", 6.0)], "2")] * 20, OPEN])
    assert (out["seen"].iloc[-2:] == 0).all()


def test_the_unsure_have_no_say() -> None:
    assert (run([OPEN] * 20)["seen"] == 0).all()


def test_with_no_weight_each_bulletin_stands_alone() -> None:
    asked = [*[SURE_OF_A] * 20, OPEN]
    out = run(asked, weight=0.0)
    np.testing.assert_array_equal(out["score"], out["own"])
    assert (out[list(FEATURES)] == 0).all(axis=None)
    alone = candidate_probabilities(out["row"].to_numpy(), out["own"].to_numpy())
    np.testing.assert_array_equal(out["chance"], alone)


def test_many_employees_of_whom_none_answers_speak_against_an_establishment() -> None:
    asked = [*[([("A", 6.0)], "1")] * 15, ([("A", 0.0), ("B", 0.0), ("C", 0.0)], "1")]
    a, b, c = (row for _, row in run(asked, weight=0.0, missed=-1.0).tail(3).iterrows())
    share = b["missed"] / np.log(400.0)
    assert 0.5 < share < 1.0
    assert (a["missed"], c["missed"]) == (0.0, 0.0)
    assert b["score"] == pytest.approx(-share * np.log(400.0))
    assert b["chance"] < a["chance"]


def test_where_nobody_comes_back_nobody_is_missed() -> None:
    """A list of establishments, each once: headcounts say nothing of how often they are named."""
    out = run([([("A", 6.0)], "1"), ([("C", 6.0)], "1"), ([("B", 0.0)], "1")], missed=-1.0)
    assert (out["missed"] == 0).all()


def test_a_sure_bulletin_does_not_keep_its_own_establishment_from_being_missed() -> None:
    out = run([*[SURE_OF_A] * 15, ([("B", 6.0)], "1")], missed=-1.0)
    assert (out["missed"].iloc[:-1] == 0).all()
    assert out["missed"].iloc[-1] > 0


@given(bulletins, st.floats(0, 3))
def test_what_is_seen_only_raises_scores_and_chances_stay_shares(
    asked: list[tuple[list[tuple[str, float]], str]], weight: float
) -> None:
    out = run(asked, weight)
    assert (out["seen"] >= 0).all()
    assert np.isfinite(out["seen"]).all()
    assert (out["score"] >= out["own"]).all()
    assert out["chance"].between(0, 1).all()
    assert (out.groupby("row")["chance"].sum() <= 1).all()


@given(bulletins, st.randoms(use_true_random=False))
def test_the_order_of_the_bulletins_changes_nothing(
    asked: list[tuple[list[tuple[str, float]], str]], random: object
) -> None:
    order = list(range(len(asked)))
    random.shuffle(order)  # type: ignore[attr-defined]
    straight, mixed = (run(one, missed=-0.5) for one in (asked, [asked[i] for i in order]))
    for new, old in enumerate(order):
        np.testing.assert_allclose(
            mixed.loc[mixed["row"] == new, "chance"],
            straight.loc[straight["row"] == old, "chance"],
            rtol=1e-9,
        )


@pytest.mark.parametrize("groups", [1, 2])
def test_no_pairs_have_nothing_to_say(groups: int) -> None:
    none = np.array([], dtype=np.int64)
    told = told_elsewhere(none, none, np.zeros(0), np.zeros(0), np.zeros(groups, np.int64))
    assert {name: values.shape for name, values in told.items()} == dict.fromkeys(FEATURES, (0,))
    assert not len(run([([], "1")] * groups))
