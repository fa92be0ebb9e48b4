"""Knowledge kept as small CSV tables that a colleague can read and change without code."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def load_table(name: str) -> tuple[tuple[str, ...], ...]:
    """Rows of ``tables/<name>.csv`` without its header line; every value is text."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines(), delimiter=";"))
    return tuple(tuple(row) for row in rows[1:] if row)
