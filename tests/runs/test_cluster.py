"""A real Dask scheduler and workers, each a process; one is killed in mid-run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from chains import Chain
from command_line import TABLES, content, ended, start
from s3_server import BUCKET, s3_server

from geomatch.core import paths


class Cluster:
    """A scheduler and its workers."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {**os.environ, **(environment or {})}
        self.workers: list[subprocess.Popen[bytes]] = []
        self.file = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(self.file),
        )  # fmt: skip

    @property
    def address(self) -> str:
        """``tcp://127.0.0.1:…``, once there is one."""
        import json

        until = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        return str(json.loads(self.file.read_text())["address"])

    def add_worker(self) -> subprocess.Popen[bytes]:
        """One more process; killing it kills the worker, for nobody starts it again."""
        worker = self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
            "--dashboard-address", "127.0.0.1:0", "--host", "127.0.0.1",
            "--local-directory", str(self.folder / f"worker{len(self.workers)}"),
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def wait_for(self, n: int, seconds: float = 90.0) -> None:
        """Until `n` workers are there."""
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(n, timeout=seconds)

    def stop(self) -> None:
        """End what is left."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{arguments[0]}{len(self.workers)}.log").open("wb")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                stdout=log, stderr=log, env=self.environment, cwd=self.folder,
            )  # fmt: skip


@contextmanager
def cluster(
    folder: Path, workers: int, environment: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    running = Cluster(folder, environment)
    try:
        for _ in range(workers):
            running.add_worker()
        running.wait_for(workers)
        yield running
    finally:
        running.stop()


def arguments(chain: Chain, out: object, scheduler: str, *more: object) -> tuple[object, ...]:
    return ("match", chain.files.bulletins, "--store", chain.store, "--model", chain.model,
            "--out", out, "--scheduler", scheduler, *more)  # fmt: skip


def done(out: Path) -> int:
    return len(list((out / ".partitions").glob("[0-9]*-decisions.arrow")))


def wait_for_partitions(
    n: int, out: Path, process: subprocess.Popen[str], seconds: float = 120.0
) -> None:
    until = time.monotonic() + seconds
    while done(out) < n and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_costs_its_partition_only(
    whole: Path, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with cluster(tmp_path, 2) as running:
        process = start(*arguments(chain, out, running.address))
        wait_for_partitions(2, out, process)
        running.workers[0].send_signal(signal.SIGKILL)
        assert process.poll() is None, "the run ended before the worker was killed"
        code, told = ended(process)
        assert running.workers[0].wait() == -signal.SIGKILL
    assert (code, "Traceback" in told) == (0, False), told
    assert content(out) == content(whole)


@pytest.mark.slow
def test_a_scheduler_that_goes_away_is_one_clear_error_and_a_resume_goes_on(
    whole: Path, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with cluster(tmp_path, 1) as running:
        process = start(*arguments(chain, out, running.address))
        wait_for_partitions(2, out, process)
        running.scheduler.send_signal(signal.SIGKILL)
        code, told = ended(process)
    assert code == 4, told
    assert "went away" in told
    assert "Traceback" not in told
    assert done(out) >= 2
    code, told = ended(start(*arguments(chain, out, "", "--resume")))
    assert code == 0, told
    assert content(out) == content(whole)


def test_workers_that_do_not_see_the_folder_say_what_is_needed(
    chain: Chain, tmp_path: Path
) -> None:
    """A worker elsewhere: `--out` is relative, and its current folder is another."""
    with cluster(tmp_path, 1) as running:
        (tmp_path / "ici").mkdir()
        run_here = arguments(chain, "dossier-relatif", running.address)
        process = start(*run_here, folder=tmp_path / "ici")
        code, told = ended(process)
    assert code == 3, told
    assert "--out s3://" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_workers_that_share_no_folder_work_through_s3(
    whole: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s3").mkdir()
    with s3_server(tmp_path / "s3") as server:
        here = {**server.environment, "GEOMATCH_CACHE": str(tmp_path / "ici")}
        there = {**server.environment, "GEOMATCH_CACHE": str(tmp_path / "ailleurs")}
        for name, value in here.items():
            monkeypatch.setenv(name, value)
        root = f"s3://{BUCKET}"
        paths.send(chain.files.bulletins, f"{root}/bulletins.csv")
        paths.send_folder(chain.store, f"{root}/base", last="manifest.json")
        paths.send_folder(chain.model, f"{root}/modele", last="model.json")
        with cluster(tmp_path, 2, there) as running:
            process = start(
                "match", f"{root}/bulletins.csv", "--store", f"{root}/base", "--out",
                f"{root}/out", "--model", f"{root}/modele", "--scheduler", running.address,
                environment=here,
            )  # fmt: skip
            until = time.monotonic() + 120
            while process.poll() is None and time.monotonic() < until:
                if any("-decisions" in n for n in paths.files_of(f"{root}/out/.partitions")):
                    break
                time.sleep(0.05)
            running.workers[1].send_signal(signal.SIGKILL)
            code, told = ended(process)
        assert code == 0, told
        assert {n: paths.read_bytes(f"{root}/out/{n}") for n in TABLES} == content(whole)
    parts = paths.files_of(tmp_path / "ailleurs")
    assert any("/pools/" in n for n in parts), "workers read the store themselves"
    assert not any("/pools/" in n for n in paths.files_of(tmp_path / "ici"))
