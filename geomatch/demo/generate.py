"""Draws the fictional département and writes its files."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.demo import places, sirene
from geomatch.demo.employees import Answer, Population, draw_bulletins
from geomatch.demo.layouts import columns
from geomatch.demo.register import draw_register
from geomatch.demo.streets import House, Street, draw_houses, draw_streets
from geomatch.demo.territory import DEPARTEMENT, Settlement, Territory, draw_territory
from geomatch.demo.words import rows

#: Bulletins of a territory of scale 1; more bulletins make it grow, up to ten times.
BULLETINS_AT_SCALE_1 = 2_000
MAX_SCALE = 10.0
#: Sources of ``gazetteer.references`` that are drawn here; of the others an example is written.
_DRAWN = frozenset(
    (
        "communes",
        "mouvements",
        "laposte",
        "ban",
        "lieux_dits",
        "etablissements",
        "unites_legales",
        "geoloc",
        "naf",
    )
)


@dataclass(frozen=True)
class DemoFiles:
    """Paths of the files written, and of the folders ``geomatch build`` takes."""

    root: Path
    ban: Path
    lieux_dits: Path
    etablissements: Path
    unites_legales: Path
    geolocalisation: Path
    communes: Path
    mouvements: Path
    codes_postaux: Path
    naf: Path
    bulletins: Path
    truth: Path

    @property
    def ban_dir(self) -> Path:
        """Folder of the address files."""
        return self.ban.parent

    @property
    def sirene_dir(self) -> Path:
        """Folder of the register's files."""
        return self.etablissements.parent

    @property
    def cog_dir(self) -> Path:
        """Folder of communes, movements and postcodes."""
        return self.communes.parent


def generate(out: Path, *, size: int = BULLETINS_AT_SCALE_1, seed: int = 1) -> DemoFiles:
    """Write a fictional département with `size` bulletins under the folder `out`.

    Up to 2,000 bulletins the territory has some 40 communes, 20,000 addresses and 5,000
    establishments; beyond, it grows in proportion, up to ten times that. The same `size` and
    `seed` give the same bytes.

    Raises :class:`ConfigError` when `size` is not positive, or `out` cannot be written in.
    """
    from gazetteer.examples import write_examples

    if size < 1:
        raise ConfigError(f"size of the demo must be at least 1 bulletin, got {size}")
    scale = min(MAX_SCALE, max(1.0, size / BULLETINS_AT_SCALE_1))
    random = Random(seed)
    territory = draw_territory(random, scale=scale)
    streets, houses = _draw_places(random, territory)
    register = draw_register(random, territory, houses)
    answers = draw_bulletins(random, Population(territory, register, houses), size=size)
    files = _paths(Path(out))
    _write_places(files, territory, streets, houses)
    _write(
        files.etablissements,
        columns("stock_etablissement"),
        sirene.establishment_rows(random, register),
    )
    _write(files.unites_legales, columns("stock_unite_legale"), sirene.unit_rows(random, register))
    positions = _with_degrees(list(sirene.position_rows(random, register, houses)))
    _write(files.geolocalisation, columns("geolocalisation"), positions, delimiter=";")
    _write(files.naf, columns("naf"), rows("naf"), delimiter=";")
    write_examples(files.root, drawn=_DRAWN)
    _write_bulletins(files, answers)
    return files


def _paths(root: Path) -> DemoFiles:
    return DemoFiles(
        root=root,
        ban=root / "ban" / f"adresses-{DEPARTEMENT}.csv.gz",
        lieux_dits=root / "ban" / f"lieux-dits-{DEPARTEMENT}-beta.csv.gz",
        etablissements=root / "sirene" / "StockEtablissement_utf8.csv",
        unites_legales=root / "sirene" / "StockUniteLegale_utf8.csv",
        geolocalisation=root
        / "geolocalisation"
        / "GeolocalisationEtablissement_Sirene_pour_etudes_statistiques_utf8.csv",
        communes=root / "cog" / "v_commune_2024.csv",
        mouvements=root / "cog" / "v_mvt_commune_2024.csv",
        codes_postaux=root / "cog" / "laposte_hexasmal.csv",
        naf=root / "naf" / "naf_rev2.csv",
        bulletins=root / "bulletins" / "rp_final.csv",
        truth=root / "bulletins" / "rp_final_truth.csv",
    )


def _draw_places(random: Random, territory: Territory) -> tuple[list[Street], list[House]]:
    streets: list[Street] = []
    houses: list[House] = []
    for settlement in territory.settlements:
        drawn = draw_streets(random, settlement, _nearest(settlement, territory))
        streets += drawn
        houses += draw_houses(random, drawn)
    return streets, houses


def _nearest(settlement: Settlement, territory: Territory) -> list[Settlement]:
    """The three settlements to which roads lead."""
    others = [s for s in territory.settlements if s is not settlement]
    here = (settlement.x, settlement.y)
    return sorted(others, key=lambda s: (math.dist((s.x, s.y), here), s.code))[:3]


def _write_places(
    files: DemoFiles, territory: Territory, streets: Sequence[Street], houses: Sequence[House]
) -> None:
    _write(files.ban, columns("ban_adresses"), places.address_rows(houses), delimiter=";")
    localities = places.locality_rows(streets, houses)
    _write(files.lieux_dits, columns("ban_lieux_dits"), localities, delimiter=";")
    _write(files.communes, columns("v_commune"), places.commune_rows(territory))
    _write(files.mouvements, columns("v_mvt_commune"), places.movement_rows(territory))
    _write(
        files.codes_postaux,
        columns("laposte_hexasmal"),
        places.postcode_rows(territory),
        delimiter=";",
    )


def _with_degrees(positions: list[dict[str, str]]) -> list[dict[str, str]]:
    lon, lat = places.degrees(
        [float(p["x"]) for p in positions], [float(p["y"]) for p in positions]
    )
    for i, position in enumerate(positions):
        position["x_longitude"], position["y_latitude"] = f"{lon[i]:.6f}", f"{lat[i]:.6f}"
    return positions


def _write_bulletins(files: DemoFiles, answers: Sequence[Answer]) -> None:
    lines = (a.columns for a in answers)
    _write(files.bulletins, columns("rp_final"), lines, delimiter=";", encoding="latin-1")
    truths = (
        {
            "CABBI": a.columns["CABBI"],
            "SIRET": a.truth.siret if a.truth else "",
            "NAF": a.truth.naf if a.truth else "",
            "SIREN": a.truth.unit.siren if a.truth else "",
        }
        for a in answers
    )
    _write(files.truth, columns("truth"), truths, delimiter=";")


def _write(
    path: Path,
    header: Sequence[str],
    lines: Iterable[Mapping[str, str]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> None:
    """A CSV file with exactly these columns; gzip without a date when its name ends in .gz."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    content = text.getvalue().encode(encoding)
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=6, mtime=0)
    paths.write_bytes(path, content)
