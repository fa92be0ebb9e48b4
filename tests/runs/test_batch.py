from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chains import Chain
from hypothesis import given
from hypothesis import strategies as st

import geomatch
from geomatch.core.config import Config, DecisionOptions
from geomatch.core.errors import ConfigError, DataError, StoreError
from geomatch.core.schema import CANDIDATES, DECISIONS
from geomatch.linkage.model import Linear
from geomatch.linkage.ranking import FEATURE_NAMES
from geomatch.runs import batch
from geomatch.runs.batch import RunOptions, Task, partition_rows, run
from geomatch.training.train import UNTRAINED

TABLES = ("decisions.parquet", "candidates.parquet")


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hundred bulletins make five partitions."""
    monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=90, cut=90))


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def whole(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in five partitions that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "partition_rows", partial(partition_rows, most=90, cut=90))
        before = pa.default_memory_pool().backend_name
        run(chain.files.bulletins, chain.store, out, chain.config)
        assert pa.default_memory_pool().backend_name == before  # a caller's process is its own
    return out


# ------------------------------------------------------------------ what is written
def test_a_run_writes_the_two_tables_and_its_description_and_nothing_else(
    whole: Path, chain: Chain
) -> None:
    assert sorted(p.name for p in whole.iterdir()) == sorted([*TABLES, "run.json"])
    decisions = pd.read_parquet(whole / "decisions.parquet")
    assert list(decisions.columns) == DECISIONS.names
    candidates = pd.read_parquet(whole / "candidates.parquet")
    assert list(candidates.columns[: len(CANDIDATES.names)]) == CANDIDATES.names
    source = pd.read_csv(chain.files.bulletins, sep=";", encoding="latin-1", dtype=str)
    assert decisions["id"].tolist() == source["CABBI"].tolist()
    assert candidates["id"].isin(decisions["id"]).all()


def test_candidates_stand_in_the_order_of_the_bulletins_then_by_rank(whole: Path) -> None:
    order = {i: n for n, i in enumerate(pd.read_parquet(whole / "decisions.parquet")["id"])}
    candidates = pd.read_parquet(whole / "candidates.parquet")
    keys = [(order[i], r) for i, r in zip(candidates["id"], candidates["rank"], strict=True)]
    assert keys == sorted(keys)


def test_in_result_files_what_is_absent_is_null(whole: Path) -> None:
    decisions = pd.read_parquet(whole / "decisions.parquet")
    none = decisions[decisions["decision"] == "none"]
    assert len(none)
    assert none["siret"].isna().all()
    for column in decisions.select_dtypes(["object", "string"]):
        assert not (decisions[column] == "").any(), column


@pytest.mark.parametrize(
    ("bulletins", "big", "small"),
    [(100, 35, 7), pytest.param(400, 90, 7, marks=pytest.mark.slow)],
)
def test_partitions_leave_no_trace_where_each_bulletin_stands_alone(
    chain: Chain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bulletins: int,
    big: int,
    small: int,
) -> None:
    """Not even in the last bit of a feature, nor in what a table says of its columns."""
    config = replace(chain.config, decisions=DecisionOptions(collective=False))
    source = tmp_path / "bulletins.csv"
    lines = chain.files.bulletins.read_bytes().splitlines(keepends=True)
    source.write_bytes(b"".join(lines[: bulletins + 1]))
    found = {}
    for most in (1_000, big, small):
        monkeypatch.setattr(batch, "partition_rows", partial(partition_rows, most=most, cut=most))
        run(source, chain.store, tmp_path / str(most), config)
        found[most] = content(tmp_path / str(most))
        assert len(pd.read_parquet(tmp_path / str(most) / "decisions.parquet")) == bulletins
    assert found[small] == found[big] == found[1_000]


def test_run_json_tells_what_was_run_on_what(whole: Path, chain: Chain) -> None:
    told = json.loads((whole / "run.json").read_text(encoding="utf-8"))
    assert told["geomatch"] == geomatch.__version__
    assert told["input"]["bulletins"] == 400
    assert told["input"]["size"] == chain.files.bulletins.stat().st_size
    assert told["partitions"] == 5
    assert told["store"]["path"] == str(chain.store)
    assert len(told["model"]["sha256"]) == 64
    again = Config.from_dict(told["options"])
    assert again == chain.config


def test_two_processes_write_the_same_bytes_as_one(
    whole: Path, chain: Chain, tmp_path: Path
) -> None:
    run(chain.files.bulletins, chain.store, tmp_path, chain.config, RunOptions(workers=2))
    assert content(tmp_path) == content(whole)


def test_running_again_into_the_same_folder_gives_the_same_bytes(whole: Path, chain: Chain) -> None:
    before = content(whole)
    run(chain.files.bulletins, chain.store, whole, chain.config)
    assert content(whole) == before


def test_progress_counts_bulletins_to_the_last(chain: Chain, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(
        chain.files.bulletins, chain.store, tmp_path, chain.config,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[0] == (0, 400)
    assert told[-1] == (400, 400)
    assert [d for d, _ in told] == sorted(d for d, _ in told)


# ------------------------------------------------------------------ interrupted
class StoppedError(Exception):
    """Stands for whatever stops a run."""


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int) -> list[int]:
    """Let `after` partitions be matched, then stop; returns the numbers of those matched."""
    done: list[int] = []
    real = batch.match_partition

    def stopping(task: Task) -> int:
        if len(done) == after:
            raise StoppedError
        done.append(task.number)
        return real(task)

    monkeypatch.setattr(batch, "match_partition", stopping)
    return done


@pytest.mark.parametrize("after", [0, 2, 4])
def test_a_resumed_run_gives_the_bytes_of_one_that_was_not_interrupted(
    whole: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    arguments = (chain.files.bulletins, chain.store, tmp_path, chain.config)
    with monkeypatch.context() as patch:
        done = interrupt(patch, after)
        with pytest.raises(StoppedError):
            run(*arguments)
    assert len(done) == after
    assert not any((tmp_path / name).exists() for name in (*TABLES, "run.json"))
    with monkeypatch.context() as patch:
        left = interrupt(patch, 5)
        told = run(*arguments, RunOptions(resume=True))
    # the rate that is told counts the bulletins of this run alone
    assert (told["matched"] == 400) == (after == 0)
    assert 0 < told["matched"] <= 400
    assert sorted(done + left) == list(range(5))
    assert content(tmp_path) == content(whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*TABLES, "run.json"])


def test_a_half_written_partition_is_matched_again(
    whole: Path, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (chain.files.bulletins, chain.store, tmp_path, chain.config)
    with monkeypatch.context() as patch:
        interrupt(patch, 3)
        with pytest.raises(StoppedError):
            run(*arguments)
    work = tmp_path / ".partitions"
    (work / "00001-decisions.arrow").unlink()
    (work / ".00002-decisions.123.partial.arrow").write_bytes(b"ARROW1 half")
    run(*arguments, RunOptions(resume=True))
    assert content(tmp_path) == content(whole)


def _interrupted(chain: Chain, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was stopped after its first partition."""
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        with pytest.raises(StoppedError):
            run(chain.files.bulletins, chain.store, out, chain.config)


def test_an_interrupted_run_of_other_options_is_not_resumed(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _interrupted(chain, tmp_path, monkeypatch)
    other = Config(model=chain.config.model, decisions=DecisionOptions(precision=0.9))
    with pytest.raises(ConfigError, match="without --resume"):
        run(chain.files.bulletins, chain.store, tmp_path, other, RunOptions(resume=True))
    run(chain.files.bulletins, chain.store, tmp_path, other)
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert told["options"]["decisions"]["precision"] == 0.9


def test_what_an_earlier_version_began_is_not_resumed(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its partitions are other files."""
    _interrupted(chain, tmp_path, monkeypatch)
    plan = tmp_path / ".partitions" / "plan.json"
    told = json.loads(plan.read_text(encoding="utf-8"))
    del told["files"]
    plan.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ConfigError, match="version"):
        run(chain.files.bulletins, chain.store, tmp_path, chain.config, RunOptions(resume=True))


def test_numbers_without_a_gap_are_required(whole: Path) -> None:
    schema = pq.read_schema(whole / "candidates.parquet")
    assert not schema.field("probability").nullable
    assert not schema.field("both").nullable
    for name in ("distance_m", "name_compared", "id"):
        assert schema.field(name).nullable, name


def test_resuming_what_was_never_begun_is_a_plain_run(
    whole: Path, chain: Chain, tmp_path: Path
) -> None:
    run(chain.files.bulletins, chain.store, tmp_path, chain.config, RunOptions(resume=True))
    assert content(tmp_path) == content(whole)


# ------------------------------------------------------------------ refused before anything
def test_nothing_is_written_when_an_input_is_not_usable(chain: Chain, tmp_path: Path) -> None:
    out = tmp_path / "out"
    bulletins, store = chain.files.bulletins, chain.store
    with pytest.raises(DataError):
        run(tmp_path / "absent.csv", store, out, chain.config)
    with pytest.raises(StoreError):
        run(bulletins, tmp_path, out, chain.config)
    with pytest.raises(ConfigError):
        run(bulletins, store, out, Config(model=str(tmp_path)))
    for workers in (0, -1):
        with pytest.raises(ConfigError, match="--workers"):
            run(bulletins, store, out, chain.config, RunOptions(workers=workers))
    assert not out.exists()


def test_a_file_with_only_a_header_is_refused_and_leaves_nothing(
    chain: Chain, tmp_path: Path
) -> None:
    header = chain.files.bulletins.read_bytes().split(b"\n")[0]
    source = tmp_path / "empty.csv"
    source.write_bytes(header + b"\n")
    with pytest.raises(DataError, match="no bulletin"):
        run(source, chain.store, tmp_path / "out", chain.config)
    assert not (tmp_path / "out").exists()


def test_results_do_not_replace_a_file(chain: Chain, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("kept")
    with pytest.raises(ConfigError, match="--out"):
        run(chain.files.bulletins, chain.store, out, chain.config)
    assert out.read_text() == "kept"


# ------------------------------------------------------------------ partitions
departements = st.lists(st.sampled_from(["", "01", "2A", "35", "974"]), max_size=60)


@given(departements, st.integers(1, 20), st.integers(1, 20))
def test_every_row_is_in_one_partition_and_none_is_too_big(
    given_departements: list[str], most: int, cut: int
) -> None:
    parts = partition_rows(np.array(given_departements, dtype=str), most, cut)
    rows = np.concatenate(parts) if parts else np.array([], dtype=np.int64)
    assert sorted(rows.tolist()) == list(range(len(given_departements)))
    assert all(0 < len(p) <= max(most, cut) for p in parts)
    assert all((np.diff(p) > 0).all() for p in parts)


@given(departements, st.integers(1, 20))
def test_a_departement_that_need_not_be_cut_is_whole_in_one_partition(
    given_departements: list[str], most: int
) -> None:
    codes = np.array(given_departements, dtype=str)
    parts = partition_rows(codes, most, cut=60)
    for code in set(given_departements):
        assert sum(code in codes[p] for p in parts) == 1


def test_partitions_do_not_depend_on_anything_but_the_rows() -> None:
    codes = np.array(["75", "35", "75", "01", "35"] * 10)
    one, other = partition_rows(codes, 12), partition_rows(codes.copy(), 12)
    assert [p.tolist() for p in one] == [p.tolist() for p in other]


def test_a_model_learned_again_in_its_place_is_the_one_that_is_used(
    chain: Chain, tmp_path: Path
) -> None:
    # A notebook trains, matches, trains again into the same folder and matches again.
    model, results = tmp_path / "model", []
    for ranking in (
        UNTRAINED.ranking,
        Linear({**dict.fromkeys(FEATURE_NAMES, 0.0), "size": 1.0}, 0.0),
    ):
        replace(UNTRAINED, ranking=ranking).save(model)
        out = tmp_path / f"out{len(results)}"
        run(chain.files.bulletins, chain.store, out, Config(model=str(model)))
        results.append(pd.read_parquet(out / "candidates.parquet")["siret"].tolist())
    assert results[0] != results[1]
