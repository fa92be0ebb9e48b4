"""A clerk's browser without a screen: real requests to a real server."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


@dataclass
class Clerk:
    """One connection kept open, with the cookie it was given."""

    url: str
    cookie: str = ""
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def __enter__(self) -> Clerk:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        told = {k.replace("_", "-"): v for k, v in headers.items()}
        if self.cookie:
            told.setdefault("Cookie", self.cookie)
        self.connection.request(method, path, body, told)
        answer = self.connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, **body: Any) -> Answer:
        content = json.dumps(body).encode()
        return self.ask("POST", path, content, Content_Type="application/json")

    def enter(self, name: str = "Anne", **filters: str) -> dict[str, Any]:
        """Open the printed address and take a name; what the page is told."""
        parts = urlsplit(self.url)
        page = self.get(f"{parts.path}?{parts.query}")
        assert page.status == 200
        self.cookie = page.headers["Set-Cookie"].partition(";")[0]
        return self.did("/api/enter", name=name, filters=filters)

    def did(self, path: str, **body: Any) -> dict[str, Any]:
        """What an act that has to succeed answers."""
        answer = self.post(path, **body)
        assert answer.status == 200, answer.told
        return answer.told


def first_choice(card: dict[str, Any]) -> dict[str, Any]:
    """The body of the verdict that takes a card's first candidate, or none without one."""
    return {"number": card["number"], "siret": card["sirets"][0] if card["sirets"] else None}


class Served:
    """``geomatch review DIR`` as its own process."""

    def __init__(self, run_dir: Path, *more: str) -> None:
        command = [sys.executable, "-m", "geomatch.cli", "review", str(run_dir), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--no-browser", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.process.communicate()[1]

    def kill(self) -> str:
        """SIGKILL: no goodbye. Returns what stood on stderr."""
        self.process.kill()
        return self.process.communicate()[1]

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.kill()
