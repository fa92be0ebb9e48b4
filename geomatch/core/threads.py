"""Two things done at once, where there are two cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")


@contextmanager
def alongside(do: Callable[[], _T]) -> Iterator[Future[_T]]:
    """Call a function in a thread while the block is run; ``result()`` is what it gives or raises.

    For work that libraries do which let other threads run: Arrow, NumPy, SciPy, shapely. The
    block ends when both are over.
    """
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(do)
