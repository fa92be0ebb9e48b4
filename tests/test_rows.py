from __future__ import annotations

import numpy as np
import pytest

from geomatch.rows import Rows


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
