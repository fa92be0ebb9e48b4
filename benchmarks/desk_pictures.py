"""``python benchmarks/desk_pictures.py RUN OUT``: the desk's pictures for the documentation.

RUN is a run of ``geomatch demo``, whose data are fictional: pictures of others are not to be
published. Writes ``reprise_page.webp`` and ``reprise_recherche.webp``, each under 150 KB.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests" / "review"
SIZE = (1280, 720)
MOST_BYTES = 150_000
#: A card worth a picture: a place on a street, and several candidates. So many are looked at.
TELLING = "Boolean(document.querySelector('#map .lit-street')) && \
document.querySelectorAll('.candidate mark.name').length > 2"
MOST_PASSED = 60


def main() -> None:
    """Open the desk on a copy of the run, go through two states, write what is seen."""
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    from chromium import Browser
    from clerks import Served
    from test_review_browser import enter, map_is_drawn, press_for_next

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(shutil.copytree(asked.run, Path(folder) / "run"))
        (run / "verdicts.jsonl").unlink(missing_ok=True)
        browser = Browser(Path(folder) / "profile")
        try:
            with Served(run) as served:
                width, height = SIZE
                told = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
                browser.call("Emulation.setDeviceMetricsOverride", **told)
                enter(browser, served.url)
                for _ in range(MOST_PASSED):
                    map_is_drawn(browser)
                    if browser.run(TELLING):
                        break
                    press_for_next(browser, "p")
                picture(browser, asked.out / "reprise_page.webp")
                browser.press("/")
                browser.type("boulangerie")
                browser.press("Enter")
                browser.wait("!document.getElementById('found').hidden")
                map_is_drawn(browser)
                picture(browser, asked.out / "reprise_recherche.webp")
        finally:
            browser.close()


def picture(browser: object, file: Path) -> None:
    """What the screen shows, as WebP; refused when it is too large for the documentation."""
    time.sleep(0.3)  # the last frame
    told = browser.call("Page.captureScreenshot", format="webp", quality=70)  # type: ignore[attr-defined]
    content = base64.b64decode(told["data"])
    if len(content) > MOST_BYTES:
        raise SystemExit(f"{file.name} has {len(content)} bytes, expected at most {MOST_BYTES}")
    file.write_bytes(content)


if __name__ == "__main__":
    main()
