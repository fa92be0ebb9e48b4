"""Ranges laid out flat, and the best of groups."""

from __future__ import annotations

from itertools import permutations
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.arrays import groups
from geomatch.arrays.groups import best_of_each, in_reach, ragged_ranges, top

#: group and score of each item; scores come back, so that ties must be told apart by place
scores = st.sampled_from([-2.0, 0.0, 0.3, 0.31, 7.5])
items = st.lists(st.tuples(st.integers(0, 4), scores)).map(lambda i: sorted(i, key=itemgetter(0)))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_ragged_ranges_are_the_ranges_one_after_the_other(bounds: list[tuple[int, int]]) -> None:
    low = np.array([b[0] for b in bounds], dtype=np.int64)
    high = np.array([b[1] for b in bounds], dtype=np.int64)
    row, value = ragged_ranges(low, high)
    expected = [(i, v) for i, (a, b) in enumerate(bounds) for v in range(a, b)]
    assert list(zip(row.tolist(), value.tolist(), strict=True)) == expected


@given(items, st.integers(1, 5))
def test_the_best_of_each_group_come_in_order_and_the_first_of_equals_first(
    given_items: list[tuple[int, float]], most: int
) -> None:
    group = np.array([g for g, _ in given_items], dtype=np.int64)
    score = np.array([s for _, s in given_items], dtype=np.float64)
    expected = [
        i
        for g in sorted(set(group.tolist()))
        for i in sorted(np.flatnonzero(group == g), key=lambda i: (-score[i], i))[:most]
    ]
    assert top(group, score, most).tolist() == expected


@given(items, st.integers(1, 6), st.integers(1, 4), st.sampled_from([0.0, 0.3, 2.0, 100.0]))
def test_the_first_of_a_group_and_those_not_far_behind_stay(
    given_items: list[tuple[int, float]], most: int, least: int, reach: float
) -> None:
    group = np.array([g for g, _ in given_items], dtype=np.int64)
    score = np.array([s for _, s in given_items], dtype=np.float64)
    expected = []
    for g in sorted(set(group.tolist())):
        best = sorted(np.flatnonzero(group == g), key=lambda i: (-score[i], i))[:most]
        expected += [
            i for n, i in enumerate(best) if n < least or score[i] >= score[best[0]] - reach
        ]
    assert in_reach(group, score, most, least, reach).tolist() == expected


def test_a_crowd_is_cut_as_if_it_were_sorted() -> None:
    rng = np.random.default_rng(5)
    group, score = np.sort(rng.integers(3, 6, 5_000)), rng.normal(size=5_000).astype(np.float32)
    best = top(group, score, 7)
    for i, g in enumerate((3, 4, 5)):
        mine = np.flatnonzero(group == g)
        assert best[7 * i : 7 * i + 7].tolist() == mine[np.argsort(-score[mine])[:7]].tolist()


@pytest.mark.parametrize("of", [(0, 1, 2, 3, 4), (0, 1, 1, 2, 2), (0, 0, 0, 0, 1), (7,)])
def test_the_nth_greatest_is_that_of_the_sorted_in_whatever_order(of: tuple[int, ...]) -> None:
    expected = sorted(of, reverse=True)
    for scores in map(np.array, permutations(map(float, of))):
        assert [groups._nth_greatest(scores, n) for n in range(len(of))] == expected


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.25, 0.5])), max_size=20))
def test_the_best_of_each_sorted_group_is_the_first_of_its_greatest(
    items: list[tuple[int, float]],
) -> None:
    items.sort(key=lambda item: item[0])
    group, score = np.array([g for g, _ in items], np.int64), np.array([s for _, s in items])
    best = best_of_each(group, score)
    assert group[best].tolist() == sorted({*group.tolist()})
    for at in best.tolist():
        mine = np.flatnonzero(group == group[at])
        assert at == mine[np.argmax(score[mine])]
