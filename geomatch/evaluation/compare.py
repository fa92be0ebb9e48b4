"""Several runs side by side, the best first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from geomatch.core.errors import ConfigError
from geomatch.core.wording import NO_VALUE, integer
from geomatch.evaluation.evaluate import Evaluation
from geomatch.evaluation.tables import Line, counts, sections

#: Runs are ordered by these measures, the first that differs.
ORDER = ("coverage_95", "top1", "recall_20", "precision")


@dataclass(frozen=True)
class Row:
    """A line of the comparison: one cell for each run (None: not measured), and the best."""

    label: str
    cells: tuple[Line | None, ...]
    best: frozenset[int]


def ranking(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Names of the runs, the best first; equal runs keep the order they were given in."""

    def key(name: str) -> tuple[float, ...]:
        siret = evaluations[name].overall.siret
        values = [siret[m].value if m in siret else math.nan for m in ORDER]
        return tuple(math.inf if math.isnan(v) else -v for v in values)

    return sorted(evaluations, key=key)


def rows(evaluations: Sequence[Evaluation]) -> dict[str, list[Row]]:
    """Section → rows, in the order of the single table; a line that one run has is shown."""
    told = [sections(e.overall) for e in evaluations]
    titles = dict.fromkeys(title for sections_ in told for title in sections_)
    out = {}
    for title in titles:
        lines = [{line.label: line for line in t.get(title, [])} for t in told]
        labels = dict.fromkeys(label for by_label in lines for label in by_label)
        out[title] = [_row(label, [by_label.get(label) for by_label in lines]) for label in labels]
    return out


def _row(label: str, cells: Sequence[Line | None]) -> Row:
    scores = [
        -math.inf if c is None or c.sign == 0 or math.isnan(c.value) else c.sign * c.value
        for c in cells
    ]
    top = max(scores)
    is_tie = all(s == top for s in scores)
    best = [] if is_tie or top == -math.inf else [i for i, s in enumerate(scores) if s == top]
    return Row(label, tuple(cells), frozenset(best))


def compare(evaluations: Mapping[str, Evaluation]) -> Table:
    """A French table with the runs as columns, ranked, the best value of each line in bold.

    Runs are ranked by ``coverage_95``, then ``top1``, ``recall_20`` and ``precision``. Runs
    evaluated on different numbers of bulletins are still shown: the first lines tell.

    Raises
    ------
    ConfigError
        No run is given.
    """
    if not evaluations:
        raise ConfigError("nothing to compare: expected at least one evaluated run")
    names = ranking(evaluations)
    ordered = [evaluations[name] for name in names]
    table = Table(title="Comparaison", title_justify="left")
    table.add_column("mesure")
    for rank, name in enumerate(names, start=1):
        table.add_column(f"{rank}. {escape(name)}", justify="right")
    for label, cells in count_rows(ordered).items():
        table.add_row(label, *cells)
    for title, lines in rows(ordered).items():
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]")
        for row in lines:
            table.add_row(row.label, *(_cell(row, i) for i in range(len(names))))
    return table


def count_rows(evaluations: Sequence[Evaluation]) -> dict[str, list[str]]:
    """Label → one count for each run."""
    told = [counts(e.overall, e.n_missing, e.n_unlabelled) for e in evaluations]
    labels = dict.fromkeys(label for t in told for label in t)
    return {label: [integer(t.get(label, 0)) for t in told] for label in labels}


def _cell(row: Row, i: int) -> str:
    line = row.cells[i]
    if line is None:
        return NO_VALUE
    text = f"{line.text} ({line.interval})" if line.interval else line.text
    return f"[bold]{text}[/bold]" if i in row.best else text
