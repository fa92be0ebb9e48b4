"""What an employee answers to the census: employer, address of work, activity, occupation.

Every function turns a true establishment into the text of a form, with the omissions and the
mistakes the census has published: shares are those of :data:`SHARES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from geomatch.core.text import normalise
from geomatch.demo.naming import elide
from geomatch.demo.register import Establishment
from geomatch.demo.streets import House
from geomatch.demo.words import parts
from geomatch.demo.writing import leave_out, noisy, shorten, turn_round

#: INSEE's published shares of empty fields (EAR 2014 quality sample), column → share.
SHARES: Mapping[str, float] = {
    "RS_X": 0.011,
    "NUMVOI_X": 0.67,
    "TYPEVOI_X": 0.49,
    "NOMVOI_X": 0.28,
    "CPLADR_X": 0.98,
    "CLT_X": 0.36,
    "DLT_X": 0.44,
    "ACTET_X": 0.068,
    "PROFS_X": 0.16,
    "VARDOMPART_X": 0.89,
}
PAPER_SHARE = 0.36
#: People with a fixed place of work who leave the street out; with the others, SHARES.
_NO_STREET = 0.2
#: Longest employer name a form holds.
_RS_LENGTH = 38
_TYPES: Mapping[str, tuple[str, ...]] = {
    "RUE": ("R", "R", "RUE"),
    "AVENUE": ("AV", "AV", "AVENUE"),
    "BOULEVARD": ("BD", "BD", "BOULEVARD"),
    "PLACE": ("PL", "PL", "PLACE"),
    "ROUTE": ("RTE", "RTE", "ROUTE"),
    "CHEMIN": ("CHE", "CHEMIN"),
    "ALLEE": ("ALL", "ALLEE"),
    "IMPASSE": ("IMP", "IMPASSE"),
    "SQUARE": ("SQ", "SQUARE"),
    "RUELLE": ("RUELLE",),
    "PASSAGE": ("PAS", "PASSAGE"),
    "CLOS": ("CLOS",),
    "COUR": ("COUR",),
    "GRANDE RUE": ("GR",),
}
_COMPLEMENTS = ("ZA", "ZONE ARTISANALE", "BAT A", "BP 40", "ZI", "CENTRE COMMERCIAL", "BOURG")
_VAGUE = ("COMMERCE", "SERVICES", "INDUSTRIE", "BATIMENT", "PRIVE", "PUBLIC", "ADMINISTRATION")


@dataclass(frozen=True)
class Form:
    """How this form was filled: on paper or on the web, and where the person lives."""

    is_paper: bool
    code_residence: str


def employer_name(random: Random, one: Establishment, form: Form) -> str:
    """RS_X: the name as the employee knows and writes it."""
    if random.random() < SHARES["RS_X"]:
        return ""
    name = _known_name(random, one)
    if "(" not in name:
        name = _reworded(random, name, one)
    return noisy(random, name, is_paper=form.is_paper, strength=1.5)[:_RS_LENGTH].strip()


def _known_name(random: Random, one: Establishment) -> str:
    if one.genre == "mairie" and random.random() < 0.35:
        service = random.choice(parts("qualificatifs")["service"])
        return f"{service} {one.mots['commune']}" if random.random() < 0.3 else service
    other = 0.75 if one.is_known_otherwise else 0.26
    if one.ecrit and random.random() < other:
        mots = {**one.mots, "nom": normalise(one.nom)}
        return elide(random.choice(one.ecrit).format_map(mots))
    if one.unit.sigle and random.random() < 0.2:
        return one.unit.sigle
    if one.unit.nom and random.random() < 0.35:
        return f"{one.unit.nom} {one.unit.prenom}"
    if one.unit.denomination and random.random() < 0.3:
        return normalise(one.unit.denomination)
    return normalise(one.nom)


def _reworded(random: Random, name: str, one: Establishment) -> str:
    """A town added, a legal form in front, a word less, words turned round or shortened."""
    if random.random() < 0.08 and one.mots["commune"] not in name:
        name = f"{name} {one.mots['commune']}"
    if random.random() < 0.06:
        name = f"{random.choice(('SARL', 'STE', 'SAS', 'ETS', 'ENTREPRISE'))} {name}"
    if random.random() < 0.12:
        name = leave_out(random, name)
    if random.random() < 0.02:
        name = turn_round(random, name)
    return shorten(random, name) if random.random() < 0.35 else name


def street_fields(random: Random, house: House, form: Form) -> dict[str, str]:
    """NUMVOI_X, BISTER_X, TYPEVOI_X, NOMVOI_X and CPLADR_X for a true address."""
    fields = dict.fromkeys(("NUMVOI_X", "BISTER_X", "TYPEVOI_X", "NOMVOI_X", "CPLADR_X"), "")
    if random.random() > SHARES["CPLADR_X"]:
        fields["CPLADR_X"] = random.choice(_COMPLEMENTS)
    if random.random() < _NO_STREET:
        return fields
    kind, name = street_parts(house.street.nom)
    name = _street_name(random, name, form)
    with_street = 1 - _NO_STREET
    # some streets are localities and have no type
    if kind and random.random() < (1 - SHARES["TYPEVOI_X"]) / with_street / 0.9:
        fields["TYPEVOI_X"] = random.choice(_TYPES[kind])
    elif kind and random.random() < 0.5:
        name = f"{kind} {name}".strip()
    fields["NOMVOI_X"] = name
    if house.numero and random.random() < (1 - SHARES["NUMVOI_X"]) / with_street / 0.91:
        numero = (
            house.numero if random.random() > 0.03 else house.numero + random.choice((2, 4, 10))
        )
        fields["NUMVOI_X"] = f"{numero:04d}" if form.is_paper else str(numero)
        fields["BISTER_X"] = house.rep[:1].upper()
    return fields


def street_parts(nom_voie: str) -> tuple[str, str]:
    """Normalised type and name of a street: ``Rue de l'Église`` → ``RUE``, ``DE L EGLISE``."""
    text = normalise(nom_voie)
    for kind in _TYPES:
        if text == kind or text.startswith(kind + " "):
            return kind, text[len(kind) + 1 :]
    return "", text


def _street_name(random: Random, name: str, form: Form) -> str:
    words = name.split(" ")
    if random.random() < 0.15 and words[0] in ("DE", "DU", "DES", "D"):
        words = words[2:] if words[1:2] in (["LA"], ["L"]) else words[1:]
    elif len(words) == 2 and words[0] not in ("DU", "DES", "DE") and random.random() < 0.2:
        words = words[1:] if random.random() < 0.6 else [words[0][0], words[1]]
    name = shorten(random, " ".join(words))
    return noisy(random, name, is_paper=form.is_paper, strength=0.7)


def commune_text(random: Random, name: str, form: Form) -> str:
    """CLT_X for the name of a town: shortened, without what tells it from its namesakes …"""
    text = normalise(name)
    if random.random() < 0.12:
        text = text.split(" SUR ")[0].split(" LES ")[0].split(" EN ")[0] or text
    if random.random() < 0.5:
        text = text.replace("SAINTE ", "STE ").replace("SAINT ", "ST ")
    if random.random() < 0.015:
        text += " CEDEX"
    return noisy(random, text, is_paper=form.is_paper, strength=0.35)


def activity(random: Random, one: Establishment, form: Form) -> str:
    """ACTET_X: what the employer does, in the employee's words, often vague."""
    if random.random() < SHARES["ACTET_X"]:
        return ""
    texts = _VAGUE if random.random() < 0.1 or not one.activites else one.activites
    return noisy(random, random.choice(texts), is_paper=form.is_paper, strength=0.4)


def occupation(random: Random, one: Establishment, form: Form) -> dict[str, str]:
    """PROFS_X of an employee or PROFI_X of somebody self-employed."""
    fields = {"PROFS_X": "", "PROFI_X": "", "PROFA_X": ""}
    if not one.professions:
        return fields
    alone = one.employees == 1 and one.unit.categorie in ("1000", "6598")
    text = random.choice(one.professions)
    if alone and random.random() < 0.7:
        fields["PROFI_X"] = text
    elif random.random() > SHARES["PROFS_X"] * 0.8:
        fields["PROFS_X"] = noisy(random, text, is_paper=form.is_paper, strength=0.4)
    return fields
