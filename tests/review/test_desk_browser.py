"""What the desk promises a clerk, in a real browser: everything in sight, nothing that moves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chromium import PROGRAM, Browser
from clerks import Served
from test_review_browser import FITS, enter, press_for_next

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine")
SCREENS = ((1400, 900), (1280, 720), (1024, 768))
#: Texts whose colour differs from what is behind them by less than 4.5 to 1 (WCAG 2.2, 1.4.3).
FAINT = """(() => {
  const light = (c) => {
    const v = c / 255;
    return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  };
  const rgb = (s) => (s.match(/[\\d.]+/g) || []).map(Number);
  const lum = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length && c[3] !== 0) return c;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.offsetParent) continue;
    if (e.closest('svg, script, style, :disabled')) continue;
    const [a, b] = [lum(rgb(getComputedStyle(e).color)), lum(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) faint.push(e.className || e.tagName);
  }
  return [...new Set(faint)];
})()"""
#: Controls that have no name for who cannot see them.
NAMELESS = """[...document.querySelectorAll('button, input, select')].filter((e) =>
  !(e.textContent.trim() || e.getAttribute('aria-label') || e.closest('label'))
).map((e) => e.outerHTML.slice(0, 80))"""
#: Candidates that do not lie wholly within their list.
CUT = """(() => {
  const end = document.getElementById('candidates').getBoundingClientRect().bottom + 1;
  const rows = [...document.querySelectorAll('.candidate')];
  return rows.filter((e) => e.getBoundingClientRect().bottom > end).length;
})()"""

#: Buttons of the acts that end outside of their column.
OUTSIDE = """(() => {
  const end = document.getElementById('right').getBoundingClientRect().right;
  const acts = [...document.querySelectorAll('#acts button')].filter((e) => e.offsetParent);
  return acts.filter((e) => e.getBoundingClientRect().right > end).map((e) => e.textContent);
})()"""
#: Rows of the form that are not wholly in sight, and bulletins of a group on several lines.
HIDDEN = """(() => {
  const form = document.getElementById('bulletin').getBoundingClientRect();
  const rows = [...document.querySelectorAll('#bulletin tr')];
  return rows.filter((e) => e.getBoundingClientRect().bottom > form.bottom + 1).length;
})()"""
#: Nine bulletins with long texts, as the desk writes a group; the demo has none.
GROUP = """(() => {
  const row = `<tr><td><input type="checkbox" aria-label="Bulletin"></td><td>5000002594</td>
    <td>ENSEIGNEMENT SUPERIEUR ET RECHERCHE</td><td>AGENT ADMINISTRATIF</td>
    <td>Paris 18e Arrondissement (75118)</td></tr>`;
  const group = document.getElementById('group');
  group.innerHTML = `<p>Décochez ceux qui sont d'ailleurs : ils reviendront à part.</p>
    <div class="members"><table><thead><tr><th></th><th>Bulletin</th><th>Activité</th>
    <th>Profession</th><th>Réside à</th></tr></thead><tbody>${row.repeat(9)}</tbody></table></div>`;
  group.hidden = false;
  document.getElementById('alone-line').hidden = false;
})()"""
FOLDED = """[...document.querySelectorAll('.members tbody tr')].filter(
  (e) => e.getBoundingClientRect().height > 24).length"""


def screen(browser: Browser, width: int, height: int) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=height, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip


def test_all_candidates_and_the_whole_map_are_in_sight(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        for size in SCREENS:
            screen(browser, *size)
            browser.wait(FITS)
            assert browser.run("document.querySelectorAll('.candidate').length") >= 2
            assert browser.run(CUT) == 0, size
            assert browser.run(OUTSIDE) == [], size
            assert browser.run(FOLDED) == 0, size
            wide = "document.documentElement.scrollWidth - innerWidth"
            assert browser.run(wide) <= 0, size
        screen(browser, 390, 844)
        browser.wait(FITS)
        assert browser.run("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_group_leaves_the_whole_form_in_sight(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        browser.run(GROUP)
        for size in SCREENS:
            screen(browser, *size)
            browser.wait(FITS)
            assert browser.run(OUTSIDE) == [], size
            assert browser.run(FOLDED) == 0, size
            assert browser.run(HIDDEN) == 0, size


def test_every_text_is_readable_and_every_control_has_a_name(
    run_dir: Path, browser: Browser
) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        assert browser.run(FAINT) == []
        assert browser.run(NAMELESS) == []
        press_for_next(browser, "1")
        assert browser.run(FAINT) == []
        for key, dialog in (("j", "day"), ("?", "keys")):
            browser.press(key)
            browser.wait(f"document.getElementById('{dialog}').open")
            assert browser.run(FAINT) == []
            browser.press("Escape")
            browser.wait(f"!document.getElementById('{dialog}').open")


def test_a_confirmation_moves_nothing_and_tells_what_was_done(
    run_dir: Path, browser: Browser
) -> None:
    place = "JSON.stringify(document.getElementById('right').getBoundingClientRect())"
    with Served(run_dir) as served:
        enter(browser, served.url)
        before = browser.run(place)
        name = browser.run("document.querySelector('.candidate .name').textContent")
        press_for_next(browser, "1")
        browser.wait("!document.getElementById('message').hidden")
        assert name in browser.text("message")
        assert "U annule" in browser.text("message")
        assert browser.run(place) == before
        browser.press("Escape")
        browser.wait("document.getElementById('message').hidden")
        assert browser.run(place) == before
        press_for_next(browser, "u")
        assert browser.text("message").startswith("Annulé")


def test_a_search_without_result_says_so_and_escape_clears_it(
    run_dir: Path, browser: Browser
) -> None:
    typed = "document.querySelector('#search [name=name]').value"
    with Served(run_dir) as served:
        enter(browser, served.url)
        own = browser.run("document.querySelectorAll('.candidate').length")
        browser.press("/")
        browser.type("xqzwk vvwzq")
        browser.press("Enter")
        browser.wait("!document.getElementById('found').hidden")
        assert "Rien trouvé" in browser.text("found")
        assert "Rien trouvé" in browser.text("candidates")
        browser.press("Escape")
        browser.wait("document.getElementById('found').hidden")
        assert browser.run(typed) == ""
        assert browser.run("document.querySelectorAll('.candidate').length") == own


def test_an_empty_filter_is_not_the_end_of_the_work(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        browser.open(served.url.partition("?")[0] + "?departement=23")
        browser.wait("!document.getElementById('done').hidden")
        assert "Aucune fiche pour ce filtre" in browser.text("done")
        browser.run("document.getElementById('no-filter').click()")
        browser.wait("!document.getElementById('desk').hidden")


def test_a_pause_gives_the_card_back(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        browser.run("document.getElementById('pause').click()")
        browser.wait("!document.getElementById('done').hidden")
        assert "En pause" in browser.text("done")
        browser.run("document.getElementById('again').click()")
        browser.wait("!document.getElementById('desk').hidden")


def test_a_candidate_and_its_disc_light_up_together(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        browser.wait(FITS)
        key = browser.run("document.querySelector('#map .mark').dataset.key")
        x, y = browser.middle(f"document.querySelector('.candidate[data-key=\"{key}\"]')")
        browser.mouse("mouseMoved", x, y)
        browser.wait(f"document.querySelector('#map .mark[data-key=\"{key}\"].lit')")
        x, y = browser.middle(f"document.querySelector('#map .mark[data-key=\"{key}\"] text')")
        browser.mouse("mouseMoved", 2.0, 2.0)
        browser.mouse("mouseMoved", x, y)
        browser.wait(f"document.querySelector('.candidate[data-key=\"{key}\"].lit')")


def test_without_the_token_a_person_is_told_in_words(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        browser.open(served.url.partition("?")[0])
        assert "geomatch review" in browser.run("document.querySelector('main').textContent")
        with pytest.raises(json.JSONDecodeError):
            json.loads(browser.run("document.body.textContent"))


def test_a_name_is_asked_for_until_there_is_one(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir, "--name", "Chantal") as served:
        browser.open(served.url)
        browser.wait("document.getElementById('ask-name')?.open")
        assert browser.run("document.getElementById('name').value") == "Chantal"
        browser.run("document.getElementById('name').value = '  '")
        browser.press("Enter")
        assert browser.run("document.getElementById('ask-name').open")
        browser.press("Escape")
        assert browser.run("document.getElementById('ask-name').open")


def test_what_weighed_is_shown_on_request_alone(run_dir: Path, browser: Browser) -> None:
    with Served(run_dir) as served:
        enter(browser, served.url)
        assert browser.text("weighing-told") == ""
        browser.press("e")
        browser.wait("document.getElementById('weighing').open")
        told = browser.text("weighing-told")
        assert told.startswith("Pour le 1 :")
        rows = browser.run("document.querySelectorAll('#weighing tbody tr').length")
        assert rows == browser.run("document.querySelectorAll('#weighing svg rect').length") > 0
        assert browser.run(FAINT) == []
        browser.press("Escape")
        browser.wait("!document.getElementById('weighing').open")
        press_for_next(browser, "p")
    assert browser.of("Runtime.exceptionThrown") == []
