from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer

from gazetteer.build import BuildOptions, build
from geomatch.addresses import Geocoder, complete_parts, get_parser
from geomatch.core.config import AddressOptions
from geomatch.core.street_keys import street_key

SHARED = Path(__file__).parents[3] / "shared"
DEPARTEMENTS = ("35", "75", "93")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside the checkout"),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every noisy address of the shared set with its answer and its truth."""
    data = SHARED / "data"
    options = BuildOptions(
        ban=(data / "ban",),
        sirene=data / "sirene",
        cog=data / "reference",
        out=tmp_path_factory.mktemp("shared") / "store",
        departements=DEPARTEMENTS,
    )
    geocoder = Geocoder.open(build(options))
    asked = pd.read_csv(
        SHARED / "bench" / "geocode_dev.csv", sep=";", dtype=str, keep_default_na=False
    )
    parts = get_parser(AddressOptions(parser="rules")).parse(asked["q"].tolist())
    parts = complete_parts(parts, geocoder.communes)
    found = geocoder.geocode(parts, geocoder.communes.resolve(parts)).frame()
    return pd.concat([asked, found.add_prefix("found_")], axis=1)


def off_m(answers: pd.DataFrame) -> np.ndarray:
    to_legal = Transformer.from_crs(4326, 2154, always_xy=True)
    x, y = to_legal.transform(answers["true_lon"].astype(float), answers["true_lat"].astype(float))
    return np.hypot(answers["found_x"] - x, answers["found_y"] - y).to_numpy()


def right_streets(answers: pd.DataFrame) -> np.ndarray:
    pairs = zip(answers["found_libelle_voie"], answers["true_voie"], strict=True)
    named = np.array([bool(a) and street_key(a) == street_key(b) for a, b in pairs])
    return named & (answers["found_code_commune"] == answers["true_citycode"]).to_numpy()


def test_quality(answers: pd.DataFrame) -> None:
    house = (answers["level"] == "house").to_numpy()
    assert (off_m(answers)[house] <= 50).mean() >= 0.98
    assert right_streets(answers).mean() >= 0.985
    assert (answers["found_code_commune"] == answers["true_citycode"]).mean() >= 0.99


def test_scores_are_probabilities(answers: pd.DataFrame) -> None:
    score, right = answers["found_geocode_score"].to_numpy(), right_streets(answers)
    answered = answers["found_libelle_voie"].to_numpy() != ""
    assert right[answered & (score >= 0.9)].mean() >= 0.99
    doubtful = answered & (score < 0.9)
    assert abs(right[doubtful].mean() - score[doubtful].mean()) < 0.12


def test_uncertainty_holds_the_true_place(answers: pd.DataFrame) -> None:
    held = off_m(answers) <= answers["found_uncertainty_m"].to_numpy()
    assert held.mean() >= 0.95
    street = (answers["found_geocode_level"] == "street").to_numpy()
    assert 0.93 <= held[street].mean() <= 0.97
