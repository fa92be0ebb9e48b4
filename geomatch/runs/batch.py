"""A big file, partition by partition: resumable, on several processes or a Dask cluster.

Bulletins are sorted into partitions by the département of work, so that a worker loads few
parts of the store. A partition's results are written whole or not at all, then merged in
input order; which worker did what, and how many there were, leaves no trace in the results.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd

import geomatch
from geomatch.addresses import get_parser
from geomatch.arrays.rows import Rows
from geomatch.bulletins import read_bulletins
from geomatch.bulletins.rejects import reasons_of
from geomatch.core import paths
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError, StoreError
from geomatch.core.memory import give_back, seldom_collected
from geomatch.core.paths import Location
from geomatch.core.processes import private_files
from geomatch.linkage.matcher import Matcher
from geomatch.linkage.model import Model, model_hash
from geomatch.runs.executors import execute
from geomatch.runs.keys import has_twins
from geomatch.runs.out_folder import locked, refuse_others
from geomatch.runs.planning import workplaces
from geomatch.runs.rejected import write_rejects
from geomatch.runs.work_folder import Partition, Work, finished_run, key_of
from geomatch.store.reader import Store

#: Small départements share a partition up to this many bulletins.
PARTITION_ROWS = 1_000
#: A département with more bulletins than this is cut.
CUT_ROWS = 30_000
#: In ``RunOptions.departements``: bulletins whose département is not one of the store.
UNKNOWN = "inconnu"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunOptions:
    """How a file is run through: processes of this machine, or a cluster's address.

    With `departements` only the bulletins whose workplace is in one of them are matched
    (``inconnu``: in none of the store's); the results of such runs can be merged.
    """

    workers: int = 1
    scheduler: str = ""
    resume: bool = False
    departements: tuple[str, ...] = ()
    #: write over another input's results, or beside verdicts
    force: bool = False
    #: end when a row of the input cannot be used as it stands
    strict: bool = False
    #: have the list of such rows tell what stands there
    keep_text: bool = False


@dataclass(frozen=True)
class Task:
    """One partition for one worker; everything in it can be pickled.

    `place` is the département of all its bulletins, "" when there are several; `version` tells
    apart what was built or trained again where it was.
    """

    number: int
    place: str
    work: Location
    store: str
    config: Config
    version: str
    #: which run it is of: see :meth:`geomatch.runs.work_folder.Work.token`
    run: str


@seldom_collected()
def run(
    source: Location,
    store: Location,
    out: Location,
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
        What run.json holds; and ``matched``, the bulletins of this run alone, or ``is_old`` when
        there was nothing left to resume.

    Raises
    ------
    DataError, StoreError, ConfigError
        Before anything is written when an input is not usable.
    ConfigError
        When another run writes into `out`, or it has another input's results or verdicts (see
        ``RunOptions.force``); when the results cannot be written, or workers are
        lost time and again: what is done stays for a run with ``resume``.
    SourceUnavailableError
        When a remote store or the scheduler does not answer.
    """
    begun = time.time()
    tell = progress or (lambda done, total: None)
    job = _Job.open(source, store, config, options)
    out = paths.location(out)
    with private_files(), locked(out):
        return _run(job, out, options, tell, begun)


def _run(
    job: _Job, out: Location, options: RunOptions, tell: Progress, begun: float
) -> dict[str, Any]:
    """The run itself, while the folder of results is its own."""
    key = key_of(job.description)
    if options.resume and (old := finished_run(out, key)):
        Work.of(out).remove()
        tell(len(job.bulletins), len(job.bulletins))
        return old | {"is_old": True}
    if not options.force:
        refuse_others(out, job.description)
    write_rejects(out, job.source, job.bulletins, options)
    work = Work.of(out)
    plan = work.planned(key) if options.resume else None
    if plan is None:
        places = job.places()
        # A part of a file may have no bulletin: its tables are empty, but they are there.
        parts = partition_rows(places["departement"]) or [np.arange(0)]
        plan = work.plan(key, job.bulletins, parts, places)
    total, finished = len(job.bulletins), work.done()
    tasks = job.tasks(work, plan, finished)
    description, config = job.description, job.config
    tell_places = "part" in description or has_twins(job.bulletins["id"])
    del job  # what the workers read from the partitions need not stay here too
    give_back()
    before = done = sum(plan[n].size for n in finished)
    tell(done, total)
    for number in execute(match_partition, tasks, options, place=attrgetter("place")):
        done += plan[number].size
        tell(done, total)
    told = work.merge(out, plan, config, tell_places=tell_places)
    how = {
        "workers": options.workers,
        "scheduler": bool(options.scheduler),
        "seconds": round(time.time() - begun, 3),
        "partitions": len(plan),
        **told,
    }
    work.finish(out, description | how)
    return description | how | {"matched": total - before}


def match_partition(task: Task) -> int:
    """Match one partition; its number when its files are in place."""
    work = Work(task.work)
    bulletins, communes = work.bulletins(task.number)
    result = _matcher(task).match_bulletins(bulletins, communes=communes, whole=False)
    row = bulletins["source_row"].to_numpy()
    with private_files():
        work.write_results(
            task.number,
            result.described().plus(source_row=row[result.candidate_rows]),
            result.decided.plus(source_row=row),
            run=task.run,
        )
    # what this partition took at its height the other worker may need at its own
    del result, bulletins, communes
    give_back()
    return task.number


#: Départements a worker keeps loaded: partitions come one département after the other.
_MOST_POOLS = 2
_MATCHERS: dict[tuple[str, ...], Matcher] = {}


def _matcher(task: Task) -> Matcher:
    """One matcher a process: what it has loaded serves the next partition."""
    key = (task.store, task.version, repr(task.config))
    if key not in _MATCHERS:
        _MATCHERS.clear()
        matcher = Matcher.open(task.store, task.config)
        if not task.version.startswith(matcher.store.sha256):
            raise StoreError(
                f"store {task.store} was replaced while the match ran; run again without --resume"
            )
        _MATCHERS[key] = matcher
        matcher.resources.most_pools = _MOST_POOLS
    return _MATCHERS[key]


def partition_rows(
    departements: np.ndarray, most: int = PARTITION_ROWS, cut: int = CUT_ROWS
) -> list[np.ndarray]:
    """Rows of each partition, sorted: whole départements, small ones put together up to `most`.

    A département's bulletins speak for one another (see ``collective``), so it is cut only
    beyond `cut`, where each part has enough of them.
    """
    if not len(departements):
        return []
    code = pd.factorize(departements, sort=True)[0].astype(np.int16)
    order = np.argsort(code, kind="stable")
    bounds = np.flatnonzero(np.diff(code[order])) + 1
    parts: list[list[np.ndarray]] = []
    for group in np.split(order, bounds):
        for low in range(0, len(group), cut):
            piece = group[low : low + cut]
            if parts and sum(map(len, parts[-1])) + len(piece) <= most:
                parts[-1].append(piece)
            else:
                parts.append([piece])
    return [np.sort(np.concatenate(p)) for p in parts]


@dataclass(frozen=True)
class _Job:
    """What is to be run: the bulletins asked for, and the inputs as run.json tells them."""

    bulletins: pd.DataFrame
    #: where each bulletin is at work, when called
    places: Callable[[], Rows]
    description: dict[str, Any]
    source: Location
    store: Location
    config: Config

    @classmethod
    def open(cls, source: Location, store: Location, config: Config, options: RunOptions) -> _Job:
        """Read the inputs. Raises what is wrong with them."""
        opened = Store.open(store)
        Model.load(config.model)
        get_parser(config.addresses)
        _check_options(options, opened)
        bulletins = read_bulletins(source, config.bulletins)
        if bulletins.empty:
            raise DataError(
                f"{source} holds no bulletin: expected one line per bulletin; nothing done"
            )
        description = _description(source, opened, config, bulletins)
        places = partial(workplaces, bulletins, opened, config.addresses, options)
        if options.departements:
            found = places()
            codes = found["departement"].astype(str)
            known = np.isin(codes, opened.departements)
            asked = np.isin(codes, options.departements) & known
            asked |= ~known & (UNKNOWN in options.departements)
            bulletins = bulletins[asked].reset_index(drop=True)
            places = partial(found.take, np.flatnonzero(asked))
            description["part"] = {
                "departements": sorted({*options.departements}),
                "bulletins": len(bulletins),
            }
        return cls(bulletins, places, description, source, store, config)

    def tasks(self, work: Work, plan: Sequence[Partition], finished: Collection[int]) -> list[Task]:
        """Partitions as tasks, the big départements first so that workers end together."""
        version = self.description["store"]["manifest_sha256"] + self.description["model"]["sha256"]
        run = work.token()
        left = [n for n in range(len(plan)) if n not in finished]
        together: Counter[str] = Counter()
        for n in left:
            together[plan[n].place] += plan[n].size

        def rank(n: int) -> tuple[int, int]:
            return -(together[plan[n].place] if plan[n].place else plan[n].size), n

        return [
            Task(n, plan[n].place, work.folder, str(self.store), self.config, version, run)
            for n in sorted(left, key=rank)
        ]


def _check_options(options: RunOptions, store: Store) -> None:
    if options.workers < 1:
        raise ConfigError(f"--workers is {options.workers}, at least 1 is needed")
    strange = {*options.departements} - {*store.departements, UNKNOWN}
    if strange:
        raise ConfigError(
            f"--departements {','.join(sorted(strange))}: not in this store; it has "
            f"{','.join(store.departements)}, and '{UNKNOWN}' stands for every other place"
        )


def _description(
    source: Location, store: Store, config: Config, bulletins: pd.DataFrame
) -> dict[str, Any]:
    size, digest = paths.size_and_sha256(source)
    n = len(bulletins)
    problems = bulletins["probleme"]
    n_flagged = int((problems != "").sum())
    return {
        "geomatch": geomatch.__version__,
        "python": platform.python_version(),
        "input": {"path": str(source), "size": size, "sha256": digest, "bulletins": n},
        "rows": {
            "read": n,
            "sound": n - n_flagged,
            "rejected": n_flagged,
            "reasons": reasons_of(problems),
        },
        "store": {
            "path": store.place,
            "manifest_sha256": store.sha256,
            "format_version": store.manifest["format_version"],
        },
        "model": {"path": config.model or "shipped", "sha256": model_hash(config.model)},
        "options": asdict(config),
    }
