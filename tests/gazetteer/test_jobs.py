from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from gazetteer.jobs import Job, next_job, run_jobs
from gazetteer.workshop import Workshop
from geomatch.core.errors import ConfigError, DataError


def note(shop: Workshop, subject: str) -> dict[str, Any]:
    with (shop.folder / "log").open("a") as log:
        log.write(subject + "\n")
    return {"subject": subject}


def fail(shop: Workshop, subject: str) -> dict[str, Any]:
    raise DataError(subject)


def vanish(shop: Workshop, subject: str) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def job(name: str, megabytes: float, work: Any = note) -> Job:
    return Job(name, work, name, megabytes)


@pytest.fixture(params=[1, pytest.param(2, marks=pytest.mark.slow)])
def shop(request, tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, 1000.0, workers=request.param)


def test_each_job_is_run_once_and_its_report_kept(shop):
    jobs = [job("a", 1), job("b", 900), job("c", 2_000)]
    assert sorted(j.name for j in run_jobs(jobs, shop)) == ["a", "b", "c"]
    assert shop.journal.get("b") == {"subject": "b"}
    assert list(run_jobs(jobs, shop)) == []
    assert sorted((shop.folder / "log").read_text().split()) == ["a", "b", "c"]


def test_an_error_of_a_job_is_that_of_the_build_and_is_not_recorded(shop):
    with pytest.raises(DataError, match="bad"):
        list(run_jobs([job("bad", 1, fail), job("good", 500)], shop))
    assert shop.journal.get("bad") is None


@pytest.mark.slow
def test_a_process_ended_from_outside_is_told_and_what_is_done_is_kept(tmp_path):
    shop = Workshop(tmp_path, 10.0, workers=2)
    with pytest.raises(ConfigError, match="ended from outside"):
        list(run_jobs([job("first", 9), job("gone", 5, vanish)], shop))
    assert shop.journal.get("first") == {"subject": "first"}


@pytest.mark.parametrize(
    ("room", "is_first", "chosen"),
    [(1000, False, "large"), (500, False, "small"), (10, False, None), (10, True, "large")],
)
def test_what_fits_beside_the_others_is_next(room: float, is_first: bool, chosen: str | None):
    found = next_job([job("large", 900), job("small", 100)], room, is_first=is_first)
    assert (found.name if found else None) == chosen
