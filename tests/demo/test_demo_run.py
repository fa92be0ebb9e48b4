"""The whole chain on the fictional département."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from rich.table import Table

from geomatch.core.schema import CANDIDATES, DECISIONS
from geomatch.demo.run import run_demo


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object], list[float]]:
    root = tmp_path_factory.mktemp("chain") / "demo-out"
    shares: list[float] = []
    lines = run_demo(root, size=400, progress=lambda step, share: shares.append(share))
    return root, lines, shares


def test_it_ends_with_a_table_and_paths_that_exist(
    told: tuple[Path, list[object], list[float]],
) -> None:
    root, lines, _ = told
    assert isinstance(lines[0], Table)
    paths = [Path(str(line).split(" : ", 1)[1]) for line in lines[1:]]
    assert len(paths) >= 5
    assert all(path.exists() and root in path.parents for path in paths)


def test_progress_goes_from_nothing_to_all(told: tuple[Path, list[object], list[float]]) -> None:
    shares = told[2]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


def test_results_are_those_of_the_contract(told: tuple[Path, list[object], list[float]]) -> None:
    results = told[0] / "resultats"
    decisions = pd.read_parquet(results / "decisions.parquet")
    assert decisions.columns.tolist()[: len(DECISIONS.names)] == DECISIONS.names
    assert len(decisions) == 400
    candidates = pd.read_parquet(results / "candidates.parquet")
    assert set(CANDIDATES.names) <= set(candidates.columns)
    assert json.loads((results / "run.json").read_text())["input"]["bulletins"] == 400


def test_the_easy_half_is_found(told: tuple[Path, list[object], list[float]]) -> None:
    """Not a measure of quality: only that the chain is not broken somewhere on its way."""
    root, *_ = told
    decisions = pd.read_parquet(root / "resultats" / "decisions.parquet").set_index("id")
    truth = pd.read_csv(
        root / "fichiers" / "bulletins" / "rp_final_truth.csv", sep=";", dtype=str
    ).set_index("CABBI")
    found = truth["SIRET"].dropna()
    assert (decisions["siret"].reindex(found.index) == found).mean() > 0.5


def test_a_second_run_in_the_same_folder_works(
    told: tuple[Path, list[object], list[float]],
) -> None:
    root, *_ = told
    before = (root / "base" / "manifest.json").read_bytes()
    lines = run_demo(root, size=400)
    assert len(lines) == len(told[1])
    assert (root / "base" / "manifest.json").read_bytes() == before


def test_page_and_report_stand_alone(told: tuple[Path, list[object], list[float]]) -> None:
    html = (told[0] / "trois_bulletins.html").read_text(encoding="utf-8")
    assert "Codé automatiquement" in html
    assert "<script" not in html
    assert "https://" not in html
