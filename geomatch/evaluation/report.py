"""The evaluation as one French HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from geomatch.errors import ConfigError
from geomatch.evaluation.compare import Row, count_rows, ranking, rows
from geomatch.evaluation.evaluate import Evaluation
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.svg import calibration_chart, curve_chart, legend
from geomatch.evaluation.tables import STRATA_COLUMNS, integer, percent, strata_shown

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1d1d1f;background:#fff;margin:0 auto;
max-width:1060px;padding:1.5rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #e3e3e6;white-space:nowrap}
th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #888}
tr.section th{padding-top:1rem;background:#f5f5f7}small{color:#5a5a60}
td.best{font-weight:700}.charts{display:flex;flex-wrap:wrap;gap:1rem}
figure{flex:1 1 420px;max-width:520px;margin:0}figcaption{color:#5a5a60;font-size:.9rem}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem}
svg .axes line{stroke:#e3e3e6}svg text{font:12px system-ui,sans-serif;fill:#3a3a3f}
svg .guide{stroke:#8a8a90;stroke-dasharray:3 3}
"""
_NOTES = """
<p>« Codable à 95 % » : plus grande part des bulletins, pris par probabilité décroissante, que
l’on peut coder en gardant 95 % de codes justes. Un bulletin dont l’établissement n’est pas au
répertoire compte comme faux s’il reçoit un code. Intervalles à 95 % : Wilson pour les parts,
rééchantillonnage à graine fixe pour les parts codables, analytique pour la calibration. En gras,
la meilleure valeur de la ligne.</p>
"""
_CHART_TITLES = {"siret": "SIRET", "naf": "NAF"}


def html_report(evaluations: Evaluation | Mapping[str, Evaluation], path: str | Path) -> Path:
    """Write a self-contained page: metrics, precision–coverage curve, calibration, strata.

    Parameters
    ----------
    evaluations
        One evaluation, or several by name; they are ranked as by
        :func:`~geomatch.evaluation.compare.compare`.
    path
        File to write; its folder must exist.

    Returns
    -------
    Path
        The file written. It appears whole or not at all.

    Raises
    ------
    ConfigError
        No run is given, or the file cannot be written.
    """
    runs = {"": evaluations} if isinstance(evaluations, Evaluation) else dict(evaluations)
    if not runs:
        raise ConfigError("no run to report on: expected at least one evaluated run")
    file = Path(path)
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.write_text(page(runs), encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(f"report {file} cannot be written: {error.strerror or error}") from error
    return file


def page(runs: Mapping[str, Evaluation]) -> str:
    """The page as text."""
    ordered = {name: runs[name] for name in ranking(runs)}
    parts = ["<h1>Évaluation du codage des établissements</h1>", _NOTES, _table(ordered)]
    if len(ordered) > 1:
        parts.append(legend(list(ordered)))
    for kind, title in _CHART_TITLES.items():
        parts.append(_charts(ordered, kind, title))
    for name, evaluation in ordered.items():
        for column, values in evaluation.strata.items():
            parts.append(_strata(name, column, values))
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Évaluation</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _table(runs: Mapping[str, Evaluation]) -> str:
    evaluations = list(runs.values())
    heads = "".join(
        f"<th>{rank}. {escape(name)}</th>" if name else "<th>valeur</th>"
        for rank, name in enumerate(runs, start=1)
    )
    lines = [
        f"<tr><td>{escape(label)}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        for label, cells in count_rows(evaluations).items()
    ]
    for title, found in rows(evaluations).items():
        lines.append(f'<tr class="section"><th colspan="{len(runs) + 1}">{escape(title)}</th></tr>')
        lines += [_line(row) for row in found]
    return (
        f'<div class="scroll"><table><thead><tr><th>mesure</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _line(row: Row) -> str:
    cells = []
    for i, line in enumerate(row.cells):
        mark = ' class="best"' if i in row.best else ""
        text = "–" if line is None else escape(line.text)
        if line is not None and line.interval:
            text += f" <small>{escape(line.interval)}</small>"
        cells.append(f"<td{mark}>{text}</td>")
    return f"<tr><td>{escape(row.label)}</td>{''.join(cells)}</tr>"


def _charts(runs: Mapping[str, Evaluation], kind: str, title: str) -> str:
    numbered = list(enumerate(runs.values()))
    curves = {i: e.curves[kind] for i, e in numbered if kind in e.curves}
    if not any(len(curve.count) for curve in curves.values()):
        return ""
    bins = {i: e.calibrations[kind] for i, e in numbered if kind in e.calibrations}
    return (
        f"<h2>{title}</h2>"
        f'<div class="charts"><figure>{curve_chart(curves)}<figcaption>Précision du codage selon '
        "la part des bulletins codés, du plus sûr au moins sûr.</figcaption></figure>"
        f"<figure>{calibration_chart(bins)}<figcaption>Part juste selon la probabilité annoncée ; "
        "sur la diagonale, la probabilité dit vrai.</figcaption></figure></div>"
    )


def _strata(name: str, column: str, values: Mapping[str, Metrics]) -> str:
    shown = strata_shown(values)
    heads = "".join(f"<th>{escape(STRATA_COLUMNS[m])}</th>" for m in shown)
    lines = []
    for value, metrics in values.items():
        cells = "".join(f"<td>{percent(metrics.siret[m].value)}</td>" for m in shown)
        lines.append(f"<tr><td>{escape(value)}</td><td>{integer(metrics.n)}</td>{cells}</tr>")
    run = f" – {escape(name)}" if name else ""
    return (
        f'<h2>Par {escape(column)}{run}</h2><div class="scroll"><table><thead><tr>'
        f"<th>{escape(column)}</th><th>bulletins</th>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
