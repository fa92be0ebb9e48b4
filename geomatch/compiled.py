"""Loops over arrays, compiled: where each pair of a bulletin and an establishment is looked at.

Such loops are written plainly, one pair after the other, and read as what they compute; NumPy
would need a dozen arrays of all pairs for each of them (decision 0048).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

_Loop = TypeVar("_Loop", bound=Callable)


def compiled(loop: _Loop) -> _Loop:
    """Compile a function of arrays and numbers when it is first called, and keep it on disk.

    It is kept beside the source or, where that cannot be written, in the user's cache folder
    (``NUMBA_CACHE_DIR`` names another); where there is no such folder either, every process compiles
    anew. What it computes is the same as Python's, to the bit, and other threads may run
    meanwhile.
    """
    try:
        return numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # no folder to keep it in
        return numba.njit(nogil=True)(loop)
