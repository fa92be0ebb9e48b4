"""``match`` and ``merge``: bulletins in, decisions out."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from geomatch.cli.console import err, screen
from geomatch.cli.options import ConfigFile, Geo, PathOption, codes, settings_of
from geomatch.core.errors import ConfigError
from geomatch.core.progress import Bar


def match(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Fichier de bulletins.")],
    store: Annotated[str, typer.Option(help="Base de référence.")],
    out: Annotated[str, PathOption(help="Dossier des résultats.")],
    layout: Annotated[str, typer.Option(help="auto, rp_final ou free.")] = "auto",
    columns: Annotated[str, typer.Option(help="raison_sociale=employeur,adresse=adr…")] = "",
    precision: Annotated[float | None, typer.Option(help="Précision demandée, 0 à 1.")] = None,
    parser: Annotated[str | None, typer.Option(help="auto, rules ou libpostal.")] = None,
    model: Annotated[str, typer.Option(help="Modèle ; vide : celui qui est livré.")] = "",
    workers: Annotated[int, typer.Option(help="Processus de cette machine.")] = 1,
    scheduler: Annotated[str, typer.Option(help="Adresse d'un ordonnanceur Dask.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Reprendre un passage coupé.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Écraser d'autres résultats.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuser un fichier qui a une mauvaise ligne.")
    ] = False,
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Texte des mauvaises lignes dans rejects.parquet.")
    ] = False,
    departements: Annotated[
        str, typer.Option(help="Lieux de travail : 35,44 ; inconnu : hors de la base.")
    ] = "",
    clerks_hours: Annotated[
        bool, typer.Option("--clerks-hours", help="Dire la charge de reprise.")
    ] = False,
    pace: Annotated[
        float, typer.Option(min=1, help="Bulletins repris par personne et par jour.")
    ] = 130.0,
    geo: Geo = False,
    config: ConfigFile = None,
) -> None:
    """Apparier un fichier de bulletins : decisions.parquet, candidates.parquet, run.json."""
    from geomatch.core.memory import keep_freed
    from geomatch.runs.batch import RunOptions, run
    from geomatch.runs.promise import promise_lines

    keep_freed()
    settings = settings_of(config, layout=layout, columns=columns, parser=parser, model=model)
    if precision is not None:
        settings = dataclasses.replace(
            settings, decisions=dataclasses.replace(settings.decisions, precision=precision)
        )
    for asked in (settings.decisions.precision, settings.decisions.naf_precision):
        if not 0.0 < asked < 1.0:
            raise ConfigError(f"precision asked for is {asked}, expected one between 0 and 1")
    options = RunOptions(workers, scheduler, resume, codes(departements), force, strict, keep_text)
    with Bar(err, "bulletins") as tell:
        summary = run(source, store, out, settings, options, tell)
    if geo:
        _add_points(out)
    n, seconds = summary.get("part", summary["input"])["bulletins"], summary["seconds"]
    told = f"{seconds} s, {summary.get('matched', n) / max(seconds, 1e-9):.0f}/s"
    is_old = summary.get("is_old", False)
    err.print(f"{n} bulletins, {'rien à reprendre' if is_old else told}", highlight=False)
    for line in promise_lines(summary, out):
        err.print(line, highlight=False, soft_wrap=True, markup=False)
    if clerks_hours:
        _tell_workload(out, pace)
    screen.print(str(out), highlight=False, soft_wrap=True)


def merge(
    runs: Annotated[list[str], typer.Argument(metavar="DIR…", help="Parties d'un fichier.")],
    out: Annotated[str, PathOption(help="Dossier des résultats.")],
    geo: Geo = False,
) -> None:
    """Réunir les résultats de passages « match --departements » : ceux du fichier entier."""
    from geomatch.runs.merge_parts import merge_runs
    from geomatch.runs.promise import promise_lines

    summary = merge_runs(runs, out)
    if geo:
        _add_points(out)
    err.print(f"{summary['input']['bulletins']} bulletins", highlight=False)
    for line in promise_lines(summary, out):
        err.print(line, highlight=False, soft_wrap=True, markup=False)
    screen.print(out, highlight=False, soft_wrap=True)


def _tell_workload(run_dir: str, pace: float) -> None:
    from geomatch.evaluation import workload

    found = workload.run_workloads(run_dir, pace=pace)
    workload.record(run_dir, found, pace=pace)
    asked = workload.asked_precision(run_dir)
    err.print(workload.workload_table(found, asked, pace=pace))
    for one in (w for w in found if w.target == asked):
        err.print(workload.sentence(one), highlight=False, soft_wrap=True)


def _add_points(out: str) -> None:
    from geomatch.runs.points import add_points

    add_points(out)
