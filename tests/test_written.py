"""The best of groups, and similar names laid out over all known ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from geomatch import written
from geomatch.coverage import Coverage
from geomatch.lexicon import Lexicon
from geomatch.written import best_of_each, in_reach, look_up, similar_names, top

#: group and score of each item; scores come back, so that ties must be told apart by place
items = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([-2.0, 0.0, 0.3, 0.31, 7.5])))
WORDS = ("LION", "GARAGE", "CREPIN", "PINS", "FORGES")
names = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True), min_size=1)


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
    group, score = rng.integers(3, 6, 5_000), rng.normal(size=5_000).astype(np.float32)
    best = top(group, score, 7)
    for i, g in enumerate((3, 4, 5)):
        mine = np.flatnonzero(group == g)
        assert best[7 * i : 7 * i + 7].tolist() == mine[np.argsort(-score[mine])[:7]].tolist()


@given(names, names)
def test_the_best_similar_name_of_an_establishment_is_found(
    written: list[list[str]], known: list[list[str]]
) -> None:
    coverage = Coverage(Lexicon.of(known), written)
    bulletins = np.arange(len(written))
    similar = similar_names(bulletins, bulletins, coverage, len(written))
    # establishment i bears names i and i + 1
    borne = [sorted({i, min(i + 1, len(known) - 1)}) for i in range(len(known))]
    row, column = zip(*((i, n) for i, ns in enumerate(borne) for n in ns), strict=True)
    names_of = sparse.csr_array((np.ones(len(row)), (row, column)))
    asker = np.repeat(bulletins, len(known))
    establishment = np.tile(np.arange(len(known)), len(written))
    found = look_up(asker, establishment, similar, names_of)
    a, b = found["of_written"], found["of_known"]
    pairs = {}
    for w, k, x, y in zip(*coverage.search(0, len(written), 0.33), strict=True):
        pairs[int(w), int(k)] = 0.6 * x + 0.4 * y
    for i, (w, e) in enumerate(zip(asker.tolist(), establishment.tolist(), strict=True)):
        best = max((pairs.get((w, n), 0.0) for n in borne[e]), default=0.0)
        assert np.isclose(0.6 * a[i] + 0.4 * b[i], best, atol=1e-5)
        assert (found["known"][i] >= 0) == (best > 0)
        assert found["known"][i] == -1 or found["known"][i] in borne[e]


def test_of_many_names_alike_a_little_only_those_more_alike_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = [["GARAGE", "LION"], ["GARAGE", "PINS"], ["GARAGE", "FORGES"], ["CREPIN", "FORGES"]]
    names = [["GARAGE", "LION"], ["CREPIN", "PINS"]]
    rows = np.arange(2)
    coverage = Coverage(Lexicon.of(known), names)
    found = {}
    for many in (2, 3):
        monkeypatch.setattr(written, "_MANY", many)
        similar = similar_names(rows, rows, coverage, 2)
        assert similar.start.tolist()[-1] == len(similar.known)
        found[many] = [
            sorted(similar.known[a:b].tolist()) for a, b in pairwise(similar.start.tolist())
        ]
    assert found[3] == [[0, 1, 2], [1, 3]]
    # three are alike to the first name, two of them by GARAGE alone; the second has few
    assert found[2] == [[0], [1, 3]]


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
