"""A run without a truth: what it coded, what it promises, what its bulletins lack."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.core.errors import ConfigError, DataError
from geomatch.core.schema import text_array
from geomatch.core.territories import departements_of
from geomatch.core.wording import FIELDS
from geomatch.evaluation.earlier_codings import Past, agreement, past_codings
from geomatch.evaluation.measures import Measure, expected_share, share
from geomatch.evaluation.strata import DEPARTEMENT, SECTION, STANDARD, groups, sections

_NEEDED = ("id", "decision", "siret", "probability")
#: Numbers of the decisions whose distribution is looked at.
SCORES = ("probability", "margin", "naf_probability", "geocode_score")


#: Fields of the bulletins whose gaps are counted, and what screens call them.
@dataclass(frozen=True)
class Stratum:
    """Bulletins of one kind: their number and what was coded."""

    n: int
    coding_rate: Measure
    expected_precision: Measure


@dataclass(frozen=True)
class Portrait:
    """A run as it can be seen without a truth.

    Attributes
    ----------
    n
        Bulletins decided.
    measures
        ``coding_rate``, ``review_rate``, ``none_rate``, ``expected_precision`` (mean calibrated
        probability of what was coded: a promise, not a check), ``naf_coding_rate`` and
        ``expected_naf_precision`` when the run decided activities.
    strata
        Column → value → :class:`Stratum`.
    missing
        Field → share of bulletins that leave it empty; a field the file lacks is not told.
    agreement
        Earlier coding → ``coding_rate``, ``agreement``, ``agreement_auto``.
    scores
        Name → value of each bulletin, NaN for none.
    """

    n: int
    measures: Mapping[str, Measure]
    strata: Mapping[str, Mapping[str, Stratum]]
    missing: Mapping[str, Measure] = field(default_factory=dict)
    agreement: Mapping[str, Mapping[str, Measure]] = field(default_factory=dict)
    scores: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON, each interval under ``intervals``."""
        return {
            "n": self.n,
            **plain(self.measures),
            "strata": {
                column: {
                    value: {
                        "n": s.n,
                        **plain(
                            {
                                "coding_rate": s.coding_rate,
                                "expected_precision": s.expected_precision,
                            }
                        ),
                    }
                    for value, s in values.items()
                }
                for column, values in self.strata.items()
            },
            "missing": plain(self.missing),
            "agreement": {name: plain(m) for name, m in self.agreement.items()},
        }


def plain(measures: Mapping[str, Measure]) -> dict[str, Any]:
    """Values by name, and ``intervals`` by name; None for a measure of nothing."""
    return {
        **{name: _number(m.value) for name, m in measures.items()},
        "intervals": {name: [_number(m.low), _number(m.high)] for name, m in measures.items()},
    }


def portrait(
    decisions: pd.DataFrame, bulletins: pd.DataFrame | None = None, *, by: Sequence[str] = ()
) -> Portrait:
    """Look at a run without a truth.

    Parameters
    ----------
    decisions
        :data:`geomatch.core.schema.DECISIONS`; an absent SIRET is null or ``""``.
    bulletins
        The bulletins as read, where they are still at hand: gaps, earlier codings, strata.
    by
        Columns to look at beside :data:`~geomatch.evaluation.strata.STANDARD`.

    Raises
    ------
    DataError
        A needed column is missing.
    ConfigError
        A stratum is a column of neither table.
    """
    missing = [c for c in _NEEDED if c not in decisions.columns]
    if missing:
        raise DataError(f"decisions: column(s) {', '.join(missing)} missing")
    beside = None if bulletins is None else _aligned(bulletins, decisions)
    is_auto = _is(decisions, "decision", "auto")
    probability = _number_column(decisions, "probability")
    return Portrait(
        n=len(decisions),
        measures=_measures(decisions, is_auto, probability),
        strata=_strata(decisions, beside, by, is_auto, probability),
        missing=_missing(beside),
        agreement=_agreement(decisions, beside, is_auto),
        scores={s: _number_column(decisions, s) for s in SCORES if s in decisions.columns},
    )


def _aligned(bulletins: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """The bulletins in the order of the decisions; empty rows where there is none."""
    first = bulletins.drop_duplicates("id")
    ids = text_array(decisions["id"])
    at = pd.Index(text_array(first["id"]), dtype=object).get_indexer(ids)
    return first.reset_index(drop=True).reindex(at).reset_index(drop=True)


def _measures(
    decisions: pd.DataFrame, is_auto: NDArray[np.bool_], probability: NDArray[np.float64]
) -> dict[str, Measure]:
    n = len(decisions)
    out = {
        "coding_rate": share(int(is_auto.sum()), n),
        "review_rate": share(int(_is(decisions, "decision", "review").sum()), n),
        "none_rate": share(int(_is(decisions, "decision", "none").sum()), n),
        "expected_precision": expected_share(probability[is_auto]),
    }
    if {"naf_decision", "naf_probability"} <= set(decisions.columns):
        is_naf = _is(decisions, "naf_decision", "auto")
        out["naf_coding_rate"] = share(int(is_naf.sum()), n)
        promised = _number_column(decisions, "naf_probability")[is_naf]
        out["expected_naf_precision"] = expected_share(promised)
    return out


def _strata(
    decisions: pd.DataFrame,
    beside: pd.DataFrame | None,
    by: Sequence[str],
    is_auto: NDArray[np.bool_],
    probability: NDArray[np.float64],
) -> dict[str, dict[str, Stratum]]:
    known = _columns(decisions, beside, [*by, *STANDARD])
    unknown = [c for c in by if c not in known]
    if unknown:
        raise ConfigError(
            f"cannot evaluate by {', '.join(unknown)}: expected columns of the decisions or of "
            "the bulletins"
        )
    out = {}
    for column, values in known.items():
        codes, names = groups(values)
        if len(names) < 2 and column not in by:
            continue
        chosen = [codes == i for i in range(len(names))]
        out[column] = {
            name: Stratum(
                int(c.sum()),
                share(int((is_auto & c).sum()), int(c.sum())),
                expected_share(probability[is_auto & c]),
            )
            for name, c in zip(names, chosen, strict=True)
        }
    return out


def _columns(
    decisions: pd.DataFrame, beside: pd.DataFrame | None, names: Sequence[str]
) -> dict[str, pd.Series]:
    """The columns of these names that are known; the section is that of the NAF decided."""
    out = {}
    for name in dict.fromkeys(names):
        if name == SECTION and "naf" in decisions.columns:
            out[name] = pd.Series(sections(text_array(decisions["naf"])), dtype=object)
        elif name == DEPARTEMENT and "code_commune" in decisions.columns:
            codes = text_array(decisions["code_commune"])
            out[name] = pd.Series(departements_of(codes), dtype=object)
        elif name in decisions.columns:
            out[name] = decisions[name]
        elif beside is not None and name in beside.columns:
            out[name] = beside[name]
    return out


def _missing(beside: pd.DataFrame | None) -> dict[str, Measure]:
    """Fields that nobody fills are those that the layout does not have."""
    if beside is None or not len(beside):
        return {}
    empty = {c: int((text_array(beside[c]) == "").sum()) for c in FIELDS if c in beside.columns}
    return {c: share(k, len(beside)) for c, k in empty.items() if k < len(beside)}


def _agreement(
    decisions: pd.DataFrame, beside: pd.DataFrame | None, is_auto: NDArray[np.bool_]
) -> dict[str, dict[str, Measure]]:
    siret = text_array(decisions["siret"])
    past = {} if beside is None else past_codings(beside)
    held = {name: Past.of(siret, codes) for name, codes in past.items()}
    return {name: agreement(one, is_auto) for name, one in held.items() if one.is_coded.any()}


def _is(decisions: pd.DataFrame, column: str, word: str) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = (text_array(decisions[column]) == word).astype(bool)
    return flags


def _number_column(decisions: pd.DataFrame, column: str) -> NDArray[np.float64]:
    values = pd.to_numeric(decisions[column], errors="coerce")
    return values.to_numpy(np.float64, na_value=np.nan)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
