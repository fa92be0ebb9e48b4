"""Communes: of the real COG when its folder is given, else invented on a grid of départements."""

from __future__ import annotations

import csv
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.country.plan import departements
from gazetteer.places import WGS84, project
from geomatch.core.territories import crs_of, departement_of
from geomatch.demo.layouts import columns
from geomatch.demo.places import named, posted
from geomatch.demo.words import parts, rows

#: Cities cut into arrondissements: code, name, département, first and last arrondissement.
CITIES = (
    ("75056", "Paris", "75", 75101, 75120),
    ("69123", "Lyon", "69", 69381, 69389),
    ("13055", "Marseille", "13", 13201, 13216),
)
#: Metres between the middles of two invented départements, and where the first one lies.
_CELL, _ORIGIN = 77_000.0, (250_000.0, 7_050_000.0)
#: The four that share one cell: inner and outer radius in metres, first and last angle.
_AROUND_PARIS = {
    "75": (0.0, 5_500.0, 0.0, 1.0),
    "92": (5_600.0, 13_000.0, 0.25, 0.75),
    "93": (5_600.0, 13_000.0, 0.0, 0.25),
    "94": (5_600.0, 13_000.0, 0.75, 1.0),
}
#: Middle of the overseas départements in their own projection.
_OVERSEAS = {
    "971": (640_000.0, 1_790_000.0),
    "972": (710_000.0, 1_620_000.0),
    "973": (330_000.0, 540_000.0),
    "974": (340_000.0, 7_660_000.0),
    "976": (520_000.0, 8_585_000.0),
}


def real(folder: Path) -> pd.DataFrame:
    """Communes and arrondissements of the COG and postcodes files of a folder.

    Code, libelle, departement, parent, code_postal, x, y, rank. Sizes are not in these files: a
    postcode that ends in 000 is that of a chef-lieu, one that ends in 00 of a town.
    """
    cog = pd.read_csv(next(folder.glob("v_commune*.csv")), dtype=str).fillna("")
    post = pd.read_csv(next(folder.glob("*hexasmal*.csv")), sep=";", dtype=str).fillna("")
    post = post.drop_duplicates("Code_commune_INSEE").set_index("Code_commune_INSEE")
    cities = {city[0] for city in CITIES}
    kept = cog[cog["TYPECOM"].isin(["COM", "ARM"]) & ~cog["COM"].isin(cities)]
    kept = kept[kept["COM"].isin(post.index)]
    at = post.loc[kept["COM"]]
    place = at["coordonnees_gps"].str.extract(r"([-\d.]+), *([-\d.]+)").astype(float)
    made = pd.DataFrame(
        {
            "code": kept["COM"].to_numpy(),
            "libelle": kept["LIBELLE"].to_numpy(),
            "departement": [departement_of(c) for c in kept["COM"]],
            "parent": kept["COMPARENT"].where(kept["TYPECOM"] == "ARM", "").to_numpy(),
            "code_postal": at["Code_postal"].to_numpy(),
            "lat": place[0].to_numpy(),
            "lon": place[1].to_numpy(),
        }
    ).dropna()
    known = {row["departement"] for row in departements()}
    made = made[made["departement"].isin(known)].reset_index(drop=True)
    made["x"], made["y"] = 0.0, 0.0
    for crs, group in made.groupby(made["code"].map(crs_of)):
        x, y = project(group["lon"], group["lat"], int(crs))
        made.loc[group.index, "x"], made.loc[group.index, "y"] = x, y
    random = np.random.default_rng(7)
    town = made["code_postal"].str.endswith("000") * 2.0 + made["code_postal"].str.endswith("00")
    order = town + (made["parent"] != "") * 4 + random.random(len(made))
    made["rank"] = (-order).groupby(made["departement"]).rank(method="first").astype(int) - 1
    return made.drop(columns=["lat", "lon"])


def invented(seed: int) -> pd.DataFrame:
    """Communes of all départements, with names of the demo's words; columns as of :func:`real`."""
    random = np.random.default_rng([seed, 2])
    cells = iter([(i % 10, i // 10) for i in range(100)])
    paris: tuple[int, int] | None = None
    made = []
    for row in departements():
        d = row["departement"]
        city = next((c for c in CITIES if c[2] == d), None)
        arrondissements = list(range(city[3], city[4] + 1)) if city else []
        plain = 0 if d == "75" else int(row["communes"])
        if d in _OVERSEAS:
            centre = _OVERSEAS[d]
            x, y = _square(random, centre, 25_000.0, plain)
        elif d in _AROUND_PARIS:
            paris = paris or next(cells)
            x, y = _ring(random, _middle(paris), _AROUND_PARIS[d], plain + len(arrondissements))
        else:
            x, y = _square(random, _middle(next(cells)), _CELL, plain + len(arrondissements))
            if arrondissements:
                near = _ring(random, (x[-1], y[-1]), (0.0, 7_000.0, 0.0, 1.0), len(arrondissements))
                x[: len(near[0])], y[: len(near[1])] = near
        codes = [str(a) for a in arrondissements]
        first = len(codes)
        step = 3 if len(d) == 2 else 2
        codes += [f"{d}{i:0{step}d}" for i in range(1, plain + 1) if f"{d}{i:0{step}d}" not in
                  {c[0] for c in CITIES}][:plain]  # fmt: skip
        codes += [f"{d}9{i:02d}" for i in range(plain - (len(codes) - first))]
        labels = [f"{city[1]} {_ordinal(i)} Arrondissement" for i in
                  range(1, first + 1)] if city else []  # fmt: skip
        labels += _names(random, len(codes) - first)
        made.append(
            pd.DataFrame(
                {
                    "code": codes,
                    "libelle": labels,
                    "departement": d,
                    "parent": [city[0] if city and i < first else "" for i in range(len(codes))],
                    "code_postal": _postcodes(d, len(codes), first),
                    "x": x[: len(codes)],
                    "y": y[: len(codes)],
                    "rank": range(len(codes)),
                }
            )
        )
    return pd.concat(made, ignore_index=True)


def _ordinal(i: int) -> str:
    return "1er" if i == 1 else f"{i}e"


def _middle(cell: tuple[int, int]) -> tuple[float, float]:
    return _ORIGIN[0] + _CELL * cell[0], _ORIGIN[1] - _CELL * cell[1]


def _square(random: np.random.Generator, centre: tuple[float, float], side: float, n: int):
    """Places on a jittered lattice, so that no two communes stand on one another."""
    k = max(1, math.ceil(math.sqrt(n)))
    at = random.permutation(k * k)[:n]
    pitch = side / k
    x = centre[0] - side / 2 + pitch * (at % k + 0.5 + random.uniform(-0.35, 0.35, n))
    y = centre[1] - side / 2 + pitch * (at // k + 0.5 + random.uniform(-0.35, 0.35, n))
    return x, y


def _ring(random: np.random.Generator, centre: tuple[float, float], ring, n: int):
    inner, outer, first, last = ring
    i = np.arange(n) + 0.5
    angle = 2 * math.pi * (first + (last - first) * ((i * 0.618) % 1.0))
    radius = np.sqrt(inner**2 + (outer**2 - inner**2) * i / n) * random.uniform(0.96, 1.04, n)
    return centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)


def _names(random: np.random.Generator, n: int) -> list[str]:
    """Commune names; the same one may stand in several départements, as in France."""
    words = parts("communes")
    made: dict[str, None] = {}
    while len(made) < n:
        pick = {k: str(random.choice(v)) for k, v in words.items()}
        draw = random.random()
        base = pick["debut"] + pick["fin"] if draw < 0.75 else f"Saint-{pick['saint']}"
        if draw > 0.95:
            base = f"Sainte-{pick['sainte']}"
        if 0.1 < draw < 0.2:
            base = f"{pick['article']} {base}"
        if random.random() < (0.25 if len(made) < 600 else 0.9):
            base += pick["complement"]
        made.setdefault(base)
    return list(made)


def _postcodes(d: str, n: int, arrondissements: int) -> list[str]:
    stem = d.replace("2A", "20").replace("2B", "20")
    width = 5 - len(stem)
    offices = max(1, (n - arrondissements) // 6)
    codes = [f"{stem}{i:0{width}d}" for i in range(1, arrondissements + 1)]
    step = 10 if offices < 10 ** (width - 1) else 1
    base = 100 if width == 3 else 10
    codes += [f"{stem}{(base + (i % offices) * step) % 10**width:0{width}d}"
              for i in range(n - arrondissements)]  # fmt: skip
    return codes


def write(out: Path, communes: pd.DataFrame, given: Path | None) -> None:
    """The COG folder of a country: the files given, or those of the invented communes."""
    out.mkdir(parents=True, exist_ok=True)
    if given is not None:
        for pattern in ("v_commune*.csv", "v_mvt_commune*.csv", "*hexasmal*.csv", "naf*.csv"):
            for file in given.glob(pattern):
                shutil.copyfile(file, out / file.name)
        return
    tables = {
        "v_commune_2024.csv": ("v_commune", ",", _commune_rows(communes)),
        "v_mvt_commune_2024.csv": ("v_mvt_commune", ",", _movement_rows(communes)),
        "laposte_hexasmal.csv": ("laposte_hexasmal", ";", _postcode_rows(communes)),
        "naf_rev2.csv": ("naf", ";", iter(rows("naf"))),
    }
    for name, (layout, delimiter, made) in tables.items():
        with (out / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns(layout), delimiter=delimiter, restval="")
            writer.writeheader()
            writer.writerows(made)


def _commune_rows(communes: pd.DataFrame) -> Iterator[dict[str, str]]:
    there = set(communes["parent"]) - {""}
    for code, name, d, _, _ in CITIES:
        if code in there:
            yield {"TYPECOM": "COM", "COM": code, "REG": "98", "DEP": d, **named(name)}
    for row in communes.itertuples():
        kind = {"TYPECOM": "ARM", "COMPARENT": row.parent} if row.parent else {"TYPECOM": "COM"}
        yield {**kind, "COM": row.code, "REG": "98", "DEP": row.departement, **named(row.libelle)}


def _movement_rows(communes: pd.DataFrame) -> Iterator[dict[str, str]]:
    """Now and then a commune changed its name."""
    for row in communes[communes["parent"] == ""].iloc[::40].itertuples():
        yield {
            "MOD": "10",
            "DATE_EFF": "2012-06-01",
            "TYPECOM_AV": "COM",
            "COM_AV": row.code,
            **named(row.libelle + "-le-Bas", "_AV"),
            "TYPECOM_AP": "COM",
            "COM_AP": row.code,
            **named(row.libelle, "_AP"),
        }


def _postcode_rows(communes: pd.DataFrame) -> Iterator[dict[str, str]]:
    for crs, group in communes.groupby(communes["code"].map(crs_of)):
        lon, lat = project(group["x"], group["y"], WGS84, source=int(crs))
        for row, a, b in zip(group.itertuples(), lat, lon, strict=True):
            name = posted(row.libelle)
            yield {
                "Code_commune_INSEE": row.code,
                "Nom_commune": name,
                "Code_postal": row.code_postal,
                "Libelle_acheminement": name,
                "Ligne_5": "",
                "coordonnees_gps": f"{a:.10f}, {b:.10f}",
            }
