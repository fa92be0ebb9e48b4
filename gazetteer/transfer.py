"""Fetch one file over HTTP: resumed where it stopped, retried when the source falters."""

from __future__ import annotations

import email.utils
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

import geomatch
from geomatch.core.errors import SourceUnavailableError

log = logging.getLogger(__name__)

CHUNK = 1 << 18
#: Answers after which the same question may get a better one.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_ABSENT = frozenset({404, 410})
#: First bytes by suffix: an error page served as a file is recognised by them.
_MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK", ".parquet": b"PAR1"}


#: More than any official file has.
MOST_BYTES = 20_000_000_000
#: Sites that a source may lead to.
SITES = frozenset({"gouv.fr", "insee.fr", "laposte.fr", "iledefrance.fr"})


def _site(host: str | None) -> str:
    """``object.files.data.gouv.fr`` → ``gouv.fr``; an address of numbers is itself."""
    name = host or ""
    return name if name.replace(".", "").isdigit() else ".".join(name.split(".")[-2:])


@dataclass(frozen=True)
class Patience:
    """How long to insist: tries, seconds between them (doubled each time), and time-outs.

    A pause that the source asks for (``Retry-After``) is kept to, up to `longest_s`.
    """

    tries: int = 6
    first_pause_s: float = 1.0
    longest_s: float = 120.0
    connect_s: float = 15.0
    read_s: float = 60.0

    def pause(self, attempt: int, asked: float | None) -> float:
        """Seconds to wait after the given attempt (from 0)."""
        own = self.first_pause_s * 2**attempt
        return float(min(max(own, asked or 0.0), self.longest_s))


class _PassingError(Exception):
    """The source faltered; `asked` is the pause it asks for, in seconds."""

    def __init__(self, message: str, asked: float | None = None) -> None:
        super().__init__(message)
        self.asked = asked


def session() -> requests.Session:
    """An HTTP session that asks for files as they are, without further compression."""
    http = _Session()
    http.auth = _no_credentials
    http.headers.update(
        {"User-Agent": f"geomatch/{geomatch.__version__}", "Accept-Encoding": "identity"}
    )
    return http


class _Session(requests.Session):
    """It sends nothing of ``~/.netrc``, not even where it is led to."""

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Have no credentials for the host that a redirect leads to."""
        prepared_request.headers.pop("Authorization", None)


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class Transfer:
    """One file's way from a URL to its final name."""

    def __init__(self, http: requests.Session, url: str, target: Path, patience: Patience) -> None:
        self.http = http
        self.url = url
        self.target = target
        self.patience = patience
        #: whether the source said that it has no such file
        self.is_absent = False
        self._part = target.with_name(target.name + ".part")
        #: which version of the file the part belongs to
        self._mark = target.with_name(target.name + ".part.json")

    def run(self, tell: Callable[[float], None]) -> None:
        """Fetch the file; `tell` gets the share done, in [0, 1].

        Raises :class:`SourceUnavailableError` when the source refuses, has no such file, answers
        with something else, or still falters after the last try.
        """
        for attempt in range(self.patience.tries):
            try:
                self._attempt(tell)
            except (
                _PassingError,
                requests.RequestException,
                urllib3.exceptions.HTTPError,
            ) as error:
                if attempt + 1 == self.patience.tries:
                    raise SourceUnavailableError(
                        f"{self.url} does not answer as it should after {attempt + 1} tries "
                        f"({error}); try again later: what was fetched is kept"
                    ) from error
                pause = self.patience.pause(attempt, getattr(error, "asked", None))
                log.warning("%s: %s; again in %.0f s", self.url, error, pause)
                time.sleep(pause)
            else:
                tell(1.0)
                return

    def _attempt(self, tell: Callable[[float], None]) -> None:
        headers = self._conditions()
        timeout = (self.patience.connect_s, self.patience.read_s)
        with self.http.get(self.url, headers=headers, stream=True, timeout=timeout) as answer:
            self._refuse_strange(answer)
            if answer.status_code == 304:
                return
            if answer.status_code == 416:
                self._forget()
                raise _PassingError("the part kept does not fit the file any more")
            if answer.status_code not in (200, 206):
                self._refused(answer)
            self._receive(answer, tell)
            modified = _seconds(answer.headers.get("Last-Modified"))
        self._finish(modified)

    def _refuse_strange(self, answer: requests.Response) -> None:
        """Raise when a redirect left https, or led to a host of another site."""
        asked = urlsplit(self.url)
        for one in [*answer.history[1:], answer] if answer.history else []:
            there = urlsplit(one.url)
            is_worse = there.scheme != "https" and there.scheme != asked.scheme
            if is_worse or _site(there.hostname) not in {_site(asked.hostname), *SITES}:
                raise SourceUnavailableError(
                    f"{self.url} leads to {there.scheme}://{there.hostname}, which is none of the "
                    "official hosts; fetch the file by hand and put it in its folder"
                )

    def _conditions(self) -> dict[str, str]:
        """Ask for the rest of a part of a known version, else for a newer file than is there."""
        if self._part.exists() and self._mark.exists():
            mark = json.loads(self._mark.read_text(encoding="utf-8"))
            return {"Range": f"bytes={self._part.stat().st_size}-", "If-Range": mark["version"]}
        if self.target.exists():
            modified = self.target.stat().st_mtime
            return {"If-Modified-Since": email.utils.formatdate(modified, usegmt=True)}
        return {}

    def _refused(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status in _PASSING:
            raise _PassingError(f"HTTP {status}", _asked_pause(answer))
        self.is_absent = status in _ABSENT
        advice = "has no such file" if self.is_absent else "refuses"
        raise SourceUnavailableError(
            f"{self.url}: HTTP {status}, the source {advice}; check the département and the "
            "address, or fetch the file by hand and put it in its folder"
        )

    def _receive(self, answer: requests.Response, tell: Callable[[float], None]) -> None:
        """Write the answer's bytes to the part, and check that none is missing."""
        start = self._start(answer)
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else None
        with self._part.open("ab" if start else "wb") as out:
            self._remember(answer)
            for chunk in answer.raw.stream(CHUNK, decode_content=False):
                out.write(chunk)
                if out.tell() > MOST_BYTES:
                    break
                if total:
                    tell(min(out.tell() / total, 1.0))
            got = out.tell()
        if got > MOST_BYTES:
            self._forget()
            raise SourceUnavailableError(
                f"{self.url} sends more than {MOST_BYTES / 1e9:.0f} GB, no official file does; "
                "fetch the file by hand and put it in its folder"
            )
        if total is not None and got < total:
            raise _PassingError(f"{got} bytes of {total} received")
        if total is not None and got > total:
            self._forget()
            raise _PassingError(f"{got} bytes received where {total} were announced")

    def _start(self, answer: requests.Response) -> int:
        """Byte that the answer begins at: 0 unless the source goes on where the part ends."""
        if answer.status_code == 200:
            return 0
        have = self._part.stat().st_size
        span = answer.headers.get("Content-Range", "")
        if not span.startswith(f"bytes {have}-"):
            self._forget()
            raise _PassingError(f"asked for bytes from {have}, got '{span}'")
        return have

    def _remember(self, answer: requests.Response) -> None:
        """Note the version of the file; without one, a part can never be resumed."""
        etag = answer.headers.get("ETag", "")
        version = etag if etag.startswith('"') else answer.headers.get("Last-Modified")
        if version is None:
            self._mark.unlink(missing_ok=True)
        else:
            self._mark.write_text(json.dumps({"version": version}), encoding="utf-8")

    def _forget(self) -> None:
        self._part.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def _finish(self, modified: float | None) -> None:
        with self._part.open("rb") as stream:
            first = stream.read(64).lstrip()
        magic = _MAGIC.get(self.target.suffix, b"")
        if not first or not first.startswith(magic) or (not magic and first.startswith(b"<")):
            self._forget()
            raise SourceUnavailableError(
                f"{self.url} answered with something else than a {self.target.suffix} file "
                "(an error page?); try again later or fetch the file by hand"
            )
        if modified is not None:
            os.utime(self._part, (modified, modified))
        os.replace(self._part, self.target)
        self._mark.unlink(missing_ok=True)


def _seconds(date: str | None) -> float | None:
    """Unix time of an HTTP date, None when there is none or it is not one."""
    if not date:
        return None
    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _asked_pause(answer: requests.Response) -> float | None:
    """Seconds that ``Retry-After`` asks for, given as a number or as a date."""
    asked = answer.headers.get("Retry-After", "")
    if asked.isdigit():
        return float(asked)
    until = _seconds(asked)
    return None if until is None else max(0.0, until - datetime.now(UTC).timestamp())
