"""Jobs of a build on several processes, as many at a time as fit in memory."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from gazetteer.workshop import Workshop
from geomatch.core.errors import ConfigError
from geomatch.core.processes import end_with_parent

#: A job: where it works and what it is about → what it reports.
Work = Callable[[Workshop, Any], dict[str, Any]]


@dataclass(frozen=True)
class Job:
    """One piece of a build; everything in it can be pickled. `megabytes` is what it may take."""

    name: str
    work: Work
    subject: Any
    megabytes: float


def run_jobs(jobs: Sequence[Job], shop: Workshop) -> Iterator[Job]:
    """Run the jobs that are not finished, the greatest first; each is given back when done.

    A job runs beside others when their estimates together stay within the workshop's memory; one
    that is too large for that runs alone. Raises what a job raises.
    """
    todo = sorted(
        (j for j in jobs if shop.journal.get(j.name) is None), key=lambda j: (-j.megabytes, j.name)
    )
    if shop.workers == 1 or len(todo) < 2:
        for job in todo:
            _finished(job, shop)
            yield job
        return
    context = multiprocessing.get_context("spawn")
    workers = min(shop.workers, len(todo))
    with ProcessPoolExecutor(workers, context, initializer=end_with_parent) as pool:
        try:
            yield from _in_turn(pool, todo, shop, workers)
        except BrokenProcessPool as error:
            raise ConfigError(
                "a process of the build was ended from outside, most likely for lack of memory; "
                "run the same command again with fewer --workers or less --memory: what is "
                "finished is kept"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_turn(
    pool: ProcessPoolExecutor, waiting: list[Job], shop: Workshop, workers: int
) -> Iterator[Job]:
    running: dict[Future[None], Job] = {}
    while waiting or running:
        while len(running) < workers:
            taken = sum(j.megabytes for j in running.values())
            job = next_job(waiting, shop.megabytes - taken, is_first=not running)
            if job is None:
                break
            waiting.remove(job)
            running[pool.submit(_finished, job, shop)] = job
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
            yield running.pop(future)


def next_job(waiting: Sequence[Job], room: float, *, is_first: bool) -> Job | None:
    """The first waiting job that fits in `room` megabytes; the first of all when none runs."""
    fitting = (job for job in waiting if is_first or job.megabytes <= room)
    return next(fitting, None)


def _finished(job: Job, shop: Workshop) -> None:
    shop.journal.put(job.name, job.work(shop, job.subject))
