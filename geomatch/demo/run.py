"""The whole chain on a fictional département: generate, build, match, evaluate, show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from geomatch.core.config import Config
from geomatch.core.wording import percent
from geomatch.demo.generate import BULLETINS_AT_SCALE_1, DemoFiles, generate
from geomatch.demo.page import write_demo_page
from geomatch.evaluation import Evaluation, Measure, html_report, read_truth
from geomatch.evaluation.provenance import provenance
from geomatch.evaluation.tables import spread

Progress = Callable[[str, float], None]


def run_demo(
    out: str | Path, *, size: int = BULLETINS_AT_SCALE_1, progress: Progress | None = None
) -> list[Any]:
    """Run the demo under the folder `out`.

    Returns what a screen should show in the end: a table of metrics and the paths of the
    results, the report and the page, as lines that rich can print.
    """
    from geomatch.evaluation.scoring import evaluate_run, map_of_run
    from geomatch.runs.batch import RunOptions, run

    tell = progress or (lambda step, share: None)
    root = Path(out)
    tell("département inventé", 0.0)
    files = generate(root / "fichiers", size=size)
    store = _build(files, root / "base", tell)
    results = root / "resultats"
    run(
        files.bulletins,
        store,
        results,
        Config(),
        RunOptions(force=True),  # the folder is the demonstration's own
        progress=lambda done, total: tell("bulletins", 0.4 + 0.45 * done / max(1, total)),
    )
    tell("évaluation", 0.87)
    evaluation = evaluate_run(results, read_truth(files.truth))
    drawn = map_of_run(results)
    maps = {"": drawn} if drawn is not None else {}
    report = html_report(
        evaluation, root / "rapport.html", maps=maps, sources={"": provenance(results)}
    )
    tell("page", 0.95)
    page = write_demo_page(
        results, store, root / "trois_bulletins.html", figures=_figures(evaluation)
    )
    tell("terminé", 1.0)
    return [
        _table(evaluation),
        *_places(files, store, results),
        f"Rapport : {report}",
        f"Carte de trois bulletins : {page}",
    ]


def _build(files: DemoFiles, out: Path, tell: Progress) -> Path:
    from gazetteer.build import BuildOptions, build

    options = BuildOptions(
        ban=(files.ban_dir,),
        sirene=files.sirene_dir,
        cog=files.cog_dir,
        geoloc=files.geolocalisation,
        naf=files.naf,
        out=out,
    )
    build(options, lambda step, share: tell(f"base : {step}", 0.1 + 0.3 * share))
    return out


def _places(files: DemoFiles, store: Path, results: Path) -> list[str]:
    return [
        f"Fichiers inventés : {files.root}",
        f"Base de référence : {store}",
        f"Résultats : {results / 'decisions.parquet'}",
    ]


def _measures(evaluation: Evaluation) -> dict[str, Measure]:
    """The few measures that the screen and the head of the page show."""
    siret = evaluation.overall.siret
    return {
        "taux de codage automatique": siret["coding_rate"],
        "codes automatiques justes": siret["precision"],
        "bon établissement en tête": siret["top1"],
        "bon établissement parmi les vingt": siret["recall_20"],
    }


def _table(evaluation: Evaluation) -> Table:
    table = Table(title="Département inventé : codage et qualité", title_justify="left")
    table.add_column("mesure")
    table.add_column("valeur", justify="right")
    table.add_column("intervalle à 95 %", justify="right")
    table.add_row("bulletins", str(evaluation.overall.n), "")
    for label, measure in _measures(evaluation).items():
        table.add_row(label, percent(measure.value), spread(measure))
    return table


def _figures(evaluation: Evaluation) -> dict[str, str]:
    shown = {label: percent(measure.value) for label, measure in _measures(evaluation).items()}
    return {"bulletins": str(evaluation.overall.n), **shown}
