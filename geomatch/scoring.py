"""Evaluation of finished runs: reads result folders, shows tables, writes the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from geomatch import paths
from geomatch.bulletins import open_source, read_bulletins, read_strata
from geomatch.config import BulletinOptions, Config
from geomatch.errors import DataError
from geomatch.evaluation import (
    Drift,
    Evaluation,
    Portrait,
    compare,
    drift,
    evaluate,
    grids,
    html_report,
    portrait,
    read_truth,
)
from geomatch.evaluation.overview import CommuneMap, run_map
from geomatch.paths import Location
from geomatch.schema import STORE_COMMUNES, STORE_ESTABLISHMENTS
from geomatch.store import MANIFEST, Store

#: What evaluation reads of candidates.parquet.
_CANDIDATE_COLUMNS = ["id", "rank", "siret"]
#: Candidates looked through at once: the true establishments are laid out anew for each lot.
_MANY = 4_000_000
#: What is read of run.json, here and elsewhere.
_DESCRIBED = (
    ("input", "path"),
    ("store", "path"),
    ("model", "path"),
    ("options", "bulletins"),
    ("options", "decisions"),
)


@dataclass(frozen=True)
class Asked:
    """What to show of an evaluation: strata, a page, JSON; and the last campaign's folder."""

    by: Sequence[str] = ()
    report: Location | None = None
    as_json: bool = False
    against: Location | None = None


def evaluate_runs(
    runs: Sequence[Location], truth: Location | None, console: Console, asked: Asked = Asked()
) -> None:
    """Measure result folders, against a truth file where there is one, and print or write it.

    Without a truth, what is told is what was coded, what the probabilities promise and how it
    agrees with earlier codings.
    """
    told = None if truth is None else read_truth(truth)
    evaluations: dict[str, Evaluation] = {}
    portraits: dict[str, Portrait] = {}
    drifts: dict[str, Drift] = {}
    last = None if asked.against is None else portray_run(asked.against, by=asked.by)
    with_standard = asked.as_json or asked.report is not None
    for run in runs:
        name = _name(run, runs)
        if told is not None:
            evaluations[name] = evaluate_run(run, told, by=asked.by, with_standard=with_standard)
        if told is None or last is not None:
            portraits[name] = portray_run(run, by=asked.by)
        if last is not None:
            drifts[name] = drift(portraits[name], last)
    if told is not None:
        portraits = {}
    if asked.report is not None:
        drawn = {_name(run, runs): map_of_run(run) for run in runs}
        maps = {name: one for name, one in drawn.items() if one is not None}
        html_report(
            _unnamed(evaluations), asked.report, portraits=portraits, drifts=drifts, maps=maps
        )
    if asked.as_json:
        _print_json(evaluations or portraits, drifts)
        return
    _show(console, evaluations, portraits, drifts)
    if asked.report is not None:
        console.print(str(asked.report), soft_wrap=True, highlight=False)


def _unnamed(evaluations: Mapping[str, Evaluation]) -> Evaluation | Mapping[str, Evaluation]:
    """A single run needs no name on the page."""
    return next(iter(evaluations.values())) if len(evaluations) == 1 else evaluations


def _print_json(
    told: Mapping[str, Evaluation] | Mapping[str, Portrait], drifts: Mapping[str, Drift]
) -> None:
    contents = {
        name: one.as_dict() | ({"drift": drifts[name].as_dict()} if name in drifts else {})
        for name, one in told.items()
    }
    only = next(iter(contents.values())) if len(contents) == 1 else {"runs": contents}
    print(json.dumps(only, ensure_ascii=False))


def _show(
    console: Console,
    evaluations: Mapping[str, Evaluation],
    portraits: Mapping[str, Portrait],
    drifts: Mapping[str, Drift],
) -> None:
    if len(evaluations) > 1:
        console.print(grids.scoreboard(evaluations).table())
        console.print(compare(evaluations))
    for evaluation in evaluations.values():
        if len(evaluations) == 1:
            console.print(evaluation.table())
        for grid in grids.who_was_right_grids(evaluation):
            console.print(grid.table())
        for table in evaluation.strata_tables():
            console.print(table)
    if portraits:
        console.print(grids.portrait_grid(portraits).table())
    for one in portraits.values():
        for grid in grids.portrait_strata_grids(one):
            console.print(grid.table())
    for found in drifts.values():
        for grid in grids.drift_grids(found):
            console.print(grid.table())


def evaluate_run(
    run: Location, truth: pd.DataFrame, *, by: Sequence[str] = (), with_standard: bool = False
) -> Evaluation:
    """Measure one result folder.

    The bulletins file that run.json names, where it still lies, gives strata and earlier
    codings; the store it names gives the NAF of a truth that tells only the SIRET.
    """
    decisions = _read(run, "decisions.parquet")
    candidates = _true_candidates(run, truth)
    description = read_run(run)
    return evaluate(
        decisions,
        candidates,
        truth,
        bulletins=_bulletins(description, {*decisions.columns, *truth.columns}, by),
        by=by,
        naf_of_siret=_nafs(description, truth),
        with_standard=with_standard,
    )


def portray_run(run: Location, *, by: Sequence[str] = ()) -> Portrait:
    """Look at one result folder without a truth."""
    decisions = _read(run, "decisions.parquet")
    return portrait(decisions, _bulletins(read_run(run), set(decisions.columns), by), by=by)


def map_of_run(run: Location, *, store: Location | None = None) -> CommuneMap | None:
    """Every bulletin of a result folder by commune of work; None when its store is gone.

    `store` None is the one that run.json names.
    """
    opened = store if store is not None else read_run(run)["store"]["path"]
    if store is None and not paths.is_file(paths.join(opened, MANIFEST)):
        return None
    decisions = _read(run, "decisions.parquet", ["decision", "code_commune"])
    return run_map(decisions, Store.open(opened).country(STORE_COMMUNES))


def read_run(run: Location) -> dict[str, Any]:
    """run.json of a result folder."""
    file = paths.join(run, "run.json")
    try:
        content: dict[str, Any] = json.loads(paths.read_bytes(file))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} is not readable ({error}); expected the folder written by 'geomatch match'"
        ) from error
    sections = content if isinstance(content, dict) else {}
    lacks = [f"{a}.{b}" for a, b in _DESCRIBED if not _has(sections.get(a), b)]
    if lacks:
        raise DataError(
            f"{file} lacks {', '.join(lacks)}; expected the folder written by 'geomatch match'"
        )
    return content


def _has(section: object, name: str) -> bool:
    return isinstance(section, dict) and name in section


def reading_options(description: dict[str, Any]) -> BulletinOptions:
    """How a run read its bulletins; the other options may be those of another version."""
    asked = {"bulletins": description["options"]["bulletins"]}
    return Config.from_dict(asked, source="run.json").bulletins


def read_decisions(run: Location) -> pd.DataFrame:
    """decisions.parquet of a result folder."""
    return _read(run, "decisions.parquet")


@contextmanager
def results_of(run: Location) -> Iterator[Path]:
    """A result folder on this machine: itself, or a copy that is deleted afterwards.

    Raises :class:`DataError` when there is nothing at a remote place.
    """
    try:
        with paths.reading(run) as folder:
            yield folder
    except FileNotFoundError as error:
        raise DataError(
            f"nothing at {run}; expected the folder written by 'geomatch match'"
        ) from error


def _true_candidates(run: Location, truth: pd.DataFrame) -> pd.DataFrame:
    """Candidates that are the true establishment of some bulletin: some in a hundred of all."""
    true = pa.array(truth.loc[truth["siret"] != "", "siret"].unique(), pa.string())
    with _opened(run, "candidates.parquet", _CANDIDATE_COLUMNS) as file:
        batches = file.iter_batches(_MANY, columns=_CANDIDATE_COLUMNS)
        kept = [b.filter(pc.is_in(b["siret"], value_set=true)) for b in batches]
        columns = pa.schema([file.schema_arrow.field(c) for c in _CANDIDATE_COLUMNS])
    return pa.Table.from_batches(kept, columns).to_pandas()


def _read(run: Location, name: str, columns: list[str] | None = None) -> pd.DataFrame:
    with _opened(run, name, columns or []) as file:
        return file.read(columns).to_pandas()


@contextmanager
def _opened(run: Location, name: str, columns: Sequence[str]) -> Iterator[pq.ParquetFile]:
    """A table of a result folder, which has those columns."""
    path = paths.join(run, name)
    expected = "expected the folder written by 'geomatch match'"
    try:
        with paths.reading(path) as local, pq.ParquetFile(local) as file:
            lacks = [c for c in columns if c not in file.schema_arrow.names]
            if lacks:
                raise DataError(f"{path}: column(s) {', '.join(lacks)} missing; {expected}")
            yield file
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not readable ({error}); {expected}") from error


def _name(run: Location, runs: Sequence[Location]) -> str:
    name = paths.name_of(run)
    return name if [paths.name_of(r) for r in runs].count(name) == 1 else str(run)


def _bulletins(
    description: dict[str, Any], elsewhere: set[str], by: Sequence[str]
) -> pd.DataFrame | None:
    """The bulletins where they still lie, with columns of `by` that are not `elsewhere`."""
    source = description["input"]["path"]
    if not paths.is_file(source):
        return None
    options = reading_options(description)
    bulletins = read_bulletins(source, options)
    known = {*elsewhere, *bulletins.columns}
    header = open_source(source).header
    raw = [c for c in by if c not in known and c in header]
    if raw:
        strata = read_strata(source, raw, options)
        bulletins = bulletins.assign(**{c: strata[c].to_numpy() for c in raw})
    return bulletins


def _nafs(description: dict[str, Any], truth: pd.DataFrame) -> pd.Series | None:
    place = description["store"]["path"]
    if (truth["naf"] != "").any() or not paths.is_file(paths.join(place, MANIFEST)):
        return None
    store = Store.open(place)
    asked = set(truth["siret"])
    parts = []
    for departement in store.departements:
        frame = store.departement(STORE_ESTABLISHMENTS, departement)
        parts.append(frame.loc[frame["siret"].isin(asked), ["siret", "naf"]])
    found = pd.concat(parts).drop_duplicates("siret")
    return found.set_index("siret")["naf"]
