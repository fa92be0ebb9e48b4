"""Rows of the register's files: establishments, legal units, geolocation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from geomatch.core.text import normalise
from geomatch.demo.answers import street_parts
from geomatch.demo.layouts import REGISTER_STREET_TYPES
from geomatch.demo.register import Establishment, Register
from geomatch.demo.streets import House
from geomatch.demo.writing import noisy, shorten

_TREATED = "2024-03-02T14:31:07"
_YEAR = "2022"
#: What the register shows of people who asked not to be shown.
_UNDISCLOSED = "[ND]"
#: INSEE's quality of position → share; 12, 22 are random points of the street, 33 of the commune.
_QUALITIES: Mapping[str, float] = {"11": 0.80, "12": 0.11, "21": 0.01, "22": 0.03, "33": 0.05}


def establishment_rows(random: Random, register: Register) -> Iterator[dict[str, str]]:
    """StockEtablissement: active and closed establishments in SIRET order."""
    for one in _known(register):
        yield {
            "siren": one.unit.siren,
            "nic": one.siret[9:],
            "siret": one.siret,
            "statutDiffusionEtablissement": "O" if one.unit.is_disclosed else "P",
            "dateCreationEtablissement": _date(random),
            "trancheEffectifsEtablissement": one.tranche,
            "anneeEffectifsEtablissement": "" if one.tranche == "NN" else _YEAR,
            "dateDernierTraitementEtablissement": _TREATED,
            "etablissementSiege": "true" if one.is_siege else "false",
            "nombrePeriodesEtablissement": str(random.randint(1, 6)),
            **_address(random, one),
            "dateDebut": _date(random),
            "etatAdministratifEtablissement": "A" if one.is_active else "F",
            **_signs(random, one),
            "activitePrincipaleEtablissement": one.naf,
            "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
            "caractereEmployeurEtablissement": "N" if one.tranche in ("NN", "00") else "O",
        }


def unit_rows(random: Random, register: Register) -> Iterator[dict[str, str]]:
    """StockUniteLegale: every unit of a known establishment once, in SIREN order."""
    heads: dict[str, Establishment] = {}
    for one in _known(register):
        kept = heads.get(one.unit.siren)
        if kept is None or (one.is_siege and not kept.is_siege):
            heads[one.unit.siren] = one
    for siren in sorted(heads):
        head = heads[siren]
        unit = head.unit
        hidden = not unit.is_disclosed
        yield {
            "siren": siren,
            "statutDiffusionUniteLegale": "P" if hidden else "O",
            "dateCreationUniteLegale": _date(random),
            "sigleUniteLegale": unit.sigle,
            "prenom1UniteLegale": _UNDISCLOSED if hidden else unit.prenom,
            "prenomUsuelUniteLegale": _UNDISCLOSED if hidden else unit.prenom,
            "trancheEffectifsUniteLegale": head.tranche,
            "anneeEffectifsUniteLegale": "" if head.tranche == "NN" else _YEAR,
            "dateDernierTraitementUniteLegale": _TREATED,
            "nombrePeriodesUniteLegale": str(random.randint(1, 6)),
            "dateDebut": _date(random),
            "etatAdministratifUniteLegale": "A" if head.is_active else "C",
            "nomUniteLegale": _UNDISCLOSED if hidden else unit.nom,
            "denominationUniteLegale": unit.denomination,
            "denominationUsuelle1UniteLegale": unit.usuelle,
            "categorieJuridiqueUniteLegale": unit.categorie,
            "activitePrincipaleUniteLegale": unit.naf,
            "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
            "nicSiegeUniteLegale": head.siret[9:],
        }


def _known(register: Register) -> list[Establishment]:
    return sorted((*register.active, *register.closed), key=lambda e: e.siret)


def _date(random: Random) -> str:
    year = random.randint(1975, 2023)
    return f"{year}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"


def _signs(random: Random, one: Establishment) -> dict[str, str]:
    """Enseignes and usual name; a long enseigne may be cut in three, a short one doubled."""
    text = normalise(one.enseigne)
    if not text:
        return {}
    if random.random() < 0.12:
        return {"denominationUsuelleEtablissement": text}
    words = text.split(" ")
    if len(words) >= 4 and random.random() < 0.1:
        third = len(words) // 3
        cut = (words[:third], words[third : 2 * third], words[2 * third :])
        return {f"enseigne{i}Etablissement": " ".join(w) for i, w in enumerate(cut, start=1)}
    return {"enseigne1Etablissement": text}


# ------------------------------------------------------------------ addresses


def _address(random: Random, one: Establishment) -> dict[str, str]:
    settlement = one.settlement
    old_code = settlement.is_merged and random.random() < 0.15
    place = {
        "codePostalEtablissement": settlement.code_postal,
        "libelleCommuneEtablissement": normalise(settlement.nom_en_vigueur),
        "codeCommuneEtablissement": settlement.code if old_code else settlement.code_en_vigueur,
    }
    if not one.unit.is_disclosed:
        hidden = ("numeroVoie", "typeVoie", "libelleVoie", "complementAdresse")
        return {**place, **{f"{name}Etablissement": _UNDISCLOSED for name in hidden}}
    if one.genre.startswith("mairie") and random.random() < 0.4:
        return {**place, "libelleVoieEtablissement": random.choice(("LE BOURG", "MAIRIE"))}
    return {**place, **_street(random, one.house)}


def _street(random: Random, house: House) -> dict[str, str]:
    kind, name = street_parts(house.street.nom)
    name = noisy(random, shorten(random, name), is_paper=False, strength=0.15)
    fields = {"libelleVoieEtablissement": name}
    if kind:
        fields["typeVoieEtablissement"] = random.choice(REGISTER_STREET_TYPES[kind])
        if random.random() < 0.04:
            fields = {"libelleVoieEtablissement": f"{kind} {name}"}
    if house.numero and random.random() > 0.07:
        fields["numeroVoieEtablissement"] = str(house.numero)
        fields["indiceRepetitionEtablissement"] = house.rep[:1].upper()
        if random.random() < 0.015:
            fields["dernierNumeroVoieEtablissement"] = str(house.numero + 2)
    if house.street.secteur == "za" and random.random() < 0.2:
        fields["complementAdresseEtablissement"] = "ZONE ARTISANALE"
    return fields


# ------------------------------------------------------------------ geolocation


def position_rows(
    random: Random, register: Register, houses: Sequence[House]
) -> Iterator[dict[str, str]]:
    """The geolocation file: x, y and their quality, which tells what the point is worth."""
    by_street, by_commune = _grouped(houses)
    extents = {code: _extent(here) for code, here in by_commune.items()}
    for one in _known(register):
        if random.random() < 0.01:
            continue
        quality = random.choices(list(_QUALITIES), list(_QUALITIES.values()))[0]
        if not one.unit.is_disclosed:
            quality = "33"
        street = one.house.street
        here = by_street[street.settlement.code, street.number]
        commune = by_commune[street.settlement.code_en_vigueur]
        point, precision = one.house, ""
        if quality in ("12", "22"):
            point, precision = random.choice(here), f"{_extent(here):.0f}"
        if quality == "22" and random.random() < 0.2:
            point = random.choice(commune)
        if quality == "33":
            point, precision = (
                random.choice(commune),
                f"{extents[point.street.settlement.code_en_vigueur]:.0f}",
            )
        yield {
            "siret": one.siret,
            "x": f"{point.x:.2f}",
            "y": f"{point.y:.2f}",
            "qualite_xy": quality,
            "epsg": "2154",
            "plg_code_commune": street.settlement.code_en_vigueur,
            "distance_precision": precision,
        }


def _grouped(
    houses: Iterable[House],
) -> tuple[dict[tuple[str, int], list[House]], dict[str, list[House]]]:
    by_street: dict[tuple[str, int], list[House]] = {}
    by_commune: dict[str, list[House]] = {}
    for house in houses:
        settlement = house.street.settlement
        by_street.setdefault((settlement.code, house.street.number), []).append(house)
        by_commune.setdefault(settlement.code_en_vigueur, []).append(house)
    return by_street, by_commune


def _extent(houses: Sequence[House]) -> float:
    """Half of the diagonal of the smallest upright box around the houses, in metres."""
    xs, ys = [h.x for h in houses], [h.y for h in houses]
    return max(10.0, math.hypot(max(xs) - min(xs), max(ys) - min(ys)) / 2)
