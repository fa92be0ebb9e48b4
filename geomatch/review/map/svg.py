"""Small pieces of SVG and HTML. Every text goes through :func:`text` or :func:`escaped`."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np
from numpy.typing import NDArray


def escaped(value: object) -> str:
    """Text that is safe between tags and within a quoted attribute."""
    return escape(str(value), quote=True)


def element(name: str, content: str = "", **attributes: object) -> str:
    """``<name a-b="…">content</name>``; ``_`` in attribute names stands for ``-``."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def table(head: str, body: str) -> str:
    """An HTML table of rows that are HTML already."""
    return element("table", element("thead", head) + element("tbody", body))


def text(x: float, y: float, content: str, **attributes: object) -> str:
    """A text at pixel x, y; the content is escaped."""
    return element("text", escaped(content), x=round(x, 1), y=round(y, 1), **attributes)


def path_data(points: NDArray[np.float64]) -> str:
    """``M…L…`` through pixel points of shape (n, 2), to a tenth of a pixel."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def group(pieces: Iterable[str], **attributes: object) -> str:
    """The pieces in a ``<g>``; nothing when there are none."""
    content = "".join(pieces)
    return element("g", content, **attributes) if content else ""
