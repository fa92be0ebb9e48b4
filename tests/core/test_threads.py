from __future__ import annotations

import threading
import time

import pytest

from geomatch.core.errors import StoreError
from geomatch.core.threads import alongside


def test_two_things_are_done_at_once() -> None:
    met = threading.Barrier(2, timeout=10)
    with alongside(met.wait) as other:
        here = met.wait()
    assert sorted([here, other.result()]) == [0, 1]


def test_the_block_ends_when_both_are_over() -> None:
    done = []
    with alongside(lambda: (time.sleep(0.1), done.append("beside"))):
        done.append("here")
    assert done == ["here", "beside"]


def _fail() -> None:
    raise StoreError("the file is cut")


def test_what_was_raised_beside_is_raised_when_asked_for() -> None:
    with alongside(_fail) as other:
        pass
    with pytest.raises(StoreError, match="cut"):
        other.result()


def test_what_is_raised_in_the_block_is_raised() -> None:
    with pytest.raises(StoreError, match="cut"), alongside(lambda: None):
        _fail()
