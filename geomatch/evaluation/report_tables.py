"""Tables of an evaluation as plain text cells, the same for the screen and for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rich.markup import escape as escape_markup
from rich.table import Table

from geomatch.core.wording import (
    CODING_LABELS,
    FIELDS,
    LABELS,
    LEVEL_NAMES,
    NO_VALUE,
    RATE_LABELS,
    RIGHT_LABELS,
    SCOPE_LABELS,
    SCORE_LABELS,
    STRATA_TITLES,
    decimal,
    integer,
    percent,
    points,
)
from geomatch.evaluation.compare import ranking
from geomatch.evaluation.drift import Change, Drift
from geomatch.evaluation.evaluate import Evaluation
from geomatch.evaluation.measures import NOTHING
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.strata import value_label
from geomatch.evaluation.tables import with_interval
from geomatch.evaluation.without_truth import Portrait

#: A table that is scrolled where it is too wide, by keys too; its end is ``</table></div>``.
TABLE = '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'


@dataclass(frozen=True)
class Grid:
    """A table: title, heads, rows of text; the first column is a label, the rest numbers."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def table(self) -> Table:
        """For the screen."""
        table = Table(title=escape_markup(self.title), title_justify="left")
        for i, head in enumerate(self.heads):
            widest = max((len(row[i]) for row in self.rows), default=0)
            if i:  # numbers are shown whole; the label and the heads fold
                table.add_column(escape_markup(head), justify="right", min_width=widest)
            else:
                table.add_column(escape_markup(head), overflow="fold")
        for row in self.rows:
            table.add_row(*(escape_markup(cell) for cell in row))
        return table

    def html(self) -> str:
        """For the page, without its title."""
        heads = "".join(f"<th>{escape(h)}</th>" for h in self.heads)
        lines = ("".join(f"<td>{escape(c)}</td>" for c in row) for row in self.rows)
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"{TABLE}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"


def scoreboard(evaluations: Mapping[str, Evaluation]) -> Grid:
    """The runs by rank, as the teams of 2018 were compared: coding, success, agreement."""
    coded = "accord avec MCA"
    heads = (
        "passage",
        "rang",
        "taux de codage",
        "réussite",
        "codable à 95 %",
        "premier juste",
    )
    has_mca = any("mca" in e.overall.agreement for e in evaluations.values())
    rows = []
    for rank, name in enumerate(ranking(evaluations), start=1):
        overall = evaluations[name].overall
        measures = [
            overall.siret.get(m, NOTHING)
            for m in ("coding_rate", "precision", "coverage_95", "top1")
        ]
        if has_mca:
            measures.append(overall.agreement.get("mca", {}).get("agreement", NOTHING))
        rows.append((name, str(rank), *(percent(m.value) for m in measures)))
    return Grid("Tableau des passages", heads + ((coded,) if has_mca else ()), tuple(rows))


def ladder_grid(metrics: Metrics) -> Grid | None:
    """What is sure at each level of the answer; None when only the establishment was judged."""
    if not metrics.levels:
        return None
    shown = ("coding_rate", "precision", "coverage_95", "top1")
    rows = [
        (LEVEL_NAMES[level], *(with_interval(measures.get(m, NOTHING)) for m in shown))
        for level, measures in {"siret": metrics.siret, **metrics.levels}.items()
    ]
    heads = ("niveau", *(LABELS[m] for m in shown))
    return Grid("Ce qui est sûr, niveau par niveau", heads, tuple(rows))


def portrait_grid(portraits: Mapping[str, Portrait]) -> Grid:
    """Runs side by side as far as they are known without a truth."""
    rows = [("bulletins", *(integer(p.n) for p in portraits.values()))]
    for name, label in RATE_LABELS.items():
        found = [p.measures.get(name, NOTHING) for p in portraits.values()]
        rows.append((label, *(with_interval(m) for m in found)))
    for coding in dict.fromkeys(c for p in portraits.values() for c in p.agreement):
        found = [p.agreement.get(coding, {}).get("agreement", NOTHING) for p in portraits.values()]
        rows.append((f"accord : {CODING_LABELS[coding]}", *(with_interval(m) for m in found)))
    return Grid("Codage, sans vérité", ("mesure", *portraits), tuple(rows))


def portrait_strata_grids(portrait: Portrait, only: Sequence[str] | None = None) -> list[Grid]:
    """One table for each stratification, or for those of `only`."""
    return [
        Grid(
            f"Par {STRATA_TITLES.get(column, column)}",
            (STRATA_TITLES.get(column, column), "bulletins", "codage", "précision attendue"),
            tuple(
                (
                    value_label(column, v),
                    integer(s.n),
                    percent(s.coding_rate.value),
                    percent(s.expected_precision.value),
                )
                for v, s in values.items()
            ),
        )
        for column, values in portrait.strata.items()
        if only is None or column in only
    ]


def who_was_right_grids(evaluation: Evaluation) -> list[Grid]:
    """One cross table for each earlier coding."""
    grids = []
    for name, scopes in evaluation.overall.who_was_right.items():
        heads = (CODING_LABELS[name], *(SCOPE_LABELS[s] for s in scopes))
        rows = [
            (label, *(integer(kinds[kind]) for kinds in scopes.values()))
            for kind, label in RIGHT_LABELS.items()
        ]
        grids.append(Grid(f"Qui avait raison : {CODING_LABELS[name]}", heads, tuple(rows)))
    return grids


def drift_grids(drift: Drift) -> list[Grid]:
    """Scores, rates, gaps, and coding rate by stratum, before and now."""
    scores = tuple(
        (SCORE_LABELS[name], decimal(s.psi), s.verdict) for name, s in drift.scores.items()
    )
    grids = [Grid("Scores", ("score", "indice de stabilité", "constat"), scores)]
    rates = {RATE_LABELS[name]: c for name, c in drift.rates.items()}
    grids.append(_change_grid("Résultats", "mesure", rates))
    if drift.missing:
        gaps = {FIELDS[name]: c for name, c in drift.missing.items()}
        grids.append(_change_grid("Champs laissés vides", "champ", gaps))
    for column, changes in drift.strata.items():
        title = STRATA_TITLES.get(column, column)
        named = {value_label(column, value): change for value, change in changes.items()}
        grids.append(_change_grid(f"Taux de codage par {title}", title, named))
    return grids


def _change_grid(title: str, head: str, changes: Mapping[str, Change]) -> Grid:
    heads = (head, "bulletins avant", "maintenant", "avant", "maintenant", "écart", "constat")
    rows = [
        (
            label,
            integer(c.before.n),
            integer(c.now.n),
            percent(c.before.value),
            percent(c.now.value),
            moved(c),
            "a changé" if c.is_clear else "stable",
        )
        for label, c in changes.items()
    ]
    return Grid(title, heads, tuple(rows))


def moved(found: Change) -> str:
    """``+1,2 (+0,3 ; +2,1)``, in points of per cent."""
    if math.isnan(found.difference):
        return NO_VALUE
    value, low, high = (points(v) for v in (found.difference, found.low, found.high))
    return f"{value} ({low} ; {high})"
