"""Files that hold one invented row each: what a made-up country does not draw itself."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from gazetteer.reference import Presence
from gazetteer.references import REFERENCES


def write_examples(root: Path, *, drawn: Collection[str]) -> list[Path]:
    """Write the example of each source that a build needs, but for the roles already `drawn`.

    The files stand in ``root/<option>``; their paths are returned.
    """
    written = []
    for one in REFERENCES:
        if one.role in drawn or one.presence is Presence.OPTIONAL:
            continue
        path = root / one.option / f"{one.role}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(one.example), lineterminator="\n")
            writer.writeheader()
            writer.writerow(dict(one.example))
        written.append(path)
    return written
