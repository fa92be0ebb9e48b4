"""``match`` and ``merge``: bulletins in, decisions out."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from geomatch.cli.console import err, screen
from geomatch.cli.ending import INTERRUPTED, ending
from geomatch.cli.options import (
    ConfigFile,
    Geo,
    PathOption,
    StorePlace,
    between_0_and_1,
    codes,
    settings_of,
    share,
)
from geomatch.core.language import said
from geomatch.core.progress import Bar


def match(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Fichier de bulletins.")],
    store: StorePlace,
    out: Annotated[str, PathOption(help="Dossier des résultats.")],
    layout: Annotated[
        str,
        typer.Option(help="Présentation : rp_final (recensement), free (autre table), ou auto."),
    ] = "auto",
    columns: Annotated[
        str,
        typer.Option(
            help="Noms des colonnes du fichier : raison_sociale=employeur,adresse=lieu ; "
            "vide : reconnues par leur nom."
        ),
    ] = "",
    precision: Annotated[
        str | None,
        typer.Option(
            help="Part de codes automatiques justes qui est demandée : 0,95 ou 95 %. "
            "[défaut : celle de --config, sinon 0,95]"
        ),
    ] = None,
    parser: Annotated[
        str | None,
        typer.Option(help="Découpage des adresses : rules, libpostal, ou auto. [défaut : auto]"),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Dossier d'un modèle appris ; vide : celui qui est livré.")
    ] = "",
    workers: Annotated[int, typer.Option(help="Processus de cette machine.")] = 1,
    scheduler: Annotated[
        str, typer.Option(help="Adresse d'un ordonnanceur Dask (tcp://hôte:8786).")
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Reprendre un passage coupé, là où il en était.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Écraser les résultats d'un autre fichier, ou repris."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuser un fichier qui a une mauvaise ligne.")
    ] = False,
    keep_text: Annotated[
        bool, typer.Option("--keep-text", help="Texte des mauvaises lignes dans rejects.parquet.")
    ] = False,
    departements: Annotated[
        str,
        typer.Option(
            help="Seulement les lieux de travail de ces départements : 35,44 ; "
            "inconnu : ceux qui sont hors de la base."
        ),
    ] = "",
    clerks_hours: Annotated[
        bool, typer.Option("--clerks-hours", help="Dire aussi la charge de reprise.")
    ] = False,
    pace: Annotated[
        float, typer.Option(min=1, help="Bulletins repris par personne et par jour.")
    ] = 130.0,
    geo: Geo = False,
    config: ConfigFile = None,
) -> None:
    """Apparier un fichier de bulletins : decisions.parquet, candidates.parquet, run.json."""
    from geomatch.arrays.jit import is_compiled
    from geomatch.core.memory import keep_freed
    from geomatch.runs.batch import RunOptions, run
    from geomatch.runs.promise import promise_lines

    keep_freed()
    settings = settings_of(config, layout=layout, columns=columns, parser=parser, model=model)
    if precision is not None:
        decisions = dataclasses.replace(settings.decisions, precision=share(precision))
        settings = dataclasses.replace(settings, decisions=decisions)
    for asked in (settings.decisions.precision, settings.decisions.naf_precision):
        between_0_and_1(asked)
    options = RunOptions(workers, scheduler, resume, codes(departements), force, strict, keep_text)
    try:
        with Bar(err, "bulletins") as tell:
            if not is_compiled():
                tell.say(said("compilation (première fois)"))
            summary = run(source, store, out, settings, options, tell)
    except KeyboardInterrupt:
        err.print(said(INTERRUPTED), highlight=False)
        raise
    if geo:
        _add_points(out)
    for line in ending(out, summary, promise_lines(summary, out)[1:]):
        err.print(line, highlight=False, markup=False, soft_wrap=True)
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
