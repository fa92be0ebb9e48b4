"""Knowledge kept as small CSV tables that a colleague can read and change without code."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


def table_names(prefix: str) -> list[str]:
    """Names of the tables that begin so, sorted: one kind of knowledge in several files."""
    names = (file.name for file in files(__name__).iterdir())
    return sorted(
        n.removesuffix(".csv") for n in names if n.startswith(prefix) and n.endswith("csv")
    )


def load_header(name: str) -> tuple[str, ...]:
    """Column names of ``tables/<name>.csv``."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(text.partition("\n")[0].split(";"))


@cache
def load_table(name: str) -> tuple[tuple[str, ...], ...]:
    """Rows of ``tables/<name>.csv`` without its header line; every value is text."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines(), delimiter=";"))
    return tuple(tuple(row) for row in rows[1:] if row)
