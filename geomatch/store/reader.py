"""Reading side of the reference store: the only place that knows its file names.

::

    STORE/manifest.json
    STORE/communes.parquet              and the other country-wide tables
    STORE/streets/departement=35/part.parquet
    STORE/addresses/departement=35/part.parquet
    STORE/establishments/departement=35/part.parquet      (GeoParquet)
    STORE/pools/departement=35/part.arrow                 (see geomatch.store.array_files)

The manifest is written last, so a folder without one is not a store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geomatch.arrays.arrow import texts
from geomatch.core import paths
from geomatch.core.errors import ConfigError, StoreError
from geomatch.core.paths import Location
from geomatch.core.schema import (
    COUNTRY_TABLES,
    DEPARTEMENT_TABLES,
    DTYPES,
    STORE_FORMAT,
    STORE_FORMAT_VERSION,
    Table,
)
from geomatch.store import queries
from geomatch.store.integrity import check_ends, check_file, check_manifest
from geomatch.store.nearby import NEARBY, NearbyIndex

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from geomatch.store.nearby import Shape

MANIFEST = "manifest.json"
#: What the manifest calls the establishments of each département as they are searched, those of
#: communes across its border with them (:class:`geomatch.linkage.pool.Pool`).
POOLS = "pools"
#: In the manifest of a store that was sent to S3: the folder under it that holds its files.
FOLDER = "folder"

#: Columns of the store whose texts many rows share: read as numbers and the distinct texts.
SHARED_TEXTS = frozenset(
    {"code_commune", "code_postal", "departement", "mot", "naf", "origine", "rep",
     "tranche_effectifs", "type_norm", "voie_norm", "voisine"}
)  # fmt: skip


_NO_ROW = np.zeros(0, bool)


@dataclass(frozen=True)
class Store:
    """An opened reference store: its folder and its manifest. Tables are read when asked for."""

    path: Path
    manifest: Mapping[str, Any]
    #: ``s3://…`` when `path` is a copy that is made part by part, else ``""``
    remote: str = ""

    @classmethod
    def open(cls, path: Location) -> Store:
        """Check the manifest and return the store.

        Of a store under ``s3://`` each part is copied when first asked for, into a folder of
        the cache (:func:`geomatch.core.paths.cache_folder`) that bears the hash of its manifest.
        Raises :class:`StoreError` when there is no manifest, it is not readable, its format
        version is not the one this version of the code reads, or a file it tells of is gone.
        """
        manifest, content = _read_manifest(path)
        if not paths.is_remote(path):
            store = cls(Path(path), manifest)
            _refuse_gaps(store)
            check_ends(store.path, manifest)
            return store
        copy = paths.cache_folder() / "stores" / hashlib.sha256(content).hexdigest()[:24]
        paths.write_bytes(copy / MANIFEST, content)
        return cls(copy, manifest, str(paths.location(path)))

    @property
    def place(self) -> str:
        """Where the store lies, as it was asked for."""
        return self.remote or str(self.path)

    @property
    def sha256(self) -> str:
        """Which store it is: the hash of its manifest."""
        return hashlib.sha256((self.path / MANIFEST).read_bytes()).hexdigest()

    @property
    def departements(self) -> list[str]:
        """Départements that hold at least one table, sorted."""
        return list(self.manifest["departements"])

    def country(self, table: Table) -> pd.DataFrame:
        """A country-wide table, whole."""
        return as_frame(table, self.country_arrow(table))

    def country_arrow(self, table: Table) -> pa.Table:
        """:meth:`country` as Arrow; what is absent is null.

        Of :data:`SHARED_TEXTS` each distinct text is there once.
        """
        return _read(self.file(country_path(self.path, table)), table.names)

    def has(self, table: Table, departement: str) -> bool:
        """Whether the store holds a part of the table for a département."""
        if self.remote:
            return departement in self.manifest["tables"][table.name].get("departements", ())
        return bool(departement) and departement_path(self.path, table, departement).is_file()

    def file(self, local: Path) -> Path:
        """A file of the store that is there to be read; of a remote store, copied when it is not.

        Raises :class:`StoreError` when the file is not the one that the manifest tells of (see
        :mod:`geomatch.store.integrity`), or the remote store lacks it or was built again since.
        """
        if not self.remote or local.is_file():
            check_file(self.path, self.manifest, local)
            return local
        root = paths.join(self.remote, self.manifest.get(FOLDER, ""))
        source = paths.join(root, local.relative_to(self.path).as_posix())
        try:
            with paths.writing(local) as partial:
                paths.fetch(source, partial)
                # A store is replaced manifest first: while it is the same, so is what was read.
                if _manifest_bytes(self.remote) != (self.path / MANIFEST).read_bytes():
                    raise FileNotFoundError(self.remote)
        except FileNotFoundError as error:
            raise StoreError(f"{self.remote} was built again or is not whole; run again") from error
        check_file(self.path, self.manifest, local)
        return local

    def departement(
        self, table: Table, departement: str, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """One département's part of a table, or some columns of it; no rows when there is none."""
        asked = table if columns is None else table.only(columns)
        return as_frame(asked, self.arrow(table, departement, columns))

    def arrow(
        self, table: Table, departement: str, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """:meth:`departement` as Arrow, in a fraction of the memory.

        Of :data:`SHARED_TEXTS` each distinct text is there once.
        """
        asked = table if columns is None else table.only(columns)
        if not self.has(table, departement):
            return empty_rows(asked)
        return _read(self.file(departement_path(self.path, table, departement)), asked.names)

    def rows_of(
        self, table: Table, departement: str, columns: Sequence[str], by: str, wanted: pa.Array
    ) -> tuple[pa.Table, NDArray[np.int64]]:
        """Rows of a département's part whose column `by` is one of `wanted`, and their positions.

        Of the file only the row groups that hold one are read.
        """
        asked = table.only(columns)
        if not self.has(table, departement):
            return empty_rows(asked), np.zeros(0, np.int64)
        file = self.file(departement_path(self.path, table, departement))
        return _read_where(file, asked.names, by, wanted)

    def pool(self, departement: str) -> Path:
        """The file of a département's pool, there to be read."""
        return self.file(pool_path(self.path, departement))

    @cached_property
    def _nearby(self) -> NearbyIndex:
        bounds = self.manifest.get(NEARBY)
        if bounds is None:
            raise StoreError(
                f"store {self.place} has no index of establishments around a point; "
                "build it again with 'geomatch build'"
            )
        return NearbyIndex(self.path, bounds, self.file)

    def nearby(
        self,
        *,
        radius_m: float,
        lon: float | None = None,
        lat: float | None = None,
        x: float | None = None,
        y: float | None = None,
        geometry: BaseGeometry | None = None,
        crs: int | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Active establishments within `radius_m` metres of a point or geometry, nearest first.

        The place is `lon`, `lat` in degrees, or `x`, `y` in metres of `crs` (EPSG, 2154 unless
        told), or a shapely `geometry` in `crs` (4326 unless told).
        See :meth:`geomatch.store.nearby.NearbyIndex.around` for the columns and the options
        ``naf``, ``tranche_effectifs``, ``possible`` and ``point_uncertainty_m``.
        Raises :class:`ConfigError` unless exactly one of the three is given.

        Examples
        --------
        >>> store.nearby(lon=2.3478, lat=48.8566, radius_m=300, naf=["56"])  # doctest: +SKIP
        """
        given: list[tuple[Shape, int]] = []
        if lon is not None and lat is not None:
            given.append(((float(lon), float(lat)), 4326))
        if x is not None and y is not None:
            given.append(((float(x), float(y)), crs or 2154))
        if geometry is not None:
            given.append((geometry, crs or 4326))
        if len(given) != 1:
            raise ConfigError("a place is lon and lat, or x and y, or a geometry; give one of them")
        (shape, own), *_ = given
        return self._nearby.around(shape, radius_m, crs=own, **options)

    def establishments(
        self, departement: str = "", *, bbox: queries.Box | None = None
    ) -> pd.DataFrame:
        """Establishments of a département, or within a box.

        Parameters
        ----------
        departement : str
            ``35``, ``2A``, ``974``.
        bbox : (west, south, east, north)
            In degrees, instead of `departement`.

        Returns
        -------
        DataFrame
            :data:`geomatch.core.schema.STORE_ESTABLISHMENTS`, ``crs``, ``lon``, ``lat``; NaN for
            an establishment without position, which no box holds.

        Raises
        ------
        ConfigError
            Unless one of the two is given and the store has such a département.

        Examples
        --------
        >>> store = Store.open("store")  # doctest: +SKIP
        >>> store.establishments(bbox=(2.33, 48.85, 2.36, 48.87))  # doctest: +SKIP
        """
        return queries.establishments(self, departement, bbox)

    def addresses(
        self, departement: str = "", *, bbox: queries.Box | None = None, commune: str = ""
    ) -> pd.DataFrame:
        """House numbers of a département, of a box or of a commune (code).

        As :meth:`establishments`: :data:`geomatch.core.schema.STORE_ADDRESSES` with their street
        (``nom_voie``, ``code_commune``), ``crs``, ``lon``, ``lat``. `commune` may stand beside
        the others.
        """
        return queries.addresses(self, departement, bbox, commune)

    def streets(self, bbox: queries.Box) -> gpd.GeoDataFrame:
        """Streets within a box (west, south, east, north in degrees) as lines, EPSG:4326.

        A line joins the house numbers of one side of a street, in order: ``voie_id``,
        ``nom_voie``, ``code_commune``, ``geometry``. Streets with one address are points.
        """
        return queries.streets(self, bbox)

    def departements_of(
        self, table: Table, departements: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Several départements' parts one after the other, with a ``departement`` column."""
        parts = [
            self.departement(table, d).assign(departement=d)
            for d in (self.departements if departements is None else departements)
        ]
        parts = [p for p in parts if len(p)]
        if not parts:
            return table.empty().assign(departement=pd.Series(dtype=object))
        return pd.concat(parts, ignore_index=True)


def country_path(root: Path, table: Table) -> Path:
    """Where a country-wide table lies."""
    return root / f"{table.name}.parquet"


def departement_path(root: Path, table: Table, departement: str) -> Path:
    """Where one département's part of a table lies."""
    return root / table.name / f"departement={departement}" / "part.parquet"


def pool_path(root: Path, departement: str) -> Path:
    """Where the pool of one département lies."""
    return root / POOLS / f"departement={departement}" / "part.arrow"


def read_manifest(path: Location) -> dict[str, Any]:
    """The manifest of a store, checked."""
    return _read_manifest(path)[0]


def _manifest_bytes(path: Location) -> bytes:
    return paths.read_bytes(paths.join(path, MANIFEST))


def _read_manifest(path: Location) -> tuple[dict[str, Any], bytes]:
    try:
        content = _manifest_bytes(path)
        manifest: dict[str, Any] = json.loads(content)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"no reference store at {path}: {MANIFEST} not found; "
            "build one with 'geomatch build … --out STORE'"
        ) from error
    except (ValueError, OSError) as error:
        raise StoreError(f"manifest of the store {path} is not readable: {error}") from error
    if not isinstance(manifest, dict):
        raise StoreError(f"manifest of the store {path} is not readable: no JSON object")
    got = (manifest.get("format"), manifest.get("format_version"))
    if got != (STORE_FORMAT, STORE_FORMAT_VERSION):
        raise StoreError(
            f"store {path} has format {got[0]} version {got[1]}, this geomatch reads "
            f"{STORE_FORMAT} version {STORE_FORMAT_VERSION}; build it again with 'geomatch build'"
        )
    if not isinstance(manifest.get("departements"), list):
        raise StoreError(
            f"manifest of the store {path} is not readable: it lists no departements; "
            "build the store again"
        )
    check_manifest(path, manifest)
    return manifest, content


def _refuse_gaps(store: Store) -> None:
    """Raise :class:`StoreError` when a file that the manifest tells of is not there."""
    tables = store.manifest.get("tables", {})
    files = [country_path(store.path, t) for t in COUNTRY_TABLES if t.name in tables]
    files += [
        departement_path(store.path, table, departement)
        for table in DEPARTEMENT_TABLES
        for departement in tables.get(table.name, {}).get("departements", ())
    ]
    pools = tables.get(POOLS, {}).get("departements", ())
    files += [pool_path(store.path, departement) for departement in pools]
    absent = [f for f in files if not f.is_file()]
    if absent:
        raise StoreError(
            f"store {store.path} is not readable: {len(absent)} of its files are not there "
            f"({absent[0].relative_to(store.path)} first); build it again"
        )


def _read(file: Path, columns: Sequence[str]) -> pa.Table:
    with _readable(file, columns) as parquet:
        return parquet.read(columns=list(columns)).replace_schema_metadata(None)


def _read_where(
    file: Path, columns: Sequence[str], by: str, wanted: pa.Array
) -> tuple[pa.Table, NDArray[np.int64]]:
    with _readable(file, [*columns, by]) as parquet:
        likely = _groups_within(parquet, by, wanted)
        told = parquet.read_row_groups(likely, columns=[by]).column(0)
        found = np.concatenate([*map(partial(_is_among, wanted), told.chunks), _NO_ROW])
        sizes = [parquet.metadata.row_group(i).num_rows for i in range(parquet.num_row_groups)]
        of_group = np.split(found, np.cumsum([sizes[i] for i in likely])[:-1])
        # of no group at all, an empty part is left
        kept = [(i, mine) for i, mine in zip(likely, of_group, strict=False) if mine.any()]
        rows = parquet.read_row_groups([i for i, _ in kept], columns=list(columns))
        rows = rows.replace_schema_metadata(None)
        if not kept:
            return rows, np.zeros(0, np.int64)
        first = np.cumsum([0, *sizes])
        at = [first[i] + np.flatnonzero(mine) for i, mine in kept]
        return rows.filter(pa.array(np.concatenate([m for _, m in kept]))), np.concatenate(at)


def _groups_within(parquet: pq.ParquetFile, column: str, wanted: pa.Array) -> list[int]:
    """Row groups that may hold some of the wanted values, by what the file tells of each."""
    least, most = pc.min_max(wanted).as_py().values()
    at = parquet.schema_arrow.names.index(column)
    groups = []
    for i in range(parquet.num_row_groups):
        told = parquet.metadata.row_group(i).column(at).statistics
        is_told = told is not None and told.has_min_max
        if not is_told or (len(wanted) and told.min <= most and told.max >= least):
            groups.append(i)
    return groups


def _is_among(wanted: pa.Array, values: pa.Array) -> NDArray[np.bool_]:
    """Which of some values are wanted; each distinct text is looked for once."""
    if not pa.types.is_dictionary(values.type):
        return pc.is_in(values, wanted).to_numpy(zero_copy_only=False)
    found = pc.is_in(values.dictionary, wanted).to_numpy(zero_copy_only=False)
    return found[values.indices.to_numpy()]


@contextmanager
def _readable(file: Path, columns: Sequence[str]) -> Iterator[pq.ParquetFile]:
    """A file of the store that has the columns; raises :class:`StoreError` when it is none."""
    try:
        metadata = pq.read_metadata(file)
        names = set(metadata.schema.to_arrow_schema().names)
        missing = [c for c in columns if c not in names]
        if missing:
            raise StoreError(
                f"{file}: column(s) {', '.join(missing)} missing; build the store again"
            )
        shared = sorted(names & SHARED_TEXTS)
        with pq.ParquetFile(file, metadata=metadata, read_dictionary=shared) as parquet:
            yield parquet
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{file} of the store is not readable: {error}; build the store again"
        ) from error


def as_frame(table: Table, rows: pa.Table) -> pd.DataFrame:
    """Rows read by :meth:`Store.arrow`, typed as `table` says; what is absent is ``""`` or NaN.

    What :meth:`~geomatch.core.schema.Table.conform` gives, without going through pandas text.
    """
    return pd.DataFrame(
        {
            name: pd.Series(_values(rows.column(name), kind), dtype=DTYPES[kind])
            for name, (kind, _) in table.columns.items()
        }
    )


_ARROW = {"text": pa.string(), "float": pa.float64(), "int": pa.int64(), "bool": pa.bool_()}


def empty_rows(table: Table) -> pa.Table:
    """No rows of a table, as Arrow."""
    shared = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        (name, shared if name in SHARED_TEXTS else _ARROW[kind])
        for name, (kind, _) in table.columns.items()
    ).empty_table()


def _values(column: pa.ChunkedArray, kind: str) -> NDArray[Any]:
    if kind == "text":
        return texts(column)
    values = column.to_numpy()
    return values if values.flags.writeable else values.copy()


ALL_TABLES: tuple[Table, ...] = COUNTRY_TABLES + DEPARTEMENT_TABLES
