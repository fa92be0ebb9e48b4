from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from chromium import Browser

from geomatch.core.schema import BULLETINS, CANDIDATES, DECISIONS, STORE_ESTABLISHMENTS
from geomatch.review import Atlas, Stories, tell_stories
from geomatch.store.reader import Store

#: What a hostile bulletin may hold; none of it may reach a page as markup.
HOSTILE = '<script>alert("x")</script><img src="https://example.org/a.png" onerror=alert(1)>'


@pytest.fixture(scope="session")
def store(demo_store: Store) -> Store:
    return demo_store


@pytest.fixture(scope="session")
def establishments(store: Store) -> pd.DataFrame:
    return store.departement(STORE_ESTABLISHMENTS, "96")


@pytest.fixture
def run_dir(chain: Chain, tmp_path: Path) -> Path:
    """A copy of a finished run, whose journal a test may write."""
    return Path(shutil.copytree(chain.out, tmp_path / "run"))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Chromium with a profile of its own."""
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


@pytest.fixture
def around(establishments: pd.DataFrame) -> pd.DataFrame:
    """Twelve establishments of the largest town, as candidates with positions."""
    town = establishments["code_commune"].value_counts().index[0]
    here = establishments[establishments["code_commune"] == town]
    centre = here.iloc[10]
    distance = np.hypot(here["x"] - centre["x"], here["y"] - centre["y"])
    near = here.assign(distance_m=distance).sort_values("distance_m").head(12)
    return near.assign(rank=range(1, 13)).reset_index(drop=True)


@pytest.fixture
def place(around: pd.DataFrame) -> dict[str, object]:
    first = around.iloc[0]
    return {
        "x": first["x"] + 20.0,
        "y": first["y"] - 10.0,
        "uncertainty_m": 40.0,
        "geocode_level": "housenumber",
        "code_commune": first["code_commune"],
    }


@pytest.fixture
def frames(
    around: pd.DataFrame, place: dict[str, object]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Bulletins, decisions and candidates: coded, to review with hostile text, none."""
    ids = ["B1", "B2", "B3"]
    bulletins = BULLETINS.conform(
        pd.DataFrame(
            {
                "id": ids,
                "raison_sociale": ["BOULANGERIE GENET", HOSTILE, "PARTICULIER"],
                "numero": ["0012", "", ""],
                "type_voie": ["R", "", ""],
                "nom_voie": ["DU PUITS", HOSTILE, ""],
                "activite": ["BOULANGERIE", HOSTILE, "MENAGE"],
                "code_commune_residence": [place["code_commune"]] * 3,
                "lieu_travail": ["1", "2", ""],
                "lieu_variable": ["", "", "3"],
            }
        )
    )
    best = str(around["siret"].iloc[0])
    decisions = DECISIONS.conform(
        pd.DataFrame(
            {
                "id": ids,
                "decision": ["auto", "review", "none"],
                "siret": [best, best, None],
                "probability": [0.987, 0.42, 0.02],
                "type": [None, "tie", "private_employer"],
                "naf": [around["naf"].iloc[0], None, None],
                "naf_probability": [0.93, np.nan, np.nan],
                "geocode_level": ["housenumber", "commune", "none"],
                "code_commune": [place["code_commune"], place["code_commune"], None],
                "x": [place["x"], place["x"], np.nan],
                "y": [place["y"], place["y"], np.nan],
                "uncertainty_m": [40.0, 900.0, np.nan],
                "reason": ["Nom et adresse concordent.", HOSTILE, "Chez un particulier."],
            }
        )
    )
    candidates = CANDIDATES.conform(
        pd.concat(
            [
                around[["siret", "rank", "distance_m"]].assign(
                    id=i, probability=np.linspace(0.9, 0.01, 12), name_compared=HOSTILE
                )
                for i in ("B1", "B2")
            ],
            ignore_index=True,
        )
    )
    return bulletins, decisions, candidates


@pytest.fixture
def stories(frames: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], store: Store) -> Stories:
    return tell_stories(*frames, Atlas(store), ids=["B1", "B2", "B3"])
