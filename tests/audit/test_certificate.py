"""What is drawn, and whether what is certified holds on files whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from geomatch.audit.certificate import Cards, certify, passing, worth_of_more
from geomatch.audit.clerks import settle
from geomatch.audit.design import Design, allotted, alpha_of, core_cards, make_design
from geomatch.audit.recalibration import recalibrate
from geomatch.core.errors import ConfigError

N = 4000
RNG = np.random.default_rng(11)
#: Falling probabilities: most are sure, some are not.
STATED = np.sort(1 / (1 + np.exp(-RNG.normal(3.5, 2.0, N))))[::-1]


def truth(too_sure: float, seed: int) -> NDArray[np.bool_]:
    """Whether each answer is right, on a file where the machine's errors are so many times more."""
    wrong = np.minimum(too_sure * (1 - STATED), 1.0)
    return np.random.default_rng(seed).random(N) >= wrong


def drawn(design: Design, cards: int, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    core, rest = allotted(design, cards, (0, 0), 1)
    others = np.arange(design.core, design.target)
    return np.concatenate(
        [rng.choice(design.core, core, replace=False), rng.choice(others, rest, replace=False)]
    )


def seen(position: NDArray[np.int64], right: NDArray[np.bool_]) -> Cards:
    return Cards(position, right[position], np.ones(len(position), bool))


@pytest.mark.parametrize("too_sure", [1.0, 2.0, 4.0, 8.0])
def test_what_is_certified_holds_however_wrong_the_machine_is(too_sure: float) -> None:
    design = make_design(STATED, 300, precision=0.95, n_bulletins=N)
    failed = 0
    for seed in range(100):
        right = truth(too_sure, seed)
        cards = seen(drawn(design, 300, seed), right)
        size = passing(design, cards, 1)
        wrong = int((~right[:size]).sum()) - cards.n_corrected(size)
        failed += wrong > 0.05 * (size - cards.n_corrected(size)) + 1e-9
    assert failed <= 100 * alpha_of(1) + 2 * np.sqrt(100 * alpha_of(1))


def test_a_machine_that_is_right_is_believed_for_half_of_what_it_promises() -> None:
    design = make_design(STATED, 300, precision=0.95, n_bulletins=N)
    sizes = [passing(design, seen(drawn(design, 300, s), truth(1.0, s)), 1) for s in range(40)]
    assert np.median(sizes) >= 0.5 * design.target


def test_cards_not_settled_can_only_take_away() -> None:
    design = make_design(STATED, 300, precision=0.95, n_bulletins=N)
    whole = seen(drawn(design, 300, 1), truth(1.0, 1))
    some = np.arange(300) % 20 != 0
    part = Cards(whole.position, whole.is_right & some, some)
    assert passing(design, part, 1) <= passing(design, whole, 1)
    assert certify(design, part, 1).n_open == 15


def test_the_certificate_tells_the_last_set_that_passed() -> None:
    design = make_design(STATED, 300, precision=0.95, n_bulletins=N)
    cards = seen(drawn(design, 300, 2), truth(1.0, 2))
    found = certify(design, cards, 1)
    assert found.certified is not None
    assert found.certified.size == passing(design, cards, 1)
    assert all(t.p_value <= found.alpha for t in found.tested[:-1])
    assert found.certified.at_least >= 0.95
    assert found.coding_rate == found.certified.size / N


def test_more_cards_buy_more_where_the_machine_was_too_sure() -> None:
    design = make_design(STATED, 300, precision=0.95, n_bulletins=N)
    cards = seen(drawn(design, 300, 3), truth(3.0, 3))
    likely = 1 - np.minimum(3.0 * (1 - STATED), 1.0)
    rates = [rate for _, rate in worth_of_more(design, cards, likely, 1)]
    assert rates[-1] > rates[0]
    assert rates[-1] >= certify(design, cards, 1).coding_rate


def test_the_risks_of_all_draws_stay_within_five_per_cent() -> None:
    assert sum(alpha_of(draw) for draw in range(1, 50)) <= 0.05 + 1e-12


def test_with_a_card_less_one_error_less_would_be_allowed() -> None:
    found = core_cards(1500, 300, 0.95, 1)
    assert found is not None
    cards, errors = found
    fewer = core_cards(1500, int(np.ceil((cards - 1) / 0.75)), 0.95, 1)
    assert fewer is not None
    assert fewer[1] < errors


def test_too_few_cards_are_refused_with_the_number_needed() -> None:
    with pytest.raises(ConfigError, match="larger --size"):
        make_design(STATED, 20, precision=0.95, n_bulletins=N)


def test_a_precision_that_the_machine_promises_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="lower"):
        make_design(np.full(100, 0.6), 80, precision=0.95, n_bulletins=100)


def test_answers_of_one_probability_are_certified_together_or_not_at_all() -> None:
    stated = np.repeat([0.999, 0.99, 0.97, 0.93], 500)
    design = make_design(stated, 300, precision=0.95, n_bulletins=2000)
    assert set(design.sizes) <= {500, 1000, 1500, 2000}


# ------------------------------------------------------------------ clerks
@pytest.mark.parametrize(
    ("told", "clerks", "verdict"),
    [
        (["A"], 1, "A"),
        ([None], 1, None),
        (["A", "A"], 2, "A"),
        ([None, None], 2, None),
        (["A", "B", "B"], 2, "B"),
        (["A", None, "C"], 2, "C"),
    ],
)
def test_one_verdict_comes_out(told: list[str | None], clerks: int, verdict: str | None) -> None:
    said = {"1": [(f"c{i}", s) for i, s in enumerate(told)]}
    assert settle(said, clerks).verdicts == {"1": verdict}


def test_what_wants_a_second_or_a_third_clerk_is_not_settled() -> None:
    found = settle({"1": [("a", "A")], "2": [("a", "A"), ("b", "B")]}, 2)
    assert found.verdicts == {}
    assert found.disputed == ("2",)
    assert (found.n_double, found.n_differing) == (1, 1)


def test_clerks_who_differ_more_may_share_more_errors() -> None:
    def unseen(differing: int) -> float:
        said = {str(i): [("a", "A"), ("b", "B" if i < differing else "A")] for i in range(300)}
        return settle(said, 2).unseen(0.002)

    assert 0.0 < unseen(0) < unseen(30) < unseen(60)
    assert 0.05**2 < unseen(30) < 0.01
    assert settle({"1": [("a", "A")]}, 1).unseen(0.002) == 0.0


# ------------------------------------------------------------------ recalibration
def test_a_machine_too_sure_is_put_right_and_a_good_one_left_alone() -> None:
    rng = np.random.default_rng(7)
    stated = rng.choice(STATED, 500)
    shifted = recalibrate(stated, rng.random(500) >= np.minimum(4 * (1 - stated), 1.0))
    assert shifted.is_supported
    told = shifted.probability(np.array([0.98, 0.9]))
    assert told[0] < 0.96
    assert told[1] < told[0]
    assert not recalibrate(stated[:50], np.ones(50, bool)).is_supported
    honest = recalibrate(stated, rng.random(500) < stated)
    assert abs(honest.probability(np.array([0.95]))[0] - 0.95) < 0.03
