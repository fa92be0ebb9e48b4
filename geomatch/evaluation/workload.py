"""What a run leaves to clerks: bulletins, weeks, and the quality that may be expected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rich.table import Table

from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.core.wording import decimal, integer, percent
from geomatch.evaluation import Measure, expected_share, share
from geomatch.evaluation.tables import with_interval
from geomatch.linkage.file_share import LEAST_BULLETINS
from geomatch.linkage.model import Model, threshold_for
from geomatch.linkage.settling import expected_threshold
from geomatch.runs.results import read_decisions, read_run

#: Bulletins that a clerk settles in a day, and days in a week of work.
PACE = 130.0
DAYS_A_WEEK = 5
#: Precisions shown beside the one asked for, so that it can be chosen with its price.
TARGETS = (0.90, 0.95, 0.98)


@dataclass(frozen=True)
class Workload:
    """What one precision asked for gives and costs.

    Attributes
    ----------
    target, threshold
        Precision asked for, and the least probability that is coded for it.
    n, n_auto, n_review, n_none
        Bulletins: all, coded, left for review, decided without an establishment.
    coding_rate
        ``n_auto / n`` with the interval of a file of this size.
    precision
        What the calibrated probabilities promise of the coded ones; nothing was checked.
    clerk_weeks
        Weeks of work of one person for ``n_review`` bulletins.
    """

    target: float
    threshold: float
    n: int
    n_auto: int
    n_review: int
    n_none: int
    coding_rate: Measure
    precision: Measure
    clerk_weeks: float

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for run.json; a precision of nothing is None."""
        counts = ("target", "n", "n_auto", "n_review", "n_none")
        return {
            **{name: getattr(self, name) for name in counts},
            "threshold": round(self.threshold, 6),
            "coding_rate": _rounded(self.coding_rate),
            "expected_precision": _rounded(self.precision),
            "clerk_weeks": round(self.clerk_weeks, 2),
        }


def workload(
    decisions: pd.DataFrame, target: float, threshold: float, *, pace: float = PACE
) -> Workload:
    """What coding from a threshold on leaves to clerks.

    Parameters
    ----------
    decisions : DataFrame
        ``decision`` and ``probability``; bulletins decided ``none`` stay so unless coded.
    target, threshold : float
        Precision asked for and the least probability that keeps it.
    pace : float
        Bulletins that one person settles in a day.

    Raises
    ------
    ConfigError
        The pace is not a positive number.
    """
    if not pace > 0.0:
        raise ConfigError(f"--pace is {pace}, expected more than 0 bulletins a person and day")
    probability = decisions["probability"].to_numpy(np.float64, na_value=0.0)
    is_auto = probability >= threshold
    is_none = (decisions["decision"] == "none").to_numpy(bool) & ~is_auto
    n, n_auto, n_none = len(decisions), int(is_auto.sum()), int(is_none.sum())
    n_review = n - n_auto - n_none
    return Workload(
        target=target,
        threshold=threshold,
        n=n,
        n_auto=n_auto,
        n_review=n_review,
        n_none=n_none,
        coding_rate=share(n_auto, n),
        precision=expected_share(probability[is_auto]),
        clerk_weeks=n_review / pace / DAYS_A_WEEK,
    )


def run_workloads(run: Location, *, pace: float = PACE) -> list[Workload]:
    """Workloads of a finished run: at the precision it was asked, and at :data:`TARGETS`.

    Raises
    ------
    DataError, ConfigError
        The folder holds no results, or its model cannot be read.
    """
    description = read_run(run)
    asked = asked_precision(run)
    path = description["model"]["path"]
    thresholds = Model.load("" if path == "shipped" else path).thresholds
    decisions = read_decisions(run, ["decision", "probability", "type"])
    may_be_coded = (decisions["type"] != "abroad").to_numpy(bool)
    chance = decisions["probability"].to_numpy(np.float64, na_value=0.0)[may_be_coded]
    is_file = len(decisions) >= LEAST_BULLETINS
    return [
        workload(
            decisions,
            target,
            expected_threshold(chance, target) if is_file else threshold_for(thresholds, target),
            pace=pace,
        )
        for target in sorted({asked, *TARGETS})
    ]


def asked_precision(run: Location) -> float:
    """The precision that a run was asked for."""
    return float(read_run(run)["options"]["decisions"]["precision"])


def record(run: Location, found: Sequence[Workload], *, pace: float = PACE) -> None:
    """Write the workloads into run.json, under ``workload``; results stay untouched."""
    content = {"pace": pace, "precisions": [w.as_dict() for w in found]}
    text = json.dumps({**read_run(run), "workload": content}, ensure_ascii=False, indent=1)
    paths.write_bytes(paths.join(run, "run.json"), f"{text}\n".encode())


def workload_table(found: Sequence[Workload], asked: float, *, pace: float = PACE) -> Table:
    """A French table, the precision asked for in bold."""
    title = f"Charge de reprise, à {pace:g} bulletins par personne et par jour"
    table = Table(title=title, title_justify="left")
    for name in ("demandée", "taux de codage", "précision attendue", "à reprendre", "semaines"):
        table.add_column(name, justify="right")
    for one in found:
        cells = (
            percent(one.target),
            with_interval(one.coding_rate),
            with_interval(one.precision),
            integer(one.n_review),
            decimal(one.clerk_weeks, 1),
        )
        table.add_row(*cells, style="bold" if one.target == asked else None)
    return table


def sentence(one: Workload) -> str:
    """The same in words."""
    weeks = decimal(one.clerk_weeks, 1)
    return (
        f"À {percent(one.target)} de précision demandée : {integer(one.n_review)} bulletins à "
        f"reprendre sur {integer(one.n)}, soit {weeks} semaines de travail d'une personne, et "
        f"{integer(one.n_none)} sans établissement ; "
        f"{percent(one.coding_rate.value)} codés automatiquement, précision attendue "
        f"{percent(one.precision.value)}."
    )


def _rounded(measure: Measure) -> dict[str, float | None]:
    names = ("value", "low", "high")
    return {n: round(v, 6) if (v := getattr(measure, n)) == v else None for n in names}
