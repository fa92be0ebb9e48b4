"""Bulletins of the people who work in one département, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.country.places import Places
from benchmarks.country.plan import Plan, Share
from benchmarks.country.register import ACTIVE, UNREGISTERED, Register, genres
from benchmarks.country.sirene import siret
from benchmarks.country.words import brands
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
from geomatch.demo.layouts import columns
from geomatch.demo.register import Establishment, Unit
from geomatch.demo.streets import House, Street
from geomatch.demo.words import rows
from geomatch.demo.writing import noisy

#: Columns of the census layout that a form has; what an earlier coding made of it is left out.
COLUMNS = columns("rp_final")[: columns("rp_final").index("CLT_C_C")]
TRUTH = columns("truth")
#: Shares of bulletins whose truth is empty: private employers, abroad, not in the register.
_PRIVATE, _ABROAD, _UNKNOWN = 0.024, 0.006, 0.042
#: Who works in the commune of residence, who near it; the others far away in the country.
_AT_HOME, _NEAR = 0.36, 0.6
_REPS = ("", "bis", "ter", "a", "b")


@dataclass(frozen=True)
class Written:
    """Bulletins as columns of the census layout, and the SIRET and NAF of each; ``""`` none."""

    columns: dict[str, list[str]]
    siret: list[str]
    naf: list[str]


def drawn(plan: Plan, share: Share, register: Register, places: Places) -> Written:
    """``share.bulletins`` bulletins, by headcounts."""
    numbers = np.random.default_rng([plan.seed, 9, share.number])
    writer = _Writer(plan, share, register, places)
    at = _workplaces(numbers, register, share.bulletins)
    homes = _homes(numbers, plan, share, register.commune[at])
    kind = numbers.random(len(at))
    made: dict[str, list[str]] = {c: [] for c in COLUMNS}
    truth, naf = [], []
    sirets = siret(register.unit[at], register.nic[at])
    known = register.state[at] == ACTIVE
    for row, home, draw, number, is_known in zip(
        at.tolist(), homes.tolist(), kind.tolist(), sirets.tolist(), known.tolist(), strict=True
    ):
        is_private, is_abroad = draw < _PRIVATE, _PRIVATE <= draw < _PRIVATE + _ABROAD
        answer = (
            writer.private(home) if is_private
            else writer.abroad(row, home) if is_abroad
            else writer.at_work(row, home)
        )  # fmt: skip
        for column, values in made.items():
            values.append(answer.get(column, ""))
        there = is_known and not is_private and not is_abroad
        truth.append(f"{number:014d}" if there else "")
        naf.append(writer.genres[register.genre[row]]["naf"] if there else "")
    return Written(made, truth, naf)


def _workplaces(random: np.random.Generator, register: Register, n: int) -> np.ndarray:
    """Establishments drawn by the number of people at work; some are not in the register."""
    professions = np.array([bool(r["profession"]) for r in genres()])[register.genre]
    weight = register.people * professions
    unknown = random.random(n) < _UNKNOWN
    at = np.empty(n, np.int64)
    for state, asked in ((ACTIVE, ~unknown), (UNREGISTERED, unknown)):
        rows_ = np.flatnonzero((register.state == state) & (weight > 0))
        total = np.cumsum(weight[rows_])
        draw = random.random(int(asked.sum())) * total[-1]
        at[asked] = rows_[np.searchsorted(total, draw, side="right")]
    return at


def _homes(
    random: np.random.Generator, plan: Plan, share: Share, commune: np.ndarray
) -> np.ndarray:
    """Commune of residence (position in the country) for each commune of work."""
    near = plan.near(share.departement)
    own = np.flatnonzero((plan.communes["departement"] == share.departement).to_numpy())
    n, draw = len(commune), random.random(len(commune))
    # the nearest commune of all is the one of work itself
    far_off = random.exponential(near.shape[1] / 4, n).astype(int)
    rank = np.minimum(1 + far_off, near.shape[1] - 1)
    far = random.choice(len(plan.communes), n)
    home = np.where(draw < _AT_HOME + _NEAR, near[commune, rank], far)
    return np.where(draw < _AT_HOME, own[commune], home)


class _Writer:
    """Fills in forms; what it needs of an establishment is made when somebody works there."""

    def __init__(self, plan: Plan, share: Share, register: Register, places: Places) -> None:
        self.random = Random(f"{plan.seed}-{share.departement}")
        self.genres = genres()
        self.register, self.places = register, places
        self.codes = plan.communes["code"].tolist()
        self.towns = plan.communes["libelle"].tolist()
        self.departement = share.departement
        self._own = places.communes["code"].tolist()
        self._own_towns = places.communes["libelle"].tolist()
        self._neighbours = plan.near(share.departement)
        self._split = [
            tuple(_split(g[c]) for c in ("ecrit", "activite", "profession")) for g in self.genres
        ]
        self._brand_ecrit = [_split(b["ecrit"]) for b in brands()]
        self._private = rows("sans_etablissement")
        self._names = places.names

    def at_work(self, row: int, home: int) -> dict[str, str]:
        """Somebody who works at an establishment."""
        random, form = self.random, self._form(home)
        one = self.establishment(row)
        fields = {
            **self._empty(form),
            "RS_X": employer_name(random, one, form),
            "ACTET_X": activity(random, one, form),
            **occupation(random, one, form),
            **street_fields(random, one.house, form),
            "VARDOMPART_X": random.choices(("", "1", "2"), (0.89, 0.075, 0.035))[0],
        }
        if random.random() < 0.012:
            # the name of the place stands where its street should
            fields |= {"NUMVOI_X": "", "TYPEVOI_X": "", "NOMVOI_X": fields["RS_X"]}
        return fields | self._town(int(self.register.commune[row]), form)

    def private(self, home: int) -> dict[str, str]:
        """Private employers, child-minders: no establishment to find."""
        random, form = self.random, self._form(home)
        kind = random.choices(self._private, [int(r["poids"]) for r in self._private])[0]
        fields = {
            **self._empty(form),
            "RS_X": noisy(random, kind["raison"], is_paper=form.is_paper, strength=0.6),
            "ACTET_X": random.choice(kind["activite"].split("|")),
            "PROFS_X": random.choice(kind["profession"].split("|")),
            "VARDOMPART_X": kind["variable"] if random.random() < 0.8 else "",
            "ILT_X": "1" if random.random() < 0.8 else "2",
        }
        if fields["ILT_X"] == "2":
            fields["CLT_X"] = commune_text(random, self.towns[home], form)
        return fields

    def abroad(self, row: int, home: int) -> dict[str, str]:
        """Somebody who works in another country."""
        random, form = self.random, self._form(home)
        one, place = self.establishment(row), random.choice(rows("etranger"))
        return {
            **self._empty(form),
            "RS_X": employer_name(random, one, form),
            "ACTET_X": activity(random, one, form),
            "ILT_X": "2",
            "CLT_X": place["ville"],
            "PLT_X": place["pays"],
            "DLT_X": "99" if random.random() < 0.3 else "",
        }

    def establishment(self, row: int) -> Establishment:
        """The demo's view of one row of the register; its settlement is not asked for."""
        r = self.register
        genre = int(r.genre[row])
        brand, door = int(r.brand[row]), int(r.address[row])
        mots = r.mots.of(row)
        ecrit, activites, professions = self._split[genre]
        if brand >= 0:
            ecrit = self._brand_ecrit[brand]
        person = r.categorie[row] == "1000"
        unit = Unit(
            siren="",
            categorie=str(r.categorie[row]),
            naf=self.genres[genre]["naf"],
            denomination=r.denomination[row].as_py(),
            sigle=r.sigle[row].as_py(),
            nom=mots["patron"] if person else "",
            prenom=mots["prenom"] if person else "",
        )
        nom = r.nom[row].as_py() or unit.denomination or f"{mots['patron']} {mots['prenom']}"
        street = int(self.places.street[door])
        names, code = self._names
        house = House(
            Street(street, None, names[code[street]], "", ()),  # type: ignore[arg-type]
            int(self.places.numero[door]),
            _REPS[self.places.rep[door]],
            0.0,
            0.0,
        )
        return Establishment(
            siret="", unit=unit, genre=self.genres[genre]["genre"], nom=nom, enseigne="",
            naf=unit.naf, house=house, employees=int(r.people[row]), tranche="",
            is_siege=False, is_active=True, is_registered=True,
            is_known_otherwise=brand >= 0 or self.genres[genre]["part"] == "0",
            ecrit=ecrit, activites=activites, professions=professions, mots=mots,
        )  # fmt: skip

    def _town(self, commune: int, form: Form) -> dict[str, str]:
        """ILT_X, CLT_X and DLT_X: the town as written, sometimes not the right one."""
        random = self.random
        same = self._own[commune] == form.code_residence
        fields = {"ILT_X": "1" if same else "2"}
        if random.random() < 0.067:
            fields["ILT_X"] = ""
        if random.random() < (0.96 if same else 0.05):
            return fields
        meant = self._own_towns[commune]
        if random.random() < 0.05:
            near = self._neighbours[commune]
            meant = self.towns[int(near[random.randrange(min(6, len(near)))])]
        if meant.endswith(" Arrondissement") and random.random() < 0.8:
            meant = meant.split(" ")[0]
        fields["CLT_X"] = commune_text(random, meant, form)
        if random.random() < (1 - SHARES["DLT_X"]) / (1 - SHARES["CLT_X"]):
            fields["DLT_X"] = self.departement
        return fields

    def _form(self, home: int) -> Form:
        return Form(self.random.random() < PAPER_SHARE, self.codes[home])

    def _empty(self, form: Form) -> dict[str, str]:
        return {"TYPCOL": "0" if form.is_paper else "1", "DEPCOM_CODE": form.code_residence}


def _split(text: str) -> tuple[str, ...]:
    return tuple(t for t in text.split("|") if t)


def table(written: Written) -> tuple[pa.Table, pa.Table]:
    """The bulletins and the truth, identifiers still to be given."""
    names = [c for c in COLUMNS if c != "CABBI"]
    forms = pa.table({c: pa.array(written.columns[c], pa.string()) for c in names})
    sirets = pa.array(written.siret, pa.string())
    truth = pa.table(
        {
            "SIRET": sirets,
            "NAF": pa.array(written.naf, pa.string()),
            "SIREN": pc.utf8_slice_codeunits(sirets, 0, 9),
        }
    )
    return forms, truth
