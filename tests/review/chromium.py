"""Chromium without a window, driven over a pipe of its debugging protocol: nothing to install."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PROGRAM = next((found for name in NAMES if (found := shutil.which(name))), None)
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-first-run",
    "--window-size=1500,1000", "--remote-debugging-pipe",
)  # fmt: skip
#: The browser reads commands on 3 and writes answers on 4; anything may stand there before.
_START = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 20) for n in sys.argv[1:3])
os.dup2(read, 3), os.dup2(write, 4)
os.set_inheritable(3, True), os.set_inheritable(4, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
_CODES = {**{str(d): f"Digit{d}" for d in range(10)}, "Enter": "Enter", "Escape": "Escape"}


class Browser:
    """One tab. ``events`` are what the browser told without being asked."""

    def __init__(self, folder: Path) -> None:
        assert PROGRAM is not None
        theirs_in, self._write = os.pipe()
        self._read, theirs_out = os.pipe()
        command = [PROGRAM, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs_in), str(theirs_out), *command],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._pending, self._number, self._session = b"", 0, ""
        self.events: list[dict[str, Any]] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._pending:
                got = os.read(self._read, 1 << 20)
                assert got, "the browser went away"
                self._pending += got
            one, self._pending = self._pending.split(b"\0", 1)
            told = json.loads(one)
            if told.get("id") == self._number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self.events.append(told)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        told = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def wait(self, condition: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, condition
            time.sleep(0.01)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def press(self, key: str) -> None:
        told = {"key": key, "code": _CODES.get(key, f"Key{key.upper()}")}
        text = {"text": "\r" if key == "Enter" else key} if key != "Escape" else {}
        codes = {"Enter": 13, "Escape": 27}
        if key in codes:
            told["windowsVirtualKeyCode"] = codes[key]  # type: ignore[assignment]
        self.call("Input.dispatchKeyEvent", type="keyDown", **told, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def middle(self, element: str) -> tuple[float, float]:
        """Where the middle of an element (a JavaScript expression) is on the screen."""
        box = self.run(f"(({element}).getBoundingClientRect().toJSON())")
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def mouse(self, kind: str, x: float, y: float, *, held: bool = False) -> None:
        told = {"button": "left", "buttons": int(held), "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **told)

    def click(self, x: float, y: float) -> None:
        self.mouse("mousePressed", x, y, held=True)
        self.mouse("mouseReleased", x, y)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.mouse("mousePressed", *start, held=True)
        for share in (0.3, 0.7, 1.0):
            at = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
            self.mouse("mouseMoved", at[0], at[1], held=True)
        self.mouse("mouseReleased", *end)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def text(self, id: str) -> str:
        return str(self.run(f"document.getElementById('{id}').textContent"))

    def of(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the events of one kind so far."""
        return [e["params"] for e in self.events if e["method"] == method]
