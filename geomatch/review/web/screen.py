"""The desk's front end: what a page may ask for, and what a notebook is given at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from geomatch.review.map.background import IGN_HOST

_SCRIPT = "text/javascript; charset=utf-8"
#: Files the page may ask for, and nothing else: no path is ever made of a request.
ASSETS: Mapping[str, tuple[str, str]] = {
    "/assets/desk.js": ("desk.js", _SCRIPT),
    "/assets/page.js": ("page.js", _SCRIPT),
    "/assets/desk.css": ("desk.css", "text/css; charset=utf-8"),
    "/assets/icon.svg": ("icon.svg", "image/svg+xml"),
}
HTML = "text/html; charset=utf-8"
_DESK_HERE = "<!-- desk -->"


def policy(background: str = "") -> str:
    """The page's content security policy.

    Scripts and styles from here alone, none within the page; maps set style attributes. A
    background lets images come from its one host.
    """
    images = f"'self' {IGN_HOST}" if background else "'self'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"style-src-attr 'unsafe-inline'; img-src {images}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def asset(name: str) -> bytes:
    """One of the files that come with the package."""
    return (resources.files("geomatch.review") / "assets" / name).read_bytes()


@cache
def page() -> bytes:
    """The page, with the desk in it."""
    return asset("page.html").replace(_DESK_HERE.encode(), asset("desk.html"))


def notebook_module() -> str:
    """The desk and its notebook host as one module: a notebook cannot resolve an import."""
    return f"{asset('desk.js').decode()}\n{asset('notebook.js').decode()}"


def notebook_style() -> str:
    """The desk's style sheet."""
    return asset("desk.css").decode()


def notebook_desk() -> str:
    """The desk's HTML."""
    return asset("desk.html").decode()
