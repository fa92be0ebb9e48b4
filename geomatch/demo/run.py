"""The whole chain on a fictional département: generate, build, match, evaluate, show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from geomatch.config import Config
from geomatch.demo.generate import BULLETINS_AT_SCALE_1, DemoFiles, generate
from geomatch.demo.page import write_demo_page
from geomatch.evaluation import Evaluation, html_report, read_truth
from geomatch.review.wording import percent

Progress = Callable[[str, float], None]


def run_demo(
    out: str | Path, *, size: int = BULLETINS_AT_SCALE_1, progress: Progress | None = None
) -> list[Any]:
    """Run the demo under the folder `out`.

    Returns what a screen should show in the end: a table of metrics and the paths of the
    results, the report and the page, as lines that rich can print.
    """
    from gazetteer.build import BuildOptions, build
    from geomatch.batch import run
    from geomatch.scoring import evaluate_run

    tell = progress or (lambda step, share: None)
    root = Path(out)
    tell("département inventé", 0.0)
    files = generate(root / "fichiers", size=size)
    store = root / "base"
    options = BuildOptions(
        ban=(files.ban_dir,),
        sirene=files.sirene_dir,
        cog=files.cog_dir,
        geoloc=files.geolocalisation,
        naf=files.naf,
        out=store,
    )
    build(options, lambda step, share: tell(f"base : {step}", 0.1 + 0.3 * share))
    results = root / "resultats"
    run(
        files.bulletins,
        store,
        results,
        Config(),
        progress=lambda done, total: tell("bulletins", 0.4 + 0.45 * done / max(1, total)),
    )
    tell("évaluation", 0.87)
    evaluation = evaluate_run(results, read_truth(files.truth))
    report = html_report(evaluation, root / "rapport.html")
    tell("page", 0.95)
    page = write_demo_page(
        results, store, root / "trois_bulletins.html", figures=_figures(evaluation)
    )
    tell("terminé", 1.0)
    return [
        evaluation.table(),
        *_places(files, store, results),
        f"Rapport : {report}",
        f"Carte de trois bulletins : {page}",
    ]


def _places(files: DemoFiles, store: Path, results: Path) -> list[str]:
    return [
        f"Fichiers inventés : {files.root}",
        f"Base de référence : {store}",
        f"Résultats : {results / 'decisions.parquet'}",
    ]


def _figures(evaluation: Evaluation) -> dict[str, str]:
    """The few numbers for the head of the page."""
    overall = evaluation.overall
    measures = {
        "taux de codage automatique": overall.siret["coding_rate"].value,
        "codes automatiques justes": overall.siret["precision"].value,
        "bon établissement en tête": overall.siret["top1"].value,
    }
    figures = {"bulletins": f"{overall.n}"}
    figures.update(
        {label: percent(value) for label, value in measures.items() if value is not None}
    )
    return figures
