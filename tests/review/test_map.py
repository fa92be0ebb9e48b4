"""The offline map: what is on it, what may not be in it."""

from __future__ import annotations

import json
import math
import re
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gazetteer.store import write_departement
from geomatch.core.schema import STORE_ADDRESSES, STORE_STREETS
from geomatch.core.wording import metres
from geomatch.review import Atlas, neighbourhood_svg
from geomatch.review.map.atlas import DrawnStreet, Window
from geomatch.review.map.labels import Room, place_labels
from geomatch.review.map.landmarks import Landmarks
from geomatch.review.map.lines import pieces, street_axis
from geomatch.store.integrity import sealed
from geomatch.store.reader import MANIFEST, Store

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str, within: str = "") -> list[str]:
    """Texts of a drawing, or of its groups of one class."""
    root = ElementTree.fromstring(svg)
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == within] if within else [root]
    return [e.text or "" for g in groups for e in g.iter(f"{SVG}text")]


def test_it_shows_streets_place_candidates_scale_and_north(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    shown = texts(neighbourhood_svg(store, place, around))
    assert "N" in shown
    assert any(re.fullmatch(r"\d+ m", t) for t in shown)
    assert any(t.startswith("Lieu déclaré : numéro trouvé (± 40\u00a0m)") for t in shown)
    assert sum(t.startswith(("Rue", "Avenue", "Bd", "Place", "Impasse")) for t in shown) >= 2
    ranks = {int(t) for t in texts(neighbourhood_svg(store, place, around), "mark")}
    assert {1, 2, 3} <= ranks <= set(range(1, 9))


def test_candidates_off_the_map_are_named(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    far = around.assign(x=around["x"].where(around["rank"] != 5, around["x"] + 40_000))
    svg = neighbourhood_svg(store, place, far)
    (off,) = [
        g for g in ElementTree.fromstring(svg).iter(f"{SVG}g") if g.get("class") == "mark off"
    ]
    told = [e.text for e in off.iter(f"{SVG}text")]
    assert told[0] == "5"
    assert re.fullmatch(r"(39|40),\d\u00a0km", told[1] or "")
    x = float(next(off.iter(f"{SVG}circle")).get("cx", "0"))
    assert x > 0.9 * 640
    lost = far.assign(x=far["x"].where(far["rank"] != 5))
    assert any("sans position : 5" in t for t in texts(neighbourhood_svg(store, place, lost)))


def test_no_distance_is_told_from_the_middle_of_a_commune(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    far = around.assign(x=around["x"].where(around["rank"] != 5, around["x"] + 40_000))
    vague = {**place, "geocode_level": "commune", "uncertainty_m": 900.0}
    assert texts(neighbourhood_svg(store, vague, far), "mark off") == ["5"]
    assert texts(neighbourhood_svg(store, vague, far), "rings") == []
    assert texts(neighbourhood_svg(store, place, far), "rings") != []


def test_a_large_circle_is_an_outline(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    for uncertainty, fill in ((20.0, "#c2410c"), (900.0, "none")):
        svg = neighbourhood_svg(store, {**place, "uncertainty_m": uncertainty}, around)
        (circle,) = [
            e
            for e in ElementTree.fromstring(svg).iter(f"{SVG}circle")
            if e.get("class") == "circle"
        ]
        assert circle.get("fill") == fill


def test_the_declared_street_is_lit(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    addresses = store.departement(STORE_ADDRESSES, "96")
    near = np.hypot(
        addresses["x"] - float(str(place["x"])), addresses["y"] - float(str(place["y"]))
    )
    house = addresses.loc[near.idxmin()]
    lit = neighbourhood_svg(store, {**place, "ban_id": house["ban_id"]}, around)
    assert "lit-street" in lit
    assert "lit-street" not in neighbourhood_svg(store, place, around)
    vague = {**place, "ban_id": house["ban_id"], "geocode_level": "commune"}
    assert "lit-street" not in neighbourhood_svg(store, vague, around)


def test_schools_and_mairies_are_landmarks(store: Store) -> None:
    found = Landmarks.read(store, "96").rows
    assert {"Mairie", "École"} & set(found["label"])
    assert found[["x", "y"]].notna().all().all()
    assert Landmarks.read(store, "01").rows.empty


def test_the_circle_is_as_large_as_the_uncertainty(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    svg = neighbourhood_svg(store, place, around.head(0), width=600, height=400)
    circle = next(
        e for e in ElementTree.fromstring(svg).iter(f"{SVG}circle") if e.get("fill-opacity")
    )
    bar = next(t for t in texts(svg) if re.fullmatch(r"\d+ m", t))
    path = next(
        e.get("d", "")
        for e in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if re.fullmatch(r"M14 [\d.]+v5h[\d.]+v-5", e.get("d", ""))
    )
    pixels_per_m = float(re.findall(r"h([\d.]+)", path)[0]) / float(bar.removesuffix(" m"))
    assert float(circle.get("r", "0")) == pytest.approx(40.0 * pixels_per_m, rel=0.05)


def test_without_a_place_the_candidates_are_shown(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    lost = {
        **place,
        "x": math.nan,
        "y": math.nan,
        "uncertainty_m": math.nan,
        "geocode_level": "none",
    }
    shown = texts(neighbourhood_svg(store, lost, around))
    assert "1" in shown
    spread = around.assign(x=around["x"] + 1_500.0 * around["rank"])
    off = texts(neighbourhood_svg(store, lost, spread), "mark off")
    assert not {"1", "2", "3", "4"} & set(off)
    assert any("lieu inconnu" in t for t in shown)


def test_without_any_position_it_says_so(store: Store, around: pd.DataFrame) -> None:
    place = {"x": math.nan, "y": math.nan, "code_commune": "", "geocode_level": "none"}
    svg = neighbourhood_svg(store, place, around.head(0))
    assert any("position" in t for t in texts(svg))


def test_nothing_is_fetched_and_names_are_escaped(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    atlas = Atlas(store)
    houses = atlas._houses("96")
    names = pa.chunked_array([['Rue "<b>&'] * len(houses.names)])
    atlas._drawn["96"] = replace(houses, names=names)
    svg = neighbourhood_svg(atlas, place, around)
    assert "<b>" not in svg
    assert 'Rue "<b>&' in texts(svg)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "href" not in svg


def test_an_atlas_reads_a_departement_once(
    store: Store, place: dict[str, object], around: pd.DataFrame
) -> None:
    atlas = Atlas(store)
    first = neighbourhood_svg(atlas, place, around)
    houses = atlas._houses("96")
    assert neighbourhood_svg(atlas, place, around) == first
    assert atlas._houses("96") is houses


def test_streets_go_by_their_number_whatever_their_order_in_the_store(
    store: Store, place: dict[str, object], around: pd.DataFrame, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(store.path, tmp_path / "store"))
    streets = store.departement(STORE_STREETS, "96").iloc[::-1]
    write_departement(copy, STORE_STREETS, "96", streets, crs=2154)
    manifest = sealed(copy, json.loads((copy / MANIFEST).read_bytes()))
    (copy / MANIFEST).write_text(json.dumps(manifest))
    expected = neighbourhood_svg(Atlas(store), place, around)
    assert neighbourhood_svg(Atlas(Store.open(copy)), place, around) == expected


def test_address_text_of_numbers_and_streets(store: Store) -> None:
    atlas = Atlas(store)
    streets, addresses = (store.departement(t, "96") for t in (STORE_STREETS, STORE_ADDRESSES))
    house = addresses.iloc[100]
    street = streets[streets["voie_id"] == house["voie_id"]].iloc[0]
    code = street["code_commune"]
    expected = f"{house['numero']} {house['rep']}".strip() + f" {street['nom_voie']}"
    assert atlas.address_text(house["ban_id"], code) == expected
    assert atlas.address_text(street["ban_id"], code) == street["nom_voie"]
    assert atlas.address_text("nowhere", code) == ""
    assert atlas.address_text("", code) == ""


# ------------------------------------------------------------------ lines and labels


def test_axis_runs_between_the_two_sides() -> None:
    odd = np.array([[0.0, 0.0], [50.0, 0.0], [100.0, 0.0]])
    even = np.array([[5.0, 10.0], [95.0, 10.0]])
    axis = street_axis([odd, even], 60.0)
    assert axis[1] == pytest.approx([50.0, 5.0])
    assert np.all((axis[:, 1] > 4.9) & (axis[:, 1] < 5.1))


def test_sides_too_far_apart_are_no_road() -> None:
    odd = np.array([[0.0, 0.0], [50.0, 0.0], [100.0, 0.0]])
    even = np.array([[5.0, 500.0], [95.0, 500.0]])
    assert np.array_equal(street_axis([odd, even], 60.0), odd)


def test_a_line_is_cut_at_a_wide_gap() -> None:
    line = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [500.0, 0.0], [510.0, 0.0]])
    cut = pieces(line, 100.0)
    assert [len(p) for p in cut] == [3, 2]
    assert pieces(line[:1], 100.0) == []


def test_labels_never_touch() -> None:
    room = Room(600, 400)
    side = np.array([[float(x), 200.0] for x in range(50, 551, 10)])
    near = side + np.array([0.0, 4.0])
    streets = [
        (DrawnStreet("Rue Une", False, (side,), ()), (side,)),
        (DrawnStreet("Rue Deux", False, (near,), ()), (near,)),
    ]
    labels = place_labels(streets, room)
    assert [lab.text for lab in labels] == ["Rue Une", "Rue Deux"]
    assert abs(labels[0].x - labels[1].x) > 40


def test_a_name_longer_than_its_street_is_shortened_or_left_out() -> None:
    side = np.array([[50.0, 200.0], [175.0, 200.0]])
    streets = [(DrawnStreet("Boulevard des Grands Ormes", False, (side,), ()), (side,))]
    assert [lab.text for lab in place_labels(streets, Room(600, 400))] == ["Bd des Grands Ormes"]
    short = side * [0.4, 1.0]
    streets = [(DrawnStreet("Boulevard des Grands Ormes", False, (short,), ()), (short,))]
    assert place_labels(streets, Room(600, 400)) == []


def test_labels_are_never_upside_down() -> None:
    side = np.array([[550.0, 100.0], [50.0, 300.0]])
    (label,) = place_labels(
        [(DrawnStreet("Rue Haute", False, (side,), ()), (side,))], Room(600, 400)
    )
    assert -90 <= label.angle <= 90


def test_window_holds_no_nan() -> None:
    assert not Window(0, 0, 10, 10).holds(math.nan, 5.0)
    assert Window(0, 0, 10, 10).wider(0.5).holds(-4.0, 14.0)


@pytest.mark.parametrize(
    ("distance_m", "expected"),
    [(35.2, "35\u00a0m"), (1_240.0, "1,2\u00a0km"), (996.0, "1,0\u00a0km"), (math.nan, "–")],
)
def test_metres(distance_m: float, expected: str) -> None:
    assert metres(distance_m) == expected
