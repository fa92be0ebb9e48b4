"""Evaluation of finished runs: reads result folders, shows tables, writes the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from geomatch.bulletins import open_source, read_bulletins, read_strata
from geomatch.config import BulletinOptions, Config
from geomatch.errors import DataError
from geomatch.evaluation import Evaluation, compare, evaluate, html_report, read_truth
from geomatch.schema import STORE_ESTABLISHMENTS
from geomatch.store import Store

#: What evaluation reads of candidates.parquet.
_CANDIDATE_COLUMNS = ["id", "rank", "siret"]


def evaluate_runs(
    runs: Sequence[Path],
    truth: Path,
    console: Console,
    *,
    by: Sequence[str] = (),
    report: Path | None = None,
    as_json: bool = False,
) -> None:
    """Measure result folders against a truth file and print, or write, what comes out."""
    told = read_truth(truth)
    evaluations = {_name(run, runs): evaluate_run(run, told, by=by) for run in runs}
    if report is not None:
        html_report(evaluations, report)
    if as_json:
        contents = {name: e.as_dict() for name, e in evaluations.items()}
        only = next(iter(contents.values())) if len(contents) == 1 else {"runs": contents}
        print(json.dumps(only, ensure_ascii=False))
        return
    if len(evaluations) > 1:
        console.print(compare(evaluations))
    for evaluation in evaluations.values():
        if len(evaluations) == 1:
            console.print(evaluation.table())
        for table in evaluation.strata_tables():
            console.print(table)
    if report is not None:
        console.print(str(report), soft_wrap=True, highlight=False)


def evaluate_run(run: Path, truth: pd.DataFrame, *, by: Sequence[str] = ()) -> Evaluation:
    """Measure one result folder.

    The bulletins file that run.json names, where it still lies, gives strata and earlier
    codings; the store it names gives the NAF of a truth that tells only the SIRET.
    """
    decisions = _read(run / "decisions.parquet")
    candidates = _read(run / "candidates.parquet", _CANDIDATE_COLUMNS)
    description = read_run(run)
    return evaluate(
        decisions,
        candidates,
        truth,
        bulletins=_bulletins(description, decisions, truth, by),
        by=by,
        naf_of_siret=_nafs(description, truth),
    )


def read_run(run: Path) -> dict[str, Any]:
    """run.json of a result folder."""
    file = Path(run) / "run.json"
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} is not readable ({error}); expected the folder written by 'geomatch match'"
        ) from error
    return content


def reading_options(description: dict[str, Any]) -> BulletinOptions:
    """How a run read its bulletins; the other options may be those of another version."""
    asked = {"bulletins": description["options"]["bulletins"]}
    return Config.from_dict(asked, source="run.json").bulletins


def _read(file: Path, columns: list[str] | None = None) -> pd.DataFrame:
    try:
        return pd.read_parquet(file, columns=columns)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} is not readable ({error}); expected the folder written by 'geomatch match'"
        ) from error


def _name(run: Path, runs: Sequence[Path]) -> str:
    names = [r.name for r in runs]
    return run.name if names.count(run.name) == 1 else str(run)


def _bulletins(
    description: dict[str, Any], decisions: pd.DataFrame, truth: pd.DataFrame, by: Sequence[str]
) -> pd.DataFrame | None:
    source = Path(description["input"]["path"])
    if not source.is_file():
        return None
    options = reading_options(description)
    bulletins = read_bulletins(source, options)
    known = {*decisions.columns, *truth.columns, *bulletins.columns}
    header = open_source(source).header
    raw = [c for c in by if c not in known and c in header]
    if raw:
        strata = read_strata(source, raw, options)
        bulletins = bulletins.assign(**{c: strata[c].to_numpy() for c in raw})
    return bulletins


def _nafs(description: dict[str, Any], truth: pd.DataFrame) -> pd.Series | None:
    if (truth["naf"] != "").any() or not Path(description["store"]["path"]).is_dir():
        return None
    store = Store.open(description["store"]["path"])
    asked = set(truth["siret"])
    parts = []
    for departement in store.departements:
        frame = store.departement(STORE_ESTABLISHMENTS, departement)
        parts.append(frame.loc[frame["siret"].isin(asked), ["siret", "naf"]])
    found = pd.concat(parts).drop_duplicates("siret")
    return found.set_index("siret")["naf"]
