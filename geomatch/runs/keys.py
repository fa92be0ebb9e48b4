"""A name of its own for each bulletin of a run, whatever its identifier.

People's files have identifiers that are empty or stand twice. What is kept of a bulletin
afterwards (a clerk's verdict, an outcome to learn from) must not depend on that: where an
identifier is not one bulletin's alone, the line of the input is added to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from geomatch.core.errors import DataError
from geomatch.runs.ordered_merge import ORDER
from geomatch.runs.work_folder import PART

#: Line of the first bulletin: that of the header is 1.
FIRST_LINE = 2


def line_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Line of the input of bulletins by their ``source_row``; a record of several lines is one."""
    return np.asarray(rows, np.int64) + FIRST_LINE


def has_twins(ids: Sequence[str] | pd.Series) -> bool:
    """Whether identifiers do not tell all bulletins apart: one is empty or stands twice."""
    told = pd.Series(ids, dtype=object)
    return bool((told == "").any() or told.duplicated().any())


def bulletin_keys(ids: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """A key for each bulletin: its identifier, and its line where that is not enough.

    Parameters
    ----------
    ids : sequence of str
        Identifiers of all bulletins of a file or run.
    rows : array
        ``source_row`` of each.

    Returns
    -------
    array of str
        ``"B7"``; ``"B7 (ligne 12)"`` where two have it; ``"(ligne 12)"`` for an empty one.
    """
    keys = np.array(ids, dtype=object)
    told = pd.Series(keys)
    unsure = np.flatnonzero((told == "").to_numpy() | told.duplicated(keep=False).to_numpy())
    taken = set(keys.tolist()) if len(unsure) else set()
    for at, line in zip(unsure, line_of(np.asarray(rows)[unsure]), strict=True):
        key = f"{keys[at]} (ligne {line})".lstrip()
        while key in taken:  # somebody's identifier looks like that
            key += "'"
        taken.add(key)
        keys[at] = key
    return keys


def places_of(run: Path, decisions: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """``source_row`` of each decision of a run, and whether it has candidates.

    `decisions` are all of the run, with ``siret``. A run that tells no places has the lines of the
    file; where identifiers tell bulletins apart nothing hangs on who has candidates.
    """
    part = run / PART
    if not part.is_file():
        return np.arange(len(decisions)), decisions["siret"].notna().to_numpy()
    try:
        told = pq.read_table(part, columns=[ORDER, "n_candidates"])
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{part} is not readable: {error}; match the file again") from error
    if told.num_rows != len(decisions):
        raise DataError(f"{part} is not that of decisions.parquet; match the file again")
    rows = np.asarray(told.column(ORDER).to_numpy(), np.int64)
    return rows, np.asarray(told.column("n_candidates").to_numpy() > 0)


def decisions_of(
    ids: NDArray[np.object_], has_candidates: NDArray[np.bool_], candidates: pd.DataFrame
) -> NDArray[np.int64]:
    """Which decision each candidate is of, by place.

    Parameters
    ----------
    ids, has_candidates : arrays
        Of all decisions of a run: identifier, and whether it has a candidate.
    candidates : DataFrame
        ``id`` and ``rank`` of all candidates of some identifiers, in the order of the file; the
        first of a decision has rank 1.

    Raises
    ------
    DataError
        When the two are not of the same run.
    """
    written = candidates["id"].to_numpy(object)
    wanted = set(written.tolist())
    places = pd.Series(np.flatnonzero(has_candidates & np.isin(ids, list(wanted))))
    turn_of_place = places.groupby(ids[places]).cumcount().to_numpy()
    starts = (candidates["rank"] == 1).astype(int)
    turn = starts.groupby(written, sort=False).cumsum().to_numpy() - 1
    by_turn = {
        (ids[place], at): place for place, at in zip(places, turn_of_place.tolist(), strict=True)
    }
    found = [by_turn.get(key, -1) for key in zip(written, turn.tolist(), strict=True)]
    if -1 in found:
        raise DataError("candidates.parquet is not that of decisions.parquet; match the file again")
    return np.array(found, dtype=np.int64)
