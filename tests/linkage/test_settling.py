from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.arrays.rows import Rows
from geomatch.core.config import DecisionOptions
from geomatch.linkage.file_share import LEAST_BULLETINS, FileShare
from geomatch.linkage.model import LEVELS, Model
from geomatch.linkage.settling import FLOOR, Bounds, decided_of, expected_threshold, settle
from geomatch.training.train import UNTRAINED

shares = st.floats(0, 1).map(lambda p: round(p, 6))


def bulletins(n: int, presence: float = 0.9, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    given_siret = np.round(rng.random(n), 6)
    return Rows(
        {
            "presence": np.round(np.clip(rng.normal(presence, 0.05, n), 0, 1), 6),
            "given_siret": given_siret,
            "given_site": np.round(given_siret + (1 - given_siret) * 0.5, 6),
            "given_siren": np.round(given_siret + (1 - given_siret) * 0.7, 6),
            "given_second": np.round((1 - given_siret) * 0.5, 6),
            "doubt": np.array(["low_probability", "abroad"] * n, dtype=object)[:n],
            "facts": np.ones(n, np.int64),
            "siret": np.array([f"{i:014d}" for i in range(n)], dtype=object),
            "naf": np.full(n, "", dtype=object),
            "naf_probability": np.zeros(n),
            "naf_decision": np.full(n, "none", dtype=object),
        }
    )


@given(st.lists(shares, max_size=60), st.floats(0.5, 0.99))
def test_what_is_coded_is_expected_to_be_as_right_as_was_asked(
    chances: list[float], precision: float
) -> None:
    chance = np.array(chances)
    bound = expected_threshold(chance, precision)
    kept = chance[chance >= bound]
    if bound > 1:
        assert not (chance >= max(precision, FLOOR)).any()
        return
    assert bound >= FLOOR
    assert kept.mean() >= precision - 1e-6
    lower = chance[(chance < bound) & (chance >= FLOOR)]
    if len(lower):  # one more step would be one too many
        assert chance[chance >= lower.max()].mean() < precision + 1e-6


def test_a_file_is_settled_alike_in_any_order() -> None:
    rows = bulletins(500)
    shuffled = rows.take(np.random.default_rng(1).permutation(500))
    options = DecisionOptions(precision=0.8)
    assert settle(rows, UNTRAINED, options) == settle(shuffled, UNTRAINED, options)


def test_levels_that_say_less_are_answered_more_often() -> None:
    options = DecisionOptions(precision=0.9)
    decided, told = decided_of(bulletins(900), UNTRAINED, options, whole=True)
    coded = [told.expected[level].n for level in LEVELS]
    assert coded == sorted(coded)
    assert 0 < coded[0] < coded[2]
    assert {"siret", "site", "siren", "none"} == {*decided["answer_level"]}
    order = {level: i for i, level in enumerate((*LEVELS, "naf", "none"))}
    auto = decided["decision"] == "auto"
    assert all(
        (order[a] == 0) == bool(d) for a, d in zip(decided["answer_level"], auto, strict=True)
    )
    assert not (auto & (decided["doubt"] == "abroad")).any()
    assert sum(told.counts.values()) == 900
    assert told.counts["auto"] == auto.sum()


def test_few_bulletins_are_no_file() -> None:
    few = settle(bulletins(LEAST_BULLETINS - 1), UNTRAINED, DecisionOptions())
    assert not few.is_own
    assert few.level == UNTRAINED.file_share.usual
    assert settle(bulletins(LEAST_BULLETINS), UNTRAINED, DecisionOptions()).is_own


def test_a_part_of_a_file_keeps_every_best_echo() -> None:
    rows = bulletins(600, presence=0.05)
    rows = rows.plus(doubt=np.full(600, "no_candidate", dtype=object))
    whole, told = decided_of(rows, UNTRAINED, DecisionOptions(), whole=True)
    part, _ = decided_of(rows, UNTRAINED, DecisionOptions(), whole=False)
    assert told.counts["none"] > 500
    assert (whole["siret"][whole["decision"] == "none"] == "").all()
    assert (part["siret"] == rows["siret"]).all()


def test_a_level_or_a_threshold_may_be_asked_for_by_itself() -> None:
    rows, options = bulletins(900), DecisionOptions(precision=0.8)
    plain = settle(rows, UNTRAINED, options)
    stricter = settle(rows, UNTRAINED, options, Bounds("site", precision=0.95))
    assert stricter.thresholds["siret"] == plain.thresholds["siret"]
    assert stricter.thresholds["site"] > plain.thresholds["site"]
    fixed = settle(rows, UNTRAINED, options, Bounds("siret", threshold=0.77))
    assert fixed.thresholds["siret"] == 0.77
    assert fixed.thresholds["site"] == plain.thresholds["site"]


# ------------------------------------------------------------------ how much is there
SHARE = FileShare((-0.6, 0.9, 0.3), (1.05, -0.03, 0.02), -1.5, 2.0, 1.5)


@given(st.lists(shares, min_size=1, max_size=30))
def test_surer_bulletins_of_a_file_stay_surer(chances: list[float]) -> None:
    presence = np.sort(np.array(chances))
    moved = SHARE.moved(presence, SHARE.level(presence))
    assert (np.diff(moved) >= 0).all()
    assert ((moved >= 0) & (moved <= 1)).all()


def test_a_file_of_surer_bulletins_makes_each_of_them_likelier() -> None:
    rich, poor = np.full(400, 0.8), np.full(400, 0.2)
    asked = np.array([0.6])
    assert SHARE.moved(asked, SHARE.level(rich)) > SHARE.moved(asked, SHARE.level(poor))
    assert SHARE.level(np.full(9, 0.999)) == SHARE.high
    assert SHARE.level(np.full(9, 0.001)) == SHARE.low


def test_facts_that_were_never_learned_are_told() -> None:
    share = FileShare(facts={"same_name": (0.4, 0.7), "echo": (0.9, 1.0)})
    model = Model(**{**vars(UNTRAINED), "file_share": share})
    told = settle(bulletins(400), model, DecisionOptions())
    assert told.unusual == pytest.approx({"same_name": 0.0})
