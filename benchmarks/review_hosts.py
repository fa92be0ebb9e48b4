"""Ten clerks at once: the reviewer's page of our own server, and the same widget under Voilà.

One JSON line a host: seconds from the address to a card with its map, memory of all server
processes, milliseconds from a key to the next card, all seen by a real browser with a tab for
each clerk. Voilà has to be installed for its part.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "review"))
from chromium import Browser

NOTEBOOK = """
import shutil, tempfile
from geomatch.review.widget import review
run = shutil.copytree({run!r}, tempfile.mkdtemp(dir={folder!r}), dirs_exist_ok=True)
review(run, name="clerk")
"""
ROOT = "(document.querySelector('.gm-notebook')?.shadowRoot ?? document)"
FRAME = f"{ROOT}.querySelector('.gm-review')"
#: Presses 0 until `cards` were shown; times from key to the next card painted.
PRESS = """
void (async () => {
  const frame = %s, keys = frame.classList.contains("boxed") ? frame : document, took = [];
  for (let i = 0; i < %d && !frame.querySelector("#desk").hidden; i++) {
    const start = performance.now();
    await new Promise((next) => {
      const seen = new MutationObserver(() => { seen.disconnect(); requestAnimationFrame(next); });
      seen.observe(frame, { attributes: true, attributeFilter: ["data-shown"] });
      keys.dispatchEvent(new KeyboardEvent("keydown", { key: "0", code: "Digit0" }));
    });
    took.push(performance.now() - start);
    await new Promise((next) => setTimeout(next, 1000 - (performance.now() - start)));
  }
  window.took = took;
})()
"""


class Tabs(Browser):
    """A browser with several tabs; ``on`` says which one is spoken to."""

    def open_tabs(self, n: int) -> list[str]:
        first, sessions = self._session, []
        for _ in range(n):
            self._session = ""
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            told = self.call("Target.attachToTarget", targetId=target, flatten=True)
            sessions.append(told["sessionId"])
            self.on(sessions[-1])
            self.call("Page.enable")
            self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.on(first)
        return sessions

    def on(self, session: str) -> None:
        self._session = session


def served_page(run: Path) -> tuple[subprocess.Popen[str], str]:
    copy = shutil.copytree(run, Path(tempfile.mkdtemp()) / "run")
    (copy / "verdicts.jsonl").unlink(missing_ok=True)
    command = [sys.executable, "-m", "geomatch.cli", "review", str(copy), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--no-browser", "--name", "clerk"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def served_voila(run: Path) -> tuple[subprocess.Popen[str], str]:
    import nbformat

    folder = Path(tempfile.mkdtemp())
    source = NOTEBOOK.format(run=str(run), folder=str(folder))
    cell = nbformat.v4.new_code_cell(source)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "clerk.ipynb")
    port = 18866
    options = [f"--port={port}", "--no-browser", "--Voila.ip=127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "voila", str(folder / "clerk.ipynb"), *options],
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = f"http://127.0.0.1:{port}/"
    _until_answered(url)
    return process, url


def _until_answered(url: str) -> None:
    import urllib.error
    import urllib.request

    for _ in range(300):
        try:
            urllib.request.urlopen(url.rstrip("/") + "/static/none", timeout=1)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)


def memory_mb(pid: int) -> float:
    """Proportional memory of a process and all that it started."""
    total, left = 0.0, [pid]
    while left:
        one = left.pop()
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
        for task in Path(f"/proc/{one}/task").iterdir():
            left += [int(p) for p in (task / "children").read_text().split()]
    return total


def cpu_s(pid: int) -> float:
    """CPU seconds so far of a process and all that it started."""
    total, left = 0.0, [pid]
    while left:
        one = left.pop()
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        for task in Path(f"/proc/{one}/task").iterdir():
            left += [int(p) for p in (task / "children").read_text().split()]
    return total


def enter(browser: Tabs, tabs: list[str], url: str) -> list[float]:
    """Open the address in every tab; seconds until each has a card with its map."""
    start = time.perf_counter()
    for tab in tabs:
        browser.on(tab)
        browser.call("Page.navigate", url=url)
    took: dict[str, float] = {}
    while len(took) < len(tabs):
        for tab in (t for t in tabs if t not in took):
            browser.on(tab)
            if browser.run(f"Boolean({ROOT}.querySelector('#ask-name')?.open)"):
                browser.run(f"void ({ROOT}.querySelector('#name').value = '{tab[:6]}')")
                browser.run(f"void {ROOT}.querySelector('#ask-name').close()")
            if browser.run(f"Boolean({FRAME}?.dataset.drawn)"):
                took[tab] = time.perf_counter() - start
        time.sleep(0.05)
        assert time.perf_counter() - start < 400, f"{len(took)} of {len(tabs)} tabs opened"
    return list(took.values())


def press(browser: Tabs, tabs: list[str], cards: int) -> list[float]:
    for tab in tabs:
        browser.on(tab)
        browser.run(PRESS % (FRAME, cards))
    took: list[float] = []
    for tab in tabs:
        browser.on(tab)
        browser.wait("window.took", 600)
        took += browser.run("window.took")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder made by geomatch match")
    parser.add_argument("--host", choices=("page", "voila"), default="page")
    parser.add_argument("--clerks", type=int, default=10)
    parser.add_argument("--cards", type=int, default=20)
    asked = parser.parse_args()
    process, url = (served_page if asked.host == "page" else served_voila)(asked.run.resolve())
    browser = Tabs(Path(tempfile.mkdtemp()))
    try:
        tabs = browser.open_tabs(asked.clerks)
        opened = enter(browser, tabs, url)
        opening_cpu = cpu_s(process.pid)
        took = press(browser, tabs, asked.cards)
        told: dict[str, Any] = {
            "host": asked.host,
            "clerks": asked.clerks,
            "opening_s": {
                "first": round(min(opened), 2),
                "median": round(statistics.median(opened), 2),
                "last": round(max(opened), 2),
            },
            "opening_cpu_s": round(opening_cpu, 1),
            "server_memory_mb": round(memory_mb(process.pid)),
            "next_card_ms": {
                "median": round(statistics.median(took)),
                "p95": round(sorted(took)[int(0.95 * len(took))]),
            },
            "cards": len(took),
            "cpu_ms_per_card": round(1000 * (cpu_s(process.pid) - opening_cpu) / len(took)),
            "load": os.getloadavg()[0],
        }
        print(json.dumps(told))
    finally:
        browser.close()
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
