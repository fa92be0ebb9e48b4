"""What a build has finished, so that an interrupted one goes on where it was."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Journal:
    """One small file for each finished job, written when what the job made is in place."""

    folder: Path

    def get(self, name: str) -> dict[str, Any] | None:
        """What the job of that name reported, None when it is not finished."""
        try:
            content: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return content

    def put(self, name: str, content: dict[str, Any]) -> None:
        """Record that the job of that name is finished."""
        file = self._file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}.part")
        with partial.open("w", encoding="utf-8") as out:
            json.dump(content, out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, file)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"
