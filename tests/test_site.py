"""The documentation site: what its pages name is there, and it is built without a warning."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import geomatch
from geomatch.cli.app import COMMANDS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(p for p in DOCS.rglob("*.md") if "decisions" not in p.parts)
ZENSICAL = Path(sys.executable).with_name("zensical")


def named(items: object) -> set[str]:
    """Pages of a navigation."""
    if isinstance(items, str):
        return {items}
    values = items.values() if isinstance(items, dict) else items
    return {page for one in values for page in named(one)}  # type: ignore[attr-defined]


def commands_of(page: Path) -> list[str]:
    """Lines that begin with ``geomatch`` in the code blocks of a page."""
    blocks = re.findall(r"^ *```(?:sh)?\n(.*?)^ *```", page.read_text("utf-8"), re.DOTALL | re.M)
    return [line.strip() for line in "".join(blocks).splitlines() if "geomatch " in line[:13]]


def test_every_page_stands_in_the_navigation() -> None:
    told = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    there = {str(p.relative_to(DOCS)) for p in PAGES} | {"decisions/README.md"}
    assert named(told) == there


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_commands_of_a_page_have_the_options_that_it_shows(page: Path) -> None:
    known = {c.__name__: c for c in COMMANDS}
    for line in commands_of(page):
        name = line.split()[1]
        if name == "store" or name.startswith("-"):
            continue
        assert name in known, line
        options = {a.replace("_", "-") for a in known[name].__annotations__} | {"json", "format"}
        for option in re.findall(r" --([a-z-]+)", line):
            assert option.removeprefix("no-") in options, f"{line}: --{option}"


def test_every_public_name_is_on_the_page_of_the_api() -> None:
    page = (DOCS / "api.md").read_text("utf-8")
    whole = re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    for name in set(geomatch.__all__) - {"__version__"}:
        thing = getattr(geomatch, name)
        assert thing.__doc__, name
        assert any(one in (f"{thing.__module__}.{name}", thing.__module__) for one in whole), (
            f"{thing.__module__}.{name}"
        )


def test_tests_that_a_page_names_are_there() -> None:
    page = (DOCS / "frictions.md").read_text("utf-8")
    named_tests = re.findall(r"`(tests/\S+\.py)::(\w+)`", page)
    assert len(named_tests) > 20
    for file, name in named_tests:
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), f"{file}::{name}"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {k: v or "" for k, v in attrs}
        self.ids |= {told[k] for k in ("id", "name") if k in told}
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag in ("script", "img", "link", "iframe") and told.get("rel") != "canonical":
            self.fetched.append(told.get("src") or told.get("href", ""))


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_its_links_lead_somewhere_and_nothing_is_fetched(
    tmp_path: Path,
) -> None:
    if not ZENSICAL.exists():
        pytest.skip("zensical is not installed: pip install -e '.[docs]'")
    for name in ("docs", "geomatch", "gazetteer"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("zensical.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    ran = subprocess.run(
        [ZENSICAL, "build", "--strict"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pages = {}
    for file in (tmp_path / "site").rglob("*.html"):
        pages[file] = _Links()
        pages[file].feed(file.read_text("utf-8"))
    assert len(pages) > len(PAGES)
    for file, page in pages.items():
        assert [f for f in page.fetched if urlsplit(f).scheme in ("http", "https")] == []
        if file.name == "404.html":
            continue
        for link in page.links:
            to = urlsplit(link)
            if to.scheme or to.netloc:
                continue
            target = (file.parent / unquote(to.path)).resolve() if to.path else file
            assert target.exists(), f"{file.name}: {link}"
            if to.fragment and target.suffix == ".html":
                assert unquote(to.fragment) in pages[target].ids | {"__top"}, f"{file.name}: {link}"
