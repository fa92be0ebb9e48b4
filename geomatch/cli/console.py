"""The two outputs of a command: results on stdout, progress and complaints on stderr."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from geomatch.core.language import is_english, said


class _Screen(Console):
    """A console that shows tables in the language of the screen."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*(in_language(o) if isinstance(o, Table) else o for o in objects), **options)


screen = _Screen()
err = Console(stderr=True)


def complain(message: str) -> None:
    """Say what is wrong on stderr, not folded: a path must stay whole."""
    text = f"geomatch: {message}"
    err.print(text, style="bold red", markup=False, highlight=False, soft_wrap=True)


def in_language(table: Table) -> Table:
    """The table with title, heads and labels in the language of the screen; it is changed."""
    if is_english():
        if isinstance(table.title, str):
            table.title = _labelled(table.title)
        for column in table.columns:
            if isinstance(column.header, str):
                column.header = said(column.header)
            column._cells[:] = [_labelled(cell) for cell in column._cells]
    return table


def _labelled(cell: Any) -> Any:
    """A cell that is a label, bold or not, or two parted by a colon, in the screen's language."""
    if not isinstance(cell, str):
        return cell
    bare = cell.removeprefix("[bold]").removesuffix("[/bold]")
    told = said(bare)
    if told == bare:
        told = ": ".join(map(said, bare.split(" : ")))
    return cell.replace(bare, told) if bare else cell


def print_json(content: Any) -> None:
    """One JSON object on a line of stdout."""
    print(json.dumps(content, ensure_ascii=False))
