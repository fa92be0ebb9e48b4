"""The README's library example is run, not only read."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from geomatch.demo import generate

README = Path(__file__).parent.parent / "README.md"


def example() -> str:
    found = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    return found[0]


def test_the_example_is_five_lines_long() -> None:
    lines = [line for line in example().splitlines() if line.strip()]
    assert len([line for line in lines if not line.startswith(("import", "from"))]) <= 5


def test_the_library_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gazetteer.build import BuildOptions, build

    files = generate(tmp_path / "files", size=200, seed=3)
    build(
        BuildOptions(
            ban=(files.ban_dir,), sirene=files.sirene_dir, cog=files.cog_dir, out=tmp_path / "store"
        )
    )
    shutil.copy(files.bulletins, tmp_path / "bulletins.csv")
    monkeypatch.chdir(tmp_path)
    exec(compile(example(), "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "decision" in shown
    assert len(shown.splitlines()) == 6  # header and five bulletins


def test_every_command_named_is_a_command() -> None:
    from geomatch.cli import app

    known = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    named = set(re.findall(r"geomatch ([a-z]+)\b", " ".join(code_lines())))
    assert named <= known
    assert {"build", "match", "evaluate", "explain", "geocode", "parse", "train"} <= named


def code_lines() -> list[str]:
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```\n(.*?)```", text, re.DOTALL)
    return [*re.findall(r"`(geomatch [^`]*)`", text), *"\n".join(blocks).splitlines()]
