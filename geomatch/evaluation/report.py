"""The evaluation as one French HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from html import escape

from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.core.wording import (
    NO_VALUE,
    SCORE_LABELS,
    STRATA_COLUMNS,
    STRATA_TITLES,
    integer,
    percent,
)
from geomatch.evaluation import report_tables, summary
from geomatch.evaluation.bars import Bar, shift_bars, strata_bars
from geomatch.evaluation.compare import Row, count_rows, ranking, rows
from geomatch.evaluation.drift import Drift
from geomatch.evaluation.evaluate import Evaluation
from geomatch.evaluation.measures import NOTHING
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.overview import CommuneMap
from geomatch.evaluation.strata import DEPARTEMENT, SECTION, value_label
from geomatch.evaluation.svg import calibration_chart, curve_chart, legend
from geomatch.evaluation.tables import strata_shown
from geomatch.evaluation.without_truth import Portrait

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1d1d1f;background:#fff;margin:0 auto;
max-width:1060px;padding:1.5rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #e3e3e6;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:9rem}
thead th{border-bottom:2px solid #888}
tr.section th{padding-top:1rem;background:#f5f5f7}small{color:#5a5a60}
td.best{font-weight:700}.charts{display:flex;flex-wrap:wrap;gap:1rem}
figure{flex:1 1 420px;max-width:520px;margin:0}figcaption{color:#5a5a60;font-size:.9rem}
.legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.3rem 1.4rem}
svg .axes line{stroke:#e3e3e6}svg text{font:12px system-ui,sans-serif;fill:#3a3a3f}
.brief{background:#f5f5f7;border-left:4px solid #0072b2;padding:.6rem 1rem .6rem 2rem;
font-size:1.05rem}.brief li{margin:.25rem 0}.wide,.map{max-width:none}.wide{max-width:760px}
svg .guide{stroke:#8a8a90;stroke-dasharray:3 3}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0 0 1rem;
font-size:.92rem}.facts dt{color:#5a5a60}.facts dd{margin:0;overflow-wrap:anywhere}
summary{cursor:pointer;margin-top:1rem}summary h3{display:inline;font-size:1rem}
figure svg{max-width:100%;height:auto}
@media (max-width:640px){body{padding:.8rem;font-size:14px}figure{flex-basis:100%}
table{width:100%;font-size:12.5px}th,td{padding:.25rem .3rem;white-space:normal}
th:first-child,td:first-child{min-width:5.6rem;overflow-wrap:break-word}
.map{overflow-x:auto}.map svg{max-width:none!important;width:660px}td small{display:block}
.facts{grid-template-columns:1fr}.facts dd{margin-bottom:.3rem}}
@media print{details::details-content{content-visibility:visible;display:block;height:auto}
@page{size:A4;margin:14mm}body{max-width:none;padding:0;font-size:10pt}
.scroll{overflow:visible}th,td{white-space:normal;padding:.15rem .35rem}
h2,h3{break-after:avoid}figure,tr,.brief{break-inside:avoid}thead{display:table-header-group}}
"""
_NOTES = """
<h2>Comment lire cette page</h2>
<p>« Codable à 95 % » : plus grande part des bulletins, pris par probabilité décroissante, que
l’on peut coder en gardant 95 % de codes justes. Un bulletin dont l’établissement n’est pas au
répertoire compte comme faux s’il reçoit un code, SIRET ou NAF. Intervalles à 95 % : Wilson
pour les parts, rééchantillonnage à graine fixe pour les parts codables, analytique pour la
calibration. En gras, la meilleure valeur de la ligne.</p>
"""
_DRIFT_NOTES = """
<p>Indice de stabilité : moins de 0,10 stable, de 0,10 à 0,25 à surveiller, au-delà la
répartition a changé. Écarts en points, avec leur intervalle à 95 % ; « a changé » quand
l’intervalle laisse zéro dehors.</p>
"""
_CHART_TITLES = {"siret": "Établissement (SIRET)", "naf": "Activité (NAF)"}
#: Stratifications that are drawn, not only told.
_DRAWN = (SECTION, DEPARTEMENT)
#: Bars that have room in one drawing, and bulletins below which a stratum is only in a table.
_MOST_BARS, _LEAST_BULLETINS = 24, 20
#: Lines of a table that is shown at once; longer ones are folded on the screen.
_SHORT = 12


def html_report(
    evaluations: Evaluation | Mapping[str, Evaluation],
    path: Location,
    *,
    portraits: Mapping[str, Portrait] | None = None,
    drifts: Mapping[str, Drift] | None = None,
    maps: Mapping[str, CommuneMap] | None = None,
    sources: Mapping[str, Mapping[str, str]] | None = None,
) -> Location:
    """Write a self-contained page: a summary in words, pictures, then tables.

    Parameters
    ----------
    evaluations
        One evaluation, or several by name; they are ranked as by
        :func:`~geomatch.evaluation.compare.compare`.
    path
        File to write; its folder must exist.
    portraits
        Runs without a truth, by name.
    drifts
        What moved since the last campaign, by name of the run.
    maps
        Where the bulletins of a run are and what became of them, by name.
    sources
        What each run is of (:func:`~geomatch.evaluation.provenance.provenance`), by name.

    Returns
    -------
    path
        The file written. It appears whole or not at all.

    Raises
    ------
    ConfigError
        No run is given, or the file cannot be written.
    """
    runs = {"": evaluations} if isinstance(evaluations, Evaluation) else dict(evaluations)
    if not runs and not portraits:
        raise ConfigError("no run to report on: expected at least one evaluated run")
    file = paths.location(path)
    content = page(runs, portraits or {}, drifts or {}, maps, sources).encode("utf-8")
    paths.write_bytes(file, content)
    return file


def page(
    runs: Mapping[str, Evaluation],
    portraits: Mapping[str, Portrait] | None = None,
    drifts: Mapping[str, Drift] | None = None,
    maps: Mapping[str, CommuneMap] | None = None,
    sources: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """The page as text."""
    ordered = {name: runs[name] for name in ranking(runs)}
    parts = ["<h1>Évaluation du codage des établissements</h1>"]
    parts += [
        _facts(name if len(sources or {}) > 1 else "", f) for name, f in (sources or {}).items()
    ]
    parts.append(_brief(ordered, portraits or {}, drifts or {}))
    parts += [_mapped(name if len(maps or {}) > 1 else "", m) for name, m in (maps or {}).items()]
    if ordered:
        parts += _measured(ordered)
    if portraits:
        parts.append(_titled(report_tables.portrait_grid(portraits)))
    for name, portrait in (portraits or {}).items():
        parts += _portrayed(name, portrait)
    for name, drift in (drifts or {}).items():
        parts += _drifted(name, drift)
    if ordered:
        parts += _details(ordered)
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Évaluation</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _facts(name: str, facts: Mapping[str, str]) -> str:
    """What the page is of, and when it was written."""
    now = datetime.now().astimezone().strftime("%d/%m/%Y à %H:%M")
    told = {**({"Passage": name} if name else {}), "Page établie le": now, **facts}
    lines = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in told.items())
    return f'<dl class="facts">{lines}</dl>'


def _brief(
    runs: Mapping[str, Evaluation], portraits: Mapping[str, Portrait], drifts: Mapping[str, Drift]
) -> str:
    told = []
    if runs:
        told += summary.sentences(runs)
    for portrait in portraits.values():
        told += summary.portrait_sentences(portrait)
    for drift in drifts.values():
        told += summary.drift_sentences(drift)
    items = "".join(f"<li>{escape(t)}</li>" for t in told)
    return f'<h2>En bref</h2><ul class="brief">{items}</ul>'


def _mapped(name: str, drawn: CommuneMap) -> str:
    run = f" – {escape(name)}" if name else ""
    return (
        f'<h2>Où sont les bulletins{run}</h2><figure class="map">{drawn.svg}<figcaption>Un disque '
        "par commune de travail, ou par groupe de communes voisines ; sa surface dit le nombre de "
        "bulletins, ses parts ce qu’ils sont devenus. Points clairs : autres communes. "
        "Le fond d’un département, au contour approché, dit la part codée de ses bulletins."
        "</figcaption></figure>"
    )


def _measured(runs: Mapping[str, Evaluation]) -> list[str]:
    """The pictures, and what a manager compares."""
    parts = []
    if len(runs) > 1:
        parts += [_titled(report_tables.scoreboard(runs)), legend(list(runs))]
    name, first = next(iter(runs.items()))
    for run, evaluation in runs.items():
        ladder = report_tables.ladder_grid(evaluation.overall)
        if ladder is not None:
            parts.append(_titled(ladder, run))
    for kind, title in _CHART_TITLES.items():
        parts.append(_charts(runs, kind, title))
    for column in (c for c in _DRAWN if c in first.strata):
        bars = [_bar(value, m) for value, m in first.strata[column].items()]
        parts.append(_bars(name if len(runs) > 1 else "", column, bars))
    for name, evaluation in runs.items():
        for grid in report_tables.who_was_right_grids(evaluation):
            parts.append(_titled(grid, name))
    return parts


def _details(runs: Mapping[str, Evaluation]) -> list[str]:
    parts = ["<h2>Toutes les mesures</h2>", _table(runs)]
    for name, evaluation in runs.items():
        for column, values in evaluation.strata.items():
            parts.append(_strata(name, column, values))
    return [*parts, _NOTES]


def _portrayed(name: str, portrait: Portrait) -> list[str]:
    parts = []
    for column in (c for c in _DRAWN if c in portrait.strata):
        bars = [
            Bar(value, s.n, s.coding_rate, s.expected_precision)
            for value, s in portrait.strata[column].items()
        ]
        parts.append(_bars(name, column, bars))
    run = f" – {escape(name)}" if name else ""
    parts += [
        _folded(f"{escape(grid.title)}{run}", grid.html(), is_open=len(grid.rows) <= _SHORT)
        for grid in report_tables.portrait_strata_grids(portrait)
    ]
    return parts


def _drifted(name: str, drift: Drift) -> list[str]:
    run = f" – {escape(name)}" if name else ""
    parts = [f"<h2>Cette campagne et la précédente{run}</h2>", _DRIFT_NOTES]
    figures = [
        f"<figure>{shift_bars(SCORE_LABELS[score], shift)}<figcaption>"
        f"{escape(_sentence(SCORE_LABELS[score]))} : {shift.verdict}. "
        "Gris : campagne précédente, par déciles ; bleu : celle-ci.</figcaption></figure>"
        for score, shift in drift.scores.items()
    ]
    parts.append(f'<div class="charts">{"".join(figures)}</div>')
    parts += [f"<h3>{escape(g.title)}</h3>{g.html()}" for g in report_tables.drift_grids(drift)]
    return parts


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _titled(grid: report_tables.Grid, name: str = "") -> str:
    run = f" – {escape(name)}" if name else ""
    return f"<h2>{escape(grid.title)}{run}</h2>{grid.html()}"


def _bar(value: str, metrics: Metrics) -> Bar:
    measures = metrics.siret
    return Bar(value, metrics.n, measures["coding_rate"], measures.get("precision", NOTHING))


def _bars(name: str, column: str, bars: list[Bar]) -> str:
    title = f"Taux de codage par {STRATA_TITLES[column]}" + (f" – {name}" if name else "")
    shown = [b for b in bars if b.n >= _LEAST_BULLETINS][:_MOST_BARS]
    if not shown:
        return ""
    return (
        f'<h2>{escape(title)}</h2><figure class="wide">{strata_bars(title, shown)}'
        "<figcaption>Barre : part des bulletins codés, avec son intervalle ; point : part juste "
        "(ou promise, sans vérité) de ces codes ; (vide) : activité ou lieu inconnus."
        "</figcaption></figure>"
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
        f"{report_tables.TABLE}<thead><tr><th>mesure</th>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _line(row: Row) -> str:
    cells = []
    for i, line in enumerate(row.cells):
        mark = ' class="best"' if i in row.best else ""
        text = NO_VALUE if line is None else escape(line.text)
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
        label = escape(value_label(column, value))
        lines.append(f"<tr><td>{label}</td><td>{integer(metrics.n)}</td>{cells}</tr>")
    run = f" – {escape(name)}" if name else ""
    title = STRATA_TITLES.get(column, column)
    return _folded(
        f"Par {escape(title)}{run}",
        f"{report_tables.TABLE}<thead><tr>"
        f"<th>{escape(title)}</th><th>bulletins</th>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>",
        is_open=len(values) <= _SHORT,
    )


def _folded(title: str, content: str, *, is_open: bool) -> str:
    """A part that opens with a click, and is whole on paper."""
    state = " open" if is_open else ""
    return f"<details{state}><summary><h3>{title}</h3></summary>{content}</details>"
