"""The establishments of the fictional département: who is where, called what, with how many people.

What stands here is the truth. What the register says of it is written by
:mod:`geomatch.demo.sirene`, what employees say of it by :mod:`geomatch.demo.employees`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from geomatch.core.text import normalise
from geomatch.demo.identifiers import siren_number, siret_number
from geomatch.demo.naming import Words, company_name, elide, tranche_of
from geomatch.demo.streets import House
from geomatch.demo.territory import ADDRESSES_AT_SCALE_1, NOM_DEPARTEMENT, Settlement, Territory
from geomatch.demo.words import rows

ESTABLISHMENTS_AT_SCALE_1 = 5_000
#: Of the active ones, how many live in the world and not in the register.
_UNREGISTERED = 0.06
#: Rows of the register that have closed, compared with the active ones.
_CLOSED = 0.06


@dataclass(frozen=True)
class Unit:
    """A legal unit. A sole trader has `nom` and `prenom`, everybody else a `denomination`."""

    siren: str
    categorie: str
    naf: str
    denomination: str = ""
    sigle: str = ""
    nom: str = ""
    prenom: str = ""
    usuelle: str = ""
    is_disclosed: bool = True


@dataclass(frozen=True)
class Establishment:
    """An establishment. `nom` is what people call it, whatever the register says.

    `employees` counts the people who work there (1 for somebody alone), `tranche` is the
    register's size code, `mots` are the words its names were made of; `is_known_otherwise`
    when most people call it by one of `ecrit` rather than by its name.
    """

    siret: str
    unit: Unit
    genre: str
    nom: str
    enseigne: str
    naf: str
    house: House
    employees: int
    tranche: str
    is_siege: bool
    is_active: bool
    is_registered: bool
    is_known_otherwise: bool
    ecrit: tuple[str, ...]
    activites: tuple[str, ...]
    professions: tuple[str, ...]
    mots: Mapping[str, str]

    @property
    def settlement(self) -> Settlement:
        """Where it is."""
        return self.house.street.settlement


@dataclass(frozen=True)
class Register:
    """Everything that is or was: `active` in the register, `unregistered`, `closed`."""

    active: tuple[Establishment, ...]
    unregistered: tuple[Establishment, ...]
    closed: tuple[Establishment, ...]


def draw_register(random: Random, territory: Territory, houses: Sequence[House]) -> Register:
    """Public bodies by the size of the places, chains, then everything else by its weight."""
    founder = _Founder(random, houses)
    wanted = round(ESTABLISHMENTS_AT_SCALE_1 * territory.scale)
    made = _public(founder, territory)
    made += _chains(founder, territory)
    ordinary = [r for r in rows("genres") if int(r["part"])]
    weights = list(accumulate(int(r["part"]) for r in ordinary))
    unregistered: list[Establishment] = []
    while len(made) < wanted:
        row = random.choices(ordinary, cum_weights=weights)[0]
        one = founder.found(row, founder.settlement(row["lieu"]))
        if random.random() < _UNREGISTERED:
            unregistered.append(replace(one, is_registered=False))
            continue
        made.append(one)
        made += _beside(founder, one)
    closed = []
    for _ in range(round(wanted * _CLOSED)):
        row = random.choices(ordinary, cum_weights=weights)[0]
        one = founder.found(row, founder.settlement(row["lieu"]))
        closed.append(replace(one, is_active=False))
    closed += _former(founder, made[:wanted])
    return Register(tuple(made[:wanted]), tuple(unregistered), tuple(closed))


class _Founder:
    """Makes establishments: deals out SIRENs and houses, remembers the units with many sites."""

    def __init__(self, random: Random, houses: Sequence[House]):
        self.random = random
        self.words = Words(random)
        # shops go where many people live; as the territory grows its towns do not do so as fast
        self._many = 2_500 * math.sqrt(len(houses) / ADDRESSES_AT_SCALE_1)
        self._houses: dict[tuple[str, str], list[House]] = {}
        self._settlements: dict[str, Settlement] = {}
        for house in houses:
            settlement = house.street.settlement
            self._settlements[settlement.code] = settlement
            self._houses.setdefault((settlement.code, house.street.secteur), []).append(house)
            if house.street.line[0] == house.street.line[-1]:
                self._houses.setdefault((settlement.code, "place"), []).append(house)
        self._codes = sorted(self._settlements)
        self._weights = {lieu: self._weights_of(lieu) for lieu in _SECTORS}
        self._units = 0
        self._sites: dict[str, int] = {}

    def _weights_of(self, lieu: str) -> list[float]:
        made = []
        for code in self._codes:
            here = sum(len(self._houses.get((code, s), ())) for s in _SECTORS[lieu])
            made.append(here * (1.0 + self._settlements[code].houses / self._many))
        return list(accumulate(made))

    def settlement(self, lieu: str) -> Settlement:
        """Somewhere, the likelier the more places of this kind it has."""
        return self._settlements[
            self.random.choices(self._codes, cum_weights=self._weights[lieu])[0]
        ]

    def house(self, settlement: Settlement, lieu: str) -> House:
        """A house for this kind of activity; more than one may share it."""
        for sector in (*_SECTORS[lieu], "rue", "centre"):
            houses = self._houses.get((settlement.code, sector))
            if houses:
                return self.random.choice(houses)
        raise AssertionError(f"settlement {settlement.code} has no house")

    def unit(self, **columns: str) -> Unit:
        """A new legal unit."""
        self._units += 1
        return Unit(
            siren=siren_number(self._units),
            categorie=columns.pop("categorie"),
            naf=columns.pop("naf"),
            is_disclosed=bool(columns.get("denomination")) or self.random.random() > 0.04,
            **columns,
        )

    def site(self, unit: Unit) -> tuple[str, bool]:
        """The next SIRET of a unit, and whether it is its first."""
        rank = self._sites[unit.siren] = self._sites.get(unit.siren, 0) + 1
        return siret_number(unit.siren, rank), rank == 1

    def found(
        self,
        row: Mapping[str, str],
        settlement: Settlement,
        *,
        unit: Unit | None = None,
        enseigne: str | None = None,
        employees: int | None = None,
    ) -> Establishment:
        """An establishment of the kind that `row` of the word list describes."""
        mots = self.words.draw(settlement)
        nom = self.words.fill(row.get("nom", ""), mots) if enseigne is None else enseigne
        if employees is None:
            tranche, employees = self.words.size(row["taille"])
        else:
            tranche = tranche_of(employees)
        shown = nom
        if unit is None:
            form = self.random.choice(row["forme"].split("|"))
            columns, shown = company_name(self.random, form, nom, mots)
            unit = self.unit(naf=row["naf"], **columns)
        siret, is_siege = self.site(unit)
        return Establishment(
            siret=siret,
            unit=unit,
            genre=row["genre"],
            nom=nom or unit.denomination or f"{unit.nom} {unit.prenom}",
            enseigne=shown,
            naf=row["naf"],
            house=self.house(settlement, row["lieu"]),
            employees=employees,
            tranche=tranche,
            is_siege=is_siege,
            is_active=True,
            is_registered=True,
            is_known_otherwise=row.get("part", "0") == "0",
            ecrit=_split(row["ecrit"]),
            activites=_split(row["activite"]),
            professions=_split(row["profession"]),
            mots=mots,
        )


#: Where a kind of activity settles: sectors of streets, the first that exists.
_SECTORS: Mapping[str, tuple[str, ...]] = {
    "place": ("place", "centre"),
    "centre": ("centre",),
    "rue": ("rue",),
    "za": ("za",),
    "ferme": ("ferme", "route"),
}


def _split(text: str) -> tuple[str, ...]:
    return tuple(t for t in text.split("|") if t)


# ------------------------------------------------------------------ public bodies


def _public(founder: _Founder, territory: Territory) -> list[Establishment]:
    genres = {r["genre"]: r for r in rows("genres")}
    heads = {s.code: s for s in territory.settlements}
    communes: dict[str, Unit] = {}
    for code, nom in territory.communes.items():
        communes[code] = founder.unit(
            categorie="7210", naf="84.11Z", denomination=elide(f"COMMUNE DE {normalise(nom)}")
        )
    owners = _owners(founder)
    made: list[Establishment] = []
    for settlement in sorted(heads.values(), key=lambda s: (s.code != s.code_en_vigueur, s.code)):
        for genre, employees in _public_here(settlement, territory):
            row = genres[genre]
            unit = communes[settlement.code_en_vigueur] if row["forme"] == "commune" else None
            unit = unit or owners.get(genre) or owners.get(row["forme"])
            # in the school and the town hall the name on the door is the register's enseigne
            made.append(founder.found(row, settlement, unit=unit, employees=employees))
    return made


def _public_here(settlement: Settlement, territory: Territory) -> list[tuple[str, int | None]]:
    """Which public services a place of this size has, with their staff when it depends on it."""
    n = settlement.houses
    is_chef_lieu = settlement == territory.chef_lieu
    is_town = n > 780
    is_head = settlement.code == settlement.code_en_vigueur
    made: list[tuple[str, int | None]] = [
        ("mairie", max(3, round(n * 0.045))) if is_head else ("mairie_deleguee", 2)
    ]
    made += [("ecole", None)] * max(n > 120, round(n / 550))
    made += [("maternelle", None)] * (n // 700)
    made += [("college", None)] * (is_town + n // 2_500)
    made += [("ehpad", None)] * (is_town + n // 2_500)
    made += [
        ("creche", None),
        ("ccas", None),
        ("gendarmerie", None),
        ("solidarites", None),
    ] * is_town
    made += [("mediatheque", None)] * (n > 450)
    made += [("pompiers", None)] * (n > 450)
    made += [("impots", None), ("intercommunalite", None), ("dechetterie", None)] * (n > 900)
    made += [("hopital", 140)] * (n > 900 and not is_chef_lieu)
    if is_chef_lieu:
        made += [("hopital", 900), ("clinique", None), ("lycee", None), ("lycee", None)]
        made += [("lycee_pro", None), ("police", None), ("prefecture", None)]
        made += [("departement", 380), ("armee", 260), ("impots", None), ("solidarites", None)]
        made += [("creche", None), ("creche", None), ("pompiers", None)]
    return made


def _owners(founder: _Founder) -> dict[str, Unit]:
    """Units that own sites in many places, by kind or by legal form."""
    of = NOM_DEPARTEMENT
    named = {
        "gendarmerie": ("7113", "84.24Z", "GENDARMERIE NATIONALE", ""),
        "police": ("7113", "84.24Z", "MINISTERE DE L INTERIEUR", ""),
        "armee": ("7113", "84.22Z", "MINISTERE DES ARMEES", ""),
        "prefecture": ("7172", "84.11Z", f"PREFECTURE DU {of}", ""),
        "impots": ("7172", "84.11Z", f"DIR DEPARTEMENTALE FINANCES PUBLIQUES {of}", "DDFIP"),
        "departement": ("7220", "84.11Z", f"DEPARTEMENT DU {of}", ""),
        "sdis": (
            "7389",
            "84.25Z",
            f"SERVICE DEPARTEMENTAL D INCENDIE ET DE SECOURS {of}",
            "SDIS 96",
        ),
        "intercommunalite": ("7346", "84.11Z", "COMMUNAUTE DE COMMUNES DU PAYS DES ORMES", "CCPO"),
    }
    return {
        key: founder.unit(categorie=c, naf=naf, denomination=denomination, sigle=sigle)
        for key, (c, naf, denomination, sigle) in named.items()
    }


# ------------------------------------------------------------------ chains


def _chains(founder: _Founder, territory: Territory) -> list[Establishment]:
    """Sites of one unit (chaine), or one unit for each under a common sign (franchise)."""
    random, made = founder.random, []
    for row in rows("chaines"):
        sites = max(2, round(int(row["sites"]) * math.sqrt(territory.scale)))
        common = None
        if row["mode"] == "chaine":
            common = founder.unit(
                categorie="5710", naf=row["naf"], denomination=row["denomination"]
            )
            head = {**row, "naf": "70.10Z", "lieu": "rue", "taille": "petit"}
            made.append(founder.found(head, territory.chef_lieu, unit=common, enseigne=""))
        for _ in range(sites):
            settlement = founder.settlement(row["lieu"])
            unit = common
            if unit is None:
                # nothing in the legal name tells the sign over the door
                mots = founder.words.draw(settlement)
                unit = founder.unit(categorie="5710", naf=row["naf"], denomination=mots["syl"])
            one = founder.found(row, settlement, unit=unit, enseigne=row["enseigne"])
            hidden = random.random() < (0.3 if common is None else 0.5)
            made.append(replace(one, enseigne="" if hidden else row["enseigne"]))
    return made


# ------------------------------------------------------------------ twins and predecessors


def _beside(founder: _Founder, one: Establishment) -> list[Establishment]:
    """Now and then an owner's other company, or a second SIRET, stands at the same address."""
    random = founder.random
    genres = {r["genre"]: r for r in rows("genres")}
    if one.genre in ("sci", "holding", "meubles", "culture", "sport") or random.random() > 0.10:
        return []
    settlement = one.settlement
    if random.random() < 0.25:
        siret, _ = founder.site(one.unit)
        return [replace(one, siret=siret, is_siege=False, tranche="NN", employees=0)]
    row = genres[random.choice(("sci", "holding"))]
    name = one.mots["patron"]
    unit = founder.unit(
        categorie="6540" if row["genre"] == "sci" else "5710",
        naf=row["naf"],
        denomination=f"SCI {name}" if row["genre"] == "sci" else f"{name} HOLDING",
    )
    twin = founder.found(row, settlement, unit=unit, enseigne="")
    return [replace(twin, house=one.house, nom=unit.denomination)]


def _former(founder: _Founder, active: Sequence[Establishment]) -> list[Establishment]:
    """Closed establishments of the same name at the same place: a business changed hands."""
    made = []
    for one in active:
        if one.genre in _TAKEN_OVER and founder.random.random() < 0.08:
            unit = founder.unit(
                categorie="5710",
                naf=one.naf,
                denomination=founder.words.draw(one.settlement)["syl"],
            )
            siret, _ = founder.site(unit)
            made.append(replace(one, siret=siret, unit=unit, is_active=False, is_siege=True))
    return made


_TAKEN_OVER = frozenset(
    ("boulangerie", "restaurant", "bar", "coiffure", "pharmacie", "garage", "supermarche", "hotel")
)
