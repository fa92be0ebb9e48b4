"""Results of several runs over parts of one file → those of the whole file, byte for byte.

A run with ``--departements`` leaves ``part.parquet`` beside its results: where each of its
bulletins stands in the input, and how many candidates it has.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geomatch.core import paths
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location
from geomatch.core.processes import private_files
from geomatch.core.schema import CANDIDATES, DECISIONS
from geomatch.runs.keys import has_twins
from geomatch.runs.ordered_merge import ENDING, as_partition
from geomatch.runs.points import without_points
from geomatch.runs.rejected import read_rejects, save_rejects
from geomatch.runs.settled_tables import with_best_sirets
from geomatch.runs.work_folder import (
    PART,
    RUN,
    SETTLED,
    merge_tables,
    write_description,
    write_part,
)

#: What must be the same in all parts, and what to call it.
_SAME = {"geomatch": "version", "input": "input", "store": "store", "model": "model",
         "options": "options"}  # fmt: skip


@private_files()
def merge_runs(runs: Sequence[Location], out: Location) -> dict[str, Any]:
    """Put the results of runs with ``--departements`` together; what run.json then holds.

    Raises
    ------
    ConfigError
        When a folder is no part, or the parts are not of one file, store, model and options.
    DataError
        When a bulletin is in no part or in two; nothing is written then.
    """
    parts = [_described(run) for run in runs]
    _refuse_different(runs, parts)
    with tempfile.TemporaryDirectory(prefix="geomatch-") as folder:
        work = Path(folder)
        rows = [_number(run, work, n) for n, run in enumerate(runs)]
        _refuse_incomplete(np.concatenate(rows), int(parts[0]["input"]["bulletins"]))
        with paths.writing_folder(out, RUN) as local:
            told = merge_tables(work, local, _config(parts[0]))
            if has_twins(_identifiers(local)):
                write_part(work, local)
            _merge_rejects(runs, local)
            description = _whole(parts) | told
            write_description(local, description)
    return description


def _merge_rejects(runs: Sequence[Location], out: Path) -> None:
    """The parts' lists of rows that are not usable as they stand, in the order of the file."""
    told = [found for run in runs if (found := read_rejects(run)) is not None]
    if told:
        columns = [c for c in told[0].column_names if all(c in t.column_names for t in told)]
        whole = pa.concat_tables([t.select(columns) for t in told])
        save_rejects(whole.sort_by("source_row"), out)


def _described(run: Location) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(paths.read_bytes(paths.join(run, RUN)))
        part = content["part"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{run} is no part: expected a folder written by 'geomatch match --departements', "
            "whole, with its run.json"
        ) from error
    return content | {"part": part}


def _refuse_different(runs: Sequence[Location], parts: Sequence[dict[str, Any]]) -> None:
    first = _identity(parts[0])
    for run, part in zip(runs, parts, strict=True):
        other = [_SAME[k] for k, v in _identity(part).items() if v != first[k]]
        if other:
            raise ConfigError(
                f"{run} is not of the same {' and '.join(other)} as {runs[0]}; match it again"
            )


def _identity(part: dict[str, Any]) -> dict[str, Any]:
    """What was run, wherever its files lay on the machine that ran it."""
    found = {k: part[k] for k in _SAME}
    for name in ("input", "store", "model"):
        found[name] = {k: v for k, v in found[name].items() if k != "path"}
    found["options"] = {k: v for k, v in found["options"].items() if k != "model"}
    return found


def _number(run: Location, work: Path, number: int) -> np.ndarray:
    """Write a part's tables into `work` with the place of each row; places of its bulletins."""
    try:
        with paths.reading(run) as local:
            tables = {t: without_points(pq.read_table(local / f"{t}.parquet")) for t in _TABLES}
            place = pq.read_table(local / PART)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{run} is not readable: {error}; match this part again") from error
    row = place.column("source_row").to_numpy()
    rows = {DECISIONS.name: row, CANDIDATES.name: np.repeat(row, place.column("n_candidates"))}
    for name, table in tables.items():
        if len(rows[name]) != table.num_rows:
            raise DataError(f"{run}: {PART} is not that of {name}.parquet; match this part again")
        tables[name] = table.append_column("source_row", pa.array(rows[name]))
    tables[DECISIONS.name] = with_best_sirets(
        *(tables[t] for t in (DECISIONS.name, CANDIDATES.name))
    )
    for name, table in tables.items():
        (work / f"{number:05d}-{name}{ENDING}").write_bytes(as_partition(table))
    return row


def _identifiers(folder: Path) -> list[str]:
    table = pq.read_table(folder / f"{DECISIONS.name}.parquet", columns=["id"])
    return list(table.column("id").to_pylist())


def _config(part: dict[str, Any]) -> Config:
    """Model and decisions of a part; its other options may be those of another machine."""
    asked = {k: part["options"][k] for k in ("decisions", "model")}
    return Config.from_dict(asked, source=RUN)


_TABLES = (CANDIDATES.name, DECISIONS.name)


def _refuse_incomplete(rows: np.ndarray, expected: int) -> None:
    distinct = len(np.unique(rows))
    if distinct < len(rows):
        raise DataError(
            f"{len(rows) - distinct} bulletin(s) are in two parts; give each part once, and "
            "parts of different départements"
        )
    if distinct < expected:
        raise DataError(
            f"{expected - distinct} bulletin(s) of {expected} are in no part; add those of the "
            "départements that lack ('inconnu' is one)"
        )


def _whole(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What run.json tells: the first part's, its times added up."""
    seconds = sum(float(p["seconds"]) for p in parts)
    partitions = sum(int(p["partitions"]) for p in parts)
    kept = {k: v for k, v in parts[0].items() if k not in ("part", "workload", *SETTLED)}
    return kept | {"seconds": round(seconds, 3), "partitions": partitions, "parts": len(parts)}
