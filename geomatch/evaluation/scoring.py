"""Evaluation of finished runs: shows tables, writes the report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.console import Console

from geomatch.bulletins import open_source, read_bulletins, read_strata
from geomatch.core import paths
from geomatch.core.language import FRENCH, speaking
from geomatch.core.paths import Location
from geomatch.core.schema import STORE_COMMUNES, STORE_ESTABLISHMENTS
from geomatch.evaluation import (
    Drift,
    Evaluation,
    Portrait,
    compare,
    drift,
    evaluate,
    html_report,
    portrait,
    read_truth,
    report_tables,
)
from geomatch.evaluation.overview import CommuneMap, run_map
from geomatch.evaluation.provenance import provenance
from geomatch.runs.results import read_candidates, read_decisions, read_run, reading_options
from geomatch.store.reader import MANIFEST, Store

#: What evaluation reads of candidates.parquet.
_CANDIDATE_COLUMNS = ["id", "rank", "siret"]


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
        with speaking(FRENCH):
            html_report(
                _unnamed(evaluations),
                asked.report,
                portraits=portraits,
                drifts=drifts,
                maps=maps,
                sources={_name(run, runs): provenance(run) for run in runs},
            )
    if asked.as_json:
        _print_json(evaluations or portraits, drifts)
        return
    _show(console, evaluations, portraits, drifts, asked.by)
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
    by: Sequence[str],
) -> None:
    """What was asked for, and no more: other strata are in the report and in JSON."""
    if len(evaluations) > 1:
        console.print(report_tables.scoreboard(evaluations).table())
        console.print(compare(evaluations))
    for evaluation in evaluations.values():
        if len(evaluations) == 1:
            console.print(evaluation.table())
        for grid in report_tables.who_was_right_grids(evaluation):
            console.print(grid.table())
        for table in evaluation.strata_tables():
            console.print(table)
    if portraits:
        console.print(report_tables.portrait_grid(portraits).table())
    for one in portraits.values():
        for grid in report_tables.portrait_strata_grids(one, only=by):
            console.print(grid.table())
    for found in drifts.values():
        for grid in report_tables.drift_grids(found):
            console.print(grid.table())


def evaluate_run(
    run: Location, truth: pd.DataFrame, *, by: Sequence[str] = (), with_standard: bool = False
) -> Evaluation:
    """Measure one result folder.

    The bulletins file that run.json names, where it still lies, gives strata and earlier
    codings; the store it names gives the NAF of a truth that tells only the SIRET.
    """
    decisions = read_decisions(run)
    true = truth.loc[truth["siret"] != "", "siret"].unique()
    more = ("code_commune",)
    of_truth = read_candidates(run, _CANDIDATE_COLUMNS, where={"siret": true}, if_there=more)
    first = read_candidates(run, _CANDIDATE_COLUMNS, most=1, if_there=more)
    candidates = pd.concat([of_truth, first], ignore_index=True)
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
    decisions = read_decisions(run)
    return portrait(decisions, _bulletins(read_run(run), set(decisions.columns), by), by=by)


def map_of_run(run: Location, *, store: Location | None = None) -> CommuneMap | None:
    """Every bulletin of a result folder by commune of work; None when its store is gone.

    `store` None is the one that run.json names.
    """
    opened = store if store is not None else read_run(run)["store"]["path"]
    if store is None and not paths.is_file(paths.join(opened, MANIFEST)):
        return None
    decisions = read_decisions(run, ["decision", "code_commune"])
    return run_map(decisions, Store.open(opened).country(STORE_COMMUNES))


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
