"""Who does the partitions: this process, several of this machine, or a Dask cluster.

A worker that is lost costs the partition it was at, which runs again; a partition's results are
written whole or not at all, so that running it twice leaves one result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from geomatch.core.errors import ConfigError, SourceUnavailableError
from geomatch.core.memory import keep_freed
from geomatch.core.processes import end_with_parent

log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
#: How often workers may be lost before a run gives up.
MOST_LOSSES = 3
#: Loggers that tell of lost connections with a trace.
_NOISY = ("distributed", "tornado", "asyncio")
#: Seconds to wait for a scheduler's answer.
_ANSWER_S = 10


class Crew(Protocol):
    """How many processes of this machine, or the address of a Dask scheduler."""

    @property
    def workers(self) -> int:
        """Processes of this machine."""

    @property
    def scheduler(self) -> str:
        """``tcp://…``; empty: this machine."""


def _anywhere(task: object) -> str:
    return ""


def execute(
    function: Callable[[T], R],
    tasks: Sequence[T],
    crew: Crew,
    *,
    place: Callable[[T], str] = _anywhere,
) -> Iterator[R]:
    """Call `function` on each task, and give what it returns as it comes.

    A process of this machine gets tasks of one `place` one after the other, while there are
    other places for the others: it has loaded what they need ("": no place).

    Raises
    ------
    ConfigError
        When workers were lost time and again, there is no Dask, or no scheduler answers.
    SourceUnavailableError
        When the scheduler went away in mid-run.
    """
    if not tasks:
        return
    if crew.scheduler:
        yield from _on_cluster(function, tasks, crew.scheduler)
    elif crew.workers == 1 or len(tasks) == 1:
        for task in tasks:
            yield function(task)
    else:
        yield from _on_processes(function, tasks, crew.workers, place)


def _on_processes(
    function: Callable[[T], R], tasks: Sequence[T], workers: int, place: Callable[[T], str]
) -> Iterator[R]:
    """Each worker is a pool of its own: who is killed takes only its task along."""
    left = list(tasks)
    pools = [
        ProcessPoolExecutor(1, initializer=_start_worker) for _ in range(min(workers, len(left)))
    ]
    running: dict[Future[R], tuple[int, T]] = {}
    at = [""] * len(pools)

    def begin(worker: int) -> None:
        if left:
            others = {*at} - {at[worker]}
            task = left.pop(_next([place(t) for t in left], at[worker], others))
            at[worker] = place(task)
            running[pools[worker].submit(function, task)] = worker, task

    losses = 0
    try:
        for worker in range(len(pools)):
            begin(worker)
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                worker, task = running.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    losses += 1
                    log.warning("a worker process was killed (%d of %d)", losses, MOST_LOSSES)
                    if losses == MOST_LOSSES:
                        raise _too_many_losses() from None
                    left.insert(0, task)
                    pools[worker] = ProcessPoolExecutor(1, initializer=_start_worker)
                    begin(worker)
                else:
                    begin(worker)
                    yield result
    finally:
        for pool in pools:
            pool.shutdown(wait=not running, cancel_futures=True)


def _start_worker() -> None:
    """What a worker process does first: it matches partitions and nothing else."""
    end_with_parent()
    keep_freed()


class _OnWorker(Generic[T, R]):
    """A function as a cluster's worker runs it; it can be pickled."""

    def __init__(self, function: Callable[[T], R]) -> None:
        self._function = function

    def __call__(self, task: T) -> R:
        keep_freed()
        return self._function(task)


def _next(places: Sequence[str], own: str, others: Collection[str]) -> int:
    """Which of some tasks is for who was at `own`: there, else where nobody is, else the first."""
    fitting = (
        [i for i, p in enumerate(places) if p and p == own],
        [i for i, p in enumerate(places) if not p or p not in others],
        [0],
    )
    return next(found[0] for found in fitting if found)


def _too_many_losses() -> ConfigError:
    return ConfigError(
        f"worker processes were killed {MOST_LOSSES} times, perhaps for want of memory; give "
        "fewer --workers and go on with --resume"
    )


def _on_cluster(function: Callable[[T], R], tasks: Sequence[T], scheduler: str) -> Iterator[R]:
    try:
        from distributed import Client, KilledWorker
        from distributed import as_completed as dask_completed
    except ImportError as error:
        raise ConfigError(
            "--scheduler needs Dask: pip install 'geomatch-sirene[cluster]'"
        ) from error
    with _quiet_distributed(), _client(Client, scheduler) as client:
        if not client.scheduler_info()["workers"]:
            log.warning("%s has no worker yet: waiting for one", scheduler)
        # A worker that is killed costs its partition one of `allowed-failures` of the scheduler.
        futures = client.map(_OnWorker(function), list(tasks), pure=False)
        try:
            for future in dask_completed(futures):
                yield future.result()
        except KilledWorker as error:
            raise ConfigError(
                "the cluster's workers were killed time and again at the same partition, perhaps "
                "for want of memory; give them more and go on with --resume"
            ) from error
        except _lost() as error:
            raise SourceUnavailableError(
                f"the Dask scheduler at {scheduler} went away; start it again and go on with "
                "--resume"
            ) from error


@contextmanager
def _quiet_distributed() -> Iterator[None]:
    """Lost workers and schedulers are told here in one line, not by Dask with a trace."""
    names = [n for n in logging.root.manager.loggerDict if n.partition(".")[0] in _NOISY]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _client(kind: Any, scheduler: str) -> Any:
    try:
        return kind(scheduler, timeout=f"{_ANSWER_S}s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {scheduler} ({error}); check its address"
        ) from error


def _lost() -> tuple[type[BaseException], ...]:
    """What a future raises when its scheduler is gone."""
    from distributed import CancelledError as Cancelled
    from distributed.comm import CommClosedError

    return (Cancelled, CommClosedError)
