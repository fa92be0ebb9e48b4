"""``python benchmarks/desk_pace.py RUN [--keys 100] [--axe FILE]``: is the desk quick, open to all?

Drives the desk of a copy of RUN in a real Chromium, a key a second as a clerk would, and measures
inside the page: milliseconds from a key to the next card, and to its map; the first card from the
address on; how much moved when nothing was pressed (layout shift, as browsers count it). With
axe-core's file (npm ``axe-core``, ``axe.min.js``; no part of this repository) the desk in five
states and a report are checked by its rules. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent / "tests" / "review"
SIZE = (1400, 900)
#: Watches the card: when a key went down, when the next card and its map stood there, what moved.
_WATCH = """(() => {
  window.paces = []; window.shifts = 0;
  const frame = document.getElementById('review');
  addEventListener('keydown', () => {
    window.pressed = performance.now();
    window.before = [frame.dataset.shown, frame.dataset.drawn];
  }, true);
  new MutationObserver(() => {
    if (window.pressed === undefined || frame.dataset.shown === window.before[0]) return;
    const now = performance.now() - window.pressed;
    if (window.card === undefined) window.card = now;
    if (frame.dataset.drawn !== window.before[1]) {
      window.paces.push([window.card, now]);
      window.card = window.pressed = undefined;
    }
  }).observe(frame, {attributes: true});
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts += one.value;
  }).observe({type: 'layout-shift', buffered: true});
})()"""
_AXE = """axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations.map(
  (v) => [v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]))"""
SERIOUS = ("serious", "critical")


def main() -> None:
    """Read the options, drive, print."""
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two keys")
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(shutil.copytree(asked.run, Path(folder) / "run"))
        (run / "verdicts.jsonl").unlink(missing_ok=True)
        print(json.dumps(drive(run, Path(folder) / "profile", asked)))


def drive(run: Path, profile: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """All figures of one desk."""
    from chromium import Browser
    from clerks import Served
    from test_review_browser import enter, map_is_drawn

    browser = Browser(profile)
    told: dict[str, Any] = {}
    try:
        width, height = SIZE
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.call("Emulation.setDeviceMetricsOverride", **metrics)
        with Served(run) as served:
            enter(browser, served.url)
            begun = time.monotonic()
            browser.open(served.url.partition("?")[0])
            map_is_drawn(browser)
            told["first_card_s"] = round(time.monotonic() - begun, 2)
            told |= pace(browser, asked.keys, asked.pause)
            if asked.axe:
                told["axe"] = desk_findings(browser, asked.axe.read_text("utf-8"))
        if asked.axe and asked.report:
            browser.open(asked.report.resolve().as_uri())
            browser.run(asked.axe.read_text("utf-8") + ";0")
            told["axe"]["report"] = serious(browser.run(_AXE))
    finally:
        browser.close()
    return told


def pace(browser: Any, keys: int, pause: float) -> dict[str, float]:
    """Milliseconds from a key to the next card and to its map."""
    browser.run(_WATCH)
    for i in range(keys):
        begun = time.monotonic()
        browser.press("p" if i % 10 == 9 else "0" if i % 3 else "1")
        browser.wait(f"window.paces.length > {i}")
        time.sleep(max(0.0, pause - (time.monotonic() - begun)))
    found = browser.run("window.paces")
    cards, maps = (sorted(column) for column in zip(*found, strict=True))
    return {
        "keys": keys,
        "card_ms_median": round(statistics.median(cards), 1),
        "card_ms_p95": round(cards[int(0.95 * len(cards))], 1),
        "map_ms_median": round(statistics.median(maps), 1),
        "map_ms_p95": round(maps[int(0.95 * len(maps))], 1),
        "layout_shift": round(browser.run("window.shifts"), 4),
    }


def desk_findings(browser: Any, axe: str) -> dict[str, list[list[Any]]]:
    """What axe finds serious on a card, its day, its keys, a search and an empty filter."""
    browser.run(axe + ";0")
    found = {"card": serious(browser.run(_AXE))}
    for key, dialog in (("j", "day"), ("?", "keys")):
        browser.press(key)
        browser.wait(f"document.getElementById('{dialog}').open")
        found[dialog] = serious(browser.run(_AXE))
        browser.press("Escape")
        browser.wait(f"!document.getElementById('{dialog}').open")
    browser.press("/")
    browser.type("xqzwk vvwzq")
    browser.press("Enter")
    browser.wait("!document.getElementById('found').hidden")
    found["nothing found"] = serious(browser.run(_AXE))
    browser.press("Escape")
    browser.run("document.getElementById('pause').click()")
    browser.wait("!document.getElementById('done').hidden")
    found["pause"] = serious(browser.run(_AXE))
    return found


def serious(violations: list[list[Any]]) -> list[list[Any]]:
    """Findings that keep somebody out."""
    return [v for v in violations if v[0] in SERIOUS]


if __name__ == "__main__":
    main()
