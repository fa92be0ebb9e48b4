"""The notebooks run from the first cell to the last, are short, and are kept without outputs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

#: Run by Python's kernel; that of R is run by R.
ALL = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
IN_R = "06_depuis_r"
NOTEBOOKS = [p for p in ALL if p.stem != IN_R]
MOST_LINES = 10
#: What each notebook has to show, and how often at least.
SHOWN = {
    "01_prise_en_main": {"Plan du voisinage": 2},
    "02_cas_ambigus": {"Plan du voisinage": 1, "Carte des bulletins": 1, "ReviewWidget": 1},
    "03_evaluation": {"Carte des bulletins": 1, "probabilité annoncée": 1, "Charge": 1},
    "04_autour_d_un_point": {"distance_m": 3, "POINT": 1, "srcdoc": 1},
    "05_mes_donnees": {"Plan du voisinage": 1, "Pour le premier candidat": 1, "srcdoc": 1},
}


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_notebooks_are_those_that_are_looked_at() -> None:
    assert [p.stem for p in ALL] == sorted([*SHOWN, IN_R])


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_kept_without_outputs_and_logic(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert len(cell.source.splitlines()) <= MOST_LINES
        assert not re.search(r"^\s*(def|class|for|while|if|try)\b", cell.source, re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=[] if i == 0 else pytest.mark.slow) for i, p in enumerate(NOTEBOOKS)],
    ids=lambda p: p.stem,
)
def test_runs_and_shows_what_it_promises(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = read(path)
    nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    shown = [str(data) for o in outputs for data in o.get("data", {}).values()]
    for words, least in SHOWN[path.stem].items():
        found = [text for text in shown if words in text]
        assert len(found) >= least, words
        for text in (t for t in found if t.startswith("<svg")):
            assert "<circle" in text
            links = set(re.findall(r"https?://[^\s\"<]+", text))
            assert links <= {"http://www.w3.org/2000/svg"}
    assert not [o for o in outputs if o.output_type == "stream" and o.name == "stderr"]


def _has_r() -> bool:
    asked = ["Rscript", "-e", "library(reticulate)"]
    return (
        bool(shutil.which(asked[0]))
        and not subprocess.run(asked, capture_output=True, check=False).returncode
    )


@pytest.mark.slow
def test_the_notebook_of_r_runs_in_r(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _has_r():
        pytest.skip("no R with reticulate (packages r-base-core, r-cran-reticulate)")
    (path,) = (p for p in ALL if p.stem == IN_R)
    script = tmp_path / "notebook.R"
    code = [*(cell.source for cell in code_cells(read(path))), "list.files(dossier)"]
    # R's kernel shows the last value of a cell, a script what it is told to print
    script.write_text("\n".join(f"print({{\n{cell}\n}})" for cell in code), encoding="utf-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("RETICULATE_PYTHON", sys.executable)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    ran = subprocess.run(
        ["Rscript", str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    for shown in ("resultats", "review", "siret", "distance_m", "certain", "voisins.html"):
        assert shown in ran.stdout
