"""A clerk's session in a real notebook: JupyterLab in a real browser, by keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from chromium import PROGRAM, Browser
from laboratory import DESK, Laboratory, open_notebook, restart_kernel, run_all, save, show_cell

from geomatch.review.desk.journal import JOURNAL, latest_verdicts, read_journal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine"),
    pytest.mark.skipif(find_spec("jupyterlab") is None, reason="JupyterLab is not installed"),
]
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_cas_ambigus.ipynb"
#: The desk's cell.
CELL = 9
SHOWN = f"{DESK}?.querySelector('.gm-review').dataset.shown"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Laboratory]:
    folder = tmp_path / "lab"
    folder.mkdir()
    with Laboratory(folder, NOTEBOOK) as made:
        yield made


def of(id: str) -> str:
    return f"{DESK}.getElementById('{id}')"


def press_for_next(browser: Browser, key: str) -> None:
    before = int(browser.run(SHOWN))
    browser.press(key)
    browser.wait(f"Number({SHOWN}) > {before}")


def enter(browser: Browser) -> None:
    """Bring the desk into view, and take a name where one is asked for."""
    is_there = f"Boolean({DESK}?.getElementById('ask-name')?.open || {SHOWN})"
    end = time.monotonic() + 180
    while not browser.run(is_there):
        assert time.monotonic() < end, "no desk in the notebook"
        show_cell(browser, CELL)
        time.sleep(0.5)
    if browser.run(f"{of('ask-name')}.open"):
        browser.type("Anne")
        browser.press("Enter")
    browser.wait(SHOWN)
    browser.run(f"void {DESK}.querySelector('.gm-review').focus()")


def test_a_session_in_a_notebook_survives_reload_and_kill(
    lab: Laboratory, browser: Browser, tmp_path: Path
) -> None:
    journal = tmp_path / "lab" / "demo-out" / "resultats" / JOURNAL
    open_notebook(browser, lab)
    run_all(browser)
    enter(browser)
    browser.wait(f"{DESK}.querySelector('#map svg path')")
    first = browser.run(f"{DESK}.querySelector('button.candidate').dataset.siret")
    press_for_next(browser, "1")
    assert read_journal(journal)[0].siret == first
    press_for_next(browser, "0")
    press_for_next(browser, "u")
    assert read_journal(journal)[-1].act == "undo"

    browser.press("/")
    browser.type("boulangerie")
    browser.press("Enter")
    browser.wait(f"!{of('found')}.hidden")
    found = browser.run(f"{DESK}.querySelectorAll('button.candidate')[1].dataset.siret")
    press_for_next(browser, "2")
    assert read_journal(journal)[-1].siret == found
    card = browser.run(f"{of('applies')}.textContent")
    kept = latest_verdicts(read_journal(journal))

    save(browser)
    open_notebook(browser, lab)
    enter(browser)
    assert browser.run(f"{of('applies')}.textContent") == card

    restart_kernel(browser)
    run_all(browser)
    browser.wait(f"!{SHOWN} || Number({SHOWN}) === 0", 60)
    enter(browser)
    assert latest_verdicts(read_journal(journal)) == kept
    browser.wait(f"{of('counts')}.textContent.startsWith('{len(kept)} / ')")
    press_for_next(browser, "u")
    assert latest_verdicts(read_journal(journal)).keys() < kept.keys()

    asked = {r["request"]["url"] for r in browser.of("Network.requestWillBeSent")}
    ours = (lab.origin, f"blob:{lab.origin}", "data:", "about:")
    assert [u for u in asked if not u.startswith(ours)] == []
