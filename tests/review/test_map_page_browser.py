"""The map page in a real browser: drawn, spoken, and without a request."""

from __future__ import annotations

from pathlib import Path

import chromium
import pytest
from chains import Chain
from chromium import Browser

from geomatch import Store, open_run

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="no Chromium")


def test_the_map_of_a_run_moves_and_tells(browser: Browser, chain: Chain, tmp_path: Path) -> None:
    run = open_run(chain.out)
    coded = run.decisions[run.decisions["geocode_level"] == "housenumber"].iloc[0]
    page = run.explore(ids=[coded["id"]], background=Store.open(chain.store))
    page.save(tmp_path / "carte.html")
    browser.open((tmp_path / "carte.html").as_uri())
    browser.wait("document.querySelector('.leaflet-control-layers-overlays')")
    assert "Candidats" in browser.run("document.body.innerText")
    browser.wait("document.querySelectorAll('canvas').length")
    drawn = browser.run(
        "[...document.querySelectorAll('canvas')].some((c) => c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data.some((v) => v))"
    )
    assert drawn
    # The bulletin alone is what the map is fitted to, so it stands in the middle.
    browser.click(*browser.middle("document.getElementById('carte')"))
    browser.wait("document.querySelector('.leaflet-popup-content dl')")
    told = browser.run("document.querySelector('.leaflet-popup-content').innerText")
    assert str(coded["id"]) in told or coded["siret"] in told
    asked = [e["request"]["url"] for e in browser.of("Network.requestWillBeSent")]
    assert all(url.startswith(("file:", "data:", "about:")) for url in asked)
    assert browser.of("Runtime.exceptionThrown") == []
