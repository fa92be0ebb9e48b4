"""What establishments are called and how large they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from geomatch.core.text import normalise
from geomatch.demo.territory import NOM_DEPARTEMENT, Settlement
from geomatch.demo.words import lines, parts

#: Size code of the register → fewest and most employees.
TRANCHES: Mapping[str, tuple[int, int]] = {
    "NN": (1, 1),
    "00": (1, 1),
    "01": (1, 2),
    "02": (3, 5),
    "03": (6, 9),
    "11": (10, 19),
    "12": (20, 49),
    "21": (50, 99),
    "22": (100, 199),
    "31": (200, 249),
    "32": (250, 499),
    "41": (500, 999),
    "42": (1_000, 1_999),
    "51": (2_000, 4_999),
}
#: How the sizes of a kind of activity are spread: size code → weight.
SIZES: Mapping[str, Mapping[str, int]] = {
    "vide": {"NN": 97, "00": 3},
    "asso": {"NN": 86, "00": 4, "01": 7, "02": 3},
    "nul": {"NN": 95, "00": 5},
    "tpe": {"NN": 52, "00": 6, "01": 24, "02": 12, "03": 4, "11": 2},
    "petit": {"NN": 16, "01": 26, "02": 25, "03": 16, "11": 13, "12": 4},
    "moyen": {"02": 10, "03": 15, "11": 32, "12": 26, "21": 13, "22": 4},
    "grand": {"12": 26, "21": 34, "22": 26, "31": 8, "32": 6},
    "ecole": {"03": 10, "11": 60, "12": 30},
    "college": {"12": 20, "21": 80},
    "lycee": {"21": 10, "22": 90},
}
#: Kinds whose establishments mostly have nobody at work: landlords, holdings, clubs.
UNMANNED = frozenset(("vide", "asso"))
CATEGORIES: Mapping[str, str] = {
    "soc": "5499",
    "asso": "9220",
    "sci": "6540",
    "agricole": "6598",
    "public": "7389",
}


_ELISION = re.compile(r"\bDE (?=[AEIOUY])")


class Words:
    """Draws the words names are made of; the same for all names of one establishment."""

    def __init__(self, random: Random):
        self._random = random
        self._lists = parts("qualificatifs")

    def draw(self, settlement: Settlement) -> dict[str, str]:
        """One word for each placeholder of the word lists, in capitals without accents."""
        choice = self._random.choice
        made = {part: choice(texts) for part, texts in self._lists.items()}
        made["patron"] = normalise(choice(lines("noms")))
        made["prenom"] = normalise(choice(lines("prenoms")))
        made["saint"] = f"{normalise(choice(lines('prenoms')))} {normalise(choice(lines('noms')))}"
        made["syl"] = "".join(choice(lines("syllabes")) for _ in range(choice((2, 3, 3)))).upper()
        made["commune"] = normalise(settlement.nom_en_vigueur)
        made["bourg"] = normalise(settlement.nom)
        made["departement"] = NOM_DEPARTEMENT
        return made

    def fill(self, patterns: str, mots: Mapping[str, str]) -> str:
        """One of the patterns parted by ``|``, its placeholders filled."""
        filled = self._random.choice(patterns.split("|")).format_map(mots)
        return elide(filled)

    def size(self, kind: str) -> tuple[str, int]:
        """A size code and a number of employees within it."""
        sizes = SIZES[kind]
        code = self._random.choices(list(sizes), list(sizes.values()))[0]
        if code in ("NN", "00") and kind in UNMANNED:
            return code, 0
        if code == "NN" and kind != "nul" and self._random.random() < 0.2:
            # the register does not know yet that somebody was hired
            return code, self._random.randint(2, 8)
        return code, self._random.randint(*TRANCHES[code])


def elide(text: str) -> str:
    """``DE ECORCE`` → ``D ECORCE``, in normalised text."""
    return _ELISION.sub("D ", text)


def tranche_of(employees: int) -> str:
    """The size code of a number of employees (at least one)."""
    codes = [code for code, (least, _) in TRANCHES.items() if code not in ("NN", "00")]
    return [code for code in codes if TRANCHES[code][0] <= employees][-1]


def company_name(
    random: Random, form: str, nom: str, mots: Mapping[str, str]
) -> tuple[dict[str, str], str]:
    """Legal name of a unit, and what its establishment shows of the name over the door.

    Returns the columns of a unit (``categorie`` and the name) and the enseigne, ``""`` when
    the register knows none. A third of the companies bear a legal name that says nothing.
    """
    if form == "ei":
        shown = nom if nom and random.random() < 0.5 else ""
        return {"categorie": "1000", "nom": mots["patron"], "prenom": mots["prenom"]}, shown
    if form == "soc":
        return _company(random, nom, mots)
    prefix = {"sci": "SCI ", "agricole": random.choice(("EARL ", "GAEC ", "SCEA "))}.get(form, "")
    if form == "asso" and random.random() < 0.2:
        prefix = "ASSOCIATION "
    sigle = _initials(nom) if form in ("asso", "public") and random.random() < 0.3 else ""
    columns = {"categorie": CATEGORIES[form], "denomination": prefix + nom, "sigle": sigle}
    return columns, nom if form == "public" and random.random() < 0.3 else ""


def _company(random: Random, nom: str, mots: Mapping[str, str]) -> tuple[dict[str, str], str]:
    draw = random.random()
    if draw < 0.5:
        legal = random.choice(("{}", "{}", "SARL {}", "{} SARL", "SAS {}", "EURL {}")).format(nom)
        shown = nom if random.random() < 0.35 else ""
    elif draw < 0.7:
        legal = random.choice(
            ("SARL {patron}", "{patron} ET FILS", "{patron} {prenom}", "STE {patron}")
        )
        legal = legal.format_map(mots)
        shown = nom if random.random() < 0.75 else ""
    else:
        legal = random.choice(("{syl}", "SARL {syl}", "{syl} SAS", "SOCIETE {syl}")).format_map(
            mots
        )
        shown = nom if random.random() < 0.7 else ""
    return {"categorie": random.choice(("5499", "5498", "5710")), "denomination": legal}, shown


def _initials(nom: str) -> str:
    words = [w for w in nom.split() if w not in ("DE", "DU", "DES", "LA", "LE", "D", "L", "ET")]
    return "".join(w[0] for w in words) if len(words) > 2 else ""
