"""Compiled loops over pairs of a bulletin and an establishment.

The loops are written one pair at a time. NumPy would need a dozen arrays of all pairs for each of
them (decision 0048).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from geomatch.core.errors import ConfigError
from geomatch.core.paths import make_private

_Loop = TypeVar("_Loop", bound=Callable)


def compiled(loop: _Loop) -> _Loop:
    """Compile a function of arrays and numbers at its first call, and cache it on disk.

    The cache is beside the source or, where that is read-only, in the user's cache folder
    (``NUMBA_CACHE_DIR`` names another). Without such a folder every process compiles again, some
    half a minute for all loops. The cache depends on the source file alone, so a compiled function
    uses only functions and constants of its own module. The interpreter's lock is released. With
    ``NUMBA_DISABLE_JIT=1`` the loops run as plain Python.
    """
    machine = numba.njit(nogil=True)(loop)
    is_kept = False

    @wraps(loop)
    def call(*arguments: Any) -> Any:
        nonlocal is_kept
        if not is_kept:  # not before it is called: nothing is written at import
            is_kept = True
            if machine is not loop:
                _keep(machine)
        return machine(*arguments)

    return cast(_Loop, call)


def compiled_part(loop: _Loop) -> _Loop:
    """Compile a function that compiled ones of the same module call, into these."""
    return cast(_Loop, numba.njit(nogil=True)(loop))


def _keep(machine: Any) -> None:
    with suppress(RuntimeError):  # no folder to keep it in
        refuse_others(os.environ.get("NUMBA_CACHE_DIR", ""))
        machine.enable_caching()


def refuse_others(folder: str) -> None:
    """Raise :class:`ConfigError` when others could put compiled code into a folder to be run here.

    What is kept there is read with pickle, which runs what it is told to. The folder itself, or
    the one that it would be made in, has to be this user's (or root's) and writable by nobody
    else; ``/tmp`` is not.
    """
    if not folder or os.name != "posix":
        return
    place = Path(folder).absolute()
    while not place.exists():
        place = place.parent
    state = place.stat()
    if state.st_uid not in (os.geteuid(), 0) or state.st_mode & 0o022:
        if state.st_mode & stat.S_ISVTX and place != Path(folder).absolute():
            make_private(Path(folder))
            refuse_others(folder)  # somebody may have been faster
            return
        raise ConfigError(
            f"NUMBA_CACHE_DIR is {folder}, where others can put code that would be run; give a "
            "folder that is yours alone (chmod 700), or none"
        )
