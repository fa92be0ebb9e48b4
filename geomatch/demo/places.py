"""Rows of the files of places: addresses and localities (BAN), communes (COG), postcodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from geomatch.core.territories import CRS_METROPOLE
from geomatch.core.text import normalise
from geomatch.demo.streets import House, Street
from geomatch.demo.territory import DEPARTEMENT, REGION, Settlement, Territory


def degrees(
    x: Sequence[float], y: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (WGS 84) of EPSG:2154 metres."""
    to_degrees = Transformer.from_crs(CRS_METROPOLE, 4326, always_xy=True)
    lon, lat = to_degrees.transform(np.asarray(x, float), np.asarray(y, float))
    return lon, lat


@cache
def _capitals(text: str) -> str:
    return normalise(text)


def address_rows(houses: Sequence[House]) -> Iterator[dict[str, str]]:
    """BAN addresses, by commune, street, number."""
    numbered = sorted((h for h in houses if h.numero), key=_order)
    lon, lat = degrees([h.x for h in numbered], [h.y for h in numbered])
    for i, house in enumerate(numbered):
        street, settlement = house.street, house.street.settlement
        rep = f"_{house.rep}" if house.rep else ""
        yield {
            "id": f"{street_id(street)}_{house.numero:05d}{rep}",
            "id_fantoir": f"{settlement.code_en_vigueur}_{_fantoir(street)}",
            "numero": str(house.numero),
            "rep": house.rep,
            "nom_voie": street.nom,
            **_commune(settlement),
            "x": f"{house.x:.2f}",
            "y": f"{house.y:.2f}",
            "lon": f"{lon[i]:.6f}",
            "lat": f"{lat[i]:.6f}",
            "type_position": "entrée",
            "libelle_acheminement": _capitals(settlement.nom_en_vigueur),
            "nom_afnor": _capitals(street.nom),
            "source_position": "commune",
            "source_nom_voie": "commune",
            "certification_commune": "1",
        }


def locality_rows(streets: Sequence[Street], houses: Sequence[House]) -> Iterator[dict[str, str]]:
    """BAN localities: all hamlets, whether their houses have numbers or not."""
    points: dict[tuple[str, int], list[House]] = {}
    for house in houses:
        points.setdefault((house.street.settlement.code, house.street.number), []).append(house)
    localities = sorted((s for s in streets if s.is_lieu_dit), key=street_id)
    centres = [_centre(s, points.get((s.settlement.code, s.number), ())) for s in localities]
    lon, lat = degrees([x for x, _ in centres], [y for _, y in centres])
    for i, (street, (x, y)) in enumerate(zip(localities, centres, strict=True)):
        yield {
            "id": street_id(street),
            "nom_lieu_dit": street.nom,
            **_commune(street.settlement),
            "x": f"{x:.2f}",
            "y": f"{y:.2f}",
            "lon": f"{lon[i]:.6f}",
            "lat": f"{lat[i]:.6f}",
            "source_position": "commune",
            "source_nom_voie": "commune",
        }


def _centre(street: Street, houses: Sequence[House]) -> tuple[float, float]:
    if not houses:
        return street.line[0]
    return sum(h.x for h in houses) / len(houses), sum(h.y for h in houses) / len(houses)


def street_id(street: Street) -> str:
    """BAN identifier of a street; two settlements of one commune never share one."""
    return f"{street.settlement.code_en_vigueur}_{_fantoir(street)}"


def _fantoir(street: Street) -> str:
    """Letter and rank; the settlement's own number keeps merged villages apart."""
    settlement = street.settlement
    letter = "v" if not street.is_lieu_dit else "b"
    own = "" if settlement.code == settlement.code_en_vigueur else settlement.code[2:]
    return f"{letter}{own}{street.number:04d}"


def _order(house: House) -> tuple[str, int, str]:
    return street_id(house.street), house.numero, house.rep


def _commune(settlement: Settlement) -> dict[str, str]:
    merged = settlement.is_merged
    return {
        "code_postal": settlement.code_postal,
        "code_insee": settlement.code_en_vigueur,
        "nom_commune": settlement.nom_en_vigueur,
        "code_insee_ancienne_commune": settlement.code if merged else "",
        "nom_ancienne_commune": settlement.nom if merged else "",
    }


# ------------------------------------------------------------------ communes


def commune_rows(territory: Territory) -> Iterator[dict[str, str]]:
    """Communes in force, then the delegated (COMD) and associated (COMA) ones."""
    for code, nom in territory.communes.items():
        yield {
            "TYPECOM": "COM",
            "COM": code,
            "REG": REGION,
            "DEP": DEPARTEMENT,
            "CTCD": f"{DEPARTEMENT}D",
            "ARR": f"{DEPARTEMENT}1",
            **named(nom),
            "CAN": f"{DEPARTEMENT}01",
        }
    kinds = {"deleguee": "COMD", "associee": "COMA"}
    for settlement in territory.settlements:
        if settlement.statut in kinds:
            yield {
                "TYPECOM": kinds[settlement.statut],
                "COM": settlement.code,
                **named(settlement.nom),
                "COMPARENT": settlement.code_en_vigueur,
            }


def movement_rows(territory: Territory) -> Iterator[dict[str, str]]:
    """Mergers (31, 32, 33) and changes of name (10), latest first."""
    movements = []
    for s in territory.settlements:
        before = {"TYPECOM_AV": "COM", "COM_AV": s.code, **named(s.nom, "_AV")}
        after = {
            "TYPECOM_AP": "COM",
            "COM_AP": s.code_en_vigueur,
            **named(s.nom_en_vigueur, "_AP"),
        }
        dated = {"DATE_EFF": s.date_effet}
        if s.statut != "commune":
            kind = {"deleguee": "32", "associee": "33", "absorbee": "31"}[s.statut]
            movements.append({"MOD": kind, **dated, **before, **after})
        if s.statut == "deleguee":
            own = {"TYPECOM_AP": "COMD", "COM_AP": s.code, **named(s.nom, "_AP")}
            movements.append({"MOD": "32", **dated, **before, **own})
        if s.ancien_nom:
            old = {"TYPECOM_AV": "COM", "COM_AV": s.code, **named(s.ancien_nom, "_AV")}
            movements.append({"MOD": "10", "DATE_EFF": "2012-06-01", **old, **after})
    yield from sorted(movements, key=lambda m: (m["DATE_EFF"], m["COM_AV"]), reverse=True)


def postcode_rows(territory: Territory) -> Iterator[dict[str, str]]:
    """La Poste: the postcode of each commune; old names of places in ``Ligne_5``."""
    lon, lat = degrees([s.x for s in territory.settlements], [s.y for s in territory.settlements])
    for i, s in enumerate(territory.settlements):
        same = s.nom == s.nom_en_vigueur
        for code in dict.fromkeys((s.code_postal, *_second_postcode(s, territory))):
            yield {
                "Code_commune_INSEE": s.code_en_vigueur,
                "Nom_commune": posted(s.nom_en_vigueur),
                "Code_postal": code,
                "Libelle_acheminement": posted(s.nom_en_vigueur),
                "Ligne_5": "" if same else posted(s.nom),
                "coordonnees_gps": f"{lat[i]:.10f}, {lon[i]:.10f}",
            }


def _second_postcode(settlement: Settlement, territory: Territory) -> tuple[str, ...]:
    """The chef-lieu has two postcodes."""
    return (f"{DEPARTEMENT}100",) if settlement == territory.chef_lieu else ()


def posted(nom: str) -> str:
    """A name of a place as La Poste writes it."""
    words = {"SAINT": "ST", "SAINTE": "STE"}
    return " ".join(words.get(w, w) for w in normalise(nom).split(" "))


#: Article of a commune's name → INSEE's code of it (TNCC).
_ARTICLES = (("La ", "3"), ("Les ", "4"), ("Le ", "2"), ("L'", "5"))


def named(nom: str, suffix: str = "") -> dict[str, str]:
    """TNCC, NCC, NCCENR, LIBELLE of a name; the article stands in LIBELLE only."""
    tncc, bare = ("1" if nom[0] in "AEÉIOU" else "0"), nom
    for article, code in _ARTICLES:
        if nom.startswith(article):
            tncc, bare = code, nom[len(article) :]
    named = {"TNCC": tncc, "NCC": normalise(bare), "NCCENR": bare, "LIBELLE": nom}
    return {key + suffix: value for key, value in named.items()}
