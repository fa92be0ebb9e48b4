"""The command line, called as a person calls it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from geomatch.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left on the screen."""

    code: int
    out: str
    err: str


class Commands:
    """``commands("match", source, "--store", store)`` → exit code and both outputs."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object) -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["geomatch", *map(str, arguments)])
        self._capsys.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = self._capsys.readouterr()
        assert isinstance(code, int)
        return Ran(code, out, err)
