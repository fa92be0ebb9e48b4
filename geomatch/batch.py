"""A big file, partition by partition: resumable, on several processes or a Dask cluster.

Bulletins are sorted into partitions by the département of work, so that a worker loads few
parts of the store. A partition's results are written whole or not at all, then merged in
input order; which worker did what, and how many there were, leaves no trace in the results.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

import geomatch
from geomatch.addresses import CommuneIndex, get_parser
from geomatch.bulletins import read_bulletins
from geomatch.config import AddressOptions, Config
from geomatch.errors import ConfigError, DataError
from geomatch.matcher import Matcher
from geomatch.model import Model, model_hash
from geomatch.prepared import address_parts, asked_communes, places_of_work
from geomatch.schema import CANDIDATES, DECISIONS
from geomatch.store import MANIFEST, Store

#: Small départements share a partition up to this many bulletins.
PARTITION_ROWS = 1_000
#: A département with more bulletins than this is cut.
CUT_ROWS = 60_000
#: Result tables and the order of their rows.
_TABLES = ((DECISIONS, "source_row"), (CANDIDATES, "source_row, rank"))
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunOptions:
    """How a file is run through: processes of this machine, or a cluster's address."""

    workers: int = 1
    scheduler: str = ""
    resume: bool = False


@dataclass(frozen=True)
class Task:
    """One partition for one worker; everything in it can be pickled.

    `version` tells apart what was built or trained again in the same place.
    """

    number: int
    work: str
    store: str
    config: Config
    version: str


def run(
    source: str | Path,
    store: str | Path,
    out: str | Path,
    config: Config,
    options: RunOptions = RunOptions(),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Match a bulletins file; write decisions.parquet, candidates.parquet and run.json.

    Parameters
    ----------
    source : path
        Bulletins, in a known layout.
    store, out : path
        Reference store; folder of results, made when absent.
    progress : callable, optional
        Told bulletins done and bulletins in all.

    Returns
    -------
    dict
        What run.json holds.

    Raises
    ------
    DataError, StoreError, ConfigError
        Before anything is written when an input is not usable.
    """
    begun = time.time()
    opened = Store.open(store)
    Model.load(config.model)
    get_parser(config.addresses)
    communes = CommuneIndex.open(opened)
    if options.workers < 1:
        raise ConfigError(f"--workers is {options.workers}, at least 1 is needed")
    bulletins = read_bulletins(Path(source), config.bulletins)
    if bulletins.empty:
        raise DataError(f"{source} holds no bulletin: expected one line per bulletin; nothing done")
    description = _description(Path(source), opened, config, len(bulletins))
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out} is no folder: {error.strerror}; give another") from error
    work = folder / ".partitions"
    labels = partial(_departements, bulletins, communes, config.addresses)
    parts = _prepare_work(bulletins, work, description, labels, options.resume)
    version = description["store"]["manifest_sha256"] + description["model"]["sha256"]
    tasks = [Task(n, str(work), str(store), config, version) for n in range(len(parts))]
    todo = [t for t in tasks if not _done(work, t.number)]
    finished = sum(parts[t.number] for t in tasks) - sum(parts[t.number] for t in todo)
    tell = progress or (lambda done, total: None)
    tell(finished, len(bulletins))
    for number in _execute(todo, options):
        finished += parts[number]
        tell(finished, len(bulletins))
    _merge(work, folder)
    description |= {
        "workers": options.workers,
        "scheduler": bool(options.scheduler),
        "seconds": round(time.time() - begun, 3),
        "partitions": len(parts),
    }
    _write_text(folder / "run.json", json.dumps(description, ensure_ascii=False, indent=1) + "\n")
    shutil.rmtree(work)
    return description


def match_partition(task: Task) -> int:
    """Match one partition; its number when its files are in place."""
    work = Path(task.work)
    bulletins = pd.read_parquet(work / f"{task.number:05d}-bulletins.parquet")
    result = _matcher(task).match_bulletins(bulletins)
    row = pd.Series(bulletins["source_row"].to_numpy(), index=bulletins["id"].to_numpy())
    tables = {
        "candidates": result.candidates.assign(
            source_row=bulletins["source_row"].to_numpy()[result.candidate_rows]
        ),
        "decisions": result.decisions.assign(source_row=row.to_numpy()),
    }
    for name, table in tables.items():
        final = work / f"{task.number:05d}-{name}.parquet"
        partial = final.with_suffix(f".{os.getpid()}.partial")
        table.to_parquet(partial, index=False)
        partial.replace(final)
    return task.number


_MATCHERS: dict[tuple[str, ...], Matcher] = {}


def _matcher(task: Task) -> Matcher:
    """One matcher a process: what it has loaded serves the next partition."""
    key = (task.store, task.version, repr(task.config))
    if key not in _MATCHERS:
        _MATCHERS.clear()
        _MATCHERS[key] = Matcher.open(task.store, task.config)
    return _MATCHERS[key]


def _execute(tasks: Sequence[Task], options: RunOptions) -> Iterator[int]:
    if not tasks:
        return
    if options.scheduler:
        yield from _on_cluster(tasks, options.scheduler)
    elif options.workers == 1 or len(tasks) == 1:
        for task in tasks:
            yield match_partition(task)
    else:
        with ProcessPoolExecutor(min(options.workers, len(tasks))) as pool:
            for future in as_completed([pool.submit(match_partition, t) for t in tasks]):
                yield future.result()


def _on_cluster(tasks: Sequence[Task], scheduler: str) -> Iterator[int]:
    try:
        from distributed import Client
        from distributed import as_completed as dask_completed
    except ImportError as error:
        raise ConfigError(
            "--scheduler needs Dask: pip install 'geomatch-sirene[cluster]'"
        ) from error
    try:
        client = Client(scheduler, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigError(f"no Dask scheduler answers at {scheduler}: {error}") from error
    with client:
        for future in dask_completed(client.map(match_partition, tasks, pure=False, retries=2)):
            yield future.result()


def _prepare_work(
    bulletins: pd.DataFrame,
    work: Path,
    description: dict[str, Any],
    departements: Callable[[], np.ndarray],
    resume: bool,
) -> list[int]:
    """Write the partitions, or find those of an interrupted run of the same inputs.

    `departements` tells each bulletin's, when there is no plan yet. Returns the number of
    bulletins of each partition.
    """
    key = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
    plan = work / "plan.json"
    if resume and plan.is_file():
        content = json.loads(plan.read_text(encoding="utf-8"))
        if content["key"] == key:
            return list(content["rows"])
        raise ConfigError(
            f"{work.parent} holds an interrupted run of other inputs or options; "
            "run without --resume to begin afresh"
        )
    if work.exists():
        shutil.rmtree(work)
    work.mkdir(parents=True)
    rows = []
    for number, part in enumerate(partition_rows(departements())):
        file = work / f"{number:05d}-bulletins.parquet"
        bulletins.iloc[part].reset_index(drop=True).to_parquet(file, index=False)
        rows.append(len(part))
    _write_text(plan, json.dumps({"key": key, "rows": rows}))
    return rows


def _departements(
    bulletins: pd.DataFrame, communes: CommuneIndex, options: AddressOptions
) -> np.ndarray:
    """Département of work, as the matcher will have it: lines are read only where there are any."""
    asked = bulletins
    if (bulletins["adresse"] != "").any():
        parts = address_parts(bulletins, get_parser(options), communes)
        asked = asked_communes(bulletins, parts)
    codes = communes.resolve(asked)["code_commune"]
    return places_of_work(bulletins, codes)[0].astype(str)


def partition_rows(
    departements: np.ndarray, most: int = PARTITION_ROWS, cut: int = CUT_ROWS
) -> list[np.ndarray]:
    """Rows of each partition, sorted: whole départements, small ones put together up to `most`.

    A département's bulletins speak for one another (see ``collective``), so it is cut only
    beyond `cut`, where each part has enough of them.
    """
    if not len(departements):
        return []
    order = np.argsort(departements, kind="stable")
    bounds = np.flatnonzero(departements[order][1:] != departements[order][:-1]) + 1
    parts: list[list[np.ndarray]] = []
    for group in np.split(order, bounds):
        for low in range(0, len(group), cut):
            piece = group[low : low + cut]
            if parts and sum(map(len, parts[-1])) + len(piece) <= most:
                parts[-1].append(piece)
            else:
                parts.append([piece])
    return [np.sort(np.concatenate(p)) for p in parts]


def _done(work: Path, number: int) -> bool:
    return all((work / f"{number:05d}-{t.name}.parquet").is_file() for t, _ in _TABLES)


def _merge(work: Path, folder: Path) -> None:
    """Results of all partitions in input order, written beside and then renamed.

    What is absent is ``""`` in the flow and null in the files.
    """
    for table, order in _TABLES:
        final = folder / f"{table.name}.parquet"
        partial = folder / f".{table.name}.partial"
        texts = [c for c, (kind, _) in table.columns.items() if kind == "text" and c != "id"]
        nulls = ", ".join(f"nullif({c}, '') AS {c}" for c in texts)
        with duckdb.connect() as connection:
            connection.execute(f"SET temp_directory = '{_sql(work)}'")
            connection.execute("SET preserve_insertion_order = true")
            connection.execute(
                f"COPY (SELECT * EXCLUDE (source_row) REPLACE ({nulls}) FROM "
                f"read_parquet('{_sql(work)}/*-{table.name}.parquet') ORDER BY {order}) "
                f"TO '{_sql(partial)}' (FORMAT parquet, COMPRESSION zstd)"
            )
        partial.replace(final)


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")


def _description(source: Path, store: Store, config: Config, n: int) -> dict[str, Any]:
    manifest = (store.path / MANIFEST).read_bytes()
    return {
        "geomatch": geomatch.__version__,
        "python": platform.python_version(),
        "input": {
            "path": str(source),
            "size": source.stat().st_size,
            "sha256": _sha256(source),
            "bulletins": n,
        },
        "store": {
            "path": str(store.path),
            "manifest_sha256": hashlib.sha256(manifest).hexdigest(),
            "format_version": store.manifest["format_version"],
        },
        "model": {"path": config.model or "shipped", "sha256": model_hash(config.model)},
        "options": asdict(config),
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _write_text(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
