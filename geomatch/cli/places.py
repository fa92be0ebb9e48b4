"""``geocode``, ``parse`` and ``nearby``: addresses, and establishments around a point."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from geomatch.cli.console import err, print_json, screen
from geomatch.cli.options import Parser, PathOption, StorePlace, settings_of
from geomatch.core.errors import ConfigError
from geomatch.core.language import said
from geomatch.core.progress import Bar


def geocode(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Fichier d'adresses.")],
    store: StorePlace,
    out: Annotated[str, PathOption(help="Fichier à écrire (csv, parquet, gpkg, geojson).")],
    address: Annotated[str, typer.Option(help="Colonne de l'adresse.")] = "",
    parser: Parser = "auto",
) -> None:
    """Géocoder un fichier : colonnes result_*, x, y, lon, lat, uncertainty_m, ban_id."""
    from geomatch.geocoding import geocode_file

    settings = settings_of(None, parser=parser)
    with Bar(err, "adresses") as tell:
        geocode_file(source, store, out, address=address, options=settings.addresses, progress=tell)
    screen.print(str(out), highlight=False, soft_wrap=True)


def nearby(
    store: StorePlace,
    radius: Annotated[float, typer.Option(help="Rayon en mètres.")] = 300.0,
    lon: Annotated[float | None, typer.Option(help="Longitude, en degrés.")] = None,
    lat: Annotated[float | None, typer.Option(help="Latitude, en degrés.")] = None,
    x: Annotated[float | None, typer.Option("--x", help="Abscisse en mètres.")] = None,
    y: Annotated[float | None, typer.Option("--y", help="Ordonnée en mètres.")] = None,
    crs: Annotated[int, typer.Option(help="Projection de x et y (code EPSG).")] = 2154,
    possible: Annotated[
        bool, typer.Option(help="Aussi ceux que leur incertitude peut amener dans le rayon.")
    ] = False,
    naf: Annotated[
        list[str] | None, typer.Option(help="Début de code NAF, comme 56 ou 47.11F (répétable).")
    ] = None,
    effectifs: Annotated[
        list[str] | None, typer.Option(help="Tranche d'effectifs, comme 11 (répétable).")
    ] = None,
    out: Annotated[
        str | None, PathOption(help="Fichier à écrire (csv, parquet, geojson, gpkg).")
    ] = None,
) -> None:
    """Établissements autour d'un point, du plus proche au plus lointain."""
    from geomatch.core.geoframes import write_table
    from geomatch.store.reader import Store

    found = Store.open(store).nearby(
        radius_m=radius,
        lon=lon,
        lat=lat,
        x=x,
        y=y,
        crs=crs,
        possible=possible,
        naf=naf or (),
        tranche_effectifs=effectifs or (),
    )
    if out is None:
        screen.print(found.to_csv(index=False, sep=";"), end="", highlight=False, soft_wrap=True)
        return
    write_table(found, out)
    err.print(said("{} établissements").format(len(found)), highlight=False)
    screen.print(out, highlight=False, soft_wrap=True)


def parse(
    source: Annotated[str, typer.Argument(metavar="INPUT|ADRESSE", help="Fichier ou adresse.")],
    out: Annotated[str | None, PathOption(help="Fichier à écrire.")] = None,
    address: Annotated[str, typer.Option(help="Colonne de l'adresse.")] = "",
    parser: Parser = "auto",
) -> None:
    """Découper une adresse, ou toutes celles d'un fichier."""
    from geomatch.geocoding import parse_file, parse_one

    settings = settings_of(None, parser=parser)
    if out is None:
        _refuse_file(source)
        print_json(parse_one(source, settings.addresses))
        return
    parse_file(source, out, address=address, options=settings.addresses)
    screen.print(str(out), highlight=False, soft_wrap=True)


#: Endings of the files that people have addresses in.
_TABLE = re.compile(r"\S+\.(csv|txt|tsv|gz|parquet|xlsx|ods)", re.IGNORECASE)


def _refuse_file(text: str) -> None:
    """Raise when what was given as an address is the name of a file."""
    from geomatch.core import paths

    if _TABLE.fullmatch(text.strip()) or paths.is_file(text):
        there = paths.is_file(text)
        raise ConfigError(
            f"{text} is a file; give --out FILE to have its addresses parsed"
            if there
            else f"{text} does not exist: check the path (an address has spaces and no such ending)"
        )
