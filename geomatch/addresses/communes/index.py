"""Name, département, postcode and home commune → the commune in force, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from geomatch.addresses.communes.choice import Choice, Evidence, choose
from geomatch.addresses.communes.departements import departement_codes, postcode_departements
from geomatch.addresses.communes.groups import Groups
from geomatch.addresses.communes.names import LONG_NAME, CommuneNames
from geomatch.addresses.parse.town_names import Town, read_town
from geomatch.arrays.arrow import texts
from geomatch.arrays.rows import Rows, constant
from geomatch.core.schema import (
    COMMUNES_RESOLVED,
    DTYPES,
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
    text_array,
)
from geomatch.core.territories import departement_of
from geomatch.store.reader import Store

#: Code before the first arrondissement of each city that has them.
_ARRONDISSEMENT_BASE: Mapping[str, int] = {"75056": 75100, "69123": 69380, "13055": 13200}
#: What of a bulletin tells its commune.
COMMUNE_QUESTION = (
    "commune",
    "departement",
    "code_postal",
    "code_commune_declaree",
    "code_commune_residence",
    "lieu_travail",
)
#: A share from which on nothing less than an exact name is looked at.
_SURE = 0.9
#: Distinct names, with their département and postcode, whose communes are kept.
_MOST_KNOWN = 20_000
#: Addresses and establishments known of a town that a slip may stand for, nothing else told.
_SOME_SIZE = 2_000


class Answer(NamedTuple):
    """One row of COMMUNES_RESOLVED."""

    code: str
    score: float
    method: str


#: How a name met, where the answer's method is called otherwise.
_METHODS = {"short": "name", "none": "postcode"}
_NOTHING = Answer("", 0.0, "")


@dataclass(frozen=True)
class _Asked:
    """What is written of a commune, cleaned; `departements` are those of the column of that name.

    Slips are looked for `about` these, the postcode's and, when nothing of that is told, home.
    `found` is what sources said of it before: respondents who live elsewhere write the same.
    """

    town: Town
    departements: frozenset[str]
    about: frozenset[str]
    code_postal: str
    found: dict[str, list[Evidence]] = field(default_factory=dict)


class CommuneIndex:
    """Communes of the store by name, postcode, former code and neighbourhood.

    Use :meth:`open`. All codes are those in force in the store's COG vintage.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        #: the communes themselves (STORE_COMMUNES)
        self.table = communes = tables[STORE_COMMUNES.name]
        code, parent = (texts(communes.column(c)) for c in ("code_commune", "code_parent"))
        self._departement = _dict(communes, "code_commune", "departement")
        #: name of each commune as the COG writes it
        self.labels = _dict(communes, "code_commune", "libelle")
        sizes = (communes.column(c).to_numpy() for c in ("n_addresses", "n_establishments"))
        self._size = dict(zip(code, sum(sizes).tolist(), strict=True))
        self._parent = {c: p for c, p in zip(code, parent, strict=True) if p}
        parts: dict[str, list[str]] = {}
        for part, whole in sorted(self._parent.items()):
            parts.setdefault(whole, []).append(part)
        self._parts = {whole: tuple(codes) for whole, codes in parts.items()}
        self._history = _dict(tables[STORE_COMMUNE_HISTORY.name], "code_ancien", "code_commune")
        postcodes = tables[STORE_COMMUNE_POSTCODES.name]
        self._by_postcode = Groups(*(postcodes.column(c) for c in ("code_postal", "code_commune")))
        near = tables[STORE_COMMUNE_NEIGHBOURS.name]
        code, other = (near.column(c) for c in ("code_commune", "voisine"))
        #: of communes in force, hence not many
        self._known_near: dict[str, frozenset[str]] = {}
        self._neighbours = Groups(code, other)
        #: what was asked before, with what was found
        self._known_asked: dict[tuple[str, str, str, frozenset[str]], _Asked] = {}
        self.names = CommuneNames(tables[STORE_COMMUNE_NAMES.name])

    @classmethod
    def open(cls, store: Store) -> CommuneIndex:
        """Read the commune tables of a store."""
        wanted = (
            STORE_COMMUNES,
            STORE_COMMUNE_NAMES,
            STORE_COMMUNE_POSTCODES,
            STORE_COMMUNE_NEIGHBOURS,
            STORE_COMMUNE_HISTORY,
        )
        return cls({t.name: store.country_arrow(t) for t in wanted})

    @cached_property
    def _big_names(self) -> list[str]:
        return self.names.of_some_size(self._size, _SOME_SIZE)

    # ------------------------------------------------------------- single facts
    def departement(self, code: str) -> str:
        """Département of a commune."""
        return self._departement.get(code) or departement_of(code)

    def in_force(self, code: str) -> str:
        """The code in force of a commune code, old or not; '' when the COG knows none."""
        code = code.strip().upper()
        if code in self._departement:
            return code
        return self._history.get(code, "")

    def zone(self, code_commune: str) -> tuple[str, ...]:
        """Arrondissements of Paris, Lyon or Marseille; of another commune itself."""
        return self._parts.get(code_commune, (code_commune,))

    def city(self, code_commune: str) -> str:
        """75056 for an arrondissement of Paris (and so on); of another commune itself."""
        return self._parent.get(code_commune, code_commune)

    def neighbours(self, code_commune: str) -> tuple[str, ...]:
        """Communes near a commune, the nearest first."""
        return self._neighbours.get(code_commune)

    def _near(self, home: str) -> frozenset[str]:
        """Neighbours, and the cities of those that are arrondissements."""
        known = self._known_near.get(home)
        if known is None:
            near = self.neighbours(home)
            known = self._known_near[home] = frozenset(near) | {self.city(c) for c in near}
        return known

    def of_postcode(self, code_postal: str) -> tuple[str, ...]:
        """Communes and arrondissements of a postcode; none for a CEDEX one."""
        return self._by_postcode.get(code_postal)

    def is_town(self, text: str, code_postal: str = "", *, exact: bool = True) -> bool:
        """Whether a text is a town's name, one of the postcode's when there is one.

        With ``exact=False`` one slip is allowed, in a long name or that of a town of some size.
        """
        town = read_town(text)
        codes = self.names.exact(town.key) or self.names.short(town.short)
        if codes and exact:
            near = {self.city(c) for c in self.of_postcode(code_postal)}
            asked = near or postcode_departements(code_postal)
            return not asked or any({c, self.departement(c)} & asked for c in codes)
        if exact or len(town.key) < 3:
            return False
        known = self._big_names
        if len(town.key) >= LONG_NAME:
            known = self.names.with_same_end(town.key)
        return any(slips <= 1 for _, slips in self.names.alike_among(town.key, known))

    # ------------------------------------------------------------- many questions
    def resolve(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Workplace commune of each row.

        Parameters
        ----------
        frame : DataFrame
            Any of the text columns commune, departement, code_postal, code_commune_declaree,
            code_commune_residence, lieu_travail. Absent ones are empty.

        Returns
        -------
        DataFrame of COMMUNES_RESOLVED
            Aligned with `frame`; each distinct question is worked on once. Who works in the
            commune of residence (lieu_travail 1), or tells nothing else, gets that one.
        """
        asked = {c: text_array(frame[c]) for c in COMMUNE_QUESTION if c in frame.columns}
        return self.answers(Rows(asked, len(frame))).frame(frame.index)

    def answers(self, asked: Rows) -> Rows:
        """:meth:`resolve` as arrays; `asked` holds no null."""
        given = dict.fromkeys(COMMUNE_QUESTION, constant("", len(asked)))
        given |= {c: asked[c] for c in asked}
        columns = [given[c] for c in COMMUNE_QUESTION]
        known: dict[tuple[str, ...], Answer] = {}
        answers = []
        for question in zip(*columns, strict=True):
            answer = known.get(question)
            if answer is None:
                answer = known[question] = self._answer(question)
            answers.append(answer)
        found = zip(*answers, strict=True) if answers else ((), (), ())
        kinds = ((c, DTYPES[kind]) for c, (kind, _) in COMMUNES_RESOLVED.columns.items())
        return Rows({c: np.array(v, dtype) for (c, dtype), v in zip(kinds, found, strict=True)})

    def _answer(self, question: tuple[str, ...]) -> Answer:
        name, departement, code_postal, declared, home, place = (q.strip() for q in question)
        if declared:
            code = self.in_force(declared)
            if code:
                return Answer(self._narrowed(code, code_postal), 1.0, "code")
        home = self.in_force(home) if home else ""
        if place == "1" and home:
            return Answer(home, 0.97, "home")
        asked = self._asked(name, departement, code_postal, home)
        found = self._chosen(asked, home)
        if found is not None:
            return self._answer_of(asked, found)
        if asked.departements == {"75"} or code_postal.startswith("75"):
            return Answer("75056", 0.9, "dep")
        if place == "2" or departement or code_postal or asked.town.key or not home:
            return _NOTHING
        return Answer(home, 0.6, "home")

    def _asked(self, name: str, departement: str, code_postal: str, home: str) -> _Asked:
        codes = departement_codes(departement)
        about = codes | postcode_departements(code_postal)
        if home and not about:
            about = frozenset({self.departement(home)})
        key = name, departement, code_postal, about
        asked = self._known_asked.get(key)
        if asked is None:
            if len(self._known_asked) >= _MOST_KNOWN:
                self._known_asked.clear()
            asked = self._known_asked[key] = _Asked(read_town(name), codes, about, code_postal)
        return asked

    def _answer_of(self, asked: _Asked, choice: Choice) -> Answer:
        best, share = choice.evidence, choice.share
        method = _METHODS.get(best.name, best.name)
        if method != "postcode" and best.postcode == "same":
            method += "+postcode"
        elif method != "postcode" and (asked.departements or best.postcode):
            method += "+dep"
        code = self._ranked(best.code, asked)
        return Answer(code, round(share, 3), "arrondissement" if code != best.code else method)

    def _narrowed(self, code: str, code_postal: str) -> str:
        """Arrondissement of a city when the postcode tells it."""
        if code in self._parts:
            parts = [c for c in self.of_postcode(code_postal) if c in self._parts[code]]
            if len(parts) == 1:
                return parts[0]
        return code

    def _ranked(self, code: str, asked: _Asked) -> str:
        """The arrondissement that the postcode or the rank names, else the commune."""
        narrowed = self._narrowed(code, asked.code_postal)
        if narrowed != code or code not in self._parts:
            return narrowed
        part = str(_ARRONDISSEMENT_BASE.get(code, 0) + asked.town.rank)
        return part if asked.town.rank and part in self._parts[code] else code

    # ------------------------------------------------------------- candidates
    def _chosen(self, asked: _Asked, home: str) -> Choice | None:
        """The likeliest commune; dearer sources only when the cheap ones leave a doubt."""
        found: list[tuple[Evidence, str]] = []
        best: Choice | None = None
        for source in (
            self._named,
            self._misspelt_of_postcode,
            self._cut_or_longer,
            self._misspelt,
            self._of_postcode,
        ):
            said = asked.found.get(source.__name__)
            if said is None:
                said = asked.found[source.__name__] = list(source(asked))
            if said:
                found += [(s, self._home_relation(home, s.code)) for s in said]
                best = choose(found)
            if best is not None and self._is_sure(best):
                break
        return best

    def _is_sure(self, choice: Choice) -> bool:
        best = choice.evidence
        fits = best.postcode in ("", "same", "cedex") and best.departement_agrees
        # A small town far from home may be a slip for a large one near it: PARS, in Paris.
        is_near = choice.home not in ("", "other")
        told = bool(best.postcode) or best.size >= _SOME_SIZE or is_near
        is_likely = fits and told and choice.share >= _SURE
        return is_likely and (not best.slips or best.postcode == "same")

    def _named(self, asked: _Asked) -> Iterator[Evidence]:
        town = asked.town
        if not town.key:
            return
        for name, codes in (
            ("name", self.names.exact(town.key)),
            ("short", self.names.short(town.short)),
        ):
            for code, origin in codes.items():
                yield self._evidence(asked, code, name, origin)

    def _misspelt_of_postcode(self, asked: _Asked) -> Iterator[Evidence]:
        codes = {self.city(c) for c in self.of_postcode(asked.code_postal)}
        for departement in {self.departement(c) for c in codes}:
            names = self.names.of_communes(codes, departement)
            for found, slips in self.names.alike_among(asked.town.key, names):
                for code, origin in found.items():
                    yield self._evidence(asked, code, "fuzzy", origin, slips)

    def _cut_or_longer(self, asked: _Asked) -> Iterator[Evidence]:
        key = asked.town.key
        for codes in self.names.beginning_with(key):
            for code, origin in codes.items():
                yield self._evidence(asked, code, "cut", origin)
        words = key.split()
        for used in range(len(words) - 1, 0, -1):
            codes = self.names.exact(" ".join(words[:used]))
            if codes:
                for code, origin in codes.items():
                    yield self._evidence(asked, code, "more", origin)
                return

    def _misspelt(self, asked: _Asked) -> Iterator[Evidence]:
        key = asked.town.key
        if len(key) < 3:
            return
        pools = (asked.about, None) if asked.about else (None,)
        for pool in pools:
            found = False
            for codes, slips in self.names.alike(key, pool):
                for code, origin in codes.items():
                    found = True
                    yield self._evidence(asked, code, "fuzzy", origin, slips)
            if found:
                return

    def _of_postcode(self, asked: _Asked) -> Iterator[Evidence]:
        name = "postcode" if asked.town.key else "none"
        for code in {self.city(c) for c in self.of_postcode(asked.code_postal)}:
            yield self._evidence(asked, code, name, "cog")

    def _evidence(
        self, asked: _Asked, code: str, name: str, origin: str, slips: int = 0
    ) -> Evidence:
        departement = self.departement(code)
        return Evidence.of(
            code,
            name,
            origin,
            slips,
            postcode=self._postcode_relation(asked, code, departement),
            departement_agrees=not asked.departements or departement in asked.departements,
            size=float(self._size.get(code, 0)),
        )

    def _postcode_relation(self, asked: _Asked, code: str, departement: str) -> str:
        if not asked.code_postal:
            return ""
        codes = self.of_postcode(asked.code_postal)
        if code in codes or any(self.city(c) == code for c in codes):
            return "same"
        if departement in postcode_departements(asked.code_postal):
            return "departement" if codes else "cedex"
        return "other"

    def _home_relation(self, home: str, code: str) -> str:
        if not home:
            return ""
        if self.city(home) == code:
            return "home"
        if code in self._near(home):
            return "near"
        return "departement" if self.departement(code) == self.departement(home) else "other"


def _dict(table: pa.Table, key: str, value: str) -> dict[str, str]:
    columns = (texts(table.column(c)) for c in (key, value))
    return dict(zip(*columns, strict=True))
