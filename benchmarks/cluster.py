"""One Dask worker against two: the same file on a real scheduler, each worker a process.

    python benchmarks/cluster.py --store STORE --bulletins FILE [--times 2] [--pinned]

Prints one JSON line: seconds of the whole command and of the matching alone, CPU seconds of the
workers, bulletins/s, the ratio, the load of the machine before each run. The ratio of wall times
only tells something on a quiet machine with at least two cores. Where there are only two, one
worker loads its départements on both; with ``--pinned`` each has one core to itself, as on machines
of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from distributed import Client

from geomatch.core.config import Config
from geomatch.runs.batch import RunOptions, run


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--store", required=True)
    options.add_argument("--bulletins", required=True)
    options.add_argument("--times", type=int, default=1, help="the best of so many runs is kept")
    options.add_argument("--pinned", action="store_true", help="a core for each worker")
    asked = options.parse_args()
    told = {}
    for workers in (1, 2):
        files = asked.store, asked.bulletins
        runs = [measure(*files, workers, pinned=asked.pinned) for _ in range(asked.times)]
        told[f"workers_{workers}"] = min(runs, key=lambda r: float(r["matching_s"]))
    ratios = {
        name: round(told["workers_1"][name] / told["workers_2"][name], 2)
        for name in ("matching_s", "command_s")
    }
    print(json.dumps({"bench": "cluster", "cores": os.cpu_count(), **told, "ratio": ratios}))


def measure(store: str, bulletins: str, workers: int, *, pinned: bool) -> dict[str, float]:
    """One run on a cluster of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "scheduler.json"
        started = [_dask(folder, "scheduler", "--port", "0", "--scheduler-file", str(file))]
        try:
            while not file.exists():
                time.sleep(0.05)
            address = json.loads(file.read_text())["address"]
            started += [
                _dask(folder, "worker", address, "--nthreads", "1", "--no-nanny",
                      "--local-directory", str(folder / f"w{n}"))
                for n in range(workers)
            ]  # fmt: skip
            for core, worker in enumerate(started[1:] if pinned else ()):
                psutil.Process(worker.pid).cpu_affinity([core])
            with Client(address) as client:
                client.wait_for_workers(workers, timeout=120)
            return _timed(store, bulletins, folder / "out", address, started[1:])
        finally:
            for process in started:
                process.kill()
                process.wait()


def _timed(
    store: str, bulletins: str, out: Path, address: str, workers: list[subprocess.Popen[bytes]]
) -> dict[str, float]:
    load = os.getloadavg()[0]
    before = sum(_cpu(p) for p in workers)
    begun = time.monotonic()
    first: list[float] = []
    last: list[float] = []

    def tell(done: int, total: int) -> None:
        (first if not first else last).append(time.monotonic())

    told = run(bulletins, store, out, Config(), RunOptions(scheduler=address), tell)
    matching = last[-1] - first[0]
    return {
        "command_s": round(time.monotonic() - begun, 2),
        "matching_s": round(matching, 2),
        "bulletins_per_s": round(told["input"]["bulletins"] / matching),
        "workers_cpu_s": round(sum(_cpu(p) for p in workers) - before, 2),
        "load_before": round(load, 1),
    }


def _cpu(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _dask(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "dask", *arguments, "--host", "127.0.0.1",
               "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]  # fmt: skip
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
