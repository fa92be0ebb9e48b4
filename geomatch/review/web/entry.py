"""The way in: the file that leads a browser to the page, and connections of nobody known."""

from __future__ import annotations

import html
import os
import shutil
import socket
import tempfile
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Connections at a time that have not shown who they are; the oldest makes room for a new one.
MOST_STRANGERS = 64
#: Seconds that a connection may take to show who it is.
STRANGER_S = 20.0


@contextmanager
def browser_opened(url: str) -> Iterator[None]:
    """Open the page by a file that leads to it: what a process is given, all users can read.

    The file can be read by this user alone, and is gone when the block ends, also when the
    command is told to end.
    """
    folder = Path(tempfile.mkdtemp(prefix="geomatch-review-"))  # 0700
    try:
        file = folder / "reprise.html"
        told = html.escape(url, quote=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(
                '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
                f'<meta http-equiv="refresh" content="0;url={told}"><a href="{told}">Reprise</a>'
            )
        webbrowser.open(file.as_uri())
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Strangers:
    """Connections that have shown neither a session's cookie nor the token: few, and not for long.

    One that sends a byte now and then would otherwise hold its thread for good.
    """

    def __init__(self, most: int = MOST_STRANGERS, seconds: float = STRANGER_S) -> None:
        self.most = most
        self.seconds = seconds
        self._since: dict[socket.socket, float] = {}
        self._lock = threading.Lock()

    def add(self, connection: socket.socket) -> None:
        """A connection that begins."""
        with self._lock:
            self._since[connection] = time.monotonic()

    def remove(self, connection: socket.socket) -> None:
        """One that showed who it is, or has ended."""
        with self._lock:
            self._since.pop(connection, None)

    def make_room(self) -> None:
        """End the oldest when there are so many that one more would be too many."""
        with self._lock:
            self._end([*self._since][: max(0, len(self._since) - self.most + 1)])

    def end_old(self) -> None:
        """End those that have been here too long."""
        before = time.monotonic() - self.seconds
        with self._lock:
            self._end([c for c, since in self._since.items() if since < before])

    def _end(self, connections: list[socket.socket]) -> None:
        for connection in connections:
            del self._since[connection]
            with suppress(OSError):  # its thread then reads the end of the stream
                connection.shutdown(socket.SHUT_RDWR)
