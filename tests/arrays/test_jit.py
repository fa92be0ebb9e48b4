"""Compiled loops: kept on disk when they are called, and as good where nothing can be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from geomatch.arrays import jit
from geomatch.arrays.jit import compiled
from geomatch.core.errors import ConfigError

MODULE = """
from geomatch.arrays.jit import compiled, compiled_part

FACTOR = {factor}

@compiled_part
def part(value):
    return FACTOR * value

@compiled
def total(values):
    out = 0.0
    for value in values:
        out += part(value)
    return out
"""
CALL = """
import numpy as np, loops
print(loops.total(np.arange(5.0)))
"""


def call(folder: Path, kept: Path) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(kept), "PYTHONPATH": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", CALL],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout.strip()


def files(kept: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in kept.rglob("*.nb*")}


def test_what_is_compiled_is_kept_until_its_module_changes(tmp_path: Path) -> None:
    module, kept = tmp_path / "loops.py", tmp_path / "kept"
    module.write_text(MODULE.format(factor=2.0))
    assert call(tmp_path, kept) == "20.0"
    before = files(kept)
    assert len(before) == 2  # an index and the code of total; part is in it
    assert call(tmp_path, kept) == "20.0"
    assert files(kept) == before
    module.write_text(MODULE.format(factor=30.0))
    assert call(tmp_path, kept) == "300.0"
    assert files(kept) != before


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same() -> None:
    names: dict[str, object] = {}
    exec("def count(values):\n    n = 0\n    for v in values:\n        n += v\n    return n", names)
    count = compiled(names["count"])  # of no file, so that there is no place to keep it
    assert count(np.arange(4)) == 6
    assert count(np.arange(5)) == 10


def test_the_loops_are_plain_python_too() -> None:
    """Whoever looks for an error can step through them."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    modules = (
        "arrays/test_groups", "linkage/test_blocking", "names/test_coverage",
        "names/test_lexicon", "names/test_similar", "names/test_trigram_index",
    )  # fmt: skip
    tests = [f"tests/{module}.py" for module in modules]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", *tests],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2_000:]


def test_nothing_is_made_before_the_first_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, module = tmp_path / "kept", tmp_path / "loops_uncalled.py"
    module.write_text(MODULE.format(factor=1.0))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(kept))
    __import__("loops_uncalled")
    assert not kept.exists()


def test_compiled_code_is_not_taken_from_where_others_can_put_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o700)
    jit.refuse_others(str(mine))
    jit.refuse_others("")
    mine.chmod(0o777)
    with pytest.raises(ConfigError, match="NUMBA_CACHE_DIR"):
        jit.refuse_others(str(mine))
    mine.chmod(0o1777)  # as /tmp: what is made in it is this user's
    jit.refuse_others(str(mine / "own"))
    assert (mine / "own").stat().st_mode & 0o077 == 0
    if os.geteuid() == 0:
        os.chown(mine / "own", 1234, -1)
        with pytest.raises(ConfigError, match="yours alone"):
            jit.refuse_others(str(mine / "own"))


def _emptied(content: bytes) -> bytes:
    return b""


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flipped(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(changed) * 3 // 4] ^= 16
    return bytes(changed)


@pytest.mark.parametrize("damage", [_emptied, _cut, _flipped])
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_compiled_code_that_is_damaged_is_compiled_again(
    tmp_path: Path, ending: str, damage: Callable[[bytes], bytes]
) -> None:
    module, kept = tmp_path / "loops.py", tmp_path / "kept"
    module.write_text(MODULE.format(factor=2.0))
    assert call(tmp_path, kept) == "20.0"
    for file in kept.rglob(f"*.{ending}"):
        file.write_bytes(damage(file.read_bytes()))
    assert call(tmp_path, kept) == "20.0"
    before = files(kept)
    assert call(tmp_path, kept) == "20.0"  # what was compiled again is used
    assert files(kept) == before
