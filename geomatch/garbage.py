"""Memory that Python looks for cycles in less often while much is allocated at once.

Tables of a département are millions of small objects that all stay; walking over them after
every 700 new ones, as Python does, takes a quarter of a run's time and frees nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Objects allocated, less those freed, between two looks for cycles.
_ALLOCATIONS = 1_000_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Within it, and within a function it decorates, cycles are looked for seldom."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _ALLOCATIONS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
