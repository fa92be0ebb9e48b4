"""The desk's front end: what a page may ask for, and what a notebook is given at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib import resources

from geomatch.core.decision_types import decision_types
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
_DESK_HERE, _TYPES_HERE, _NAME_HERE = "<!-- desk -->", "<!-- types -->", "<!-- name -->"
#: Type of what is never on a card.
_NOT_REVIEWED = ("sure",)


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
def page(name: str = "") -> bytes:
    """The page, with the desk in it, and the name it proposes to a clerk."""
    html = asset("page.html").decode().replace(_NAME_HERE, escape(name, quote=True))
    return html.replace(_DESK_HERE, desk_html()).encode()


def notice(message: str) -> bytes:
    """A page that says one thing to who opened an address that shows nothing."""
    return (
        '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Reprise des bulletins</title></head><body><main><h1>Reprise des bulletins</h1>"
        f"<p>{escape(message)}</p></main></body></html>\n"
    ).encode()


def notebook_module() -> str:
    """The desk and its notebook host as one module: a notebook cannot resolve an import."""
    return f"{asset('desk.js').decode()}\n{asset('notebook.js').decode()}"


def notebook_style() -> str:
    """The desk's style sheet."""
    return asset("desk.css").decode()


@cache
def desk_html() -> str:
    """The desk's HTML, its filter drawn from the table of decision types."""
    types = (t for t in decision_types().values() if t.code not in _NOT_REVIEWED)
    options = (f'<option value="{escape(t.code)}">{escape(t.label)}</option>' for t in types)
    return asset("desk.html").decode().replace(_TYPES_HERE, "\n    ".join(["", *options]))
