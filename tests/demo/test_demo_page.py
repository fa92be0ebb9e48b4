"""The end page: which three bulletins, and that it needs nothing but itself."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from chains import build_demo

from geomatch.bulletins import read_bulletins
from geomatch.core.schema import CANDIDATES, DECISIONS, STORE_ESTABLISHMENTS
from geomatch.demo import DemoFiles, write_demo_page
from geomatch.demo.page import choose_three
from geomatch.store.reader import Store

LEVELS = ["commune", "housenumber", "street"]


@pytest.fixture(scope="module")
def store(files: DemoFiles, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return build_demo(files, tmp_path_factory.mktemp("base") / "base")


def a_run(files: DemoFiles, store: Store, kinds: list[str]) -> SimpleNamespace:
    """A run made up from the register: 30 bulletins, decisions in turn, five candidates each."""
    bulletins = read_bulletins(files.bulletins).head(30)
    ids = bulletins["id"].tolist()
    register = store.departement(STORE_ESTABLISHMENTS, "96").head(150).reset_index(drop=True)
    turn = np.arange(30)
    first = register.iloc[turn * 5].reset_index(drop=True)
    decisions = pd.DataFrame(
        {
            "id": ids,
            "decision": np.array(kinds)[turn % len(kinds)],
            "siret": first["siret"],
            "probability": 0.5,
            "geocode_level": np.array(LEVELS)[turn // len(kinds) % 3],
            "code_commune": first["code_commune"],
            "x": first["x"],
            "y": first["y"],
            "uncertainty_m": 120.0,
            "reason": "Essai.",
        }
    )
    candidates = pd.DataFrame(
        {
            "id": np.repeat(ids, 5),
            "rank": np.tile(np.arange(1, 6), 30),
            "siret": register["siret"],
            "probability": 0.2,
            "name_compared": register["denomination"],
        }
    )
    return SimpleNamespace(
        decisions=DECISIONS.conform(decisions),
        candidates=CANDIDATES.conform(candidates),
        prepared=SimpleNamespace(bulletins=bulletins),
    )


def test_one_of_each_decision_with_the_best_known_place(files: DemoFiles, store: Store) -> None:
    run = a_run(files, store, ["review", "none", "auto"])
    ids = choose_three(run.prepared.bulletins, run.decisions, run.candidates)
    chosen = run.decisions.set_index("id").loc[ids]
    assert chosen["decision"].tolist() == ["auto", "review", "none"]
    assert set(chosen["geocode_level"]) == {"housenumber"}


def test_decisions_that_did_not_happen_are_left_out(files: DemoFiles, store: Store) -> None:
    run = a_run(files, store, ["review"])
    assert len(choose_three(run.prepared.bulletins, run.decisions, run.candidates)) == 1


def test_the_page_stands_alone(files: DemoFiles, store: Store, tmp_path: Path) -> None:
    run = a_run(files, store, ["auto", "review", "none"])
    page = write_demo_page(run, store, tmp_path / "page.html", figures={"codés <b>": "61 %"})
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") == 3
    assert "codés &lt;b&gt;" in html
    assert set(re.findall(r"https?://[^\s\"<]+", html)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"<(script|link|img|iframe)|\s(href|src)=|url\(|@import", html)
    assert write_demo_page(run, store.path, tmp_path / "again.html").exists()
