"""The folder of results of a run: one run at a time, and nobody's work overwritten."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.runs.work_folder import RUN

log = logging.getLogger(__name__)

LOCK = ".geomatch.lock"
VERDICTS = "verdicts.jsonl"
#: Seconds that a lock is waited for: workers of a run that was killed end after it.
_PATIENCE_S = 3.0
#: Answers of file systems that know no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)


@contextmanager
def locked(out: Location) -> Iterator[None]:
    """Be the only run that writes into `out`, which is made (0700) when it is absent.

    The lock ends with its process. An S3 store has no locks: there it is a rule for people.
    Raises :class:`ConfigError` when another run writes there, or it cannot be a folder.
    """
    if paths.is_remote(out):
        yield
        return
    folder = Path(out)
    file = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _taken(file)
    except FileExistsError as error:
        raise ConfigError(f"--out {out} is a file; give a folder") from error
    except OSError as error:
        raise paths.unwritable(folder, error) from error
    try:
        yield
    finally:
        # the name goes while the lock is held: who waits for it sees that it is gone
        file.unlink(missing_ok=True)
        os.close(lock)


def _taken(file: Path) -> int:
    until = time.monotonic() + _PATIENCE_S
    while True:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                log.warning("%s: this disk knows no locks; run one match at a time", file.parent)
                return lock
            os.close(lock)
            if not isinstance(error, BlockingIOError):
                raise
            if time.monotonic() > until:
                raise ConfigError(
                    f"another match writes into {file.parent}; wait for it or give another --out"
                ) from error
            time.sleep(0.05)
        else:
            if _is_at(lock, file):
                return lock
            os.close(lock)


def _is_at(lock: int, file: Path) -> bool:
    """Whether the locked file still has its name: the run before took it away at its end."""
    try:
        return os.path.samestat(os.fstat(lock), file.stat())
    except FileNotFoundError:
        return False


def refuse_others(out: Location, description: dict[str, Any]) -> None:
    """Raise :class:`ConfigError` when `out` has another input's results, or verdicts of clerks."""
    if paths.is_file(paths.join(out, VERDICTS)):
        raise ConfigError(
            f"--out {out} holds verdicts of clerks ({VERDICTS}); give another --out, or --force "
            "to write new results beside them"
        )
    try:
        content = paths.read_bytes(paths.join(out, RUN))
    except FileNotFoundError:
        return
    try:
        before = json.loads(content)["input"]["sha256"]
    except (ValueError, KeyError, TypeError):
        before = None
    if before != description["input"]["sha256"]:
        raise ConfigError(
            f"--out {out} holds results of another input; give another --out, or --force to "
            "overwrite them"
        )
