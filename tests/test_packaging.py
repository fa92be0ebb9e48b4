"""Files for other ways to install say the same as pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

import geomatch

ROOT = Path(__file__).parent.parent
#: Names that differ on conda-forge.
_CONDA = {"duckdb": "python-duckdb"}


def project() -> dict[str, object]:
    told: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return told


def test_the_conda_recipe_needs_what_the_project_needs() -> None:
    recipe = yaml.safe_load((ROOT / "docker/conda/recipe.yaml").read_text("utf-8"))
    needed = {re.sub(r"\s", "", r) for r in recipe["requirements"]["run"]}
    dependencies = project()["dependencies"]
    assert isinstance(dependencies, list)
    own = {re.match(r"[\w-]+", d)[0]: d for d in dependencies}  # type: ignore[index]
    named = {d.replace(n, _CONDA.get(n, n), 1) for n, d in own.items()}
    assert needed == named | {f"python{project()['requires-python']}"}
    assert recipe["context"]["version"] == geomatch.__version__
    assert recipe["about"]["summary"] == project()["description"]


def test_the_values_name_a_target_of_the_image_and_no_registry() -> None:
    values = yaml.safe_load((ROOT / "docker/onyxia/values.yaml").read_text("utf-8"))
    image = values["service"]["image"]["custom"]["version"]
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text("utf-8"))
    assert image == compose["services"]["notebooks"]["image"]
    assert values["persistence"]["enabled"]


def test_the_trial_of_the_image_is_a_script_that_a_shell_reads() -> None:
    script = ROOT / "docker/try.sh"
    assert script.stat().st_mode & 0o111
    ran = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_every_wheel_of_the_image_has_the_version_of_the_constraints() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M))
    pinned = {re.sub(r"[-_.]+", "-", n).lower(): v for n, v in pinned.items()}
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "docker/lock/batch.txt").read_text(), re.M)
    assert len(locked) > 40
    for name, version in locked:
        assert pinned[re.sub(r"[-_.]+", "-", name).lower()] == version, name
