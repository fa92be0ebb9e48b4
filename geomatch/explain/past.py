"""A run's files about one bulletin, and the bulletin matched once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from geomatch.bulletins import read_bulletins
from geomatch.core import paths
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, StoreError
from geomatch.linkage.matcher import Matcher, Result
from geomatch.linkage.model import Model, model_hash
from geomatch.runs.results import read_candidates, read_decisions, read_run, reading_options
from geomatch.store.reader import Store


@dataclass(frozen=True)
class Replay:
    """The bulletin matched once more: `result`, and ``naf``, ``naf_chance`` of its texts."""

    result: Result
    naf_of_texts: pd.Series


@dataclass(frozen=True)
class Past:
    """A run's files about one bulletin.

    `store` is None when it is gone or was built again, `config` when this version of the code
    does not know the run's options.
    """

    description: dict[str, Any]
    decision: pd.DataFrame
    candidates: pd.DataFrame
    bulletins: pd.DataFrame | None
    store: Store | None
    config: Config | None
    model: Model
    is_same_model: bool


def read_past(run: Path, bulletin: str) -> Past:
    """What a run has of a bulletin; :class:`ConfigError` when it holds no such one."""
    description = read_run(run)
    only = {"id": [bulletin]}
    decision = _filled(read_decisions(run, where=only))
    if not len(decision):
        raise ConfigError(f"no bulletin of that identifier in {run}; check --id")
    path = description["model"]["path"]
    path = "" if path == "shipped" else path
    return Past(
        description=description,
        decision=decision,
        candidates=_filled(read_candidates(run, where=only)).sort_values("rank"),
        bulletins=_bulletin(description, bulletin),
        store=_same_store(description),
        config=_same_options(description),
        model=Model.load(path),
        is_same_model=model_hash(path) == description["model"]["sha256"],
    )


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """Absent text as the flow has it."""
    texts = rows.select_dtypes(["object", "string"]).columns
    return rows.assign(**{c: rows[c].fillna("") for c in texts})


def _bulletin(description: dict[str, Any], bulletin: str) -> pd.DataFrame | None:
    """The bulletin as the file has it; None when the file is gone or is not the one of the run."""
    source = description["input"]["path"]
    if not paths.is_file(source):
        return None
    told = description["input"]
    if paths.size_and_sha256(source) != (told["size"], told["sha256"]):
        return None  # what stands there now is not what was matched
    found = read_bulletins(source, reading_options(description), only=[bulletin])
    return found if len(found) else None


def _same_store(description: dict[str, Any]) -> Store | None:
    told = description["store"]
    try:
        store = Store.open(told["path"])
    except StoreError:
        return None
    return store if store.sha256 == told["manifest_sha256"] else None


def _same_options(description: dict[str, Any]) -> Config | None:
    try:
        return Config.from_dict(description["options"], source="run.json")
    except ConfigError:
        return None


def matcher_of(past: Past) -> Matcher | None:
    """The matcher of a run, with what has changed since as it is now; None when it cannot be."""
    if past.bulletins is None or past.store is None or past.config is None:
        return None
    # Alone, there are no colleagues to listen to.
    options = replace(past.config.decisions, collective=False)
    return Matcher(past.store, replace(past.config, decisions=options), past.model)


def replay(past: Past) -> Replay | None:
    """Match the bulletin once more, alone; None when it, the store or the options are gone."""
    matcher = matcher_of(past)
    if matcher is None or past.bulletins is None:
        return None
    result = matcher.match_bulletins(past.bulletins)
    return Replay(result, matcher.naf_of_texts(result.prepared).frame().iloc[0])
