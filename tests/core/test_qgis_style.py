"""Styles that QGIS draws the result tables with."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest

from geomatch.core.geoframes import write_geo, write_table
from geomatch.core.qgis import STYLES, style_text, write_style
from geomatch.core.wording import DECISION_COLOURS, DECISIONS

PLACES = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "decision": ["auto", "review", "none"],
        "rank": [1, 2, 3],
        "x": [351_000.0, 351_200.0, float("nan")],
        "y": [6_789_000.0] * 3,
        "crs": [2154] * 3,
        "uncertainty_m": [10.0, 500.0, 20.0],
    }
)


@pytest.mark.parametrize("table", STYLES)
def test_each_class_has_its_symbol_and_colour(table: str) -> None:
    root = ET.fromstring(style_text(table).removeprefix("<!DOCTYPE qgis>"))
    categories = root.findall("renderer-v2/categories/category")
    symbols = {s.get("name"): s for s in root.findall("renderer-v2/symbols/symbol")}
    assert [c.get("symbol") for c in categories] == list(symbols)
    assert all(c.get("label") for c in categories)
    markers = [s.find("layer[@class='SimpleMarker']") for s in symbols.values()]
    colours = {m.find(".//Option[@name='color']").get("value") for m in markers}
    assert len(colours) == len(categories)


def test_every_decision_is_drawn_and_named() -> None:
    root = ET.fromstring(style_text("decisions").removeprefix("<!DOCTYPE qgis>"))
    told = {c.get("value"): c.get("label") for c in root.iter("category")}
    assert told == {code: words.title for code, words in DECISIONS.items()}
    assert set(DECISION_COLOURS) == set(DECISIONS)


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "parquet"])
def test_a_style_lies_beside_the_layer(ending: str, tmp_path: Path) -> None:
    write_table(PLACES, tmp_path / f"my.places.{ending}", style="decisions")
    style = (tmp_path / "my.places.qml").read_text(encoding="utf-8")
    assert style == style_text("decisions")


def test_a_geopackage_is_one_layer(tmp_path: Path) -> None:
    write_table(PLACES, tmp_path / "places.gpkg", style="decisions")
    read = gpd.read_file(tmp_path / "places.gpkg")
    assert read["decision"].tolist() == PLACES["decision"].tolist()
    assert read.geometry.notna().tolist() == [True, True, False]


def test_no_style_is_written_where_none_is_asked_for(tmp_path: Path) -> None:
    write_geo(PLACES, tmp_path / "plain.gpkg")
    assert [f.name for f in tmp_path.iterdir()] == ["plain.gpkg"]


_IN_QGIS = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import QgsApplication, QgsVectorLayer
app = QgsApplication([], False)
app.initQgis()
package, plain, style = sys.argv[1:]
layer = QgsVectorLayer(package, "places", "ogr")
print(layer.isValid(), layer.featureCount(), layer.renderer().classAttribute(),
      len(layer.renderer().categories()))
layer = QgsVectorLayer(plain, "candidates", "ogr")
message, is_loaded = layer.loadNamedStyle(style)
print(is_loaded, layer.renderer().classAttribute(), len(layer.renderer().categories()))
sys.stdout.flush()
os._exit(0)
"""


def _has_qgis() -> bool:
    asked = ["/usr/bin/python3", "-c", "import qgis.core"]
    return (
        bool(shutil.which(asked[0]))
        and not subprocess.run(asked, capture_output=True, check=False).returncode
    )


@pytest.mark.slow
def test_qgis_takes_the_style_by_itself(tmp_path: Path) -> None:
    if not _has_qgis():
        pytest.skip("the system's Python has no qgis (package python3-qgis)")
    package, plain = tmp_path / "places.gpkg", tmp_path / "plain.gpkg"
    style = tmp_path / "candidates.qml"
    write_geo(PLACES, package, style="decisions")
    write_geo(PLACES, plain)
    write_style("candidates", tmp_path / "candidates.parquet")
    told = subprocess.run(
        ["/usr/bin/python3", "-c", _IN_QGIS, str(package), str(plain), str(style)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert told[0] == "True 3 decision 4"
    assert told[1] == f"True {STYLES['candidates'].expression} 2"
