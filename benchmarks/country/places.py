"""Streets and addresses of one département, as columns, and its BAN file."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from benchmarks.country.plan import Plan, Share
from benchmarks.country.words import street_names
from gazetteer.places import WGS84, project
from geomatch.core.territories import crs_of
from geomatch.core.text import normalise
from geomatch.demo.layouts import columns

Ints = np.ndarray
_REPS = np.array(["", "bis", "ter", "a", "b"], dtype=object)
_GZIP_LEVEL = 1
_CSV = pacsv.WriteOptions(include_header=False, delimiter=";", quoting_style="none")
#: House numbers to a square kilometre in the middle of a place.
_DENSITY = 2_200.0
#: Share of the streets that lie in the middle, the others up to the commune's border.
_MIDDLE = 0.8


@dataclass(frozen=True)
class Places:
    """Streets and addresses of a département; communes are positions in `communes`."""

    departement: str
    communes: pd.DataFrame
    street_commune: Ints
    street_name: Ints
    street: Ints
    numero: Ints
    rep: Ints
    x: np.ndarray
    y: np.ndarray

    @cached_property
    def commune(self) -> Ints:
        """Commune of each address."""
        return self.street_commune[self.street]

    @cached_property
    def first(self) -> Ints:
        """Where each commune's addresses begin; they lie one after the other."""
        return np.searchsorted(self.commune, np.arange(len(self.communes) + 1))

    @cached_property
    def names(self) -> tuple[list[str], Ints]:
        """Distinct street names of the département, and which each street bears."""
        distinct, code = np.unique(self.street_name, return_inverse=True)
        return street_names().words.take(pa.array(distinct)).to_pylist(), code


def drawn(plan: Plan, share: Share) -> Places:
    """All streets with their house numbers."""
    random = np.random.default_rng([plan.seed, 3, share.number])
    own = plan.communes[plan.communes["departement"] == share.departement].reset_index(drop=True)
    houses = _shared(share.addresses, own["weight"].to_numpy(), least=12)
    streets = _street_counts(houses, share.streets)
    commune = np.repeat(np.arange(len(own)), streets)
    name = _names(random, commune)
    size = _sizes(random, commune, houses)
    street = np.repeat(np.arange(len(commune)), size)
    x, y, numero, rep = _doors(random, own, houses, commune, size, street)
    return Places(share.departement, own, commune, name, street, numero, rep, x, y)


def _shared(total: int, weight: np.ndarray, *, least: int) -> Ints:
    return np.maximum(least, np.round(total * weight / weight.sum())).astype(np.int64)


def _street_counts(houses: Ints, total: int) -> Ints:
    """Streets of each commune: a large one has longer streets."""
    wanted = houses / (5.5 + 1.4 * np.log1p(houses / 100))
    return np.maximum(3, np.round(wanted * total / wanted.sum())).astype(np.int64)


def _names(random: np.random.Generator, commune: Ints) -> Ints:
    """A street name for each street, no two of one name in a commune."""
    pool = street_names()
    name = pool.draw(random, len(commune))
    for attempt in range(12):
        key = commune * len(pool.words) + name
        _, first = np.unique(key, return_index=True)
        twins = np.setdiff1d(np.arange(len(commune)), first)
        if not len(twins):
            break
        draw = pool.draw if attempt < 3 else pool.flat
        name[twins] = draw(random, len(twins))
    return name


def _sizes(random: np.random.Generator, commune: Ints, houses: Ints) -> Ints:
    weight = np.exp(random.normal(0, 0.9, len(commune)))
    total = np.bincount(commune, weight)
    return np.maximum(1, np.round(houses[commune] * weight / total[commune])).astype(np.int64)


def _doors(random, own, houses, commune, size, street):
    """x, y, numero and rep of every house number."""
    centre = own[["x", "y"]].to_numpy()[commune]
    reach = own["radius"].to_numpy()
    core = np.minimum(reach, 1_000 * np.sqrt(houses / _DENSITY / np.pi))
    n = len(commune)
    inside = random.random(n) < _MIDDLE
    far = np.where(inside, core[commune], reach[commune]) * np.sqrt(random.random(n))
    angle, turn = random.uniform(0, 2 * np.pi, (2, n))
    plot = np.where(inside, random.uniform(8, 18, n), random.uniform(20, 45, n))
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    k = np.arange(len(street)) - first[street]
    along = (k // 2 - size[street] / 4) * plot[street]
    aside = np.where(k % 2 == 0, 8.0, -8.0)
    cos, sin = np.cos(turn)[street], np.sin(turn)[street]
    middle_x = centre[:, 0] + far * np.cos(angle)
    middle_y = centre[:, 1] + far * np.sin(angle)
    x = middle_x[street] + along * cos - aside * sin
    y = middle_y[street] + along * sin + aside * cos
    metric = (random.random(n) < 0.12)[street]
    numero = np.where(metric, (k // 2 * plot[street]).astype(np.int64) + k % 2 + 1, k + 1)
    rep = np.where(random.random(len(street)) < 0.05, random.integers(1, 5, len(street)), 0)
    repeated = (rep > 0) & (k > 1)
    numero = np.where(repeated, np.maximum(numero - 2, 1), numero)
    return np.round(x, 2), np.round(y, 2), numero, np.where(repeated, rep, 0)


def write_ban(places: Places, folder: Path) -> int:
    """``adresses-35.csv.gz`` in the official layout; its number of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"adresses-{places.departement}.csv.gz"
    partial = final.with_suffix(".part")
    step = 400_000
    # no name and no time of day in the file: the same country is the same bytes
    with (
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as out,
    ):
        for low in range(0, max(len(places.street), 1), step):
            at = np.arange(low, min(low + step, len(places.street)))
            rows = _ban_rows(places, at)
            if not low:
                out.write((";".join(rows.column_names) + "\n").encode())
            pacsv.write_csv(rows, out, _CSV)
    partial.replace(final)
    return len(places.street)


def _ban_rows(places: Places, at: Ints) -> pa.Table:
    street, commune = places.street[at], places.commune[at]
    rep = pa.array(_REPS[places.rep[at]])
    code = _taken(places.communes["code"], commune)
    rank = street - np.searchsorted(places.street_commune, commune)
    fantoir = pc.binary_join_element_wise("v", _padded(rank, 6), "")
    fantoir = pc.binary_join_element_wise(code, fantoir, "_")
    number = pc.binary_join_element_wise(fantoir, _padded(places.numero[at], 5), "_")
    suffix = pc.if_else(pc.equal(rep, ""), "", pc.binary_join_element_wise("_", rep, ""))
    names, name_code = places.names
    capitals = [normalise(n) for n in names]
    lon, lat = project(places.x[at], places.y[at], WGS84, source=crs_of(places.departement))
    town = _taken(places.communes["libelle"], commune)
    made = {
        "id": pc.binary_join_element_wise(number, suffix, ""),
        "id_fantoir": pc.binary_join_element_wise(code, _padded(rank % 10_000, 4), "_"),
        "numero": pa.array(places.numero[at]),
        "rep": rep,
        "nom_voie": _taken(names, name_code[street]),
        "code_postal": _taken(places.communes["code_postal"], commune),
        "code_insee": code,
        "nom_commune": town,
        "x": pa.array(places.x[at]),
        "y": pa.array(places.y[at]),
        "lon": pa.array(np.round(lon, 6)),
        "lat": pa.array(np.round(lat, 6)),
        "type_position": pa.array(["entrée"] * len(at)),
        "libelle_acheminement": _taken([normalise(t) for t in places.communes["libelle"]], commune),
        "nom_afnor": _taken(capitals, name_code[street]),
        "source_position": pa.array(["commune"] * len(at)),
        "source_nom_voie": pa.array(["commune"] * len(at)),
        "certification_commune": pa.array(["1"] * len(at)),
    }
    empty = pa.array([""] * len(at))
    return pa.table({name: made.get(name, empty) for name in columns("ban_adresses")})


def _taken(values, at: Ints) -> pa.Array:
    return pa.array(list(values), pa.string()).take(pa.array(at))


def _padded(numbers: Ints, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
