"""``geomatch certify``: the verdicts of an audit, and what can be sworn to with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.audit.certificate import Cards, certify, worth_of_more
from geomatch.audit.clerks import ERROR_SHARE, Said, Settled, settle
from geomatch.audit.design import alpha_of
from geomatch.audit.recalibration import recalibrate
from geomatch.audit.sample import Sample, ordered_answers, read_sample
from geomatch.audit.statement import as_record
from geomatch.core import paths
from geomatch.core.errors import DataError
from geomatch.core.paths import Location
from geomatch.evaluation import read_truth
from geomatch.review.desk.journal import AUDIT_JOURNAL, read_journal, verdicts_by_clerk
from geomatch.review.desk.register import Register
from geomatch.runs.results import read_run, results_of
from geomatch.store.reader import Store

CERTIFICATE, STATEMENT = "certificate.json", "certificate.txt"


def certify_run(
    run: Location, verdicts: Sequence[Location] = (), *, store: Location | None = None
) -> dict[str, Any]:
    """What the checked sample of a run guarantees; writes ``certificate.json`` and ``.txt``.

    Parameters
    ----------
    run
        Folder of results with the sample that ``geomatch audit`` drew.
    verdicts
        Files ``id;siret``, one a clerk (empty SIRET: none of the register), the third one for
        cards on which two differ. Without any, the journal of the desk is read.
    store
        Where communes of establishments are read, None for the store run.json names.

    Returns
    -------
    dict
        See :func:`geomatch.audit.statement.as_record`.
    """
    sample = read_sample(run)
    said = _of_files(verdicts) if verdicts else _of_journal(run)
    strange = set(said) - set(sample.ids)
    if strange:
        raise DataError(
            f"{len(strange)} bulletin(s) with a verdict are not in the sample of {run}; expected "
            "verdicts on its cards"
        )
    settled = settle(said, sample.clerks)
    answers = ordered_answers(run, sample.level)
    place = store if store is not None else read_run(run)["store"]["path"]
    cards = checked(sample, settled, answers, _keys(sample, settled, answers, place))
    probability = answers["probability"].to_numpy(np.float64)
    stated = probability[cards.position[cards.is_settled]]
    calibration = recalibrate(stated, cards.is_right[cards.is_settled])
    found = certify(sample.design, cards, sample.draws)
    likely = calibration.probability(probability)
    found = found.with_further(worth_of_more(sample.design, cards, likely, sample.draws))
    record = as_record(sample, settled, found, calibration)
    text = json.dumps(record, ensure_ascii=False, indent=1)
    paths.write_bytes(paths.join(run, CERTIFICATE), f"{text}\n".encode())
    paths.write_bytes(paths.join(run, STATEMENT), f"{record['statement']}\n".encode())
    return record


def checked(
    sample: Sample, settled: Settled, answers: pd.DataFrame, key: Mapping[str, str]
) -> Cards:
    """The cards with what the verdicts say of the machine's answers.

    `key` gives, of each SIRET, what two answers have to share to be the same at the level.
    """
    given = answers["siret"].to_numpy(object)[sample.position]
    told = [settled.verdicts.get(id) for id in sample.ids]
    is_right = [said is not None and key[said] == key[str(its)]
                for said, its in zip(told, given, strict=True)]  # fmt: skip
    is_settled = np.array([id in settled.verdicts for id in sample.ids], dtype=bool)
    unseen = settled.unseen(alpha_of(sample.draws) * ERROR_SHARE)
    return Cards(sample.position, _flags(is_right), is_settled, unseen)


def _flags(values: list[bool]) -> NDArray[np.bool_]:
    return np.array(values, dtype=bool)


def _of_journal(run: Location) -> dict[str, list[Said]]:
    with results_of(run) as folder:
        acts = read_journal(folder / AUDIT_JOURNAL)
    told = verdicts_by_clerk(acts)
    return {id: [(who, act.siret or None) for who, act in of.items()] for id, of in told.items()}


def _of_files(files: Sequence[Location]) -> dict[str, list[Said]]:
    said: dict[str, list[Said]] = {}
    for number, file in enumerate(files):
        told = read_truth(file)
        for id, siret in zip(told["id"].tolist(), told["siret"].tolist(), strict=True):
            said.setdefault(id, []).append((f"clerk {number + 1}", siret or None))
    return said


def _keys(
    sample: Sample, settled: Settled, answers: pd.DataFrame, store: Location
) -> dict[str, str]:
    """What identifies each establishment at the level of the audit."""
    given = answers["siret"].iloc[sample.position].tolist()
    sirets = sorted({*given, *(s for s in settled.verdicts.values() if s)})
    if sample.level != "site":
        kept = 14 if sample.level == "siret" else 9
        return {s: s[:kept] for s in sirets}
    rows = Register(Store.open(store)).rows(sirets, [])
    commune = dict(zip(rows["siret"], rows["code_commune"], strict=True))
    # Who is not in the store is nowhere else than at itself.
    return {s: f"{s[:9]} {commune.get(s, s)}" for s in sirets}
