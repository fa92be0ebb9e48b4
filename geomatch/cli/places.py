"""``geocode``, ``parse`` and ``nearby``: addresses, and establishments around a point."""

from __future__ import annotations

from typing import Annotated

import typer

from geomatch.cli.console import err, print_json, screen
from geomatch.cli.options import Parser, PathOption, settings_of
from geomatch.core.progress import Bar


def geocode(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Fichier d'adresses.")],
    store: Annotated[str, typer.Option(help="Base de référence.")],
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
    """Établissements autour d'un point, du plus proche au plus lointain.

    Exemple : geomatch nearby --store base --lon 2.3478 --lat 48.8566 --naf 56
    """
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
    err.print(f"{len(found)} établissements", highlight=False)
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
        print_json(parse_one(source, settings.addresses))
        return
    parse_file(source, out, address=address, options=settings.addresses)
    screen.print(str(out), highlight=False, soft_wrap=True)
