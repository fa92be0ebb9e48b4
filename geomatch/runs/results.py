"""Folders that ``geomatch match`` has written, read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from geomatch.core import paths
from geomatch.core.config import BulletinOptions, Config
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.frames import as_kind
from geomatch.core.geoframes import to_geodataframe
from geomatch.core.maps import MapPage, explore_matches
from geomatch.core.paths import Location
from geomatch.linkage.explanation import Explanation, explanation
from geomatch.linkage.model import Model, model_hash

if TYPE_CHECKING:
    import geopandas as gpd

#: What is read of run.json, here and elsewhere.
_DESCRIBED = (
    ("input", "path"),
    ("store", "path"),
    ("model", "path"),
    ("options", "bulletins"),
    ("options", "decisions"),
)
_EXPECTED = "expected the folder written by 'geomatch match'"


@dataclass(frozen=True)
class Run:
    """The results of a finished match: its folder, and what ``run.json`` says of it."""

    folder: Location
    description: Mapping[str, Any]

    def __repr__(self) -> str:
        n = self.description.get("part", self.description["input"])["bulletins"]
        return f"<Run {self.folder} : {n} bulletins>"

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row a bulletin: :data:`geomatch.core.schema.DECISIONS`."""
        return read_decisions(self.folder)

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """Up to twenty rows a bulletin; of a campaign, several gigabytes: see :meth:`of`."""
        return read_candidates(self.folder)

    def of(self, ids: Collection[str]) -> pd.DataFrame:
        """The candidates of some bulletins; the others are not loaded."""
        return read_candidates(self.folder, where={"id": ids})

    def explain(self, id: str) -> Explanation:
        """Why the bulletin `id` was decided so; of the candidates only its own are read.

        Raises
        ------
        ConfigError
            When no bulletin, or more than one, has that identifier.
        DataError
            When the model of the run is gone, or was learned again since.
        """
        told = self.description["model"]
        path = "" if told["path"] == "shipped" else told["path"]
        if model_hash(path) != told["sha256"]:
            raise DataError(
                f"the model {told['path']} is no longer the one of {self.folder}; match again, or "
                "use the model of that run"
            )
        only = {"id": [id]}
        decisions, candidates = (
            read(self.folder, where=only) for read in (read_decisions, read_candidates)
        )
        return explanation(id, decisions, candidates, Model.load(path))

    def table(self, name: str = "decisions", kind: str = "pandas") -> Any:
        """``decisions`` or ``candidates`` as pandas, polars, arrow, duckdb or geopandas.

        Raises :class:`ConfigError` when there is no such table or kind.
        """
        if name not in ("decisions", "candidates"):
            raise ConfigError(f"table is {name!r}, expected decisions or candidates")
        return as_kind(getattr(self, name), kind)

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """Decisions with a point in EPSG:4326: where the bulletin's workplace was placed."""
        return to_geodataframe(self.decisions)

    def candidates_geodataframe(self) -> gpd.GeoDataFrame:
        """Candidates with a point in EPSG:4326: where the register has the establishment."""
        return to_geodataframe(self.candidates)

    def explore(self, *, ids: Collection[str] = (), background: object = None) -> MapPage:
        """A map of the decisions and their candidates, which needs no network.

        As :meth:`geomatch.Result.explore`; without `background` nothing lies under the points.
        """
        if not len(ids):
            return explore_matches(self.decisions, self.candidates, background=background)
        decisions = read_decisions(self.folder, where={"id": ids})
        return explore_matches(decisions, self.of(ids), background=background)


def open_run(folder: Location) -> Run:
    """Open the results of ``geomatch match``.

    Raises
    ------
    DataError
        When the folder holds no finished run.

    Examples
    --------
    >>> run = open_run("resultats")  # doctest: +SKIP
    >>> run.decisions["decision"].value_counts()  # doctest: +SKIP
    """
    return Run(folder, read_run(folder))


def read_run(run: Location) -> dict[str, Any]:
    """run.json of a result folder."""
    file = paths.join(run, "run.json")
    try:
        content: dict[str, Any] = json.loads(paths.read_bytes(file))
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    sections = content if isinstance(content, dict) else {}
    lacks = [f"{a}.{b}" for a, b in _DESCRIBED if not _has(sections.get(a), b)]
    if lacks:
        raise DataError(f"{file} lacks {', '.join(lacks)}; {_EXPECTED}")
    return content


def _has(section: object, name: str) -> bool:
    return isinstance(section, dict) and name in section


def reading_options(description: dict[str, Any]) -> BulletinOptions:
    """How a run read its bulletins; the other options may be those of another version."""
    asked = {"bulletins": description["options"]["bulletins"]}
    return Config.from_dict(asked, source="run.json").bulletins


def read_decisions(
    run: Location,
    columns: Sequence[str] | None = None,
    *,
    where: Mapping[str, Collection[str]] | None = None,
) -> pd.DataFrame:
    """decisions.parquet of a result folder; see :func:`read_candidates`."""
    return _table(run, "decisions.parquet", columns, _chosen(where or {}))


def read_candidates(
    run: Location,
    columns: Sequence[str] | None = None,
    *,
    where: Mapping[str, Collection[str]] | None = None,
    most: int | None = None,
    if_there: Sequence[str] = (),
) -> pd.DataFrame:
    """candidates.parquet of a result folder.

    Parameters
    ----------
    columns
        Those to read, None for all.
    where
        Column → values: only rows with one of them in each. A campaign has thirty million
        rows; those left out are never all in memory.
    most
        Only the candidates of the first ranks.
    if_there
        More columns to read, of which the file may lack some.

    Raises
    ------
    DataError
        When the file is not there, not readable, or lacks a column.
    """
    chosen = _chosen(where or {})
    if most is not None:
        chosen.append(pc.field("rank") <= most)
    return _table(run, "candidates.parquet", columns, chosen, if_there)


def _chosen(where: Mapping[str, Collection[str]]) -> list[pc.Expression]:
    return [pc.field(c).isin(pa.array(list(v), pa.string())) for c, v in where.items()]


def _table(
    run: Location,
    name: str,
    columns: Sequence[str] | None,
    chosen: Sequence[pc.Expression],
    if_there: Sequence[str] = (),
) -> pd.DataFrame:
    path = paths.join(run, name)
    try:
        with paths.reading(path) as local:
            known = pq.read_schema(local).names
            lacks = [c for c in columns or () if c not in known]
            if lacks:
                raise DataError(f"{path}: column(s) {', '.join(lacks)} missing; {_EXPECTED}")
            rows: pc.Expression | None = None
            for one in chosen:
                rows = one if rows is None else rows & one
            asked = columns and [*columns, *(c for c in if_there if c in known)]
            return pq.read_table(local, columns=asked, filters=rows).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Location, error: Exception) -> DataError:
    is_absent = isinstance(error, FileNotFoundError)
    what = "is not there" if is_absent else f"is not readable ({error})"
    return DataError(f"{path} {what}; {_EXPECTED}")


@contextmanager
def results_of(run: Location) -> Iterator[Path]:
    """A result folder on this machine: itself, or a copy that is deleted afterwards.

    Raises :class:`DataError` when there is nothing at a remote place.
    """
    try:
        with paths.reading(run) as folder:
            yield folder
    except FileNotFoundError as error:
        raise DataError(f"nothing at {run}; {_EXPECTED}") from error
