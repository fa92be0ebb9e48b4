"""A département's register in the official columns: establishments, legal units, positions."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.country.places import Places, _taken
from benchmarks.country.plan import NATIONAL_UNITS
from benchmarks.country.register import CLOSED, UNREGISTERED, Register, genres
from gazetteer.places import WGS84, project
from geomatch.core.territories import crs_of
from geomatch.core.text import normalise
from geomatch.demo.answers import street_parts
from geomatch.demo.layouts import REGISTER_STREET_TYPES, columns

Ints = np.ndarray
_REP_LETTERS = pa.array(["", "B", "T", "A", "B"])
#: Quality of a position → share.
_QUALITIES = {"11": 0.80, "12": 0.11, "21": 0.01, "22": 0.03, "33": 0.05}


def luhn(digits: np.ndarray) -> Ints:
    """Check digit of each row of digits (n, k)."""
    doubled = digits[:, ::-1].copy()
    doubled[:, ::2] *= 2
    return -(doubled - 9 * (doubled > 9)).sum(axis=1) % 10


def _digits(numbers: Ints, width: int) -> np.ndarray:
    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def siren(unit: Ints) -> Ints:
    """SIREN of unit ranks, as numbers; scattered, valid, and each rank its own."""
    stem = (unit * 48_271 + 12_345_677) % 99_999_989
    return stem * 10 + luhn(_digits(stem, 8))


def siret(unit: Ints, nic: Ints) -> Ints:
    """SIRET of sites, as numbers."""
    stem = siren(unit) * 10_000 + nic % 10_000
    return stem * 10 + luhn(_digits(stem, 13))


def text(numbers: Ints, width: int) -> pa.Array:
    """Numbers as text with their leading zeros."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")


def establishment_rows(seed: int, number: int, register: Register, places: Places) -> pa.Table:
    """StockEtablissement, closed ones too, in no order of SIRET."""
    random = np.random.default_rng([seed, 5, number])
    at = np.flatnonzero(register.state != UNREGISTERED)
    take = partial(_at, at)
    street = _address(random, register, places, at)
    commune = register.commune[at]
    unit = siren(register.unit[at])
    sites = siret(register.unit[at], register.nic[at])
    closed = register.state[at] == CLOSED
    tranche = pa.array(register.tranche[at].astype(object), pa.string())
    usual = random.random(len(at)) < 0.12
    sign = register.enseigne.take(pa.array(at))
    employer = ~np.isin(register.tranche[at].astype(str), ["NN", "00"])
    naf = pa.array([r["naf"] for r in genres()])
    made = {
        "siren": text(unit, 9),
        "nic": text(sites % 100_000, 5),
        "siret": text(sites, 14),
        "statutDiffusionEtablissement": _either(register.is_hidden[at], "P", "O"),
        "dateCreationEtablissement": _dates(random, len(at)),
        "trancheEffectifsEtablissement": tranche,
        "anneeEffectifsEtablissement": _either(employer, "2023", ""),
        "dateDernierTraitementEtablissement": pa.array(["2024-06-01T10:00:00"] * len(at)),
        "etablissementSiege": _either(take(register.is_siege), "true", "false"),
        "nombrePeriodesEtablissement": pa.array(random.integers(1, 7, len(at))).cast(pa.string()),
        **street,
        "codePostalEtablissement": _taken(places.communes["code_postal"], commune),
        "libelleCommuneEtablissement": _taken(
            [normalise(c) for c in places.communes["libelle"]], commune
        ),
        "codeCommuneEtablissement": _taken(places.communes["code"], commune),
        "dateDebut": _dates(random, len(at)),
        "etatAdministratifEtablissement": _either(closed, "F", "A"),
        "enseigne1Etablissement": pc.if_else(pa.array(usual), "", sign),
        "denominationUsuelleEtablissement": pc.if_else(pa.array(usual), sign, ""),
        "activitePrincipaleEtablissement": naf.take(pa.array(register.genre[at])),
        "nomenclatureActivitePrincipaleEtablissement": pa.array(["NAFRev2"] * len(at)),
        "caractereEmployeurEtablissement": _either(employer, "O", "N"),
    }
    return _table("stock_etablissement", made, len(at))


def unit_rows(seed: int, number: int, register: Register) -> pa.Table:
    """StockUniteLegale: each unit once, by its first site."""
    random = np.random.default_rng([seed, 6, number])
    known = np.flatnonzero(register.state != UNREGISTERED)
    _, first = np.unique(register.unit[known], return_index=True)
    at = known[first]
    # a chain's first site stands in one département only
    at = at[(register.unit[at] >= NATIONAL_UNITS) | register.is_siege[at]]
    n = len(at)
    person = register.categorie[at] == "1000"
    hidden = register.is_hidden[at]
    names = [register.mots.column(part, at) for part in ("patron", "prenom")]
    nom, prenom = (
        pc.if_else(pa.array(person), pc.if_else(pa.array(hidden), "[ND]", t), "") for t in names
    )
    naf = pa.array([r["naf"] for r in genres()])
    made = {
        "siren": text(siren(register.unit[at]), 9),
        "statutDiffusionUniteLegale": _either(hidden, "P", "O"),
        "dateCreationUniteLegale": _dates(random, n),
        "sigleUniteLegale": register.sigle.take(pa.array(at)),
        "prenom1UniteLegale": prenom,
        "prenomUsuelUniteLegale": prenom,
        "trancheEffectifsUniteLegale": pa.array(register.tranche[at].astype(object), pa.string()),
        "dateDernierTraitementUniteLegale": pa.array(["2024-06-01T10:00:00"] * n),
        "dateDebut": _dates(random, n),
        "etatAdministratifUniteLegale": _either(register.state[at] == CLOSED, "C", "A"),
        "nomUniteLegale": nom,
        "denominationUniteLegale": register.denomination.take(pa.array(at)),
        "categorieJuridiqueUniteLegale": pa.array(register.categorie[at].astype(object)),
        "activitePrincipaleUniteLegale": naf.take(pa.array(register.genre[at])),
        "nomenclatureActivitePrincipaleUniteLegale": pa.array(["NAFRev2"] * n),
        "nicSiegeUniteLegale": text(siret(register.unit[at], register.nic[at]) % 100_000, 5),
    }
    return _table("stock_unite_legale", made, n)


def position_rows(seed: int, number: int, register: Register, places: Places) -> pa.Table:
    """The geolocated file: what the point is worth is in ``qualite_xy``."""
    random = np.random.default_rng([seed, 7, number])
    at = np.flatnonzero(register.state != UNREGISTERED)
    at = at[random.random(len(at)) > 0.01]
    codes = np.array(list(_QUALITIES), dtype=object)
    quality = random.choice(len(codes), len(at), p=list(_QUALITIES.values()))
    quality[register.is_hidden[at]] = 4
    door = register.address[at]
    street = places.street[door]
    in_street = _anywhere(random, np.searchsorted(places.street, [street, street + 1]))
    commune = register.commune[at]
    in_commune = _anywhere(random, np.stack([places.first[commune], places.first[commune + 1]]))
    point = np.where(quality == 4, in_commune, np.where(quality % 2 == 1, in_street, door))
    crs = crs_of(places.departement)
    x, y = places.x[point], places.y[point]
    lon, lat = project(x, y, WGS84, source=crs)
    spread = np.select([quality == 4, quality % 2 == 1], [2_000, 150], 0)
    made = {
        "siret": text(siret(register.unit[at], register.nic[at]), 14),
        "x": pa.array(x),
        "y": pa.array(y),
        "qualite_xy": pa.array(codes[quality]),
        "epsg": pa.array(np.full(len(at), crs)),
        "plg_code_commune": _taken(places.communes["code"], commune),
        "distance_precision": pc.if_else(
            pa.array(spread > 0), pa.array(spread).cast(pa.string()), ""
        ),
        "y_latitude": pa.array(np.round(lat, 6)),
        "x_longitude": pa.array(np.round(lon, 6)),
    }
    return _table("geolocalisation", made, len(at))


def _anywhere(random: np.random.Generator, bounds: np.ndarray) -> Ints:
    return bounds[0] + (random.random(bounds.shape[1]) * (bounds[1] - bounds[0])).astype(np.int64)


def _address(random, register: Register, places: Places, at: Ints) -> dict[str, pa.Array]:
    """Number, type and name of the street; ``[ND]`` where nothing may be told."""
    door = register.address[at]
    names, code = places.names
    split = [street_parts(n) for n in names]
    kinds = [REGISTER_STREET_TYPES.get(kind, ("",)) for kind, _ in split]
    which = code[places.street[door]]
    long = random.random(len(at)) < 0.6
    kind = pc.if_else(
        pa.array(long), _taken([k[0] for k in kinds], which), _taken([k[-1] for k in kinds], which)
    )
    hidden = pa.array(register.is_hidden[at])
    number = pa.array(places.numero[door]).cast(pa.string())
    unknown = pa.array(random.random(len(at)) < 0.07)
    fields = {
        "numeroVoieEtablissement": pc.if_else(unknown, "", number),
        "indiceRepetitionEtablissement": pc.if_else(
            unknown, "", _REP_LETTERS.take(pa.array(places.rep[door]))
        ),
        "typeVoieEtablissement": kind,
        "libelleVoieEtablissement": _taken([name for _, name in split], which),
    }
    return {c: pc.if_else(hidden, "[ND]", v) for c, v in fields.items()}


def _at(at: Ints, values: np.ndarray) -> np.ndarray:
    return values[at]


def _either(flag: np.ndarray, yes: str, no: str) -> pa.Array:
    return pc.if_else(pa.array(flag), yes, no)


def _dates(random: np.random.Generator, n: int) -> pa.Array:
    """ISO dates of fifty years, each from a list of a few thousand."""
    days = [f"{y}-{m:02d}-{d:02d}" for y in range(1975, 2024) for m in range(1, 13)
            for d in (1, 9, 15, 22)]  # fmt: skip
    return pa.array(days).take(pa.array(random.integers(0, len(days), n)))


def _table(layout: str, made: dict[str, pa.Array], n: int) -> pa.Table:
    empty = pa.array([""] * n, pa.string())
    return pa.table({name: made.get(name, empty) for name in columns(layout)})
