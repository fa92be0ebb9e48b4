"""Word lists of the fictional département: plain files, read once, all invented."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files


@cache
def lines(name: str) -> tuple[str, ...]:
    """The lines of ``name.txt`` in file order."""
    text = files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of ``name.csv`` in file order, as dictionaries."""
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines(), delimiter=";"))


@cache
def parts(name: str) -> dict[str, tuple[str, ...]]:
    """A ``part;text`` file as part → texts."""
    grouped: dict[str, list[str]] = {}
    for row in rows(name):
        grouped.setdefault(row["part"], []).append(row["text"])
    return {part: tuple(texts) for part, texts in grouped.items()}
