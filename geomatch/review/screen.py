"""The page and its local assets; everything else comes as JSON."""

from __future__ import annotations

from functools import cache
from importlib import resources

#: Files the page may ask for, and nothing else: no path is ever made of a request.
ASSETS = {
    "/assets/review.js": ("review.js", "text/javascript; charset=utf-8"),
    "/assets/review.css": ("review.css", "text/css; charset=utf-8"),
    "/assets/icon.svg": ("icon.svg", "image/svg+xml"),
}
PAGE = ("review.html", "text/html; charset=utf-8")
#: Scripts and styles from here alone, none within the page; maps set style attributes.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@cache
def asset(name: str) -> bytes:
    """One of the files that come with the package."""
    return (resources.files("geomatch.review") / "assets" / name).read_bytes()
