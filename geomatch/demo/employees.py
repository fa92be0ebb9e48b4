"""The bulletins: employed people drawn by the size of their establishments, and what they wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from geomatch.demo.answers import (
    PAPER_SHARE,
    SHARES,
    Form,
    activity,
    commune_text,
    employer_name,
    occupation,
    street_fields,
)
from geomatch.demo.coding import past_coding
from geomatch.demo.register import Establishment, Register
from geomatch.demo.streets import House
from geomatch.demo.territory import DEPARTEMENT, Settlement, Territory
from geomatch.demo.words import rows
from geomatch.demo.writing import noisy

#: Shares of bulletins whose truth is empty: private employers, abroad, not in the register.
_NO_ESTABLISHMENT = 0.024
_ABROAD = 0.006
_UNREGISTERED = 0.042
#: Trades that work on other people's premises.
_ITINERANT = frozenset(
    {
        "aide_domicile",
        "couverture",
        "electricite",
        "maconnerie",
        "menuiserie",
        "messagerie",
        "nettoyage",
        "paysagiste",
        "peinture",
        "plomberie",
        "securite",
        "taxi",
        "transport",
        "travaux_publics",
    }
)


@dataclass(frozen=True)
class Answer:
    """One bulletin: its columns, and the establishment it is about (None: none in the register)."""

    columns: Mapping[str, str]
    truth: Establishment | None


@dataclass
class Population:
    """Everything bulletins are drawn from."""

    territory: Territory
    register: Register
    houses: Sequence[House]
    _commuting: dict[str, list[float]] = field(default_factory=dict)

    def residence(self, random: Random, work: Settlement) -> Settlement:
        """Where somebody who works here lives: near and large places first."""
        weights = self._commuting.get(work.code)
        if weights is None:
            weights = self._commuting[work.code] = list(
                accumulate(
                    home.houses * math.exp(-math.dist((home.x, home.y), (work.x, work.y)) / 9_000)
                    for home in self.territory.settlements
                )
            )
        return random.choices(self.territory.settlements, cum_weights=weights)[0]


def draw_bulletins(random: Random, population: Population, *, size: int) -> list[Answer]:
    """`size` bulletins in no order of places."""
    register = population.register
    active = _Drawn(register.active)
    unregistered = _Drawn(register.unregistered)
    makers = (
        (_NO_ESTABLISHMENT, lambda: _without_establishment(random, population)),
        (_ABROAD, lambda: _abroad(random, population, active.one(random))),
        (_UNREGISTERED, lambda: _at_work(random, population, unregistered.one(random))),
        (1.0, lambda: _at_work(random, population, active.one(random))),
    )
    made = []
    for number in range(size):
        draw = random.random()
        for share, make in makers:
            if draw < share:
                answer = make()
                break
            draw -= share
        coding = past_coding(random, answer.columns, answer.truth, register.active)
        columns = {"CABBI": f"{DEPARTEMENT}{number:08d}", **answer.columns, **coding}
        made.append(Answer(columns, answer.truth))
    return made


class _Drawn:
    """Draws establishments by the number of people who work there."""

    def __init__(self, establishments: Sequence[Establishment]):
        self._all = [e for e in establishments if e.employees and e.professions]
        self._weights = list(accumulate(e.employees for e in self._all))

    def one(self, random: Random) -> Establishment:
        return random.choices(self._all, cum_weights=self._weights)[0]


def _at_work(random: Random, population: Population, one: Establishment) -> Answer:
    """Somebody who works at an establishment (written in the register or not)."""
    home = population.residence(random, one.settlement)
    form = Form(random.random() < PAPER_SHARE, home.code_en_vigueur)
    house, variable = _workplace(random, population, one)
    columns = {
        **_empty(form),
        "RS_X": employer_name(random, one, form),
        "ACTET_X": activity(random, one, form),
        **occupation(random, one, form),
        **street_fields(random, house, form),
        "VARDOMPART_X": variable,
    }
    if variable == "1" and random.random() < 0.7:
        columns.update(NUMVOI_X="", TYPEVOI_X="", NOMVOI_X="")
    elif random.random() < 0.012:
        # the name of the place stands where its street should
        columns.update(NUMVOI_X="", TYPEVOI_X="", NOMVOI_X=columns["RS_X"])
    columns.update(_town(random, population, one, house, form))
    return Answer(columns, one if one.is_registered else None)


def _workplace(random: Random, population: Population, one: Establishment) -> tuple[House, str]:
    """The house written as place of work, and VARDOMPART_X."""
    if one.genre == "interim" and random.random() < 0.65:
        return random.choice(population.houses), random.choice(("", "", "1"))
    if one.genre == "mairie" and random.random() < 0.4:
        code = one.settlement.code
        nearby = [random.choice(population.houses) for _ in range(60)]
        same = [h for h in nearby if h.street.settlement.code == code]
        return (same or [one.house])[0], ""
    if one.genre in _ITINERANT and random.random() < 0.26:
        return one.house, "1"
    return one.house, random.choices(("", "1", "2"), (0.945, 0.03, 0.025))[0]


def _town(
    random: Random, population: Population, one: Establishment, house: House, form: Form
) -> dict[str, str]:
    """ILT_X, CLT_X and DLT_X: the town as written, sometimes not the right one."""
    settlement = house.street.settlement
    same = settlement.code_en_vigueur == form.code_residence
    fields = {"ILT_X": "1" if same else "2", "CLT_X": "", "DLT_X": "", "PLT_X": ""}
    if random.random() < 0.067:
        fields["ILT_X"] = ""
    if random.random() < (0.96 if same else 0.05):
        return fields
    fields["CLT_X"] = commune_text(random, _town_meant(random, population, settlement), form)
    if random.random() < (1 - SHARES["DLT_X"]) / (1 - SHARES["CLT_X"]):
        fields["DLT_X"] = DEPARTEMENT
    return fields


def _town_meant(random: Random, population: Population, settlement: Settlement) -> str:
    if settlement.is_suburb and random.random() < 0.12:
        return population.territory.chef_lieu.nom
    if random.random() < 0.04:
        return population.residence(random, settlement).nom
    if settlement.nom != settlement.nom_en_vigueur and random.random() < 0.6:
        return settlement.nom
    if settlement.ancien_nom and random.random() < 0.5:
        return settlement.ancien_nom
    return settlement.nom_en_vigueur


def _without_establishment(random: Random, population: Population) -> Answer:
    """Private employers, child-minders, people paid by voucher: no establishment to find."""
    kinds = rows("sans_etablissement")
    row = random.choices(kinds, [int(r["poids"]) for r in kinds])[0]
    home = random.choices(
        population.territory.settlements, [s.houses for s in population.territory.settlements]
    )[0]
    form = Form(random.random() < PAPER_SHARE, home.code_en_vigueur)
    columns = {
        **_empty(form),
        "RS_X": noisy(random, row["raison"], is_paper=form.is_paper, strength=0.6),
        "ACTET_X": random.choice(row["activite"].split("|")),
        "PROFS_X": random.choice(row["profession"].split("|")),
        "VARDOMPART_X": row["variable"] if random.random() < 0.8 else "",
        "ILT_X": "1" if random.random() < 0.8 else "2",
    }
    if columns["ILT_X"] == "2":
        columns["CLT_X"] = commune_text(random, population.residence(random, home).nom, form)
    return Answer(columns, None)


def _abroad(random: Random, population: Population, like: Establishment) -> Answer:
    """Somebody who works in another country, for an employer like those at home."""
    home = population.residence(random, like.settlement)
    form = Form(random.random() < PAPER_SHARE, home.code_en_vigueur)
    place = random.choice(rows("etranger"))
    columns = {
        **_empty(form),
        "RS_X": employer_name(random, like, form),
        "ACTET_X": activity(random, like, form),
        **occupation(random, like, form),
        "ILT_X": "2",
        "CLT_X": place["ville"],
        "PLT_X": place["pays"],
        "DLT_X": "99" if random.random() < 0.3 else "",
    }
    return Answer(columns, None)


def _empty(form: Form) -> dict[str, str]:
    """All columns of a bulletin before its answers, in file order."""
    names = (
        "TYPCOL DEPCOM_CODE RS_X ILT_X VARDOMPART_X NUMVOI_X BISTER_X TYPEVOI_X NOMVOI_X CPLADR_X "
        "ACTET_X CLT_X DLT_X PLT_X PROFS_X PROFI_X PROFA_X"
    )
    columns = dict.fromkeys(names.split(), "")
    columns["TYPCOL"] = "0" if form.is_paper else "1"
    columns["DEPCOM_CODE"] = form.code_residence
    return columns
