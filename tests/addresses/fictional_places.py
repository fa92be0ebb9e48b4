"""A small invented country of communes, streets and house numbers, written as a store.

Communes are 5 km apart from west to east in the order of COMMUNES. The streets of a commune lie
200 m apart, house number n is 10 × n metres along its street: every place can be told by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from gazetteer.store import write_country, write_departement, write_manifest
from geomatch.addresses import name_columns, street_columns
from geomatch.core.schema import (
    COUNTRY_TABLES,
    STORE_ADDRESSES,
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
    STORE_FORMAT,
    STORE_FORMAT_VERSION,
    STORE_STREETS,
)
from geomatch.core.street_keys import street_key
from geomatch.core.territories import departement_of
from geomatch.core.text import normalise
from geomatch.store.reader import Store

CRS = 2154
COMMUNE_STEP_M, STREET_STEP_M, NUMBER_STEP_M = 5_000.0, 200.0, 10.0
ORIGIN_X, ORIGIN_Y = 600_000.0, 6_600_000.0


class Commune(NamedTuple):
    code: str
    name: str
    postcode: str
    size: int
    parent: str = ""
    former: tuple[str, ...] = ()


COMMUNES = (
    Commune("96101", "Vaubray", "96100", 5_000),
    Commune("96104", "Les Ormeaux", "96100", 400),
    Commune("96110", "Brécourt-lès-Landes", "96110", 700),
    Commune("96102", "Saint-Éloi-sur-Lanne", "96120", 900),
    Commune("96103", "Saint-Éloi-les-Bois", "96130", 300),
    Commune("96105", "L'Île-Marande", "96140", 200),
    Commune("96106", "Villeneuve-d'Aval", "96150", 600),
    Commune("96107", "Château-Morin", "96160", 800, former=("96108 Morin-le-Bas",)),
    Commune("90901", "Vaubray", "90100", 40),
    Commune("90902", "Villeneuve-sur-Orne", "90110", 500),
    Commune("90903", "Montgarnier", "90120", 3_000),
    Commune("90904", "Pars-les-Ormes", "90130", 30),
    Commune("75056", "Paris", "", 9_000),
    Commune("75101", "Paris 1er Arrondissement", "75001", 3_000, parent="75056"),
    Commune("75105", "Paris 5e Arrondissement", "75005", 3_000, parent="75056"),
    Commune("75113", "Paris 13e Arrondissement", "75013", 3_000, parent="75056"),
    Commune("69123", "Lyon", "", 4_000),
    Commune("69383", "Lyon 3e Arrondissement", "69003", 4_000, parent="69123"),
    Commune("96111", "Mas-Orneau", "96170", 100),
)
#: Name, first and last number, step. "@" marks a lieu-dit; extra doors follow a "+".
STREETS = {
    "96101": (
        "Rue des Lilas 1-40 +12bis +12ter +14b +14bis +16qua +18b",
        "Avenue du Général Leclerc 1-60",
        "Rue de l'Église 1-20",
        "Place du Marché 1-10",
        "Boulevard Anatole Merlin 2-80/2",
        "Rue du 8 Mai 1945 1-30",
        "Rue des Quatre Vents 1-15",
        "Impasse du Puits 1-6",
        "Rue Raymond Losserat 1-50",
        "Rue Saint-Jacques 1-25",
        "Rue du Faubourg Saint-Éloi 1-90",
        "Grande Rue 1-30",
        "Route Nationale 7 101-180",
        "Zone Artisanale des Chênes 1-12",
        "Résidence les Pins 1-8",
        "Rue Neuve 1-9",
        "@La Haie 0-0",
        "Chemin de la Vallée 2-200/66",
        "Rue Marguerite Thibert 1-30",
        "Avenue Marguerite Thibert 1-12",
        "Rue de la Poterne des Lices 1-14",
        "Allée des Hêtres 1-20",
        "Quai de la Lanne 1-22",
        "Rue Pasteur 1-18",
        "Boulevard Jean XXIII 1-20",
        "Rue Henri IV 1-12",
        "Rue des Trente-Six Ponts 1-50",
        "Allée de la Deuxième D.B. 1-12",
        "Rue Mil Huit Cent Quatorze 1-9",
        "Rue du Premier Mai 1-9",
        "Rue du 19 Mars 1962 1-9",
        "Route de Fontbelle - RD33 1-60",
        "8ème Rue Cité Marande 1-20",
    ),
    "96104": ("Rue de l'Église 1-15", "Rue des Ormes 1-20", "Rue Hector Vaillant 1-12"),
    "96110": ("Rue du Moulin Neuf 1-30", "Rue de l'Église 1-10"),
    "96102": ("Rue de l'Église 1-12", "Rue des Tanneurs 1-12", "@Le Bourg 0-0"),
    "90901": ("Rue des Lilas 1-10",),
    "90903": ("Rue du Commerce 1-40",),
    "75101": ("Rue de Rivole 1-40", "Boulevard Saint-Ambroise 1-21"),
    "75105": ("Rue des Écoliers 1-40", "Boulevard Saint-Ambroise 22-60"),
    "75113": ("Avenue d'Ivrac 1-60", "Rue du Dessous des Vignes 1-20"),
    "69383": ("Cours Lafarge 1-80",),
}
NEIGHBOURS = (("96101", "96104", 900.0), ("96101", "96110", 1_500.0), ("96102", "96103", 800.0))


def build(root: Path) -> Store:
    """Write the store and open it."""
    streets, addresses = _streets()
    sizes = streets.groupby("code_commune")["n_addresses"].sum()
    tables = {
        STORE_COMMUNES.name: _communes(sizes),
        STORE_COMMUNE_NAMES.name: _names(),
        STORE_COMMUNE_POSTCODES.name: pd.DataFrame(
            [(c.postcode, c.code) for c in COMMUNES if c.postcode],
            columns=STORE_COMMUNE_POSTCODES.names,
        ),
        STORE_COMMUNE_NEIGHBOURS.name: pd.DataFrame(
            [p for a, b, m in NEIGHBOURS for p in ((a, b, m), (b, a, m))],
            columns=STORE_COMMUNE_NEIGHBOURS.names,
        ),
        STORE_COMMUNE_HISTORY.name: pd.DataFrame(
            [(f.split(" ")[0], c.code) for c in COMMUNES for f in c.former],
            columns=STORE_COMMUNE_HISTORY.names,
        ),
    }
    for table in COUNTRY_TABLES:
        write_country(root, table, table.conform(tables.get(table.name, table.empty())))
    departements = sorted({departement_of(c) for c in STREETS})
    for departement in departements:
        for table, rows in ((STORE_STREETS, streets), (STORE_ADDRESSES, addresses)):
            part = table.conform(rows[rows["departement"] == departement])
            write_departement(root, table, departement, part, crs=CRS)
    write_manifest(
        root,
        {
            "format": STORE_FORMAT,
            "format_version": STORE_FORMAT_VERSION,
            "departements": departements,
        },
    )
    return Store.open(root)


def place_of(code_commune: str, street: str, numero: float) -> tuple[float, float]:
    """Where a house number is: x, y in metres."""
    east = [c.code for c in COMMUNES].index(code_commune)
    names = [_read(s).name for s in STREETS[code_commune]]
    x = ORIGIN_X + east * COMMUNE_STEP_M + NUMBER_STEP_M * numero
    return x, ORIGIN_Y + STREET_STEP_M * names.index(street)


class _Street(NamedTuple):
    name: str
    doors: list[tuple[int, str]]
    is_lieu_dit: bool


def _read(line: str) -> _Street:
    main, *more = line.split(" +")
    name, span = main.rsplit(" ", 1)
    span, _, step = span.partition("/")
    low, high = (int(n) for n in span.split("-"))
    doors = [(n, "") for n in range(low, high + 1, int(step or 1)) if n]
    for door in more:
        digits = "".join(c for c in door if c.isdigit())
        doors.append((int(digits), door[len(digits) :]))
    return _Street(name.lstrip("@"), sorted(doors), name.startswith("@"))


def _streets() -> tuple[pd.DataFrame, pd.DataFrame]:
    streets, addresses = [], []
    counts: dict[str, list[int]] = {}
    for code, lines in STREETS.items():
        departement = departement_of(code)
        postcode = next(c.postcode for c in COMMUNES if c.code == code)
        for row, line in enumerate(lines):
            street = _read(line)
            done = counts.setdefault(departement, [0, 0])
            x, y = _point(code, row, np.array([n for n, _ in street.doors] or [20]))
            streets.append(
                {
                    "departement": departement,
                    "voie_id": done[0],
                    "code_commune": code,
                    "nom_voie": street.name,
                    "nom_norm": street_key(street.name),
                    "code_postal": postcode,
                    "is_lieu_dit": street.is_lieu_dit,
                    "ban_id": f"{code}_{row:04d}",
                    "x": float(np.median(x)),
                    "y": y,
                    "half_length_m": 300.0 if street.is_lieu_dit else float(np.ptp(x) / 2),
                    "n_addresses": len(street.doors),
                    "first_address": done[1],
                }
            )
            for (numero, rep), at in zip(street.doors, x, strict=False):
                addresses.append(
                    {
                        "departement": departement,
                        "voie_id": done[0],
                        "numero": numero,
                        "rep": rep,
                        "code_postal": postcode,
                        "x": float(at),
                        "y": y,
                        "ban_id": f"{code}_{row:04d}_{numero:05d}{rep and '_' + rep}",
                    }
                )
            counts[departement] = [done[0] + 1, done[1] + len(street.doors)]
    table = pd.DataFrame(streets)
    table = table.assign(**street_columns(table["nom_norm"].tolist()))
    return table, pd.DataFrame(addresses)


def _point(code: str, row: int, numero: np.ndarray) -> tuple[np.ndarray, float]:
    east = [c.code for c in COMMUNES].index(code)
    x = ORIGIN_X + east * COMMUNE_STEP_M + NUMBER_STEP_M * numero
    return x, ORIGIN_Y + STREET_STEP_M * row


def _communes(sizes: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "code_commune": c.code,
                "libelle": c.name,
                "departement": departement_of(c.code),
                "code_parent": c.parent,
                "lon": 0.0,
                "lat": 0.0,
                "x": ORIGIN_X + i * COMMUNE_STEP_M,
                "y": ORIGIN_Y,
                "crs": CRS,
                "radius_m": 2_000.0,
                "n_addresses": int(sizes.get(c.code, 0)),
                "n_establishments": c.size,
            }
            for i, c in enumerate(COMMUNES)
        ]
    )


def _names() -> pd.DataFrame:
    rows = []
    for c in COMMUNES:
        origin = "arrondissement" if c.parent else "cog"
        rows.append((normalise(c.name), c.code, departement_of(c.code), origin, ""))
        for former in c.former:
            code, name = former.split(" ", 1)
            rows.append((normalise(name), c.code, departement_of(c.code), "ancienne", code))
    columns = ["nom_norm", "code_commune", "departement", "origine", "code_ancien"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(**name_columns(table["nom_norm"].tolist()))
