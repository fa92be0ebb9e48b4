"""The command line: parses options, calls one function, prints.

Results go to stdout, progress and logs to stderr.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console

import geomatch
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, GeomatchError
from geomatch.core.processes import ending_tidily
from geomatch.core.progress import Bar, Steps
from geomatch.store.commands import app as store_app

app = typer.Typer(
    name="geomatch",
    help="Quel établissement du répertoire Sirene est ce lieu de travail déclaré ?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(store_app, name="store")
_out = Console()
_err = Console(stderr=True)


def _given(param: typer.CallbackParam, value: str | None) -> str | None:
    """A path that is asked for; an empty one is most often a variable of a script without value."""
    if value is not None and not value.strip():
        raise ConfigError(f"--{param.name} is empty; expected a path")
    return value


#: An option that is a path, and may not be empty.
_Path = partial(typer.Option, callback=_given)
ConfigFile = Annotated[str | None, _Path("--config", help="Options de chaque phase (TOML).")]
Geo = Annotated[
    bool, typer.Option("--geo", help="Un point par ligne (GeoParquet, lisible par QGIS).")
]
Parser = Annotated[str, typer.Option("--parser", help="auto, rules ou libpostal.")]


@ending_tidily()
def main() -> None:
    """Run the command line; exit codes: 0 done, 2 usage, 3 bad data, 4 source unavailable."""
    try:
        code = app(standalone_mode=False)
    except GeomatchError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        show = getattr(error, "format_message", None)  # of a wrong call, whichever click it is
        if not callable(show):
            raise
        _complain(str(show()))
        sys.exit(ConfigError.exit_code)
    # Commands return nothing: what comes back is the code of a stop, such as Ctrl-C's 130.
    if isinstance(code, int):
        sys.exit(code)


def _complain(message: str) -> None:
    """Say what is wrong on stderr, not folded: a path must stay whole."""
    text = f"geomatch: {message}"
    _err.print(text, style="bold red", markup=False, highlight=False, soft_wrap=True)


def _show_version(value: bool) -> None:
    if value:
        _out.print(f"geomatch {geomatch.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="La version.")
    ] = False,
) -> None:
    """Shared options."""


@app.command()
def build(
    sirene: Annotated[str, typer.Option(help="Dossier des fichiers stock Sirene.")],
    cog: Annotated[str, typer.Option(help="Dossier du COG, des codes postaux et de la NAF.")],
    out: Annotated[str, _Path(help="Base de référence à écrire.")],
    ban: Annotated[list[str], typer.Option(help="Fichiers ou dossiers BAN (répétable).")],
    geoloc: Annotated[str | None, typer.Option(help="Sirene géolocalisé.")] = None,
    naf: Annotated[str | None, typer.Option(help="Libellés de la NAF.")] = None,
    departements: Annotated[str, typer.Option(help="35,75 ; vide : tous.")] = "",
    memory: Annotated[str, typer.Option(help="Mémoire que la construction peut prendre.")] = "4GB",
    workers: Annotated[int, typer.Option(help="Processus ; 0 : un par cœur.")] = 0,
    allow_refused: Annotated[
        float,
        typer.Option(min=0, max=1, help="Part des lignes d'un fichier qui peut être refusée."),
    ] = 0.05,
) -> None:
    """Construire la base de référence à partir des fichiers officiels."""
    from gazetteer.build import BuildOptions
    from gazetteer.build import build as build_store
    from gazetteer.remote import building

    with Steps(_err) as tell, building(out) as place:
        options = BuildOptions(
            ban=tuple(map(place.input, ban)),
            sirene=place.input(sirene),
            cog=place.input(cog),
            out=place.out,
            geoloc=place.input(geoloc) if geoloc else None,
            naf=place.input(naf) if naf else None,
            departements=_codes(departements) or None,
            memory_limit=memory,
            threads=workers or os.cpu_count() or 1,
            workers=workers or os.cpu_count() or 1,
            allowed=allow_refused,
        )
        store = build_store(options, tell)
    counts = {name: table["rows"] for name, table in store.manifest["tables"].items()}
    files = store.manifest.get("accounts", [])
    _print_json({"store": out, "tables": counts, "files": files})


@app.command()
def match(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Fichier de bulletins.")],
    store: Annotated[str, typer.Option(help="Base de référence.")],
    out: Annotated[str, _Path(help="Dossier des résultats.")],
    layout: Annotated[str, typer.Option(help="auto, rp_final ou free.")] = "auto",
    columns: Annotated[str, typer.Option(help="raison_sociale=employeur,adresse=adr…")] = "",
    precision: Annotated[float | None, typer.Option(help="Précision demandée, 0 à 1.")] = None,
    parser: Annotated[str | None, typer.Option(help="auto, rules ou libpostal.")] = None,
    model: Annotated[str, typer.Option(help="Modèle ; vide : celui qui est livré.")] = "",
    workers: Annotated[int, typer.Option(help="Processus de cette machine.")] = 1,
    scheduler: Annotated[str, typer.Option(help="Adresse d'un ordonnanceur Dask.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Reprendre un passage coupé.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Écraser d'autres résultats.")] = False,
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

    keep_freed()
    settings = _settings(config, layout=layout, columns=columns, parser=parser, model=model)
    if precision is not None:
        settings = dataclasses.replace(
            settings, decisions=dataclasses.replace(settings.decisions, precision=precision)
        )
    for asked in (settings.decisions.precision, settings.decisions.naf_precision):
        if not 0.0 < asked < 1.0:
            raise ConfigError(f"precision asked for is {asked}, expected one between 0 and 1")
    options = RunOptions(workers, scheduler, resume, _codes(departements), force)
    with Bar(_err, "bulletins") as tell:
        summary = run(source, store, out, settings, options, tell)
    if geo:
        _add_points(out)
    n, seconds = summary.get("part", summary["input"])["bulletins"], summary["seconds"]
    told = f"{seconds} s, {summary.get('matched', n) / max(seconds, 1e-9):.0f}/s"
    is_old = summary.get("is_old", False)
    _err.print(f"{n} bulletins, {'rien à reprendre' if is_old else told}", highlight=False)
    if clerks_hours:
        _tell_workload(out, pace)
    _out.print(str(out), highlight=False, soft_wrap=True)


@app.command()
def merge(
    runs: Annotated[list[str], typer.Argument(metavar="DIR…", help="Parties d'un fichier.")],
    out: Annotated[str, _Path(help="Dossier des résultats.")],
    geo: Geo = False,
) -> None:
    """Réunir les résultats de passages « match --departements » : ceux du fichier entier."""
    from geomatch.runs.merge_parts import merge_runs

    summary = merge_runs(runs, out)
    if geo:
        _add_points(out)
    _err.print(f"{summary['input']['bulletins']} bulletins", highlight=False)
    _out.print(out, highlight=False, soft_wrap=True)


@app.command()
def geocode(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Fichier d'adresses.")],
    store: Annotated[str, typer.Option(help="Base de référence.")],
    out: Annotated[str, _Path(help="Fichier à écrire (csv, parquet, gpkg, geojson).")],
    address: Annotated[str, typer.Option(help="Colonne de l'adresse.")] = "",
    parser: Parser = "auto",
) -> None:
    """Géocoder un fichier : colonnes result_*, x, y, lon, lat, uncertainty_m, ban_id."""
    from geomatch.geocoding import geocode_file

    settings = _settings(None, parser=parser)
    with Bar(_err, "adresses") as tell:
        geocode_file(source, store, out, address=address, options=settings.addresses, progress=tell)
    _out.print(str(out), highlight=False, soft_wrap=True)


@app.command()
def nearby(
    store: Annotated[str, typer.Option(help="Base de référence.")],
    radius: Annotated[float, typer.Option(help="Rayon en mètres.")] = 300.0,
    lon: Annotated[float | None, typer.Option(help="Longitude, en degrés.")] = None,
    lat: Annotated[float | None, typer.Option(help="Latitude, en degrés.")] = None,
    x: Annotated[float | None, typer.Option("--x", help="Abscisse en mètres.")] = None,
    y: Annotated[float | None, typer.Option("--y", help="Ordonnée en mètres.")] = None,
    crs: Annotated[int, typer.Option(help="Projection de x et y (code EPSG).")] = 2154,
    possible: Annotated[
        bool, typer.Option(help="Aussi ceux que leur incertitude peut amener dans le rayon.")
    ] = False,
    out: Annotated[
        str | None, _Path(help="Fichier à écrire (csv, parquet, geojson, gpkg).")
    ] = None,
) -> None:
    """Établissements autour d'un point, du plus proche au plus lointain.

    Exemple : geomatch nearby --store base --lon 2.3478 --lat 48.8566 --radius 300
    """
    from geomatch.core.geoframes import write_table
    from geomatch.store.reader import Store

    found = Store.open(store).nearby(
        radius_m=radius, lon=lon, lat=lat, x=x, y=y, crs=crs, possible=possible
    )
    if out is None:
        _out.print(found.to_csv(index=False, sep=";"), end="", highlight=False, soft_wrap=True)
        return
    write_table(found, out)
    _err.print(f"{len(found)} établissements", highlight=False)
    _out.print(out, highlight=False, soft_wrap=True)


@app.command()
def parse(
    source: Annotated[str, typer.Argument(metavar="INPUT|ADRESSE", help="Fichier ou adresse.")],
    out: Annotated[str | None, _Path(help="Fichier à écrire.")] = None,
    address: Annotated[str, typer.Option(help="Colonne de l'adresse.")] = "",
    parser: Parser = "auto",
) -> None:
    """Découper une adresse, ou toutes celles d'un fichier."""
    from geomatch.geocoding import parse_file, parse_one

    settings = _settings(None, parser=parser)
    if out is None:
        _print_json(parse_one(source, settings.addresses))
        return
    parse_file(source, out, address=address, options=settings.addresses)
    _out.print(str(out), highlight=False, soft_wrap=True)


@app.command()
def evaluate(
    runs: Annotated[list[str], typer.Argument(metavar="DIR…", help="Dossiers de résultats.")],
    truth: Annotated[str | None, typer.Option(help="CABBI;SIRET;… ou id;siret;…")] = None,
    by: Annotated[list[str] | None, typer.Option(help="Colonne de strates (répétable).")] = None,
    report: Annotated[str | None, _Path(help="Page HTML à écrire.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Un objet JSON.")] = False,
    against: Annotated[str | None, typer.Option(help="Résultats de la campagne passée.")] = None,
) -> None:
    """Mesurer un ou plusieurs passages, contre une vérité ou sans elle."""
    from geomatch.evaluation.scoring import Asked, evaluate_runs

    asked = Asked(by=by or (), report=report, as_json=as_json, against=against)
    evaluate_runs(runs, truth, _out, asked)


@app.command()
def train(
    bulletins: Annotated[str, typer.Argument(help="Bulletins codés.")],
    store: Annotated[str, typer.Option(help="Base de référence.")],
    out: Annotated[str, _Path(help="Dossier du modèle.")],
    truth: Annotated[str | None, typer.Option(help="CABBI;SIRET;… ou id;siret;…")] = None,
    verdicts: Annotated[str | None, typer.Option(help="Journal d'une reprise.")] = None,
    share: Annotated[float, typer.Option(help="Part apprise (par identifiant).")] = 1.0,
    config: ConfigFile = None,
) -> None:
    """Apprendre le classement et le calage sur des bulletins codés, ou repris à la main."""
    from geomatch.training.train import train_files

    settings = _settings(config)
    card = train_files(bulletins, truth, store, out, settings, share=share, verdicts=verdicts)
    _print_json(card)


@app.command()
def explain(
    run_dir: Annotated[str, typer.Argument(metavar="DIR", help="Dossier de résultats.")],
    id: Annotated[str, typer.Option("--id", help="Identifiant du bulletin.")],
) -> None:
    """Raconter une décision : ce qui a été lu, compris, comparé, et pourquoi."""
    from geomatch.explain.story import explain as tell_story

    tell_story(run_dir, id, _out)


@app.command()
def review(
    run_dir: Annotated[str, typer.Argument(metavar="DIR", help="Dossier de résultats.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port local ; 0 : libre.")] = 8866,
    store: Annotated[str | None, typer.Option(help="Base ; vide : celle du passage.")] = None,
    name: Annotated[str, typer.Option(help="Nom proposé au gestionnaire.")] = "gestionnaire",
    double: Annotated[float, typer.Option(help="Part des fiches réglées par deux personnes.")] = 0,
    background: Annotated[
        str, typer.Option(help="ign : fond de plan de la Géoplateforme, par le réseau.")
    ] = "",
    export: Annotated[
        str | None, _Path(help="Écrire les décisions avec les choix, sans page.")
    ] = None,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Dire l'accord entre gestionnaires, sans page.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Ouvrir le navigateur.")
    ] = True,
) -> None:
    """Reprendre à la main les bulletins douteux : page locale, export des choix, ou accord."""
    if export is not None:
        from geomatch.review.desk.export import merge_verdicts

        settled = merge_verdicts(run_dir, export, store=store)
        _err.print(f"{settled} bulletins réglés à la main", highlight=False)
        _out.print(export, highlight=False, soft_wrap=True)
        return
    if agreement:
        from geomatch.review.desk.agreement import agreement_table, run_agreement

        _out.print(agreement_table(run_agreement(run_dir, store=store)))
        return
    from geomatch.review.desk.options import ReviewOptions
    from geomatch.review.web.server import serve_review

    options = ReviewOptions(store, background, double)
    serve_review(run_dir, options=options, port=port, name=name, open_browser=browser)


@app.command()
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
    _print_json(of_sample | of_design)
    after = f"geomatch certify {run_dir} --verdicts FICHIER (id;siret, un par gestionnaire)"
    _err.print(f"{len(sample.cards)} fiches. Ensuite : {after}", highlight=False, soft_wrap=True)


@app.command()
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
        _print_json(record)
        return
    _out.print(record["statement"], highlight=False, markup=False)


@app.command()
def download(
    departements: Annotated[str, typer.Option(help="35,75")],
    out: Annotated[str, _Path(help="Dossier où ranger les fichiers.")],
) -> None:
    """Télécharger les fichiers officiels."""
    from gazetteer.download import download as fetch
    from gazetteer.remote import downloading

    wanted = _codes(departements)
    if not wanted:
        raise ConfigError("--departements is empty; expected codes such as 35,75")
    with Steps(_err) as tell, downloading(out) as folder:
        fetch(wanted, folder, progress=tell)
    _out.print(str(out), highlight=False, soft_wrap=True)


@app.command()
def demo(
    out: Annotated[str, _Path(help="Dossier de la démonstration.")] = "demo-out",
    size: Annotated[int, typer.Option(min=50, help="Nombre de bulletins.")] = 2000,
) -> None:
    """Toute la chaîne sur un département inventé."""
    from geomatch.demo.run import run_demo

    with Steps(_err) as tell:
        lines = run_demo(out, size=size, progress=tell)
    for line in lines:
        _out.print(line, highlight=False, soft_wrap=True)


def _tell_workload(run_dir: str, pace: float) -> None:
    from geomatch.evaluation import workload

    found = workload.run_workloads(run_dir, pace=pace)
    workload.record(run_dir, found, pace=pace)
    asked = workload.asked_precision(run_dir)
    _err.print(workload.workload_table(found, asked, pace=pace))
    for one in (w for w in found if w.target == asked):
        _err.print(workload.sentence(one), highlight=False, soft_wrap=True)


def _settings(
    config: str | None,
    *,
    layout: str = "auto",
    columns: str = "",
    parser: str | None = None,
    model: str = "",
) -> Config:
    """Options of the file, then those of the command line over them."""
    settings = Config.from_toml(config) if config else Config()
    bulletins = dataclasses.replace(
        settings.bulletins,
        layout=layout if layout != "auto" else settings.bulletins.layout,
        columns={**settings.bulletins.columns, **_mapping(columns)},
    )
    addresses = settings.addresses
    if parser is not None:
        addresses = dataclasses.replace(addresses, parser=parser)
    return dataclasses.replace(
        settings, bulletins=bulletins, addresses=addresses, model=model or settings.model
    )


def _codes(departements: str) -> tuple[str, ...]:
    """``35, 44`` → codes."""
    return tuple(d.strip() for d in departements.split(",") if d.strip())


def _mapping(columns: str) -> dict[str, str]:
    pairs = [c.partition("=") for c in columns.split(",") if c.strip()]
    wrong = [a for a, sign, b in pairs if not sign or not a.strip() or not b.strip()]
    if wrong:
        raise ConfigError(
            f"--columns: '{', '.join(wrong)}' is not of the form column=name; "
            "for example --columns raison_sociale=employeur,adresse=lieu"
        )
    return {a.strip(): b.strip() for a, _, b in pairs}


def _add_points(out: str) -> None:
    from geomatch.runs.points import add_points

    add_points(out)


def _print_json(content: Any) -> None:
    print(json.dumps(content, ensure_ascii=False))


if __name__ == "__main__":
    main()
