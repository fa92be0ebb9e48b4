"""The package as another project gets it: the wheel's files, and its types."""

from __future__ import annotations

import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow

#: A project that uses the public surface with every type said.
_PROJECT = """
import geopandas as gpd
import pandas as pd

from geomatch import ConfigError, Explanation, Geocoder, MapPage, Matcher, Result, Run, Store
from geomatch import evaluate, explore, open_run, read_truth, to_geodataframe


def siretise(frame: pd.DataFrame) -> Result:
    result: Result = Matcher.open("base").match(frame, columns={"adresse": "ou"}, precision=0.9)
    why: Explanation = result.explain("1")
    page: MapPage = result.explore(ids=["1"], background="communes.gpkg")
    page.save("carte.html")
    points: gpd.GeoDataFrame = result.to_geodataframe()
    print(why, len(points))
    return result


def around(store: Store) -> MapPage:
    found: pd.DataFrame = store.nearby(lon=2.3, lat=48.9, radius_m=300, naf=["56"])
    return explore(found, background=store)


def finished(folder: str) -> float:
    run: Run = open_run(folder)
    measured = evaluate(run.decisions, run.candidates, read_truth("truth.csv"))
    to_geodataframe(run.decisions)
    return measured.overall.n


try:
    Geocoder.open("base")
except ConfigError as error:
    print(error)
"""


def said(python: Path, script: str) -> str:
    """What a script prints, run away from the checkout."""
    ran = subprocess.run([python, "-I", "-c", script], capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, not the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder,
        ROOT,
    ]
    subprocess.run([str(part) for part in pip], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env")
    python = folder / "env" / "bin" / "python"
    asked = [str(python), "-c", "import site; print(site.getsitepackages()[0])"]
    packages = Path(
        subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    )
    with zipfile.ZipFile(wheel) as content:
        content.extractall(packages)
    # what it depends on is that of this environment
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()))
    return python


def test_the_wheel_holds_what_the_package_reads(installed: Path) -> None:
    ours = {
        p.relative_to(ROOT)
        for package in ("geomatch", "gazetteer")
        for p in (ROOT / package).rglob("*")
        if p.is_file() and "__pycache__" not in p.parts and not p.name.endswith((".nbi", ".nbc"))
    }
    root = Path(said(installed, "import geomatch; print(geomatch.__file__)")).parents[1]
    assert "site-packages" in root.parts
    assert [str(p) for p in sorted(ours) if not (root / p).is_file()] == []
    assert (root / "geomatch" / "py.typed").is_file()


def test_types_of_the_public_surface_hold_in_another_project(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "project.py").write_text(_PROJECT)
    ran = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--python-executable", installed, "--no-incremental",
            "--disallow-untyped-calls", "--warn-return-any", "--ignore-missing-imports",
            "--no-error-summary", "project.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    # geopandas and pandas bring no types of their own
    told = [line for line in ran.stdout.splitlines() if "import-untyped" not in line]
    assert [line for line in told if "error:" in line] == []
    assert ran.stderr == ""


def test_a_wrong_type_is_seen(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "project.py").write_text(
        "from geomatch import Store\nStore.open('base').nearby(radius_m='300', lon=2.0, lat=48.0)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--python-executable", installed, "project.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'has incompatible type "str"' in ran.stdout
