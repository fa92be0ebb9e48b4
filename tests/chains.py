"""What the fixtures of the whole chain give."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geomatch.config import Config
from geomatch.demo import DemoFiles


@dataclass(frozen=True)
class Chain:
    """A fictional département, its store, a model learned on its bulletins, a run with it."""

    files: DemoFiles
    store: Path
    model: Path
    card: dict[str, Any]
    config: Config
    out: Path
