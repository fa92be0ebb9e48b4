from __future__ import annotations

import multiprocessing
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest

from gazetteer import swap as swapping
from gazetteer.swap import locked, refuse_foreign, staging, swap
from geomatch.core.errors import ConfigError, DataError, LayoutError


def _folder(path: Path, content: str) -> Path:
    path.mkdir()
    (path / "f").write_text(content)
    return path


@pytest.fixture(params=["exchange", "two renames"])
def way(request, monkeypatch) -> str:
    if request.param == "two renames":
        monkeypatch.setattr(swapping, "_exchanged", lambda a, b: False)
    return request.param


def test_the_new_takes_the_place_of_the_old(tmp_path, way):
    out = _folder(tmp_path / "store", "old")
    swap(_folder(tmp_path / "new", "new"), out)
    assert (out / "f").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def test_the_first_store(tmp_path, way):
    swap(_folder(tmp_path / "new", "new"), tmp_path / "store")
    assert (tmp_path / "store" / "f").read_text() == "new"


def test_an_empty_folder_may_be_in_the_place(tmp_path, way):
    (tmp_path / "store").mkdir()
    swap(_folder(tmp_path / "new", "new"), tmp_path / "store")
    assert (tmp_path / "store" / "f").read_text() == "new"


def test_a_reader_always_finds_a_store(tmp_path):
    out = _folder(tmp_path / "store", "0")
    if not swapping._exchanged(_folder(tmp_path / "a", ""), _folder(tmp_path / "b", "")):
        pytest.skip("this disk cannot exchange two names in one step")
    missing = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            if not out.exists():
                missing.append(1)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(200):
        swap(_folder(tmp_path / f"new{i}", str(i)), out)
    stop.set()
    reader.join()
    assert not missing


def _half_built(out: Path, key: str, error: type[BaseException] | None = None) -> list[str]:
    """What stood in the staging folder; leaves a file there, and ends as it is told."""
    with staging(out, key) as folder:
        there = sorted(p.name for p in folder.iterdir())
        (folder / "half").write_text("")
        if error is not None:
            raise error
    return there


@pytest.mark.parametrize("error", [None, DataError, LayoutError])
def test_staging_is_gone_when_the_build_is_done_or_its_data_are_wrong(tmp_path, error):
    with nullcontext() if error is None else pytest.raises(error):
        _half_built(tmp_path / "store", "key", error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, OSError, ConfigError])
def test_an_interrupted_build_is_found_again_by_the_same_one_only(tmp_path, error):
    out = tmp_path / "store"
    with pytest.raises(error):
        _half_built(out, "key", error)
    with pytest.raises(error):
        assert _half_built(out, "key", error) == ["half", "key"]
    assert _half_built(out, "other") == ["key"]


def test_a_staging_folder_without_a_key_is_not_gone_on_with(tmp_path):
    _folder(tmp_path / ".store.building", "half")
    assert _half_built(tmp_path / "store", "key") == ["key"]


def test_a_store_left_aside_is_tidied(tmp_path):
    _folder(tmp_path / ".store.old", "old")
    _folder(tmp_path / "store", "new")
    with locked(tmp_path / "store"):
        assert sorted(p.name for p in tmp_path.iterdir()) == [".store.lock", "store"]


def test_a_build_killed_between_two_renames_is_mended(tmp_path):
    _folder(tmp_path / ".store.old", "old")
    with locked(tmp_path / "store"):
        assert (tmp_path / "store" / "f").read_text() == "old"


def _hold(out: Path, held: object, done: object) -> None:
    with locked(out):
        held.set()  # type: ignore[attr-defined]
        done.wait(20)  # type: ignore[attr-defined]


def test_only_one_build_at_a_time(tmp_path):
    out = tmp_path / "store"
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(out, held, done))
    other.start()
    assert held.wait(20)
    with pytest.raises(ConfigError, match="another build"), locked(out):
        pass
    done.set()
    other.join()
    with locked(out):
        pass


def test_a_mount_is_refused_before_anything_is_built() -> None:
    with pytest.raises(ConfigError, match="mounted"), locked(Path("/proc")):
        pass


@pytest.mark.parametrize(
    ("files", "is_refused"),
    [
        ({}, False),
        ({"manifest.json": '{"format": "geomatch-store", "format_version": 1}'}, False),
        ({"manifest.json": '{"name": "web application"}', "index.html": ""}, True),
        ({"manifest.json": "[]"}, True),
        ({"manifest.json": "not JSON"}, True),
        ({"notes.txt": "mine"}, True),
    ],
)
def test_only_a_store_or_an_empty_folder_is_replaced(
    tmp_path: Path, files: dict[str, str], is_refused: bool
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, content in files.items():
        (out / name).write_text(content)
    if is_refused:
        with pytest.raises(ConfigError, match="nothing was changed"):
            refuse_foreign(out)
    else:
        refuse_foreign(out)
    assert {p.name: p.read_text() for p in out.iterdir()} == files
