"""Verdicts merged into decisions: what clerks settled takes the place of what was to review."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location, name_of, writing
from geomatch.core.schema import DECISIONS
from geomatch.core.territories import departement_of
from geomatch.review.desk.journal import JOURNAL, Act, latest_verdicts, read_journal
from geomatch.review.desk.register import Register
from geomatch.runs.keys import bulletin_keys, places_of
from geomatch.runs.results import read_decisions, read_run, results_of
from geomatch.store.reader import Store

#: Value of ``decision`` and ``naf_decision`` where a clerk decided.
CLERK = "clerk"
_FORMATS = (".parquet", ".csv")


def merge_verdicts(run_dir: Location, out: Location, *, store: Location | None = None) -> int:
    """Write the decisions of a run with the clerks' verdicts in them.

    Parameters
    ----------
    run_dir : path
        Folder of the run and its journal; nothing in it changes.
    out : path
        File to write, ``.parquet`` or ``.csv`` (semicolons). It takes its place whole.
    store : path, optional
        Where the NAF of an establishment chosen is read, None for the store run.json names.

    Returns
    -------
    int
        Bulletins with a verdict. Their ``decision`` is ``clerk``; ``siret`` is null when the
        clerk found none; ``probability`` and ``margin``, which are a model's, are null;
        ``naf`` is the register's. Columns ``clerk``, ``clerk_when``, ``clerk_note`` are added.

    Raises
    ------
    ConfigError
        When `out` is of no known format.
    DataError
        When a file is not readable, or the journal names bulletins the run does not have.
    """
    if not name_of(out).endswith(_FORMATS):
        raise ConfigError(
            f"--export is {name_of(out)}, expected a name that ends in {' or '.join(_FORMATS)}"
        )
    with results_of(run_dir) as folder:
        decisions = read_decisions(folder)
        DECISIONS.require(decisions, "decisions.parquet")
        verdicts = latest_verdicts(read_journal(folder / JOURNAL))
        ids = decisions["id"].fillna("").tolist()
        keys = bulletin_keys(ids, places_of(folder, decisions)[0])
        place = store if store is not None else read_run(folder)["store"]["path"]
    strange = set(verdicts) - set(keys)
    if strange:
        raise DataError(
            f"the journal of {run_dir} names {len(strange)} bulletin(s) that the run does not "
            "have; it belongs to another run"
        )
    acts = [verdicts.get(key) for key in keys]
    _write(_merged(decisions, acts, Store.open(place)), out)
    return len(verdicts)


def _merged(decisions: pd.DataFrame, acts: Sequence[Act | None], store: Store) -> pd.DataFrame:
    """The decisions, with the verdict on each, None where there is none."""
    is_settled = np.array([a is not None for a in acts], dtype=bool)
    siret = pd.Series([a.siret if a else None for a in acts], index=decisions.index, dtype=object)
    nafs = _nafs(siret[is_settled].dropna(), decisions["code_commune"], store)
    naf = siret.map(nafs)
    found = is_settled & siret.notna().to_numpy()
    reason = np.where(
        found, "Choisi par un gestionnaire.", "Pas d'établissement, dit un gestionnaire."
    )
    changed: dict[str, object] = {
        "decision": CLERK,
        "siret": siret,
        "siren": siret.str[:9],
        "probability": np.nan,
        "margin": np.nan,
        "reason": reason,
    }
    merged = decisions.copy()
    for column, values in changed.items():
        merged[column] = merged[column].astype(object).mask(is_settled, values)
    for column, values in {"naf": naf, "naf_decision": CLERK, "naf_probability": np.nan}.items():
        merged[column] = merged[column].astype(object).mask(found, values)
    for column in ("probability", "margin", "naf_probability"):
        merged[column] = pd.to_numeric(merged[column])
    return merged.assign(
        clerk=[a.who if a else None for a in acts],
        clerk_when=[a.when if a else None for a in acts],
        clerk_note=[(a.note or None) if a else None for a in acts],
    )


def _nafs(sirets: pd.Series, communes: pd.Series, store: Store) -> dict[str, str]:
    """NAF of the establishments chosen."""
    if sirets.empty:
        return {}
    near = {departement_of(str(c)) for c in communes.loc[sirets.index].dropna() if c}
    rows = Register(store).rows(sorted(set(sirets)), sorted(near))
    return dict(zip(rows["siret"], rows["naf"], strict=True))


def _write(frame: pd.DataFrame, out: Location) -> None:
    with writing(out) as partial:
        if name_of(out).endswith(".csv"):
            frame.to_csv(partial, sep=";", index=False)
        else:
            frame.to_parquet(partial, index=False)
