"""Metrics as French tables for the screen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from rich.markup import escape
from rich.table import Table

from geomatch.evaluation.measures import Measure
from geomatch.evaluation.metrics import Metrics

#: Measure → what a reader calls it, in the order shown.
LABELS: Mapping[str, str] = {
    "top1": "meilleur écho juste",
    "recall_20": "bon SIRET parmi les 20 premiers",
    "coding_rate": "taux de codage automatique",
    "precision": "précision du codage automatique",
    "coverage_90": "part codable à 90 % de précision",
    "coverage_95": "part codable à 95 % de précision",
    "coverage_98": "part codable à 98 % de précision",
    "calibration_error": "erreur de calibration",
    "none_precision": "« aucun » justifiés",
    "none_recall": "absents du répertoire reconnus",
}
NAF_TITLES = {
    5: "NAF (sous-classe)",
    4: "NAF à 4 chiffres",
    3: "NAF à 3 chiffres",
    2: "NAF à 2 chiffres",
}
ERROR_LABELS: Mapping[str, str] = {
    "wrong": "échos faux",
    "not_in_register": "dont établissement absent du répertoire",
    "rank_2_20": "dont bon SIRET aux rangs 2 à 20",
    "not_among_candidates": "dont bon SIRET absent des candidats",
    "right_siren_wrong_site": "(bon SIREN, mauvais établissement)",
    "no_echo": "(aucun écho proposé)",
}
CODING_LABELS = {
    "mca": "codage MCA (SIRETC)",
    "gestionnaire": "codage du gestionnaire (SIRETM)",
    "final": "codage final (SIRET_DEC)",
}
AGREEMENT_LABELS = {
    "coding_rate": "bulletins codés",
    "precision": "précision de ce codage",
    "agreement": "accord du meilleur écho",
    "agreement_auto": "accord du codage automatique",
}
_STRATA_COLUMNS = ("top1", "recall_20", "coding_rate", "precision", "coverage_95")
_STRATA_HEADS = ("1er écho", "20 premiers", "codage", "précision", "codable à 95 %")


def percent(value: float, digits: int = 1) -> str:
    """``81,2 %``, or a dash when there is nothing to tell."""
    return "–" if math.isnan(value) else f"{100 * value:.{digits}f} %".replace(".", ",")


def interval(measure: Measure) -> str:
    """``80,6 – 81,8``, in per cent."""
    if math.isnan(measure.value):
        return ""
    return f"{100 * measure.low:.1f} – {100 * measure.high:.1f}".replace(".", ",")


def integer(value: int) -> str:
    """``20 000`` with a narrow no-break space."""
    return f"{value:,}".replace(",", "\u202f")


def rows(metrics: Metrics) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Sections of (label, value, interval): what the screen and the report both show."""
    yield "SIRET", _measure_rows(metrics.siret, LABELS)
    yield "SIREN", _measure_rows(metrics.siren, LABELS)
    for level, measures in metrics.naf.items():
        yield NAF_TITLES[level], _measure_rows(measures, LABELS)
    for name, measures in metrics.agreement.items():
        yield CODING_LABELS[name], _measure_rows(measures, AGREEMENT_LABELS)
    for scope, title in (("auto", "Erreurs du codage automatique"), ("all", "Tous les échos")):
        kinds = metrics.errors.get(scope, {})
        yield (
            title,
            [(ERROR_LABELS[k], integer(kinds[k]), "") for k in ERROR_LABELS if k in kinds],
        )


def _measure_rows(
    measures: Mapping[str, Measure], labels: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    return [
        (labels[name], percent(measures[name].value), interval(measures[name]))
        for name in labels
        if name in measures
    ]


def overall_table(metrics: Metrics, n_missing: int, n_unlabelled: int) -> Table:
    """The whole evaluation as one table."""
    table = Table(title="Évaluation", title_justify="left")
    table.add_column("mesure")
    table.add_column("valeur", justify="right")
    table.add_column("intervalle à 95 %", justify="right")
    table.add_row("bulletins évalués", integer(metrics.n), "")
    table.add_row("dont établissement au répertoire", integer(metrics.n_with_truth), "")
    for label, n in (
        ("bulletins de la vérité sans décision (non comptés)", n_missing),
        ("décisions sans vérité (non comptées)", n_unlabelled),
    ):
        if n:
            table.add_row(f"[yellow]{label}[/yellow]", integer(n), "")
    for title, lines in rows(metrics):
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]", "", "")
        for line in lines:
            table.add_row(*line)
    return table


def strata_table(column: str, values: Mapping[str, Metrics]) -> Table:
    """One line for each value of a stratification."""
    table = Table(title=f"Par {escape(column)}", title_justify="left")
    table.add_column(escape(column))
    table.add_column("bulletins", justify="right")
    shown = [
        (name, head)
        for name, head in zip(_STRATA_COLUMNS, _STRATA_HEADS, strict=True)
        if any(name in m.siret for m in values.values())
    ]
    for _, head in shown:
        table.add_column(head, justify="right")
    for value, metrics in values.items():
        cells = [percent(metrics.siret[name].value) for name, _ in shown]
        table.add_row(escape(value), integer(metrics.n), *cells)
    return table
