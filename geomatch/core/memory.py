"""Memory of a process that loads and computes much: rare garbage collection, freed memory kept.

The tables of a département are millions of small objects that all stay. Python's garbage
collector walks over them after every 700 new ones, which takes a quarter of a run and frees
nothing. Memory that one step frees is needed by the next: returning it to the system in between
has every page cleared again.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pyarrow as pa

#: Objects allocated, less those freed, between two looks for cycles.
_ALLOCATIONS = 1_000_000
#: Parameters of glibc's mallopt (malloc.h) and what they are set to: never a mapping of its own
#: for a big array, 64 MiB more than is asked for, nothing given back below 2 GiB.
_MALLOPT = {-4: 0, -2: 64 << 20, -1: 2**31 - 1}


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Context or decorator: the garbage collector runs rarely."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _ALLOCATIONS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def give_back() -> None:
    """Return freed memory to the system, where the C library can do that."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return


@cache
def keep_freed() -> bool:
    """Have this process keep the memory it frees, for its own next use.

    Arrow's own allocators return much of theirs, so Arrow uses the C library's too.

    It cannot be undone. Only processes that match and do nothing else call it: the command
    ``geomatch match``, and workers. Returns whether it was done: a C library without ``mallopt``
    goes on as it was.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    pa.set_memory_pool(pa.system_memory_pool())
    return all(mallopt(name, value) == 1 for name, value in _MALLOPT.items())
