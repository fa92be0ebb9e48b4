"""Rows of the input that are not usable as they stand: listed, counted, refused if asked."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from chains import Chain
from commands import Commands

from geomatch.runs.batch import UNKNOWN, RunOptions, run
from geomatch.runs.merge_parts import merge_runs
from geomatch.runs.rejected import REJECTS
from geomatch.store.reader import Store

SECRET = "ETABLISSEMENTS CONFIDENTIELS"


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(capsys, monkeypatch)


@pytest.fixture(scope="module")
def bulletins(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty bulletins of the demo, then a line cut short and one without identifier."""
    lines = chain.files.bulletins.read_bytes().splitlines()
    header, kept = lines[0], lines[1:31]
    name = header.split(b";").index(b"RS_X")
    without = lines[31].split(b";")
    without[0], without[name] = b"", SECRET.encode()
    kept[4:4] = [b"99999;" + SECRET.encode()]
    file = tmp_path_factory.mktemp("rejected") / "bulletins.csv"
    file.write_bytes(b"\r\n".join([header, *kept, b";".join(without)]))
    return file


def test_rows_that_are_not_usable_are_listed_and_counted(
    chain: Chain, bulletins: Path, tmp_path: Path, commands: Commands
) -> None:
    arguments = ("match", bulletins, "--store", chain.store, "--model", chain.model, "--out")
    ran = commands(*arguments, tmp_path)
    assert ran.code == 0
    found = pq.read_table(tmp_path / REJECTS).to_pydict()
    assert found["line"] == [6, 33]
    assert found["reason"] == ["champs manquants", "identifiant vide"]
    assert "text" not in found
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["rows"]
    assert told == {
        "read": 32, "sound": 30, "rejected": 2,
        "reasons": {"champs manquants": 1, "identifiant vide": 1},
    }  # fmt: skip
    assert pq.read_metadata(tmp_path / "decisions.parquet").num_rows == told["read"]
    for name in (REJECTS, "run.json"):
        assert SECRET.encode() not in (tmp_path / name).read_bytes()
    commands(*arguments, tmp_path / "text", "--keep-text")
    assert all(SECRET in t for t in pq.read_table(tmp_path / "text" / REJECTS)["text"].to_pylist())


def test_a_strict_run_ends_before_anything_is_matched(
    chain: Chain, bulletins: Path, tmp_path: Path, commands: Commands
) -> None:
    arguments = (bulletins, "--store", chain.store, "--model", chain.model, "--out", tmp_path)
    ran = commands("match", *arguments, "--strict")
    assert ran.code == 3
    assert "2 lignes inutilisables" in ran.err
    assert SECRET not in ran.err
    assert {f.name for f in tmp_path.iterdir()} == {REJECTS}
    assert (tmp_path / REJECTS).stat().st_mode & 0o077 == 0


def test_a_sound_file_leaves_no_list_not_even_an_old_one(chain: Chain, tmp_path: Path) -> None:
    lines = chain.files.bulletins.read_bytes().splitlines(keepends=True)
    (tmp_path / "sound.csv").write_bytes(b"".join(lines[:8]))
    out = tmp_path / "out"
    out.mkdir()
    (out / REJECTS).write_bytes(b"of before")
    summary = run(tmp_path / "sound.csv", chain.store, out, chain.config, RunOptions(strict=True))
    assert not (out / REJECTS).exists()
    assert summary["rows"] == {"read": 7, "sound": 7, "rejected": 0, "reasons": {}}


def test_lists_of_parts_are_put_together(chain: Chain, bulletins: Path, tmp_path: Path) -> None:
    run(bulletins, chain.store, tmp_path / "whole", chain.config)
    parts = [*Store.open(chain.store).departements, UNKNOWN]
    for code in parts:
        options = RunOptions(departements=(code,))
        run(bulletins, chain.store, tmp_path / code, chain.config, options)
    merge_runs([tmp_path / code for code in parts], tmp_path / "merged")
    whole, merged = (pq.read_table(tmp_path / n / REJECTS) for n in ("whole", "merged"))
    assert merged.equals(whole)
