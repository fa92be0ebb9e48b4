"""Metrics as French tables for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich import box
from rich.markup import escape
from rich.table import Table

from geomatch.core.language import said
from geomatch.core.wording import (
    AGREEMENT_LABELS,
    CODING_LABELS,
    ERROR_LABELS,
    ERROR_TITLES,
    LABELS,
    LEVEL_NAMES,
    NAF_TITLES,
    STRATA_COLUMNS,
    STRATA_TITLES,
    integer,
    interval,
    percent,
)
from geomatch.evaluation.measures import Measure
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.strata import value_label


@dataclass(frozen=True)
class Line:
    """One line of a table: what is shown, and the number it can be ordered by.

    `sign` is 1 when more is better, -1 when less is, 0 when neither.
    """

    label: str
    value: float
    text: str
    interval: str
    sign: int


def sections(metrics: Metrics) -> dict[str, list[Line]]:
    """Title → lines: what the screen and the report both show."""
    out = {"SIRET": _measure_lines(metrics.siret, LABELS)}
    out["SIREN"] = _measure_lines(metrics.siren, LABELS)
    for level, measures in metrics.levels.items():
        out[f"Réponse : {LEVEL_NAMES[level]}"] = _measure_lines(measures, LABELS)
    for digits, measures in metrics.naf.items():
        out[NAF_TITLES[digits]] = _measure_lines(measures, LABELS)
    for name, measures in metrics.agreement.items():
        out[CODING_LABELS[name]] = _measure_lines(measures, AGREEMENT_LABELS)
    for scope, title in ERROR_TITLES.items():
        kinds = metrics.errors.get(scope, {})
        out[title] = [
            Line(label, kinds[kind], integer(kinds[kind]), "", 0)
            for kind, label in ERROR_LABELS.items()
            if kind in kinds
        ]
    return out


def _measure_lines(measures: Mapping[str, Measure], labels: Mapping[str, str]) -> list[Line]:
    return [
        Line(
            label,
            measures[name].value,
            percent(measures[name].value),
            spread(measures[name]),
            -1 if name == "calibration_error" else 1,
        )
        for name, label in labels.items()
        if name in measures
    ]


def spread(measure: Measure) -> str:
    """The 95 % interval of a measure: ``80,6 – 81,8``, in per cent; ``""`` without one."""
    return interval(measure.low, measure.high) if measure.value == measure.value else ""


def with_interval(measure: Measure) -> str:
    """``77,8 % (77,2 – 78,4)``."""
    around = spread(measure)
    return f"{percent(measure.value)} ({around})" if around else percent(measure.value)


def counts(metrics: Metrics, n_missing: int, n_unlabelled: int) -> dict[str, int]:
    """Label → how many bulletins: what the measures are about, and what they leave out."""
    out = {
        "bulletins évalués": metrics.n,
        "dont établissement au répertoire": metrics.n_with_truth,
    }
    if n_missing:
        out["bulletins de la vérité sans décision (non comptés)"] = n_missing
    if n_unlabelled:
        out["décisions sans vérité (non comptées)"] = n_unlabelled
    return out


def overall_table(metrics: Metrics, n_missing: int, n_unlabelled: int) -> Table:
    """The whole evaluation as one table."""
    table = Table(title="Évaluation", title_justify="left")
    table.add_column("mesure")
    table.add_column("valeur", justify="right")
    table.add_column("intervalle à 95 %", justify="right")
    for label, n in counts(metrics, n_missing, n_unlabelled).items():
        table.add_row(label, integer(n), "")
    for title, lines in sections(metrics).items():
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]", "", "")
        for line in lines:
            table.add_row(line.label, line.text, line.interval)
    return table


def strata_table(column: str, values: Mapping[str, Metrics]) -> Table:
    """One line for each value of a stratification."""
    title = STRATA_TITLES.get(column, column)
    table = Table(
        title=said("Par {}").format(escape(said(title))),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column(escape(said(title)), overflow="fold")
    shown = strata_shown(values)
    # at 80 columns the label gives way and the heads fold, never a number
    for head in ("bulletins", *(STRATA_COLUMNS[name] for name in shown)):
        width = max(_NUMBER, *map(len, head.split()))
        table.add_column(head, justify="right", width=width)
    for value, metrics in values.items():
        cells = [percent(metrics.siret[name].value) for name in shown]
        table.add_row(escape(value_label(column, value)), integer(metrics.n), *cells)
    return table


#: Signs of the longest number of a table by stratum: ``100,0 %``, ``999 999``.
_NUMBER = 7


def strata_shown(values: Mapping[str, Metrics]) -> list[str]:
    """Measures that at least one stratum has."""
    return [name for name in STRATA_COLUMNS if any(name in m.siret for m in values.values())]
