from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.arrays.rows import Rows
from geomatch.linkage.calibration_features import CALIBRATION_FEATURES
from geomatch.linkage.calibrator import Calibrator, Trees
from geomatch.training.calibration import fit_calibrator

#: lead <= 1: -2; else share <= 0: 0.5, else 3
TREES = Trees(
    ("lead", "share_log_odds"),
    (0,),
    (0, -1, 1, -1, -1),
    (1.0, -2.0, 0.0, 0.5, 3.0),
    (2, 0, 4, 0, 0),
)


def test_a_tree_is_walked_from_node_to_leaf() -> None:
    rows = Rows({"lead": np.array([1.0, 2.0, 2.0]), "share_log_odds": np.array([9.0, 0.0, 0.1])})
    assert TREES.score(rows).tolist() == [-2.0, 0.5, 3.0]
    both = Calibrator(1.0, {"lead": 0.5}, TREES)
    np.testing.assert_allclose(both.score(rows), [-0.5, 2.5, 5.0])
    assert both.columns == {"lead", "share_log_odds"}


def test_a_calibrator_is_read_back_as_it_was() -> None:
    both = Calibrator(1.0, {"lead": 0.5}, TREES)
    assert Calibrator.from_dict(both.as_dict()) == both


@pytest.mark.parametrize(
    "change",
    [
        {"right": (0, 0, 4, 0, 0)},  # a node that is its own child would be walked for ever
        {"right": (2, 0, 9, 0, 0)},
        {"feature": (0, -1, 2, -1, -1)},
        {"start": (5,)},
        {"number": (1.0,)},
    ],
)
def test_trees_that_cannot_be_walked_are_refused(change: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="tree"):
        Trees(**{**vars(TREES), **change})


def table(n: int, seed: int) -> Rows:
    values = np.random.default_rng(seed).normal(size=(n, len(CALIBRATION_FEATURES)))
    return Rows(dict(zip(CALIBRATION_FEATURES, values.T.copy(), strict=True)))


def test_boosted_trees_find_what_decides_and_are_as_sure_as_they_are_right() -> None:
    def right(rows: Rows) -> np.ndarray:
        noise = np.random.default_rng(5).random(len(rows))
        return noise < np.where((rows["lead"] > 0) & (rows["top_both"] > 0), 0.9, 0.2)

    learned, new = table(4000, 1), table(4000, 2)
    found = fit_calibrator([learned], [right(learned).astype(float)])
    chance, is_right = found.probability(new), right(new)
    sure = chance > 0.6
    assert abs(sure.mean() - 0.25) < 0.05
    assert abs(chance[sure].mean() - is_right[sure].mean()) < 0.05
    assert abs(chance[~sure].mean() - is_right[~sure].mean()) < 0.05


@given(st.booleans())
def test_an_outcome_that_never_varies_needs_no_tree(always: bool) -> None:
    found = fit_calibrator([table(50, 3)], [np.full(50, float(always))])
    assert not found.trees.start
    assert (found.probability(table(5, 4)) > 0.5).all() == always


def test_a_doubtful_outcome_counts_as_much_as_it_is_likely() -> None:
    rows = table(2000, 6)
    found = fit_calibrator([rows], [np.full(2000, 0.7)])
    assert found.probability(rows).mean() == pytest.approx(0.7, abs=0.02)
