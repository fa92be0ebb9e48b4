"""``decide``: a finished run decided again."""

from __future__ import annotations

from typing import Annotated

import typer

from geomatch.cli.console import err, screen
from geomatch.cli.options import PathOption, between_0_and_1, share


def decide(
    run_dir: Annotated[str, typer.Argument(metavar="RUN", help="Dossier de résultats.")],
    out: Annotated[str, PathOption(help="Nouveau dossier de résultats.")],
    precision: Annotated[
        str | None,
        typer.Option(help="Précision demandée : 0,98 ou 98 %."),
    ] = None,
    level: Annotated[str, typer.Option(help="siret, site, siren ou naf ; vide : tous.")] = "",
    threshold: Annotated[
        float | None, typer.Option(help="Probabilité à partir de laquelle coder.")
    ] = None,
) -> None:
    """Décider de nouveau un passage, sans apparier : autre précision, niveau ou seuil."""
    from geomatch.runs.decide import decide_run
    from geomatch.runs.promise import promise_lines

    asked = None if precision is None else between_0_and_1(share(precision))
    told = decide_run(run_dir, out, precision=asked, level=level, threshold=threshold)
    for line in promise_lines(told, out):
        err.print(line, highlight=False, soft_wrap=True, markup=False)
    screen.print(out, highlight=False, soft_wrap=True)
