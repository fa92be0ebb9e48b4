from __future__ import annotations

import numpy as np
import pytest

from geomatch.arrays.rows import Ordered, Rows


def test_rows_that_are_moved_are_those_that_are_joined_and_leave_their_parts() -> None:
    parts = [Rows({"a": np.arange(n), "b": np.full(n, "x", dtype=object)}) for n in (2, 0, 3)]
    joined = Rows.joined(parts)
    moved = Rows.moved(parts)
    assert len(moved) == len(joined) == 5
    assert list(moved) == ["a", "b"]
    assert all((moved[c] == joined[c]).all() for c in joined)
    for part in parts:
        with pytest.raises(KeyError):
            part["a"]


def test_rows_in_another_order_are_those_that_are_taken_in_it() -> None:
    rows = Rows({"a": np.arange(5), "b": np.array(list("vwxyz"), dtype=object)})
    order = np.array([4, 0, 3])
    ordered, taken = Ordered(rows, order), rows.take(order)
    assert len(ordered) == 3
    assert (ordered["a"] == [4, 0, 3]).all()
    assert (ordered["b"] == taken["b"]).all()
    some = ordered.take(np.array([2, 0]))
    assert list(some) == ["a", "b"]
    assert some["b"].tolist() == ["y", "z"]
