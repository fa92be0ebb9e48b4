from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import pytest

from geomatch.core.memory import seldom_collected


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


#: Pages touched for the first time while 64 MiB are taken and given back ten times.
_TOUCHED = """
import resource, sys
from geomatch.core.memory import keep_freed
if sys.argv[1] == "keep":
    keep_freed()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(64 << 20)
before = faults()
for _ in range(10):
    bytearray(64 << 20)
print(faults() - before)
"""


def _pages_touched(how: str) -> int:
    command = [sys.executable, "-c", _TOUCHED, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no mallopt here")
def test_freed_memory_is_kept_for_the_next_use() -> None:
    assert _pages_touched("keep") * 10 < _pages_touched("leave")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="no mallopt here")
def test_arrow_shares_the_memory_that_is_kept() -> None:
    told = (
        "import pyarrow as pa; from geomatch.core.memory import keep_freed; keep_freed(); "
        "print(pa.default_memory_pool().backend_name)"
    )
    found = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "system"
