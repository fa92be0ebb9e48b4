"""Maps in one page: what they hold, what lies under the points, and that nothing is fetched."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import struct
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geomatch.core.errors import ConfigError, DataError
from geomatch.core.maps import MapPage, explore, explore_matches
from geomatch.core.maps.background import Background, background_of, tile_of
from geomatch.core.maps.page import MOST_POINTS, leaflet
from geomatch.core.schema import CANDIDATES, DECISIONS

X, Y = 351_000.0, 6_789_000.0
DECIDED = DECISIONS.conform(
    pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "decision": ["auto", "review", "none"],
            "type": ["sure", "tie", "abroad"],
            "siret": ["90000000100017", "90000000200015", ""],
            "probability": [0.98, 0.4, 0.0],
            "reason": ["Même nom.", "</script><b>x</b>", "À l'étranger."],
            "geocode_level": ["housenumber", "commune", "none"],
            "x": [X, X + 100, float("nan")],
            "y": [Y, Y + 100, float("nan")],
            "crs": [2154, 2154, 0],
            "uncertainty_m": [5.0, 900.0, float("nan")],
        }
    )
)
FOUND = CANDIDATES.conform(
    pd.DataFrame(
        {
            "id": ["1", "1", "2", "3"],
            "rank": [1, 2, 1, 1],
            "siret": ["90000000100017", "90000000300013", "90000000200015", "90000000400011"],
            "raison_sociale": ["ALPHA", "BETA", "GAMMA", "DELTA"],
            "x": [X, X + 20, X + 150, X],
            "y": [Y, Y + 20, Y + 150, Y],
            "crs": [2154] * 4,
        }
    )
)
BOX = (-1.72, 48.0, -1.60, 48.1)


def data_of(page: MapPage) -> dict[str, Any]:
    """What the page hands to its script."""
    text = page.html.split('id="donnees">')[1].split("</script>")[0]
    told: dict[str, Any] = json.loads(text)
    return told


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def mbtiles(path: Path, content: bytes, levels: range = range(8, 12)) -> Path:
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("CREATE TABLE tiles (zoom_level, tile_column, tile_row, tile_data)")
        for zoom in levels:
            x, y = (int(v) for v in tile_of(-1.66, 48.05, zoom))
            con.execute("INSERT INTO tiles VALUES (?,?,?,?)", (zoom, x, 2**zoom - 1 - y, content))
    return path


def pmtiles(path: Path, content: bytes) -> Path:
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import write

    with write(str(path)) as writer:
        for zoom in range(8, 12):
            x, y = (int(v) for v in tile_of(-1.66, 48.05, zoom))
            writer.write_tile(zxy_to_tileid(zoom, x, y), content)
        writer.finalize(
            {
                "tile_type": TileType.PNG,
                "tile_compression": Compression.NONE,
                "min_lon_e7": 0,
                "min_lat_e7": 0,
                "max_lon_e7": 0,
                "max_lat_e7": 0,
                "center_zoom": 8,
                "center_lon_e7": 0,
                "center_lat_e7": 0,
            },
            {},
        )
    return path


def test_bulletins_and_candidates_are_layers_and_first_ones_are_joined() -> None:
    page = explore_matches(DECIDED, FOUND)
    layers = {one["name"]: one for one in data_of(page)["layers"]}
    assert list(layers) == ["Candidats", "Codé automatiquement", "À reprendre par un gestionnaire"]
    assert len(layers["Candidats"]["points"]) == 3  # whose bulletin has no place is not drawn
    assert len(layers["Candidats"]["lines"]) == 2
    assert page.n_points == 5
    lat, lon, radius, told = layers["Codé automatiquement"]["points"][0]
    assert 47 < lat < 49
    assert -3 < lon < 0
    assert radius == 5.0
    assert dict(told) == {
        "Bulletin": "1",
        "Décision": "Codé automatiquement",
        "Type": "candidat sûr",
        "SIRET": "90000000100017",
        "Probabilité": "0,98",
        "Motif": "Même nom.",
        "Lieu": "numéro trouvé",
        "Incertitude": "5\u00a0m",
    }


def test_text_of_a_table_ends_no_element_of_the_page() -> None:
    page = explore_matches(DECIDED, FOUND)
    assert "</script><b>" not in page.html
    assert "</script><b>x</b>" in json.dumps(data_of(page), ensure_ascii=False)


def test_nothing_is_fetched(tmp_path: Path) -> None:
    html = explore_matches(DECIDED, FOUND).html
    assert not re.search(r"<(script|img|link|iframe)[^>]*(src|href)=|@import|url\(.?http", html)
    assert "sourceMappingURL" not in html
    script, style = leaflet()
    assert "url(images" not in style
    assert "Leaflet" in script


def test_any_table_with_positions_is_shown_with_its_columns() -> None:
    frame = pd.DataFrame({"nom": ["ALPHA"], "n": [3.0], "x": [X], "y": [Y], "crs": [2154]})
    (layer,) = data_of(explore(frame, label="Voisins"))["layers"]
    assert layer["name"] == "Voisins"
    assert layer["points"][0][3] == [["nom", "ALPHA"], ["n", "3"]]
    points = gpd.GeoDataFrame({"nom": ["B"]}, geometry=[shapely.Point(-1.7, 48.1)], crs=4326)
    assert data_of(explore(points))["layers"][0]["points"][0][:2] == [48.1, -1.7]


def test_what_is_no_point_is_refused() -> None:
    point, line = shapely.Point(-1.7, 48.1), shapely.LineString([(0, 0), (1, 1)])
    with pytest.raises(ConfigError, match="set_crs"):
        explore(gpd.GeoDataFrame(geometry=[point]))
    with pytest.raises(ConfigError, match="LineString"):
        explore(gpd.GeoDataFrame(geometry=[point, line], crs=4326))
    with pytest.raises(ConfigError, match="x, y, crs"):
        explore(pd.DataFrame({"nom": ["ALPHA"]}))
    nowhere = gpd.GeoDataFrame(geometry=[point, None], crs=4326)
    assert explore(nowhere).n_points == 1


def test_an_empty_table_is_an_empty_map() -> None:
    page = explore_matches(DECIDED.iloc[:0], FOUND.iloc[:0])
    assert data_of(page)["layers"] == []
    assert data_of(page)["bounds"] is None


def test_too_many_points_are_refused() -> None:
    frame = pd.DataFrame({"x": [X], "y": [Y], "crs": [2154]})
    with pytest.raises(ConfigError, match="at most"):
        explore(frame.loc[[0] * (MOST_POINTS + 1)])


def test_a_saved_page_is_its_owners_alone(tmp_path: Path) -> None:
    explore_matches(DECIDED, FOUND).save(tmp_path / "carte.html")
    assert stat.S_IMODE((tmp_path / "carte.html").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["outlines.gpkg", "outlines.geojson", "outlines.parquet"])
def test_outlines_of_a_file_are_cut_to_the_ground(name: str, tmp_path: Path) -> None:
    shapes = gpd.GeoDataFrame(
        {"nom": ["here", "far"]},
        geometry=[shapely.box(-1.7, 48.02, -1.65, 48.05), shapely.box(3.0, 44.0, 3.1, 44.1)],
        crs=4326,
    )
    file = tmp_path / name
    shapes.to_parquet(file) if name.endswith("parquet") else shapes.to_file(file)
    under = background_of(file, BOX)
    assert under.shapes is not None
    (here,) = under.shapes["features"]
    assert shapely.geometry.shape(here["geometry"]).bounds == (-1.7, 48.02, -1.65, 48.05)


@pytest.mark.parametrize(("name", "write"), [("t.mbtiles", mbtiles), ("t.pmtiles", pmtiles)])
def test_picture_tiles_of_a_file_are_held_by_the_page(
    name: str, write: Any, tmp_path: Path
) -> None:
    under = background_of(write(tmp_path / name, png()), BOX)
    levels = sorted(int(key.split("/")[0]) for key in under.tiles)
    assert levels == [8, 9, 10, 11]
    assert all(v.startswith("data:image/png;base64,") for v in under.tiles.values())


def test_tiles_are_no_more_than_a_page_can_hold(tmp_path: Path) -> None:
    file = mbtiles(tmp_path / "deep.mbtiles", png(), range(8, 19))
    deepest = max(int(key.split("/")[0]) for key in background_of(file, BOX).tiles)
    assert deepest < 18


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("broken.mbtiles", b"no database", DataError),
        ("broken.pmtiles", b"no tiles", DataError),
        ("broken.gpkg", b"no shapes", DataError),
        ("broken.parquet", b"no shapes", DataError),
        ("absent.mbtiles", None, DataError),
        ("picture.tif", b"", ConfigError),
    ],
)
def test_a_background_that_is_none_is_refused(
    name: str, content: bytes | None, error: type[Exception], tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=name):
        background_of(tmp_path / name, BOX)


def test_vector_tiles_are_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="GeoPackage"):
        background_of(mbtiles(tmp_path / "vectors.mbtiles", b"\x1f\x8b\x08\x00"), BOX)


def test_streets_of_a_store_lie_under_the_points() -> None:
    class Streets:
        def streets(self, bbox: tuple[float, ...]) -> gpd.GeoDataFrame:
            line = shapely.LineString([(-1.7, 48.02), (-1.68, 48.03)])
            return gpd.GeoDataFrame({"nom_voie": ["Rue"]}, geometry=[line], crs=4326)

    near = background_of(Streets(), BOX)
    assert near.shapes is not None
    assert len(near.shapes["features"]) == 1
    assert background_of(Streets(), (-5.0, 42.0, 8.0, 51.0)) == Background(
        note="zone trop étendue pour en dessiner les rues"
    )
    with pytest.raises(ConfigError, match="int"):
        background_of(3, BOX)
