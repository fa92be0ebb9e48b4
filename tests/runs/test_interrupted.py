"""Runs that are killed: ``kill -9`` of everything, of one process, at any moment."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from chains import Chain
from command_line import MOST, content, ended, start

from geomatch.core.errors import ConfigError
from geomatch.runs import batch
from geomatch.runs.batch import RunOptions, partition_rows, run


def arguments(chain: Chain, out: object, *more: object) -> tuple[object, ...]:
    source, store, model = chain.files.bulletins, chain.store, chain.model
    return ("match", source, "--store", store, "--model", model, "--out", out, *more)


def partitions_done(out: Path) -> int:
    return len(list((out / ".partitions").glob("[0-9]*-decisions.arrow")))


# ------------------------------------------------------------------ everything is killed
@pytest.mark.parametrize(
    "moments",
    [
        pytest.param(2, id="two"),
        pytest.param(10, id="ten", marks=pytest.mark.slow),
    ],
)
def test_killed_at_random_moments_and_resumed_it_gives_the_same_bytes(
    whole: Path, chain: Chain, tmp_path: Path, moments: int
) -> None:
    random_moment = random.Random(7)
    out = tmp_path / "out"
    killed = 0
    for _ in range(moments):
        before = partitions_done(out)
        process = start(*arguments(chain, out, "--resume", "--workers", 2))
        # A moment after it got a partition further, or after its start.
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            if partitions_done(out) > before or random_moment.random() < 0.01:
                break
            time.sleep(0.02)
        time.sleep(random_moment.uniform(0, 0.3))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
        assert partitions_done(out) >= before or (out / "run.json").exists()
    assert killed >= min(moments, 2)
    code, told = ended(start(*arguments(chain, out, "--resume")))
    assert (code, "Traceback" in told) == (0, False), told
    assert content(out) == content(whole)
    assert sorted(p.name for p in out.iterdir()) == [
        "candidates.parquet", "decisions.parquet", "run.json",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("left", ["run.json", "decisions.parquet"])
def test_killed_while_results_are_put_in_place(
    whole: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """Before `left` is written: what is there is no result yet, and is one after a resume."""
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=MOST, cut=MOST))
    from geomatch.core import paths

    class KilledError(Exception):
        pass

    place = paths.place

    def killed(draft: Path, final: Path) -> None:
        if final.name == left:
            raise KilledError
        place(draft, final)

    inputs = (chain.files.bulletins, chain.store, tmp_path, chain.config)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "place", killed)
        with pytest.raises(KilledError):
            run(*inputs)
    assert not (tmp_path / "run.json").exists()
    run(*inputs, RunOptions(resume=True))
    assert content(tmp_path) == content(whole)


# ------------------------------------------------------------------ one worker is killed
def test_a_worker_process_that_is_killed_costs_its_partition_only(
    whole: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=MOST, cut=MOST))
    monkeypatch.setattr(batch, "match_partition", partial(_dying, mark=tmp_path / "mark", times=1))
    out = tmp_path / "out"
    run(chain.files.bulletins, chain.store, out, chain.config, RunOptions(workers=2))
    assert (tmp_path / "mark").read_text() == "x"
    assert content(out) == content(whole)


def test_workers_that_are_killed_again_and_again_are_one_clear_error(
    whole: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=MOST, cut=MOST))
    inputs = (chain.files.bulletins, chain.store, tmp_path / "out", chain.config)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "match_partition", partial(_dying, mark=tmp_path / "m", times=99))
        with pytest.raises(ConfigError, match=r"killed 3 times.*--resume"):
            run(*inputs, RunOptions(workers=2))
    run(*inputs, RunOptions(resume=True))
    assert content(tmp_path / "out") == content(whole)


_MATCH = batch.match_partition


def _dying(task: batch.Task, *, mark: Path, times: int) -> int:
    """Partition 3 kills the process it is matched in, `times` times."""
    so_far = mark.read_text() if mark.exists() else ""
    if task.number == 3 and len(so_far) < times:
        mark.write_text(so_far + "x")
        os.kill(os.getpid(), signal.SIGKILL)
    return _MATCH(task)


# ------------------------------------------------------------------ a full disk
@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own; skipped where this user may not mount one."""
    disk = tmp_path / "disque"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount command")
def test_a_full_disk_is_told_and_room_made_for_it_a_resume_goes_on(
    whole: Path, chain: Chain, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=MOST, cut=MOST))
    out = small_disk / "out"
    inputs = (chain.files.bulletins, chain.store, out, chain.config)
    # A part of the partitions fits, then all of them but not the merged tables.
    for size in ("300k", "1200k"):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(small_disk)], check=True)
        with pytest.raises(ConfigError, match=r"No space left on device; make room"):
            run(*inputs, RunOptions(resume=True))
        assert not (out / "run.json").exists()
        assert not list(out.rglob("*.partial*"))
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    run(*inputs, RunOptions(resume=True))
    assert content(out) == content(whole)


# ------------------------------------------------------------------ nothing is left to do
def test_resuming_what_is_finished_does_nothing_and_says_so(
    whole: Path, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in whole.iterdir()}
    code, told = ended(start(*arguments(chain, whole, "--resume")))
    assert code == 0, told
    assert "400 bulletins, rien à reprendre" in told
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in whole.iterdir()} == before


@pytest.mark.slow
def test_finished_results_of_other_options_are_not_taken_for_these(
    whole: Path, chain: Chain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert ended(start(*arguments(chain, out)))[0] == 0
    code, told = ended(start(*arguments(chain, out, "--resume", "--precision", "0.9")))
    assert (code, "rien à reprendre" in told) == (0, False)
    asked = json.loads((out / "run.json").read_text(encoding="utf-8"))["options"]["decisions"]
    assert asked["precision"] == 0.9


# ------------------------------------------------------------------ the same bytes
#: Workers, bulletins of a partition, bulletins a département is cut at.
LAYOUTS = [(1, 1_000, 60_000), (2, 1_000, 60_000), (1, 1, 60_000), (2, 150, 60_000)]


@pytest.mark.parametrize(("workers", "most", "cut"), LAYOUTS[1:])
def test_workers_and_partitions_leave_no_trace(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    workers: int, most: int, cut: int,
) -> None:  # fmt: skip
    for name, (n, size, at) in {"a": LAYOUTS[0], "b": (workers, most, cut)}.items():
        monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=size, cut=at))
        options = RunOptions(workers=n)
        run(chain.files.bulletins, chain.store, tmp_path / name, chain.config, options)
    assert content(tmp_path / "a") == content(tmp_path / "b")
