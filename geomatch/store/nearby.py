"""Establishments around a point, through an R-tree on disk.

The index of a département is made when the store is built: an ``rtree`` file (libspatialindex)
whose boxes are the establishments' positions widened by their uncertainty, and an uncompressed
Arrow file of what is told of each, which is mapped into memory and not read. Opening both takes
milliseconds, and no pool is loaded. The matcher asks millions of questions at once and keeps its
tree in memory (:mod:`geomatch.linkage.spatial_index`); both give the same answers.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.core.errors import ConfigError, StoreError
from geomatch.core.territories import crs_of

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    #: A point, or any geometry.
    Shape: TypeAlias = tuple[float, float] | BaseGeometry

#: Folder of the indexes in a store.
NEARBY = "nearby"
#: What an answer tells of an establishment.
COLUMNS = (
    "siret", "denomination", "enseignes", "numero", "type_voie", "nom_voie", "code_postal",
    "libelle_commune", "code_commune", "naf", "tranche_effectifs", "x", "y", "crs",
    "uncertainty_m", "geocode_level",
)  # fmt: skip
#: Columns that hold few distinct texts.
_FEW = ("type_voie", "code_postal", "libelle_commune", "code_commune", "naf", "tranche_effectifs",
        "geocode_level")  # fmt: skip
#: Of latitude, at its least: what is near is never taken for far.
_METRES_OF_A_DEGREE = 110_000.0
#: Boxes of a leaf of the tree.
_LEAF = 200
#: Files of one index: the tree in two, and what is told of its establishments.
NEARBY_FILES = ("index.idx", "index.dat", "establishments.arrow")


_NUMBERS = {"x": pa.float64(), "y": pa.float64(), "crs": pa.int64(), "uncertainty_m": pa.float64()}
#: The table of a département in which nobody has a position.
_NOBODY = pa.table(
    {
        c: pa.array([], _NUMBERS.get(c, pa.string())).dictionary_encode()
        if c in _FEW
        else pa.array([], _NUMBERS.get(c, pa.string()))
        for c in COLUMNS
    }
)


def nearby_folder(root: Path, departement: str) -> Path:
    """Where the index of one département lies."""
    return root / NEARBY / f"departement={departement}"


def write_index(folder: Path, establishments: pa.Table, crs: int) -> list[float]:
    """Write the index of the establishments that have a position.

    `crs` is the projection of ``x``, ``y``. Return the bounds in degrees: least longitude and
    latitude, greatest longitude and latitude; an empty list when nobody has a position.

    `establishments` has the columns :data:`COLUMNS`; ``x``, ``y`` in metres of ``crs``.
    """
    from rtree import index

    folder.mkdir(parents=True, exist_ok=True)
    for name in NEARBY_FILES:
        (folder / name).unlink(missing_ok=True)
    x, y = (establishments.column(c).to_numpy() for c in ("x", "y"))
    placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    table = establishments.select(COLUMNS).take(pa.array(placed)).combine_chunks()
    for name in _FEW:
        at = table.column_names.index(name)
        table = table.set_column(at, name, table.column(name).dictionary_encode())
    with (
        pa.OSFile(str(folder / NEARBY_FILES[2]), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        writer.write_table(table)
    low, high = _boxes(table)
    properties = index.Property(leaf_capacity=_LEAF, overwrite=True)
    name = str(folder / "index")
    if len(table):
        ids = np.arange(len(table), dtype=np.int64)
        index.Index(name, (ids, low, high), properties=properties).close()
    else:
        index.Index(name, properties=properties).close()
    if not len(table):
        return []
    bounds = (*low.min(axis=0), *high.max(axis=0))
    return [float(b) for b in _transformer(crs, 4326).transform_bounds(*bounds)]


def _boxes(table: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners (n, 2) of the squares that hold each circle of uncertainty, in metres."""
    position = np.stack([table.column(c).to_numpy() for c in ("x", "y")], axis=1)
    reach = np.nan_to_num(table.column("uncertainty_m").to_numpy())[:, None]
    return position - reach, position + reach


@dataclass(frozen=True)
class _Tile:
    """The opened index of one département."""

    tree: Any
    table: pa.Table
    position: NDArray[np.float64]
    uncertainty: NDArray[np.float64]

    @classmethod
    def open(cls, files: Sequence[Path]) -> _Tile:
        from rtree.exceptions import RTreeError

        try:
            table = pa.ipc.open_file(pa.memory_map(str(files[2]))).read_all()
            tree = _opened_copy(files[:2])
        except (OSError, RTreeError, pa.ArrowException) as error:
            raise StoreError(
                f"{files[0].parent} is no readable index of establishments; build the store again"
            ) from error
        position = np.stack([table.column(c).to_numpy() for c in ("x", "y")], axis=1)
        return cls(tree, table, position, np.nan_to_num(table.column("uncertainty_m").to_numpy()))

    def around(self, shape: Shape, reach: float) -> tuple[NDArray, NDArray]:
        """Rows whose circle of uncertainty comes within `reach` of a shape; metres to each."""
        west, south, east, north = _bounds(shape)
        box = (west - reach, south - reach, east + reach, north + reach)
        rows = np.fromiter(self.tree.intersection(box), np.int64)
        rows.sort()
        distance = _distance(shape, self.position[rows])
        near = distance <= reach + self.uncertainty[rows]
        return rows[near], distance[near]

    def that_are(
        self, rows: NDArray[np.int64], wanted: Mapping[str, Sequence[str]]
    ) -> NDArray[np.bool_]:
        """Which of the rows hold, in each column of `wanted`, a text that begins as one of it.

        Dots and case are not looked at: 47.11F and 4711f are one NAF.
        """
        kept = np.ones(len(rows), dtype=bool)
        for column, beginnings in wanted.items():
            begins = tuple(text.replace(".", "").upper() for text in beginnings)
            texts = self.table.column(column).combine_chunks()
            known = [str(text).replace(".", "") for text in texts.dictionary.to_pylist()]
            # Who has none stands last.
            suits = np.array([*(text.startswith(begins) for text in known), False])
            kept &= suits[texts.indices.fill_null(-1).to_numpy()[rows]]
        return kept


def _opened_copy(files: Sequence[Path]) -> Any:
    """The tree in a private copy of its two files, a few megabytes.

    libspatialindex opens files for writing and writes them again when it closes: a store that is
    read-only could not be opened, and one that is not would no longer have its checksums.
    """
    from rtree import index

    with tempfile.TemporaryDirectory(prefix="geomatch-") as folder:
        for file in files:
            shutil.copyfile(file, Path(folder) / file.name)
        # The opened files live on without a name, until the tree is closed.
        return index.Index(str(Path(folder) / "index"))


@dataclass(frozen=True)
class NearbyIndex:
    """The indexes of a store, each opened when a question first touches its département.

    `bounds` are those of each département, as :func:`write_index` gives them. `file` gives a file
    of the store that is there to be read (a remote store copies it).
    """

    root: Path
    bounds: Mapping[str, Sequence[float]]
    file: Callable[[Path], Path]

    def around(
        self,
        shape: Shape,
        radius_m: float,
        *,
        crs: int = 4326,
        point_uncertainty_m: float = 0.0,
        possible: bool = False,
        naf: Sequence[str] = (),
        tranche_effectifs: Sequence[str] = (),
    ) -> pd.DataFrame:
        """Active establishments around a point or another geometry, nearest first.

        Parameters
        ----------
        shape : (float, float) or shapely geometry
            Longitude, latitude in degrees for `crs` 4326; x, y in metres for a projection. Within
            a polygon the distance is 0.
        radius_m : float
            Radius of the question, in metres.
        crs : int
            EPSG code of `shape`.
        point_uncertainty_m : float
            Radius in metres in which the true point lies.
        possible : bool
            Also return establishments beyond `radius_m` whose uncertainty reaches into it.
        naf : sequence of str
            Only establishments whose NAF begins as one of these: ``("56", "4711F")``.
        tranche_effectifs : sequence of str
            Only those of these headcount classes: ``("11", "12")``.

        Returns
        -------
        DataFrame
            :data:`COLUMNS`, ``distance_m``, ``point_uncertainty_m`` and ``presence``: ``certain``
            when the whole circles of uncertainty lie within the radius, else ``possible``.

        Raises
        ------
        ConfigError
            When the radius or the shape has no finite numbers, or the radius is negative.
        """
        numbers = [*_bounds(shape), radius_m, point_uncertainty_m]
        if not np.isfinite(numbers).all() or radius_m < 0:
            raise ConfigError(
                f"bounds {numbers[:4]} and radius {radius_m}: expected finite numbers and a radius "
                "in metres that is not negative"
            )
        given = {"naf": naf, "tranche_effectifs": tranche_effectifs}
        wanted = {column: texts for column, texts in given.items() if texts}
        tiles = [
            self._of_tile(departement, at, radius_m, point_uncertainty_m, possible, wanted)
            for departement, at in self._asked(shape, crs, radius_m + point_uncertainty_m)
        ]
        found = [tile for tile in tiles if tile is not None]
        rows = pa.concat_tables(found) if found else _told(_NOBODY, np.zeros(0), np.zeros(0, bool))
        # Arrow takes rows of text faster than pandas sorts them.
        order = np.lexsort((rows.column("siret").to_numpy(), rows.column("distance_m").to_numpy()))
        table: pd.DataFrame = rows.take(pa.array(order)).to_pandas()
        table.insert(table.columns.get_loc("presence"), "point_uncertainty_m", point_uncertainty_m)
        return table

    def _asked(self, shape: Shape, crs: int, reach: float) -> Iterator[tuple[str, Shape]]:
        """The départements within reach, with the shape in their projection."""
        degrees = shape if crs == 4326 else _projected(shape, crs, 4326)
        for departement, bounds in self.bounds.items():
            if bounds and _touches(bounds, _bounds(degrees), reach):
                own = crs_of(f"{departement}000"[:5])
                yield departement, shape if crs == own else _projected(shape, crs, own)

    def _of_tile(
        self,
        departement: str,
        at: Shape,
        radius: float,
        uncertainty: float,
        possible: bool,
        wanted: Mapping[str, Sequence[str]],
    ) -> pa.Table | None:
        """Rows of one département, None when nobody is near."""
        tile = self._tile(departement)
        rows, distance = tile.around(at, radius + uncertainty)
        kept = tile.that_are(rows, wanted)
        if not possible:
            kept &= distance <= radius
        rows, distance = rows[kept], distance[kept]
        if not len(rows):
            return None
        is_certain = distance + tile.uncertainty[rows] + uncertainty <= radius
        return _told(tile.table.take(pa.array(rows)), distance, is_certain)

    @cached_property
    def _opened(self) -> dict[str, _Tile]:
        return {}

    def _tile(self, departement: str) -> _Tile:
        if departement not in self._opened:
            folder = nearby_folder(self.root, departement)
            self._opened[departement] = _Tile.open([self.file(folder / n) for n in NEARBY_FILES])
        return self._opened[departement]


def _bounds(shape: Shape) -> tuple[float, float, float, float]:
    """West, south, east and north of a point or geometry."""
    if isinstance(shape, tuple):
        return (*shape, *shape)
    west, south, east, north = shape.bounds
    return west, south, east, north


def _distance(shape: Shape, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from a shape to each position (n, 2)."""
    if isinstance(shape, tuple):
        return np.hypot(*(position - shape).T)
    import shapely

    distance: NDArray[np.float64] = shapely.distance(shape, shapely.points(position))
    return distance


def _touches(
    bounds: Sequence[float], asked: tuple[float, float, float, float], reach_m: float
) -> bool:
    """Whether bounds in degrees lie within `reach_m` metres of others, or a little farther."""
    west, south, east, north = bounds
    high = reach_m / _METRES_OF_A_DEGREE
    wide = high / max(np.cos(np.radians(max(abs(asked[1]), abs(asked[3])))), 0.01)
    across = west - wide <= asked[2] and asked[0] <= east + wide
    return across and south - high <= asked[3] and asked[1] <= north + high


def _told(rows: pa.Table, distance: NDArray[np.float64], is_certain: NDArray[np.bool_]) -> pa.Table:
    """Rows with their distance in metres, to the decimetre, and whether they are surely there."""
    texts = {c: rows.column(c).cast(rows.schema.field(c).type.value_type) for c in _FEW}
    columns = [texts.get(c, rows.column(c)) for c in rows.column_names]
    presence = np.where(is_certain, "certain", "possible").astype(object)
    return pa.table(
        [*columns, pa.array(np.round(distance, 1)), pa.array(presence, pa.string())],
        names=[*rows.column_names, "distance_m", "presence"],
    )


def _projected(shape: Shape, crs: int, own: int) -> Shape:
    transform = _transformer(crs, own).transform
    if isinstance(shape, tuple):
        x, y = transform(*shape)
        return float(x), float(y)
    import shapely

    return shapely.transform(shape, transform, interleaved=False)


@cache
def _transformer(crs: int, own: int) -> Any:
    """From one projection to another, x or longitude first; making one takes 20 ms."""
    from pyproj import Transformer

    return Transformer.from_crs(crs, own, always_xy=True)
