"""The working folder of a run: its plan, its partitions, what is done, and the merge.

::

    OUT/.partitions/plan.json                  written last: without it nothing was planned
    OUT/.partitions/00000-bulletins.arrow
    OUT/.partitions/00000-candidates.arrow
    OUT/.partitions/00000-decisions.arrow      written last: the partition is done

On a disk that all workers see, or in an S3 store; every file is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geomatch.arrays.rows import Rows
from geomatch.core import paths
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location
from geomatch.core.schema import BULLETINS, CANDIDATES, COMMUNES_RESOLVED, DECISIONS, Table
from geomatch.core.threads import alongside
from geomatch.linkage.model import Model
from geomatch.runs.ordered_merge import ENDING, ORDER, as_partition, collate, read_partition
from geomatch.runs.settled_tables import OPTIONAL, Settled

log = logging.getLogger(__name__)

FOLDER = ".partitions"
PLAN = "plan.json"
RUN = "run.json"
#: Beside the results of a part of a file, or of bulletins that their identifiers do not tell apart:
#: ``source_row`` and ``n_candidates`` of each bulletin.
PART = "part.parquet"
#: Result tables; the decisions' file tells that both are there.
TABLES = (CANDIDATES, DECISIONS)
_ARROW = {"text": pa.string(), "float": pa.float64(), "int": pa.int64(), "bool": pa.bool_()}
#: Partitions that are cut from the bulletins at the same time.
_CUT_AT_ONCE = 2
#: What run.json tells of the file as a whole, see :func:`geomatch.runs.settled_tables.described`.
SETTLED = ("absent_share", "file_level", "is_own_level", "decided", "levels", "unusual")
#: What run.json tells of how a run went, not of what was run.
_HOW = ("workers", "scheduler", "seconds", "partitions", "workload", *SETTLED)


class Partition(NamedTuple):
    """Some bulletins of a file: how many, and their département when it is the same for all."""

    size: int
    place: str


@dataclass(frozen=True)
class Work:
    """Where the partitions of a run lie."""

    folder: Location

    @classmethod
    def of(cls, out: Location) -> Work:
        """That of a folder of results."""
        return cls(paths.join(out, FOLDER))

    def planned(self, key: str) -> list[Partition] | None:
        """Partitions of an interrupted run; None when there was none.

        Raises :class:`ConfigError` when that run was one of other inputs, options or version.
        """
        try:
            content = json.loads(paths.read_bytes(paths.join(self.folder, PLAN)))
        except FileNotFoundError:
            return None
        if content["key"] == key and content.get("files") == ENDING:
            return list(map(Partition, content["rows"], content["places"]))
        raise ConfigError(
            f"{self.folder} holds an interrupted run of other inputs, options or version; "
            "run without --resume to begin afresh"
        )

    def plan(
        self,
        key: str,
        bulletins: pd.DataFrame,
        parts: Sequence[np.ndarray],
        places: Rows,
    ) -> list[Partition]:
        """Write the partitions, in the place of what was there.

        `parts` are rows of `bulletins`, and `places` (``departement``, COMMUNES_RESOLVED) tells
        where each of these is at work.
        """
        paths.remove(self.folder)
        whole = _typed(pa.Table.from_pandas(bulletins, preserve_index=False))

        def write(number: int, rows: np.ndarray) -> Partition:
            there = places.take(rows)
            part = whole.take(pa.array(rows))
            for column in COMMUNES_RESOLVED.names:
                part = part.append_column(column, pa.array(there[column]))
            self._write(_bulletins(number), as_partition(part))
            codes = set(there["departement"])
            return Partition(len(rows), str(codes.pop()) if len(codes) == 1 else "")

        # Arrow leaves Python's lock: one is cut while another is written
        with ThreadPoolExecutor(_CUT_AT_ONCE) as threads:
            planned = list(threads.map(write, range(len(parts)), parts))
        told: dict[str, Any] = {
            "rows": [p.size for p in planned],
            "places": [p.place for p in planned],
        }
        told |= {"key": key, "files": ENDING, "run": secrets.token_hex(8)}
        content = json.dumps(told).encode()
        paths.write_bytes(paths.join(self.folder, PLAN), content)
        return planned

    def bulletins(self, number: int) -> tuple[pd.DataFrame, Rows]:
        """Bulletins of a partition, and their communes of work (COMMUNES_RESOLVED)."""
        file = paths.join(self.folder, _bulletins(number))
        try:
            part = read_partition(paths.read_bytes(file)).to_pandas()
            communes = COMMUNES_RESOLVED.conform(part)
            found = Rows.of(communes, COMMUNES_RESOLVED.names)
            return part.drop(columns=COMMUNES_RESOLVED.names), found
        except FileNotFoundError as error:
            raise DataError(
                f"{file} is not seen from here: a cluster's workers need the folder of --out at "
                "the same place as the command has it, or --out s3://…"
            ) from error

    def token(self) -> str:
        """Which run was planned here; "" when none was."""
        try:
            return str(json.loads(paths.read_bytes(paths.join(self.folder, PLAN))).get("run", ""))
        except FileNotFoundError:
            return ""

    def write_results(self, number: int, candidates: Rows, decisions: Rows, *, run: str) -> None:
        """Write the results of a partition; they are there when both are.

        Nothing is written when `run` is not the run that is planned here: a worker of a cluster
        that outlives its run must not write into the next one.
        """
        if self.token() != run:
            log.warning("partition %d is of a run that has ended: left out", number)
            return
        for table, rows in ((CANDIDATES, candidates), (DECISIONS, decisions)):
            self._write(f"{number:05d}-{table.name}{ENDING}", as_partition(_typed(_arrow(rows))))

    def done(self) -> frozenset[int]:
        """Partitions whose results are there."""
        ending = f"-{DECISIONS.name}{ENDING}"
        names = (n for n in paths.files_of(self.folder) if not n.startswith("."))
        return frozenset(int(n.removesuffix(ending)) for n in names if n.endswith(ending))

    def merge(
        self, out: Location, plan: Sequence[Partition], config: Config, *, tell_places: bool
    ) -> dict[str, Any]:
        """Results of all partitions in input order; if asked, where each row's bulletin stands.

        Returns what the file as a whole told (:data:`SETTLED`). Raises :class:`DataError`, with
        nothing written, when what is there is not what was planned: each partition once, with a
        decision for each of its bulletins.
        """
        endings = tuple(f"-{table.name}{ENDING}" for table in TABLES)
        with paths.reading(self.folder, endings=endings) as local:
            _refuse_other_rows(local, plan)
            told = merge_tables(local, out, config)
            if tell_places:
                write_part(local, out)
            return told

    def finish(self, out: Location, description: dict[str, Any]) -> None:
        """Tell what was run, once the results are merged: run.json comes last."""
        write_description(out, description)
        paths.remove(self.folder)

    def remove(self) -> None:
        """Delete what is left of it."""
        paths.remove(self.folder)

    def _write(self, name: str, content: bytes) -> None:
        paths.write_bytes(paths.join(self.folder, name), content)


def _refuse_other_rows(local: Path, plan: Sequence[Partition]) -> None:
    """Raise :class:`DataError` when the partitions are not those of the plan."""
    for table in TABLES:
        found = {f.name for f in local.glob(f"*-{table.name}{ENDING}")}
        names = [f"{n:05d}-{table.name}{ENDING}" for n in range(len(plan))]
        if found != set(names):
            strange = sorted(found ^ set(names))[0]
            raise DataError(
                f"{local}: {len(found)} partitions of {table.name}, {len(plan)} were planned "
                f"({strange} first); run again without --resume"
            )
        for name, part in zip(names, plan, strict=True):
            rows = _places(local / name)
            n = len(np.unique(rows)) if table is CANDIDATES else len(rows)
            if n > part.size or (table is DECISIONS and n != part.size):
                raise DataError(
                    f"{local / name} tells of {n} bulletins, {part.size} were planned; "
                    "run again without --resume"
                )


def _bulletins(number: int) -> str:
    return f"{number:05d}-bulletins{ENDING}"


def _arrow(rows: Rows) -> pa.Table:
    # NaN is an absent number, which is null in files
    return pa.table({c: pa.array(rows[c], from_pandas=True) for c in rows})


def _typed(table: pa.Table) -> pa.Table:
    """The table with a type for columns that have no value at all, as in its other partitions."""
    kinds = {
        c: kind
        for t in (BULLETINS, COMMUNES_RESOLVED, CANDIDATES, DECISIONS)
        for c, (kind, _) in t.columns.items()
    }
    fields = [
        pa.field(f.name, _ARROW[kinds.get(f.name, "float")]) if pa.types.is_null(f.type) else f
        for f in table.schema
    ]
    return table.cast(pa.schema(fields, table.schema.metadata))


def merge_tables(local: Path, out: Location, config: Config) -> dict[str, Any]:
    """Files ``*-decisions.arrow`` and ``*-candidates.arrow`` of a folder → two tables.

    They are settled as one file with the model and options of `config`; returns what that told.
    An old run.json goes first: what is written here is not what it describes; and drafts of a
    merge that was killed. What is absent is ``""`` in the flow and null in the files.
    """
    paths.remove(paths.join(out, RUN))
    paths.remove_drafts(out)

    files = {t.name: sorted(local.glob(f"*-{t.name}{ENDING}")) for t in TABLES}
    model = Model.load(config.model)
    whole = Settled.of_files(files[DECISIONS.name], model, config.decisions)

    def merge(table: Table, change: Callable[[pa.Table], pa.Table]) -> None:
        with paths.writing(paths.join(out, f"{table.name}.parquet")) as partial:
            collate(files[table.name], table, partial, change=change, optional=OPTIONAL)

    with alongside(lambda: merge(DECISIONS, whole.decisions)) as decisions:
        merge(CANDIDATES, whole.candidates)
    decisions.result()
    return whole.described()


def _places(file: Path) -> np.ndarray:
    """Where each row's bulletin stands in the input; of the file only that column is read."""
    try:
        with pa.memory_map(str(file)) as content:
            at = pa.ipc.open_file(content).schema.get_field_index(ORDER)
            only = pa.ipc.IpcReadOptions(included_fields=[at])
            content.seek(0)
            rows = pa.ipc.open_file(content, options=only).read_all()
            return rows.column(ORDER).to_numpy()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} is damaged ({error}); run again without --resume") from error


def write_part(local: Path, out: Location) -> None:
    """Where each bulletin of a run stands in the input, and how many candidates it has."""
    candidates, decisions = (
        np.concatenate([_places(f) for f in local.glob(f"*-{table.name}{ENDING}")])
        for table in TABLES
    )
    row = np.sort(decisions)
    n = np.bincount(np.searchsorted(row, candidates), minlength=len(row))
    with paths.writing(paths.join(out, PART)) as partial:
        pq.write_table(pa.table({ORDER: row, "n_candidates": n}), partial, compression="zstd")


# ------------------------------------------------------------------ what was run
def key_of(description: dict[str, Any]) -> str:
    """What tells runs of the same inputs and options from others."""
    what = {k: v for k, v in description.items() if k not in _HOW}
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def finished_run(out: Location, key: str) -> dict[str, Any] | None:
    """run.json of a folder that holds the whole results of this very run; None otherwise."""
    try:
        description: dict[str, Any] = json.loads(paths.read_bytes(paths.join(out, RUN)))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    tables = (paths.join(out, f"{t.name}.parquet") for t in TABLES)
    is_same = isinstance(description, dict) and key_of(description) == key
    return description if is_same and all(map(paths.is_file, tables)) else None


def write_description(out: Location, description: dict[str, Any]) -> None:
    """Write run.json, which tells that the folder's results are whole."""
    text = json.dumps(description, ensure_ascii=False, indent=1) + "\n"
    paths.write_bytes(paths.join(out, RUN), text.encode())
