"""The two outputs of a command: results on stdout, progress and complaints on stderr."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console

screen = Console()
err = Console(stderr=True)


def complain(message: str) -> None:
    """Say what is wrong on stderr, not folded: a path must stay whole."""
    text = f"geomatch: {message}"
    err.print(text, style="bold red", markup=False, highlight=False, soft_wrap=True)


def print_json(content: Any) -> None:
    """One JSON object on a line of stdout."""
    print(json.dumps(content, ensure_ascii=False))
