from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetteer.places import NEIGHBOUR_M, WGS84, located_communes, neighbours, project


def _nowhere(*columns: str) -> pd.DataFrame:
    return pd.DataFrame({"code_commune": [], **{c: pd.Series(dtype=float) for c in columns}})


NO_EXTENT = _nowhere("x", "y", "radius_m", "n_addresses")
NO_GPS = _nowhere("lon", "lat")
NO_CELL = _nowhere("x", "y")


def _communes(*codes: str, parent: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code_commune": codes,
            "libelle": codes,
            "departement": [c[:3] if c.startswith("97") else c[:2] for c in codes],
            "code_parent": parent,
        }
    )


def _gps(**places: tuple[float, float]) -> pd.DataFrame:
    rows = [(code[1:], lon, lat) for code, (lon, lat) in places.items()]
    return pd.DataFrame(rows, columns=["code_commune", "lon", "lat"])


def _extent(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(NO_EXTENT.columns))


@pytest.mark.parametrize("crs", [2154, 5490, 2972, 2975, 4471])
def test_projection_and_back(crs: int):
    lon, lat = {2154: (2.0, 47.0), 5490: (-61.5, 16.2), 2972: (-52.3, 4.9)}.get(
        crs, (55.5, -21.1) if crs == 2975 else (45.2, -12.8)
    )
    x, y = project([lon], [lat], crs)
    back = project(x, y, WGS84, source=crs)
    assert (back[0][0], back[1][0]) == pytest.approx((lon, lat), abs=1e-6)


def test_centre_from_addresses_wins_over_gps():
    table = located_communes(
        _communes("35901"), _extent(("35901", 351_000.0, 6_789_000.0, 800.0, 40)),
        _gps(c35901=(2.0, 47.0)),
    )  # fmt: skip
    row = table.iloc[0]
    assert (row["x"], row["y"], row["radius_m"], row["n_addresses"]) == (
        351_000,
        6_789_000,
        800,
        40,
    )
    assert row["lon"] == pytest.approx(-1.68, abs=0.05)


def test_without_addresses_the_radius_comes_from_the_nearest_centres():
    places = {f"c3590{i}": (-1.7 + 0.1 * i, 48.0) for i in range(5)}
    table = located_communes(_communes(*(c[1:] for c in places)), NO_EXTENT, _gps(**places))
    assert table["radius_m"].between(5_000, 14_000).all()
    assert (table["crs"] == 2154).all()


def test_a_commune_nobody_knows_the_place_of_has_no_crs():
    table = located_communes(_communes("35901"), NO_EXTENT, NO_GPS)
    assert table["crs"].iloc[0] == 0
    assert np.isnan(table["x"].iloc[0])


def test_a_commune_alone_in_its_territory_has_a_radius():
    table = located_communes(_communes("97690"), NO_EXTENT, _gps(c97690=(45.23, -12.78)))
    assert table["crs"].iloc[0] == 4471
    assert table["radius_m"].iloc[0] > 0


def test_a_city_holds_its_arrondissements():
    communes = pd.concat([_communes("75056"), _communes("75101", "75102", parent="75056")])
    table = located_communes(
        communes.reset_index(drop=True),
        _extent(("75101", 651_000.0, 6_862_000.0, 500.0, 300),
                ("75102", 653_000.0, 6_862_000.0, 700.0, 300)),
        NO_GPS,
    ).set_index("code_commune")  # fmt: skip
    city = table.loc["75056"]
    assert city["x"] == pytest.approx(652_000, abs=5)
    assert city["n_addresses"] == 600
    for part in ("75101", "75102"):
        row = table.loc[part]
        assert abs(row["x"] - city["x"]) + row["radius_m"] <= city["radius_m"] + 1


def _placed(**xs: float) -> pd.DataFrame:
    table = _communes(*(c[1:] for c in xs))
    return table.assign(x=list(xs.values()), y=6_789_000.0, crs=2154)


def test_neighbours_are_by_nearest_addresses():
    communes = _placed(c35901=350_000.0, c35902=358_000.0, c35905=380_000.0)
    cells = pd.DataFrame(
        {
            "code_commune": ["35901", "35901", "35902", "35905"],
            "x": [350_000.0, 355_000.0, 356_000.0, 380_000.0],
            "y": 6_789_000.0,
        }
    )
    near = neighbours(communes, cells)
    assert set(zip(near["code_commune"], near["voisine"], strict=True)) == {
        ("35901", "35902"),
        ("35902", "35901"),
    }
    assert set(near["distance_m"]) == {1_000.0}
    assert (near["distance_m"] <= NEIGHBOUR_M).all()


def test_without_addresses_neighbours_are_the_nearest_centres():
    communes = _placed(c35901=350_000.0, c35902=358_000.0)
    near = neighbours(communes, NO_CELL)
    assert list(near["distance_m"]) == [8_000.0, 8_000.0]


def test_the_nearest_neighbour_of_a_commune_comes_first():
    communes = _placed(c35901=350_000.0, c35902=358_000.0, c35903=345_000.0, c35904=362_000.0)
    near = neighbours(communes, NO_CELL)
    for _, rows in near.groupby("code_commune"):
        assert rows["distance_m"].is_monotonic_increasing
    mine = near[near["code_commune"] == "35901"]
    assert list(mine["voisine"]) == ["35903", "35902", "35904"]
    assert near["code_commune"].is_monotonic_increasing


def test_a_city_is_no_neighbour_of_its_arrondissements():
    communes = _placed(c75056=652_000.0, c75101=651_000.0, c75102=653_000.0)
    communes.loc[communes["code_commune"] != "75056", "code_parent"] = "75056"
    near = neighbours(communes, NO_CELL)
    pairs = set(zip(near["code_commune"], near["voisine"], strict=True))
    assert pairs == {("75101", "75102"), ("75102", "75101")}


def test_a_city_has_the_neighbours_of_its_arrondissements():
    communes = _placed(c75056=652_000.0, c75101=651_000.0, c75102=653_000.0, c92901=654_000.0)
    communes.loc[communes["code_commune"].str.startswith("751"), "code_parent"] = "75056"
    cells = communes[communes["code_commune"] != "75056"][["code_commune", "x", "y"]]
    near = neighbours(communes, cells).set_index(["code_commune", "voisine"])["distance_m"]
    assert near["75056", "92901"] == near["92901", "75056"] == near["75102", "92901"] == 1_000.0


def test_a_handful_of_addresses_does_not_make_a_commune_small():
    places = {f"c3590{i}": (-1.7 + 0.1 * i, 48.0) for i in range(5)}
    communes = _communes(*(c[1:] for c in places))
    x, y = project([-1.7], [48.0], 2154)
    for n, small in ((3, False), (300, True)):
        extent = _extent(("35900", x[0], y[0], 120.0, n))
        table = located_communes(communes, extent, _gps(**places)).set_index("code_commune")
        assert bool(table.loc["35900", "radius_m"] < 1_000) is small


def test_territories_do_not_mix():
    communes = pd.concat([_placed(c35901=350_000.0), _placed(c97490=350_100.0).assign(crs=2975)])
    assert len(neighbours(communes, NO_CELL)) == 0
