"""The command line in a process of its own that can be killed, with small partitions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: Bulletins of a partition: the demo's four hundred make some twenty.
MOST = 20
_PROGRAM = f"""
from functools import partial
from geomatch import cli
from geomatch.runs import batch
batch.partition_rows = partial(batch.partition_rows, most={MOST}, cut={MOST})
cli.main()
"""
TABLES = ("decisions.parquet", "candidates.parquet")


def start(
    *arguments: object, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> subprocess.Popen[str]:
    """``geomatch ARGUMENTS…`` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        cwd=folder,
    )


def ended(process: subprocess.Popen[str], seconds: float = 300.0) -> tuple[int, str]:
    """Exit code and what was said on stderr."""
    _, told = process.communicate(timeout=seconds)
    return process.returncode, told


def content(folder: Path) -> dict[str, bytes]:
    """Bytes of the result tables."""
    return {name: (folder / name).read_bytes() for name in TABLES}
