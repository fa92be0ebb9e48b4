"""The tests are exact: compared with every sample counted out, and with what they promise."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest

from geomatch.audit.bounds import Stratum, least_too_many, most_wrong, p_value, share_below


def counted(strata: list[Stratum], wrong: int) -> float:
    """The largest probability over all shares of `wrong`, by counting samples."""
    seen = sum(s.size / s.drawn * s.wrong for s in strata)
    best = 0.0
    for inside in product(*(range(s.size + 1) for s in strata)):
        if sum(inside) != wrong:
            continue
        total = 0.0
        for found in product(*(range(s.drawn + 1) for s in strata)):
            told = sum(s.size / s.drawn * f for s, f in zip(strata, found, strict=True))
            if told > seen + 1e-9:
                continue
            ways = 1.0
            for s, w, f in zip(strata, inside, found, strict=True):
                ways *= comb(w, f) * comb(s.size - w, s.drawn - f) / comb(s.size, s.drawn)
            total += ways
        best = max(best, total)
    return best


@pytest.mark.parametrize(
    "strata",
    [
        [Stratum(12, 5, 1)],
        [Stratum(12, 5, 0)],
        [Stratum(8, 4, 1), Stratum(10, 3, 0)],
        [Stratum(8, 4, 0), Stratum(10, 3, 1)],
        [Stratum(9, 3, 1), Stratum(6, 6, 2)],
    ],
)
def test_the_p_value_is_the_largest_probability_counted_out(strata: list[Stratum]) -> None:
    for wrong in range(sum(s.wrong for s in strata), sum(s.size for s in strata) + 1):
        assert p_value(strata, wrong) == pytest.approx(min(1.0, counted(strata, wrong)), abs=1e-9)


def test_of_what_nobody_looked_into_everything_may_be_wrong() -> None:
    looked = [Stratum(100, 50, 0), Stratum(30, 0, 0)]
    assert p_value(looked, 30) == 1.0
    assert p_value(looked, 35) == p_value([Stratum(100, 50, 0)], 5)


def test_a_clerk_who_may_not_see_an_error_makes_the_bound_larger() -> None:
    strata = [Stratum(1000, 200, 3)]
    sure = most_wrong(strata, 0.05)
    assert p_value(strata, 50, 0.05) > p_value(strata, 50)
    assert sure < most_wrong(strata, 0.05, 0.02) < most_wrong(strata, 0.05, 0.1)


def test_the_bound_holds_as_often_as_it_promises() -> None:
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(400):
        rate = rng.choice([0.01, 0.04, 0.1])
        wrong = [rng.random(n) < rate * f for n, f in ((300, 0.5), (200, 2.0))]
        strata = [
            Stratum(len(w), n, int(rng.choice(w, n, replace=False).sum()))
            for w, n in zip(wrong, (80, 20), strict=True)
        ]
        missed += most_wrong(strata, 0.05) < sum(w.sum() for w in wrong)
    assert missed <= 0.05 * 400 + 2 * np.sqrt(400 * 0.05 * 0.95)


@pytest.mark.parametrize(
    ("size", "precision", "corrected", "least"),
    [(100, 0.95, 0, 6), (1000, 0.95, 0, 51), (100, 0.95, 10, 15), (20, 0.9, 0, 3)],
)
def test_how_many_wrong_ones_are_too_many(
    size: int, precision: float, corrected: int, least: int
) -> None:
    assert least_too_many(size, precision, corrected) == least
    left = size - corrected
    assert (least - corrected) / left > 1 - precision >= (least - 1 - corrected) / left - 1e-9


def test_the_rule_of_three() -> None:
    assert share_below(0, 100, 0.05) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert share_below(7, 7, 0.05) == 1.0
