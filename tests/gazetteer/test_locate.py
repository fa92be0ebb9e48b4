from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetteer.locate import POSITION, QUALITIES, at_commune, better, from_geoloc, in_commune
from gazetteer.places import project
from geomatch.core.schema import STORE_COMMUNES

COMMUNES = STORE_COMMUNES.conform(
    pd.DataFrame(
        {
            "code_commune": ["35901", "97490", "35905"],
            "x": [351_000.0, 340_000.0, np.nan],
            "y": [6_789_000.0, 7_690_000.0, np.nan],
            "crs": [2154, 2975, 0],
            "radius_m": [900.0, 4_000.0, np.nan],
        }
    )
)


def _rows(*given: tuple) -> pd.DataFrame:
    """(code_commune, gx, gy, quality, epsg)."""
    frame = pd.DataFrame(given, columns=["code_commune", "gx", "gy", "gqualite", "gepsg"])
    return frame.astype({"gx": float, "gy": float, "gepsg": "float64"})


NOWHERE = (np.nan, np.nan, None, np.nan)


def test_a_commune_is_a_place_with_its_radius():
    places = at_commune(_rows(("35901", *NOWHERE), ("97490", *NOWHERE)), COMMUNES)
    assert list(places["geocode_level"]) == ["commune", "commune"]
    assert list(places["crs"]) == [2154, 2975]
    assert list(places["uncertainty_m"]) == [900.0, 4_000.0]


def test_a_commune_of_unknown_place_gives_none():
    places = at_commune(_rows(("35905", *NOWHERE)), COMMUNES)
    assert list(places["geocode_level"]) == ["none"]
    assert list(places["crs"]) == [0]
    assert places["x"].isna().all()


@pytest.mark.parametrize("quality", sorted(QUALITIES))
def test_levels_of_the_geolocated_file(quality: str):
    places = from_geoloc(_rows(("35901", 351_040.0, 6_789_003.0, quality, 2154)))
    row = places.iloc[0]
    assert row["geocode_level"] == QUALITIES[quality].level
    assert (row["x"], row["crs"]) == (351_040.0, 2154)
    if quality in ("12", "22", "33"):
        assert row["geocode_level"] != "housenumber"
        assert row["uncertainty_m"] >= 500


def test_unknown_qualities_and_absent_positions_say_nothing():
    rows = _rows(("35901", 1.0, 2.0, "99", 2154), ("35901", *NOWHERE))
    assert len(from_geoloc(rows)) == 0


def test_positions_in_another_projection_are_brought_into_the_legal_one():
    x, y = project([55.45], [-20.88], 2975)
    web = project([55.45], [-20.88], 32740)
    places = from_geoloc(_rows(("97490", web[0][0], web[1][0], "11", 32740)))
    assert (places["x"].iloc[0], places["y"].iloc[0]) == pytest.approx((x[0], y[0]), abs=1.0)
    assert places["crs"].iloc[0] == 2975


def test_the_surer_position_wins():
    rows = _rows(
        ("35901", 351_040.0, 6_789_003.0, "11", 2154), ("35901", 351_040.0, 6_789_003.0, "33", 2154)
    )
    places = better(at_commune(rows, COMMUNES), from_geoloc(rows))
    assert list(places["geocode_level"]) == ["housenumber", "commune"]
    assert list(places["x"]) == [351_040.0, 351_000.0]
    assert set(POSITION) <= set(places.columns)


def test_any_position_is_better_than_none():
    rows = _rows(("35905", 351_040.0, 6_789_003.0, "33", 2154))
    places = better(at_commune(rows, COMMUNES), from_geoloc(rows))
    assert list(places["geocode_level"]) == ["commune"]
    assert list(places["x"]) == [351_040.0]


def test_points_far_from_their_commune_are_errors_of_the_file():
    rows = _rows(
        ("35901", 355_000.0, 6_789_003.0, "11", 2154),
        ("35901", 351_040.0, 6_889_003.0, "11", 2154),
        ("35905", 151_040.0, 6_889_003.0, "11", 2154),
    )
    kept = in_commune(from_geoloc(rows), at_commune(rows, COMMUNES))
    assert list(kept.index) == [0, 2]
