"""Decisions, candidates and truth brought together: one row per bulletin whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.core.errors import DataError
from geomatch.core.schema import text_array
from geomatch.evaluation.truth import check_truth

#: Candidates beyond this rank are not looked at.
DEPTH = 20
#: Characters of a NAF code without its dot that make a level: 84.11Z, 84.11, 84.1, 84.
NAF_LEVELS = (5, 4, 3, 2)
_NEEDED = ("id", "decision", "siret", "probability")

Text = NDArray[np.object_]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """Parallel arrays over the bulletins that are both decided and in the truth.

    Attributes
    ----------
    rows, truth_rows
        Position of each bulletin in the decisions and in the truth.
    siret, truth
        Best candidate and true SIRET; ``""`` is none.
    probability
        That the best candidate is right; NaN without a candidate.
    is_auto, is_none
        The decision.
    rank
        Rank of the true SIRET among the candidates, 0 when it is not there; None when there
        are no candidates to look at.
    naf, truth_naf, naf_probability, is_naf_auto
        The same for the activity code, without dots; None when the decisions have none.
    n_missing, n_unlabelled
        Bulletins of the truth without a decision, decisions without a truth: told, not
        counted.
    """

    rows: NDArray[np.int64]
    truth_rows: NDArray[np.int64]
    siret: Text
    truth: Text
    truth_siren: Text
    probability: NDArray[np.float64]
    is_auto: Flags
    is_none: Flags
    rank: NDArray[np.int64] | None
    naf: Text | None
    truth_naf: Text
    naf_probability: NDArray[np.float64] | None
    is_naf_auto: Flags | None
    n_missing: int
    n_unlabelled: int
    #: level (siret, site, siren) whose answer is coded, "" for none; None of decisions without
    answer_level: Text | None = None
    #: probability at site and siren, where the decisions have it
    level_probability: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    #: is the best candidate of the true unit, in the commune of the true establishment? None when
    #: the candidates do not tell communes
    is_right_site: Flags | None = None


def bring_together(
    decisions: pd.DataFrame,
    candidates: pd.DataFrame | None,
    truth: pd.DataFrame,
    *,
    naf_of_siret: Mapping[str, str] | pd.Series | None = None,
) -> Outcomes:
    """Align the three tables on ``id``.

    Raises
    ------
    DataError
        A needed column is missing, an identifier stands twice, a probability is not in
        [0, 1], or no bulletin is in both tables.
    """
    _check_decisions(decisions)
    known = check_truth(truth)
    rows, truth_rows = _in_both(decisions, known)
    picked, told = decisions.iloc[rows], known.iloc[truth_rows]
    siret, true_siret = text_array(picked["siret"]), text_array(told["siret"])
    has_naf = {"naf", "naf_decision"} <= set(decisions.columns)
    return Outcomes(
        rows=rows,
        truth_rows=truth_rows,
        siret=siret,
        truth=true_siret,
        truth_siren=text_array(told["siren"]),
        probability=_probability(picked, siret, "probability"),
        is_auto=_is(picked["decision"], "auto"),
        is_none=_is(picked["decision"], "none"),
        rank=None if candidates is None else _ranks(candidates, text_array(told["id"]), true_siret),
        naf=_naf_code(text_array(picked["naf"])) if has_naf else None,
        truth_naf=_true_naf(told, naf_of_siret),
        naf_probability=_naf_probability(picked) if has_naf else None,
        is_naf_auto=_is(picked["naf_decision"], "auto") if has_naf else None,
        n_missing=len(known) - len(rows),
        n_unlabelled=len(decisions) - len(rows),
        answer_level=text_array(picked["answer_level"]) if "answer_level" in picked else None,
        level_probability={
            level: _probability(picked, siret, f"{level}_probability")
            for level in ("site", "siren")
            if f"{level}_probability" in picked and picked[f"{level}_probability"].notna().any()
        },
        is_right_site=_right_site(candidates, siret, true_siret),
    )


def _in_both(
    decisions: pd.DataFrame, known: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the decisions whose bulletin the truth holds, and its rows in the truth."""
    at = pd.Index(known["id"].astype(object)).get_indexer(text_array(decisions["id"]))
    rows = np.flatnonzero(at >= 0)
    if len(rows) == 0 and len(decisions) and len(known):
        raise DataError(
            f"none of the {len(decisions)} decided bulletins is among the {len(known)} of the "
            "truth: expected the same identifiers in both"
        )
    return rows, at[rows]


def _is(values: pd.Series, word: str) -> Flags:
    flags: Flags = (text_array(values) == word).astype(bool)
    return flags


def _check_decisions(decisions: pd.DataFrame) -> None:
    missing = [c for c in _NEEDED if c not in decisions.columns]
    if missing:
        raise DataError(
            f"decisions: column(s) {', '.join(missing)} missing; got {', '.join(decisions.columns)}"
        )
    ids = pd.Series(text_array(decisions["id"]), dtype=object)
    n_twice = int((ids.duplicated() & (ids != "")).sum())
    if n_twice:
        raise DataError(
            f"decisions: {n_twice} identifier(s) stand twice: evaluate one run at a time, on "
            "bulletins with distinct identifiers"
        )


def _probability(picked: pd.DataFrame, answer: Text, column: str) -> NDArray[np.float64]:
    p = pd.to_numeric(picked[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    has_answer = (answer != "").astype(bool)
    n_bad = int((has_answer & ~((p >= 0) & (p <= 1))).sum())
    if n_bad:
        raise DataError(
            f"decisions: {n_bad} row(s) have an answer and no {column} in [0, 1]; "
            "expected one for each answer"
        )
    return np.where(has_answer, p, np.nan)


def _naf_probability(picked: pd.DataFrame) -> NDArray[np.float64] | None:
    if "naf_probability" not in picked.columns:
        return None
    return _probability(picked, _naf_code(text_array(picked["naf"])), "naf_probability")


def _right_site(candidates: pd.DataFrame | None, siret: Text, truth: Text) -> Flags | None:
    """Same unit and commune; a true establishment that is nobody's candidate has no commune."""
    if candidates is None or "code_commune" not in candidates.columns:
        return None
    known = candidates.drop_duplicates("siret")
    place = dict(zip(text_array(known["siret"]), text_array(known["code_commune"]), strict=True))
    pairs = zip(siret, truth, strict=True)
    return np.array(
        [
            bool(t) and (a == t or (a[:9] == t[:9] and place.get(a, "-") == place.get(t, "+")))
            for a, t in pairs
        ],
        dtype=bool,
    )


def _true_naf(told: pd.DataFrame, naf_of_siret: Mapping[str, str] | pd.Series | None) -> Text:
    naf = _naf_code(text_array(told["naf"]))
    if naf_of_siret is None:
        return naf
    looked_up = _naf_code(text_array(told["siret"].map(naf_of_siret)))
    return np.where(naf == "", looked_up, naf)


def _naf_code(values: Text) -> Text:
    """``84.11Z`` → ``8411Z``; what does not begin with two digits is unknown: ``""``."""
    codes, distinct = pd.factorize(values)
    out = np.empty(len(distinct), dtype=object)
    for i, value in enumerate(distinct):
        code = "".join(c for c in value.upper() if c.isalnum())
        out[i] = code if code[:2].isdigit() and len(code) >= 2 else ""
    return out[codes]


def _ranks(candidates: pd.DataFrame, ids: Text, truth: Text) -> NDArray[np.int64]:
    """Rank of the true SIRET of each bulletin, 0 when it is beyond :data:`DEPTH` or absent."""
    missing = [c for c in ("id", "rank", "siret") if c not in candidates.columns]
    if missing:
        raise DataError(f"candidates: column(s) {', '.join(missing)} missing")
    rank = candidates["rank"].to_numpy(np.int64)
    bulletin = _positions(candidates["id"], ids)
    is_hit = (rank <= DEPTH) & (bulletin >= 0)
    true_code, distinct = pd.factorize(truth)
    code = _positions(candidates["siret"], distinct)
    is_hit[is_hit] = code[is_hit] == true_code[bulletin[is_hit]]
    is_hit[is_hit] = truth[bulletin[is_hit]] != ""
    best = np.full(len(ids), DEPTH + 1, np.int64)
    np.minimum.at(best, bulletin[is_hit], rank[is_hit])
    return np.where(best <= DEPTH, best, 0)


def _positions(values: pd.Series, known: Text) -> NDArray[np.int64]:
    """Position of each value among the `known` distinct ones; -1 when not there."""
    codes, distinct = pd.factorize(values)
    found = pd.Index(known, dtype=object).get_indexer(text_array(pd.Series(distinct)))
    return np.append(found, -1)[codes]
