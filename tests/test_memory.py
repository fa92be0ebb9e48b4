from __future__ import annotations

import gc

import pytest

from geomatch.memory import seldom_collected


def test_cycles_are_looked_for_seldom_within_and_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with seldom_collected():
        assert gc.isenabled()
        assert gc.get_threshold()[0] > 100 * before[0]
    assert gc.get_threshold() == before


def test_an_error_leaves_it_as_before() -> None:
    before = gc.get_threshold()

    @seldom_collected()
    def failing() -> None:
        raise KeyError("no such thing")

    with pytest.raises(KeyError):
        failing()
    assert gc.get_threshold() == before


def test_who_looks_for_none_is_left_alone() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with seldom_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
