"""Put a finished store in the place of the old one, in one step that is either done or not."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from geomatch.core.errors import ConfigError, DataError
from geomatch.core.schema import STORE_FORMAT
from geomatch.store.reader import MANIFEST

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def _beside(out: Path, what: str) -> Path:
    return out.parent / f".{out.name}.{what}"


def refuse_foreign(out: Path) -> None:
    """Raise :class:`ConfigError` when `out` holds anything but a reference store.

    A build replaces what stands at `out`, so only a store may stand there, of any version, or an
    empty folder. A manifest that is not one of ours belongs to another program.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        manifest = json.loads((out / MANIFEST).read_bytes())
        is_store = isinstance(manifest, dict) and manifest.get("format") == STORE_FORMAT
    except (OSError, ValueError):
        is_store = False
    if not is_store:
        raise ConfigError(
            f"--out {out} holds files that are no reference store; nothing was changed. "
            "Give an empty or new folder, or an earlier store"
        )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Be the only build of this store; a second one is refused with :class:`ConfigError`.

    The lock dies with its process. A store that a killed build was about to replace is put back.
    """
    if out.is_mount():
        raise ConfigError(
            f"--out {out} is where a disk is mounted and cannot be exchanged; give a folder in it"
        )
    with _lock_file(out) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"another build of {out} is running; wait for it or give another --out"
            ) from error
        _recover(out)
        yield


def _lock_file(out: Path) -> IO[str]:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return _beside(out, "lock").open("w")
    except OSError as error:
        raise ConfigError(
            f"--out {out}: its folder cannot be written in ({error}); give another place"
        ) from error


def _recover(out: Path) -> None:
    old = _beside(out, "old")
    if old.exists() and not out.exists():
        os.replace(old, out)
    if old.exists():
        shutil.rmtree(old)


@contextmanager
def staging(out: Path, key: str) -> Iterator[Path]:
    """A folder beside `out`, on the same disk, for a build told apart by `key`.

    What an interrupted build of the same key left is found again; that of another is deleted.
    The folder is gone afterwards, unless the build was interrupted: only an error of the data
    leaves nothing to go on with.
    """
    folder = _beside(out, "building")
    mark = folder / "key"
    if folder.exists() and (not mark.is_file() or mark.read_text(encoding="utf-8") != key):
        shutil.rmtree(folder)
    if not folder.exists():
        folder.mkdir()
        partial = folder / "key.part"
        partial.write_text(key, encoding="utf-8")
        os.replace(partial, mark)
    try:
        yield folder
    except DataError:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def swap(new: Path, out: Path) -> None:
    """Give `new` the name `out`; what was there is deleted.

    On Linux both names are exchanged in one step, so a reader always finds a whole store.
    Elsewhere, and on disks that cannot, the old store is renamed first, and a build that is
    killed between the two renames is mended by the next one.
    """
    if out.exists() and _exchanged(new, out):
        shutil.rmtree(new)
        return
    old = _beside(out, "old")
    if out.exists():
        os.replace(out, old)
    os.replace(new, out)
    if old.exists():
        shutil.rmtree(old)


def _exchanged(a: Path, b: Path) -> bool:
    """Exchange two names in one step; False when the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if not rename(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE):
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(b))
