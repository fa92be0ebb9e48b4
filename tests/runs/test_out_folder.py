"""The folder of results: one run at a time, only its user's, and nobody's work overwritten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain
from command_line import content, ended, start

from geomatch.arrays.rows import Rows
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError, StoreError
from geomatch.runs import batch, out_folder
from geomatch.runs.batch import RunOptions, run
from geomatch.runs.out_folder import LOCK, locked
from geomatch.runs.work_folder import Partition, Work


def arguments(chain: Chain, out: Path) -> tuple[object, ...]:
    source, store, model = chain.files.bulletins, chain.store, chain.model
    return ("match", source, "--store", store, "--model", model, "--out", out, "--workers", 2)


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def _of_group(group: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for told in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = told.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(told.parent.name))
    return found


# ------------------------------------------------------------------ one run at a time
def test_a_second_run_into_a_folder_is_refused(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out_folder, "_PATIENCE_S", 0.1)
    with (
        locked(tmp_path / "out"),
        pytest.raises(ConfigError, match=r"another match writes into .*--out"),
    ):
        run(chain.files.bulletins, chain.store, tmp_path / "out", chain.config)
    assert [*(tmp_path / "out").iterdir()] == []


def test_a_lock_that_its_run_took_away_is_taken_anew(tmp_path: Path) -> None:
    for _ in range(3):
        with locked(tmp_path):
            assert (tmp_path / LOCK).exists()
        assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_workers_end_with_a_run_that_is_ended(
    whole: Path, chain: Chain, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = start(*arguments(chain, out))
    work = out / ".partitions"
    until(lambda: process.poll() is not None or [*work.glob("[0-9]*-decisions.arrow")])
    assert len(_of_group(process.pid)) >= 2
    os.kill(process.pid, how)
    process.communicate(timeout=30)  # who held the caller's pipes would make this wait
    assert process.returncode in (-how, 128 + how)
    until(lambda: not _of_group(process.pid), 10)
    code, told = ended(start(*arguments(chain, out), "--resume"))
    assert (code, content(out)) == (0, content(whole)), told


# ------------------------------------------------------------------ the merge counts
@pytest.mark.parametrize("fault", ["fewer", "more", "lacks", "damaged"])
def test_results_that_are_not_those_of_the_plan_are_not_merged(tmp_path: Path, fault: str) -> None:
    work = Work.of(tmp_path)
    bulletins = pd.DataFrame({"id": ["a", "b", "c"], "source_row": [0, 1, 2]})
    places = Rows(
        {c: pd.array(["", "", ""], dtype=object).to_numpy() for c in ("code_commune",)}
        | {"departement": pd.array(["35"] * 3, dtype=object).to_numpy()}
    )
    from geomatch.core.schema import COMMUNES_RESOLVED

    full = {
        c: places["code_commune"] if kind == "text" else [0.0] * 3
        for c, (kind, _) in COMMUNES_RESOLVED.columns.items()
    }
    frame = pd.DataFrame({**full, "departement": ["35"] * 3})
    plan = work.plan("key", bulletins, [frame.index.to_numpy()], Rows.of(frame, [*frame.columns]))
    some = Rows.of(bulletins.head(2 if fault == "fewer" else 3), ["id", "source_row"])
    work.write_results(0, some, some, run=work.token())
    if fault == "more":
        file = tmp_path / ".partitions" / "00000-decisions.arrow"
        shutil.copy(file, file.with_name("00001-decisions.arrow"))
    if fault == "lacks":
        plan = [*plan, Partition(1, "")]
    if fault == "damaged":
        file = tmp_path / ".partitions" / "00000-decisions.arrow"
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match="without --resume"):
        work.merge(tmp_path, plan, Config(), tell_places=False)
    assert not (tmp_path / "decisions.parquet").exists()


def test_a_worker_of_a_run_that_has_ended_writes_nothing(tmp_path: Path) -> None:
    work = Work.of(tmp_path)
    none = Rows.of(pd.DataFrame({"id": ["a"], "source_row": [0]}), ["id", "source_row"])
    work.write_results(0, none, none, run="another run's")
    assert [*tmp_path.iterdir()] == []


def test_a_store_that_is_replaced_during_a_run_is_told(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match = batch.match_partition

    def replaced(task: batch.Task) -> int:
        batch._MATCHERS.clear()
        return match(replace(task, version="0" * 64))

    monkeypatch.setattr(batch, "match_partition", replaced)
    with pytest.raises(StoreError, match="replaced while"):
        run(chain.files.bulletins, chain.store, tmp_path / "out", chain.config)


# ------------------------------------------------------------------ nobody's work is overwritten
def _of_another_input(folder: Path) -> None:
    told = json.loads((folder / "run.json").read_text())
    told["input"]["sha256"] = "0" * 64
    (folder / "run.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (_of_another_input, "another input"),
        (lambda out: (out / "run.json").write_text("{}"), "another input"),
        (lambda out: (out / "verdicts.jsonl").write_text("{}\n"), "verdicts"),
    ],
)
def test_what_others_left_is_not_overwritten_without_force(
    chain: Chain, tmp_path: Path, prepare: Callable[[Path], None], message: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(chain.out, out)
    prepare(out)
    before = {f.name: f.read_bytes() for f in out.iterdir()}
    inputs = (chain.files.bulletins, chain.store, out, chain.config)
    with pytest.raises(ConfigError, match=rf"{message}.*--force"):
        run(*inputs)
    assert {f.name: f.read_bytes() for f in out.iterdir()} == before
    run(*inputs, RunOptions(force=True))
    assert content(out) == content(chain.out)


# ------------------------------------------------------------------ only its user reads them
def test_results_and_copies_of_bulletins_are_only_their_users(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: dict[str, int] = {}
    match = batch.match_partition

    def looking(task: batch.Task) -> int:
        for one in [tmp_path / "out", *(tmp_path / "out").rglob("*")]:
            modes[one.name] = stat.S_IMODE(one.stat().st_mode)
        return match(task)

    monkeypatch.setattr(batch, "match_partition", looking)
    before = os.umask(0o022)
    try:
        run(chain.files.bulletins, chain.store, tmp_path / "out", chain.config)
    finally:
        os.umask(before)
    for one in (tmp_path / "out").iterdir():
        modes[one.name] = stat.S_IMODE(one.stat().st_mode)
    assert {"out", ".partitions", "00000-bulletins.arrow", "run.json"} <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
