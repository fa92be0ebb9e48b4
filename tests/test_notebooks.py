"""The notebooks run from the first cell to the last, are short, and are kept without outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
MOST_LINES = 10
#: What each notebook has to show, and how often at least.
SHOWN = {
    "01_prise_en_main": {"Plan du voisinage": 2},
    "02_cas_ambigus": {"Plan du voisinage": 1, "Carte des bulletins": 1, "ReviewWidget": 1},
    "03_evaluation": {"Carte des bulletins": 1, "probabilité annoncée": 1, "Charge": 1},
    "04_autour_d_un_point": {"distance_m": 3, "POINT": 1},
    "05_mes_donnees": {"Plan du voisinage": 1, "Pour le premier candidat": 1},
}


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_notebooks_are_those_that_are_looked_at() -> None:
    assert [p.stem for p in NOTEBOOKS] == sorted(SHOWN)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
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
