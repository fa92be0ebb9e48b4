"""Evaluate a run: overall and by stratum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.table import Table

from geomatch.core.errors import ConfigError
from geomatch.core.schema import text_array
from geomatch.core.territories import departements_of
from geomatch.evaluation import tables
from geomatch.evaluation.answers import Judged
from geomatch.evaluation.earlier_codings import MCA_CLASS, PAST_CODINGS, past_codings
from geomatch.evaluation.measures import Calibration, Curve, Measure, calibration
from geomatch.evaluation.metrics import Metrics, measure
from geomatch.evaluation.outcomes import NAF_LEVELS, Outcomes, Text, bring_together
from geomatch.evaluation.strata import DEPARTEMENT, SECTION, STANDARD, groups, sections


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a run on bulletins whose truth is known.

    Attributes
    ----------
    overall
        All bulletins.
    strata
        Column → value → metrics of the bulletins with that value.
    n_missing
        Bulletins of the truth that the run did not decide; not counted in `overall`.
    n_unlabelled
        Bulletins decided that the truth does not hold; not counted either.
    curves, calibrations
        ``siret`` and, when there is one, ``naf``: what the report draws.
    """

    overall: Metrics
    strata: Mapping[str, Mapping[str, Metrics]]
    n_missing: int
    n_unlabelled: int
    curves: Mapping[str, Curve] = field(default_factory=dict, repr=False)
    calibrations: Mapping[str, Calibration] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON: ``top1`` …, each interval under ``intervals``.

        A measure of nothing (no automatic code, say) is None.
        """
        return {
            **_metrics_dict(self.overall),
            "n_missing": self.n_missing,
            "n_unlabelled": self.n_unlabelled,
            "strata": {
                column: {value: _metrics_dict(m) for value, m in values.items()}
                for column, values in self.strata.items()
            },
        }

    def table(self) -> Table:
        """The overall metrics as a French table for the screen."""
        return tables.overall_table(self.overall, self.n_missing, self.n_unlabelled)

    def strata_tables(self) -> list[Table]:
        """One French table for each stratification."""
        return [tables.strata_table(column, values) for column, values in self.strata.items()]


def evaluate(
    decisions: pd.DataFrame,
    candidates: pd.DataFrame | None,
    truth: pd.DataFrame,
    *,
    bulletins: pd.DataFrame | None = None,
    by: Sequence[str] = (),
    naf_of_siret: Mapping[str, str] | pd.Series | None = None,
    with_standard: bool = False,
) -> Evaluation:
    """Measure decisions against a truth.

    Parameters
    ----------
    decisions, candidates
        Tables of a run (:data:`~geomatch.core.schema.DECISIONS`,
        :data:`~geomatch.core.schema.CANDIDATES`);
        an absent SIRET is null or ``""``. Without candidates (None), ``recall_20`` and the
        errors that need it are left out.
    truth
        As :func:`~geomatch.evaluation.truth.read_truth` gives it.
    bulletins
        Where strata and earlier codings are looked up, by ``id``.
    by
        Columns of decisions, bulletins or truth, looked for in this order;
        ``departement_travail`` (of the commune found) and ``section_naf`` (of the true
        activity) besides.
    with_standard
        Add those of :data:`~geomatch.evaluation.strata.STANDARD` that are known and vary.
    naf_of_siret
        Activity code of establishments, for a truth that tells the SIRET only.

    Raises
    ------
    DataError
        Missing columns, identifiers that stand twice, no bulletin in common.
    ConfigError
        A stratum is a column of none of the tables.
    """
    outcomes = bring_together(decisions, candidates, truth, naf_of_siret=naf_of_siret)
    places = _Places(decisions, bulletins, truth, outcomes)
    asked = _known(by, places)
    more = [c for c in STANDARD if with_standard and c in places.names() and c not in asked]
    found = {column: groups(places.column(column)) for column in [*asked, *more]}
    found = {c: g for c, g in found.items() if c in asked or len(g[1]) > 1}
    judged = Judged.of(outcomes, places.past_codings())
    curves = _curves(judged)
    return Evaluation(
        overall=measure(judged),
        strata={c: _measured(judged, codes, values) for c, (codes, values) in found.items()},
        n_missing=outcomes.n_missing,
        n_unlabelled=outcomes.n_unlabelled,
        curves=curves,
        calibrations={name: calibration(curve) for name, curve in curves.items()},
    )


def _measured(
    judged: Judged, codes: NDArray[np.int64], values: Sequence[str]
) -> dict[str, Metrics]:
    """Metrics of each group of bulletins; `codes` tells the group, `values` names it."""
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes, minlength=len(values)))[:-1])
    return {v: measure(judged.part(rows)) for v, rows in zip(values, parts, strict=True)}


def _curves(judged: Judged) -> dict[str, Curve]:
    answers = {"siret": judged.siret, "naf": judged.naf.get(NAF_LEVELS[0])}
    curves = {name: a.curve() for name, a in answers.items() if a is not None}
    return {name: curve for name, curve in curves.items() if curve is not None}


@dataclass(frozen=True)
class _Places:
    """Where a column may be looked up for the evaluated bulletins."""

    decisions: pd.DataFrame
    bulletins: pd.DataFrame | None
    truth: pd.DataFrame
    outcomes: Outcomes

    def names(self) -> list[str]:
        frames = [self.decisions, self.bulletins, self.truth]
        names = dict.fromkeys(c for f in frames if f is not None for c in f.columns)
        derived = [DEPARTEMENT] * ("code_commune" in self.decisions.columns) + [SECTION]
        return list(names | dict.fromkeys(derived))

    def column(self, name: str) -> pd.Series:
        if name == SECTION:
            return pd.Series(sections(self.outcomes.truth_naf), dtype=object)
        if name == DEPARTEMENT:
            codes = self.decisions["code_commune"].iloc[self.outcomes.rows]
            return pd.Series(departements_of(text_array(codes)), dtype=object)
        if name in self.decisions.columns:
            return self.decisions[name].iloc[self.outcomes.rows]
        if self.bulletins is not None and name in self.bulletins.columns:
            return self.of_bulletins(name)
        return self.truth[name].iloc[self.outcomes.truth_rows]

    def of_bulletins(self, name: str) -> pd.Series:
        if self.bulletins is None:
            raise ConfigError(f"column '{name}' is looked for in bulletins that were not given")
        values = self.bulletins[name].astype(object).reset_index(drop=True)
        return values.reindex(self._at)

    @cached_property
    def _at(self) -> NDArray[np.int64]:
        """Row of the bulletins of each evaluated one, its first; -1 for none."""
        if self.bulletins is None:
            return np.full(len(self.outcomes.rows), -1)
        known = text_array(self.bulletins["id"])
        first = np.flatnonzero(~pd.Series(known, dtype=object).duplicated())
        ids = text_array(self.decisions["id"].iloc[self.outcomes.rows])
        at = pd.Index(known[first], dtype=object).get_indexer(ids)
        return np.append(first, -1)[at]

    def past_codings(self) -> dict[str, Text]:
        """Earlier codings that the bulletins hold, one SIRET (or ``""``) per evaluated row."""
        if self.bulletins is None:
            return {}
        columns = [c for c in (*PAST_CODINGS.values(), MCA_CLASS) if c in self.bulletins.columns]
        frame = {c: self.of_bulletins(c) for c in dict.fromkeys(columns)}
        return past_codings(pd.DataFrame(frame))


def _known(by: Sequence[str], places: _Places) -> list[str]:
    unknown = [c for c in by if c not in places.names()]
    if unknown:
        raise ConfigError(
            f"cannot evaluate by {', '.join(unknown)}: expected columns of the decisions, the "
            f"bulletins or the truth, which have {', '.join(places.names())}"
        )
    return list(dict.fromkeys(by))


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _measures_dict(measures: Mapping[str, Measure]) -> dict[str, Any]:
    return {
        **{name: _number(m.value) for name, m in measures.items()},
        "intervals": {name: [_number(m.low), _number(m.high)] for name, m in measures.items()},
    }


def _metrics_dict(metrics: Metrics) -> dict[str, Any]:
    return {
        "n": metrics.n,
        "n_with_truth": metrics.n_with_truth,
        **_measures_dict(metrics.siret),
        "siren": _measures_dict(metrics.siren),
        "levels": {level: _measures_dict(m) for level, m in metrics.levels.items()},
        "naf": {
            str(level): {"n_with_truth": m["top1"].n, **_measures_dict(m)}
            for level, m in metrics.naf.items()
        },
        "errors": {scope: dict(kinds) for scope, kinds in metrics.errors.items()},
        "agreement": {name: _measures_dict(m) for name, m in metrics.agreement.items()},
        "who_was_right": {
            name: {scope: dict(kinds) for scope, kinds in scopes.items()}
            for name, scopes in metrics.who_was_right.items()
        },
    }
