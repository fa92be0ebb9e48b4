"""``evaluate``, ``train`` and ``explain``: how good a run is, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from geomatch.cli.console import print_json, screen
from geomatch.cli.options import ConfigFile, PathOption, settings_of


def evaluate(
    runs: Annotated[list[str], typer.Argument(metavar="DIR…", help="Dossiers de résultats.")],
    truth: Annotated[str | None, typer.Option(help="CABBI;SIRET;… ou id;siret;…")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Colonne de strates (répétable).")] = None,
    report: Annotated[str | None, PathOption(help="Page HTML à écrire.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
    against: Annotated[str | None, typer.Option(help="Résultats de la campagne passée.")] = None,
) -> None:
    """Mesurer un ou plusieurs passages, contre une vérité ou sans elle."""
    from geomatch.evaluation.scoring import Asked, evaluate_runs

    asked = Asked(by=by or (), report=report, as_json=as_json, against=against)
    evaluate_runs(runs, truth, screen, asked)


def train(
    bulletins: Annotated[str, typer.Argument(help="Bulletins codés.")],
    store: Annotated[str, typer.Option(help="Base de référence.")],
    out: Annotated[str, PathOption(help="Dossier du modèle.")],
    truth: Annotated[str | None, typer.Option(help="CABBI;SIRET;… ou id;siret;…")] = None,
    verdicts: Annotated[str | None, typer.Option(help="Journal d'une reprise.")] = None,
    share: Annotated[float, typer.Option(help="Part apprise (par identifiant).")] = 1.0,
    config: ConfigFile = None,
) -> None:
    """Apprendre le classement et le calage sur des bulletins codés, ou repris à la main."""
    from geomatch.training.train import train_files

    settings = settings_of(config)
    card = train_files(bulletins, truth, store, out, settings, share=share, verdicts=verdicts)
    print_json(card)


def explain(
    run_dir: Annotated[str, typer.Argument(metavar="DIR", help="Dossier de résultats.")],
    id: Annotated[str, typer.Option("--id", help="Identifiant du bulletin.")],
    siret: Annotated[str | None, typer.Option(help="Pourquoi pas ce SIRET ?")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
) -> None:
    """Raconter une décision : ce qui a été lu, compris, comparé, et pourquoi (pas un autre)."""
    from geomatch.explain.story import explain as tell_story
    from geomatch.explain.story import story_record
    from geomatch.explain.why_not import tell_why_not, why_not

    if siret is not None:
        found = why_not(run_dir, id, siret)
        if as_json:
            print_json(found.record())
        else:
            tell_why_not(found, screen)
    elif as_json:
        print_json(story_record(run_dir, id))
    else:
        tell_story(run_dir, id, screen)
