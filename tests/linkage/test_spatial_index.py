from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geomatch.linkage.spatial_index import Positions

metres = st.sampled_from([-900.0, -0.004, 0.0, 0.25, 120.0, 121.5, 4_000.0])
places = st.lists(st.tuples(metres, metres, st.sampled_from([0.0, 15.0, 150.0])), max_size=40)
asked = st.lists(st.tuples(metres, metres, st.sampled_from([0.0, 30.0, 500.0])), max_size=5)


def _columns(rows: list[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return table[:, :2], table[:, 2]


@given(places, asked)
@example([(120.0, 0.0, 150.0)], [(0.0, 0.0, 0.0)])
def test_who_stands_within_both_reaches_is_found_once(
    known: list[tuple[float, float, float]], wanted: list[tuple[float, float, float]]
) -> None:
    position, reach = _columns(known)
    point, radius = _columns(wanted)
    rows = 100 + np.arange(len(known))
    found = Positions.of(rows, position, reach)
    assert sorted(found.rows.tolist()) == rows.tolist()
    asker, place, distance = found.near(point, radius)
    pairs = {
        (i, int(row)): d
        for i, p, d in zip(asker.tolist(), place.tolist(), distance.tolist(), strict=True)
        for row in found.rows[found.start[p] : found.start[p + 1]]
    }
    expected = {
        (i, 100 + j): np.hypot(*(point[i] - position[j]))
        for i in range(len(point))
        for j in range(len(position))
    }
    assert len(set(zip(asker.tolist(), place.tolist(), strict=True))) == len(asker)
    for pair, metres in expected.items():
        i, j = pair[0], pair[1] - 100
        if metres <= radius[i] + reach[j]:
            assert pairs[pair] == pytest.approx(metres)
    for i, row in pairs:
        # whose neighbour at the very same place reaches farther comes along
        together = (position == position[row - 100]).all(axis=1)
        assert expected[i, row] <= radius[i] + reach[together].max()


def test_those_of_one_place_stand_there_together() -> None:
    position = np.array([[1.0, 2.0], [5.0, 5.0], [1.0, 2.0]])
    found = Positions.of(np.array([7, 8, 9]), position, np.array([10.0, 20.0, 30.0]))
    assert len(found.position) == 2
    at = int(np.flatnonzero(found.position[:, 0] == 1.0)[0])
    assert found.rows[found.start[at] : found.start[at + 1]].tolist() == [7, 9]
    assert found.reach[at] == 30.0
