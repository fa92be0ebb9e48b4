"""A real S3 server on loopback (moto's, over HTTP), and the environment that leads to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

BUCKET = "campagne"


@dataclass(frozen=True)
class S3Server:
    """Address of the server, its process, and what was asked of it."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables as Onyxia gives them, but for the address, which has a scheme here."""
        return {
            "AWS_ACCESS_KEY_ID": "cle",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "jeton",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_S3_ENDPOINT": self.url,
        }

    def refuse_everybody(self) -> None:
        """From now on only known keys are let in, and none is known."""
        requests.post(f"{self.url}/moto-api/reset-auth", data="0", timeout=10).raise_for_status()

    def let_in(self) -> None:
        """Ask nobody for rights again."""
        answer = requests.post(f"{self.url}/moto-api/reset-auth", data="inf", timeout=10)
        answer.raise_for_status()


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Start a server with one bucket; it ends with the block."""
    log = folder / "s3.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        server = S3Server(_address(log), process, log)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in server.environment.items():
                patch.setenv(name, value)
            from geomatch.core.paths import filesystem

            filesystem().mkdir(BUCKET)
        yield server
    finally:
        process.kill()
        process.wait()


def _address(log: Path, seconds: float = 60.0) -> str:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for line in log.read_text(errors="replace").splitlines():
            if "Running on http://127.0.0.1:" in line:
                return "http://127.0.0.1:" + line.rpartition(":")[2].strip()
        time.sleep(0.1)
    raise TimeoutError(f"the S3 server did not start: {log.read_text()}")


def without_endpoint(environment: dict[str, str]) -> dict[str, str]:
    """This process's environment without any AWS variable, then `environment`."""
    return {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | environment
