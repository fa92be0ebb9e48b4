"""``review``, ``audit`` and ``certify``: the clerk's desk and the blind check."""

from __future__ import annotations

from typing import Annotated

import typer

from geomatch.cli.console import err, print_json, screen
from geomatch.cli.options import PathOption
from geomatch.core.language import said


def review(
    run_dir: Annotated[str, typer.Argument(metavar="DIR", help="Dossier de résultats.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port local ; 0 : libre.")] = 8866,
    store: Annotated[str | None, typer.Option(help="Base ; vide : celle du passage.")] = None,
    name: Annotated[str, typer.Option(help="Nom proposé au gestionnaire.")] = "",
    double: Annotated[float, typer.Option(help="Part des fiches réglées par deux personnes.")] = 0,
    background: Annotated[
        str, typer.Option(help="ign : fond de plan de la Géoplateforme, par le réseau.")
    ] = "",
    export: Annotated[
        str | None, PathOption(help="Écrire les décisions avec les choix, sans page.")
    ] = None,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Dire l'accord entre gestionnaires, sans page.")
    ] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Contrôle à l'aveugle de l'échantillon tiré.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Ouvrir le navigateur.")
    ] = True,
) -> None:
    """Reprendre à la main les bulletins douteux : page locale, export des choix, ou accord."""
    if export is not None:
        from geomatch.review.desk.export import merge_verdicts

        settled = merge_verdicts(run_dir, export, store=store)
        err.print(f"{settled} bulletins réglés à la main", highlight=False)
        screen.print(export, highlight=False, soft_wrap=True)
        return
    if agreement:
        from geomatch.review.desk.agreement import agreement_table, run_agreement

        screen.print(agreement_table(run_agreement(run_dir, store=store)))
        return
    from geomatch.review.desk.options import ReviewOptions
    from geomatch.review.web.server import serve_review

    options = ReviewOptions(store, background, double, audit)
    serve_review(run_dir, options=options, port=port, name=name, open_browser=browser)


def audit(
    run_dir: Annotated[str, typer.Argument(metavar="RUN", help="Dossier de résultats.")],
    size: Annotated[int, typer.Option(help="Fiches en tout ; plus qu'avant : en tirer.")] = 300,
    precision: Annotated[
        float | None, typer.Option(help="Précision à garantir ; absente : celle du passage.")
    ] = None,
    level: Annotated[str, typer.Option(help="siret, site ou siren.")] = "siret",
    clerks: Annotated[int, typer.Option(help="Gestionnaires par fiche : 1 ou 2.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Graine du tirage.")] = None,
) -> None:
    """Tirer l'échantillon d'un contrôle à l'aveugle (audit.json)."""
    from geomatch.audit.sample import AuditOptions
    from geomatch.audit.sample import audit as draw

    sample = draw(run_dir, AuditOptions(size, precision, level, clerks, seed))
    of_sample = {"cards": len(sample.cards), "level": sample.level, "clerks": sample.clerks}
    of_design = {k: getattr(sample.design, k) for k in ("precision", "core", "target")}
    print_json(of_sample | of_design)
    after = f"geomatch review {run_dir} --audit", f"geomatch certify {run_dir}"
    told = said("{} fiches. Ensuite : {}").format(
        len(sample.cards), said("{}, puis {}").format(*after)
    )
    err.print(told, highlight=False, soft_wrap=True)


def certify(
    run_dir: Annotated[str, typer.Argument(metavar="RUN", help="Dossier de résultats.")],
    verdicts: Annotated[
        list[str] | None,
        typer.Option(help="Fichier id;siret, un par gestionnaire ; absent : le journal."),
    ] = None,
    store: Annotated[str | None, typer.Option(help="Base ; vide : celle du passage.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    """Dire quelle précision est garantie, à partir de quel seuil, avec 95 % de confiance."""
    from geomatch.review.desk.certificate import certify_run

    record = certify_run(run_dir, verdicts or (), store=store)
    if as_json:
        print_json(record)
        return
    screen.print(record["statement"], highlight=False, markup=False)
