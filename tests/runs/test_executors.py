"""Processes of this machine: which takes which task."""

from __future__ import annotations

import os
from operator import itemgetter

import pyarrow as pa
import pytest

from geomatch.runs.batch import RunOptions
from geomatch.runs.executors import _next, execute


@pytest.mark.parametrize(
    ("left", "own", "others", "chosen"),
    [
        (["75", "75", "92"], "", set(), 0),  # the first who comes
        (["75", "75", "92"], "", {"75"}, 2),  # the second: not where another is
        (["75", "92", "92"], "92", {"75"}, 1),  # goes on where he was
        (["75", "75"], "92", {"75"}, 0),  # helps where nothing else is left
        (["75", "", "13"], "92", {"75"}, 1),  # several départements: nobody's place
        (["13", "44"], "", {"75"}, 0),
    ],
)
def test_a_process_goes_on_where_it_was(
    left: list[str], own: str, others: set[str], chosen: int
) -> None:
    assert _next(left, own, others) == chosen


def _pid(task: tuple[str, int]) -> tuple[tuple[str, int], int]:
    return task, os.getpid()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_task_is_done_once(workers: int) -> None:
    tasks = [(place, i) for place in ("75", "92", "") for i in range(3)]
    found = list(execute(_pid, tasks, RunOptions(workers=workers), place=itemgetter(0)))
    assert sorted(task for task, _ in found) == sorted(tasks)
    assert len({pid for _, pid in found}) <= workers


def _fails(task: int) -> int:
    if task == 2:
        raise ValueError("the second")
    return task


def test_what_a_task_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="the second"):
        list(execute(_fails, [1, 2, 3, 4], RunOptions(workers=2)))


def _memory_pool(task: int) -> str:
    return pa.default_memory_pool().backend_name


def test_workers_keep_freed_memory_and_the_callers_process_stays_as_it_is() -> None:
    before = pa.default_memory_pool().backend_name
    assert set(execute(_memory_pool, [1, 2], RunOptions(workers=2))) == {"system"}
    assert set(execute(_memory_pool, [1, 2], RunOptions(workers=1))) == {before}
    assert pa.default_memory_pool().backend_name == before
