"""``build``, ``download`` and ``demo``: the reference store and what it is made of."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer

from geomatch.cli.built import contents_table, files_table
from geomatch.cli.console import err, print_json, screen
from geomatch.cli.options import PathOption, codes
from geomatch.core.errors import ConfigError
from geomatch.core.language import said
from geomatch.core.progress import Steps
from geomatch.core.wording import duration

INTERRUPTED = "Interrompu. Ce qui est fini est gardé : relancer la même commande le reprend."


def build(
    sirene: Annotated[
        str, typer.Option(help="Dossier des fichiers stock Sirene (csv, csv.gz, zip, parquet).")
    ],
    cog: Annotated[
        str, typer.Option(help="Dossier du COG, des codes postaux (La Poste) et de la NAF.")
    ],
    out: Annotated[str, PathOption(help="Dossier de la base de référence à écrire.")],
    ban: Annotated[
        list[str],
        typer.Option(help="Dossier des fichiers d'adresses BAN, ou un fichier (répétable)."),
    ],
    geoloc: Annotated[
        str | None, typer.Option(help="Fichier ou dossier de Sirene géolocalisé.")
    ] = None,
    naf: Annotated[
        str | None, typer.Option(help="Fichier des libellés de la NAF, s'il n'est pas dans --cog.")
    ] = None,
    departements: Annotated[
        str, typer.Option(help="Départements à garder : 35,75 ; vide : tous.")
    ] = "",
    memory: Annotated[
        str, typer.Option(help="Mémoire que la construction peut prendre : 4GB, 800MB.")
    ] = "4GB",
    workers: Annotated[int, typer.Option(help="Processus ; 0 : un par cœur.")] = 0,
    allow_refused: Annotated[
        float,
        typer.Option(min=0, max=1, help="Part des lignes d'un fichier qui peut être refusée."),
    ] = 0.05,
    nomenclature: Annotated[
        str, typer.Option(help="Codes d'activité de la base : NAFRev2 ou NAF2025.")
    ] = "NAFRev2",
    as_json: Annotated[
        bool, typer.Option("--json", help="Un objet JSON, pour un programme.")
    ] = False,
) -> None:
    """Construire la base de référence à partir des fichiers officiels."""
    from gazetteer.build import BuildOptions
    from gazetteer.build import build as build_store
    from gazetteer.remote import building

    begun = time.monotonic()
    with Steps(err, advice=said(INTERRUPTED)) as tell, building(out) as place:
        options = BuildOptions(
            ban=tuple(map(place.input, ban)),
            sirene=place.input(sirene),
            cog=place.input(cog),
            out=place.out,
            geoloc=place.input(geoloc) if geoloc else None,
            naf=place.input(naf) if naf else None,
            departements=codes(departements) or None,
            memory_limit=memory,
            threads=workers or os.cpu_count() or 1,
            workers=workers or os.cpu_count() or 1,
            allowed=allow_refused,
            nomenclature=nomenclature,
        )
        store = build_store(options, tell)
    counts = {name: table["rows"] for name, table in store.manifest["tables"].items()}
    files = store.manifest.get("accounts", [])
    if as_json:
        print_json({"store": out, "tables": counts, "files": files})
        return
    screen.print(files_table(files))
    screen.print(contents_table(counts, store.departements))
    taken = duration(time.monotonic() - begun)
    err.print(said("Terminé en {}.").format(taken), highlight=False)
    err.print(
        said("Ensuite : {}").format(f"geomatch match bulletins.csv --store {out} --out resultats"),
        highlight=False,
        soft_wrap=True,
    )
    screen.print(out, highlight=False, soft_wrap=True)


def download(
    departements: Annotated[str, typer.Option(help="Départements à télécharger : 35,75.")],
    out: Annotated[str, PathOption(help="Dossier où ranger les fichiers.")],
) -> None:
    """Télécharger les fichiers officiels."""
    from gazetteer.download import download as fetch
    from gazetteer.remote import downloading

    wanted = codes(departements)
    if not wanted:
        raise ConfigError("--departements is empty; expected codes such as 35,75")
    with Steps(err) as tell, downloading(out) as folder:
        fetch(wanted, folder, progress=tell)
    screen.print(str(out), highlight=False, soft_wrap=True)


def demo(
    out: Annotated[str, PathOption(help="Dossier de la démonstration.")] = "demo-out",
    size: Annotated[int, typer.Option(min=50, help="Nombre de bulletins.")] = 2000,
) -> None:
    """Toute la chaîne sur un département inventé."""
    from geomatch.demo.run import run_demo

    with Steps(err) as tell:
        lines = run_demo(out, size=size, progress=tell)
    for line in lines:
        screen.print(line, highlight=False, soft_wrap=True)
