"""What clerks settled, as bulletins to learn from: their verdicts, and how far to trust them.

Clerks err. Where two of them saw the same bulletin, agreement says how often; elsewhere the
published figure stands for it. A verdict on which they disagree teaches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from geomatch.core import paths
from geomatch.core.errors import ConfigError, DataError
from geomatch.core.paths import Location
from geomatch.evaluation import read_truth
from geomatch.evaluation.truth import check_truth
from geomatch.review.desk.agreement import agreement, chosen, naf_of
from geomatch.review.desk.journal import JOURNAL, Act, read_journal, verdicts_by_clerk
from geomatch.store.reader import Store

#: Column of a truth table: how far a row is to be believed.
TRUST = "trust"
#: Two clerks who are both wrong name the same wrong establishment this often.
_SAME_ERROR = 0.5


def coded_bulletins(
    truth: Location | None, journal: Location | None, store: Store
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Outcomes to learn from: a truth file, the verdicts of a journal, or both.

    Parameters
    ----------
    truth : path, optional
        As :func:`geomatch.evaluation.read_truth` reads it; what it says goes before a verdict.
    journal : path, optional
        ``verdicts.jsonl`` of a review, or the folder it lies in.
    store : Store
        Where the NAF of the establishments chosen is read.

    Returns
    -------
    DataFrame, dict
        A truth table with ``trust``, the chance in ]0, 1] that a row is right; and what the
        model card says of the verdicts.

    Raises
    ------
    ConfigError
        When neither is given.
    DataError
        When a file is not readable, or the journal has no verdict.
    """
    if truth is None and journal is None:
        raise ConfigError("nothing to learn from: give --truth, --verdicts, or both")
    told = pd.DataFrame() if truth is None else read_truth(truth).assign(**{TRUST: 1.0})
    if journal is None:
        return told, {}
    file = journal if paths.is_file(journal) else paths.join(journal, JOURNAL)
    if not paths.is_file(file):
        raise DataError(f"{file} does not exist; expected the {JOURNAL} of a review")
    with paths.reading(file) as local:
        acts = read_journal(local)
    nafs = naf_of(chosen(acts), store)
    error = agreement(acts, nafs).clerk_error()
    settled = settled_bulletins(acts, nafs, error)
    if settled.empty:
        raise DataError(f"{file} has no verdict to learn from")
    more = settled if told.empty else settled[~settled["id"].isin(told["id"])]
    source = {
        "verdicts_file": paths.name_of(file),
        "verdicts": len(more),
        "clerk_error": round(error, 4),
    }
    return pd.concat([told, more], ignore_index=True), source


def settled_bulletins(acts: Iterable[Act], nafs: Mapping[str, str], error: float) -> pd.DataFrame:
    """Verdicts in force as a truth table with ``trust``; disputed bulletins are left out.

    `error` is that of one clerk, in [0, 1[; when two agree, the chance that both are wrong in
    the same way remains.
    """
    both = (1.0 - error) ** 2
    trust = {1: 1.0 - error, 2: both / (both + _SAME_ERROR * error**2)}
    rows = []
    for id, of in verdicts_by_clerk(acts).items():
        said = {act.siret or "" for act in of.values()}
        if len(said) == 1:
            siret = said.pop()
            rows.append((id, siret, nafs.get(siret, ""), trust[min(len(of), 2)]))
    frame = pd.DataFrame(rows, columns=["id", "siret", "naf", TRUST])
    return check_truth(frame, what="journal")
