"""Compiled loops over pairs of a bulletin and an establishment.

The loops are written one pair at a time. NumPy would need a dozen arrays of all pairs for each of
them (decision 0048).
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from geomatch.core.errors import ConfigError
from geomatch.core.paths import make_private, read_bytes

log = logging.getLogger(__name__)

_Loop = TypeVar("_Loop", bound=Callable)
#: Every compiled function, in the order of the imports.
_LOOPS: list[Any] = []


def compiled(loop: _Loop) -> _Loop:
    """Compile a function of arrays and numbers at its first call, and cache it on disk.

    The cache is beside the source or, where that is read-only, in the user's cache folder
    (``NUMBA_CACHE_DIR`` names another). Without such a folder every process compiles again, some
    half a minute for all loops. The cache depends on the source file alone, so a compiled function
    uses only functions and constants of its own module. The interpreter's lock is released. With
    ``NUMBA_DISABLE_JIT=1`` the loops run as plain Python.
    """
    machine = numba.njit(nogil=True)(loop)
    _LOOPS.append(machine)
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


def is_compiled() -> bool:
    """Whether loops of this version were compiled before and kept where they are found again."""
    if getattr(numba.config, "DISABLE_JIT", 0) or not _LOOPS:
        return True
    try:
        _keep(_LOOPS[0])
        folder = Path(_LOOPS[0]._cache.cache_path)
    except (AttributeError, ConfigError):
        return False
    return any(folder.glob("*.nbi"))


def _keep(machine: Any) -> None:
    with suppress(RuntimeError):  # no folder to keep it in
        refuse_others(os.environ.get("NUMBA_CACHE_DIR", ""))
        machine.enable_caching()
        _seal(machine._cache)


def _seal(cache: Any) -> None:
    """Have the cache of a function compile again what is damaged, rather than fail or run it.

    Numba's index and data files have no sums: an empty one ends every match with a traceback, a
    flipped bit in machine code may do anything. The contents are put behind their SHA-256.
    """
    files: Any = getattr(cache, "_cache_file", None)
    if not all(hasattr(files, n) for n in ("_dump", "_load_data", "_data_path", "_load_index")):
        return  # a numba that keeps them otherwise
    dump, load_index, load, save = (
        files._dump, files._load_index, cache.load_overload, cache.save_overload
    )  # fmt: skip

    def dump_sealed(content: Any) -> bytes:
        data = dump(content)
        return hashlib.sha256(data).digest() + data

    def load_data(name: str) -> Any:
        content = read_bytes(files._data_path(name))
        return pickle.loads(_unsealed(content))

    def load_index_sealed() -> Any:
        try:
            content = read_bytes(files._index_path)
        except FileNotFoundError:
            return load_index()
        stream = io.BytesIO(content)
        version = pickle.load(stream)
        if version != files._version:
            return {}
        stamp, overloads = pickle.loads(_unsealed(stream.read()))
        return overloads if stamp == files._source_stamp else {}

    def load_or_compile(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except Exception as error:  # noqa: BLE001  whatever a damaged file makes pickle raise
            log.info("compiled code kept on disk is damaged (%s): compiled again", error)
            cache.flush()
            return None

    def save_if_possible(*arguments: Any) -> None:
        try:
            save(*arguments)
        except Exception as error:  # noqa: BLE001  a full disk, an index that cannot be read
            log.info("compiled code cannot be kept: %s", error)

    files._dump, files._load_data = dump_sealed, load_data
    files._load_index = load_index_sealed
    cache.load_overload, cache.save_overload = load_or_compile, save_if_possible


def _unsealed(content: bytes) -> bytes:
    """What stands behind the sum; raises ValueError when it is not what was written."""
    size = hashlib.sha256().digest_size
    if len(content) < size or hashlib.sha256(content[size:]).digest() != content[:size]:
        raise ValueError("its sum is another")
    return content[size:]


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
