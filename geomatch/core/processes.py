"""What this process leaves behind: files that only its user reads, workers that end with it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Linux: the signal that a process gets when the thread that made it ends.
_PR_SET_PDEATHSIG = 1


@contextmanager
def private_files() -> Iterator[None]:
    """Files and folders made meanwhile can be read by this user alone (0600 and 0700).

    For what holds texts of bulletins. What was there before keeps its rights.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def end_with_parent() -> None:
    """Have this worker process end when its parent does, however that one ended.

    A worker that goes on would keep its memory and its caller's pipes, and write beside the next
    run. The system's signal is for a worker that is inside a long compiled call; the thread is
    for systems that have no such signal.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    # what the parent does when it is told to end is not for its workers
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent.pid:  # it ended before the signal was asked for
            os._exit(1)


class _Ended(SystemExit):
    """The process was told to end."""


@contextmanager
def ending_tidily() -> Iterator[None]:
    """Told to end (SIGTERM, SIGHUP), remove temporary copies and let go of locks, then end.

    The exit code is that of the signal, 128 + its number. What was to be ignored (``nohup``)
    stays so. Nothing is waited for: workers end with their parent.
    """
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) == signal.SIG_DFL]
    if threading.current_thread() is not threading.main_thread():
        numbers = []

    def end(number: int, frame: object) -> None:
        raise _Ended(128 + number)

    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    except _Ended as stop:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(stop.code or 0))
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
