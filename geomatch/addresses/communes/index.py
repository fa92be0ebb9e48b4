"""Name, département, postcode and home commune → the commune in force, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from geomatch.addresses.communes.candidates import Asked, Candidates
from geomatch.addresses.communes.choice import Choice
from geomatch.addresses.communes.departements import (
    ABROAD,
    departement_codes,
    postcode_departements,
)
from geomatch.addresses.communes.facts import CommuneFacts
from geomatch.addresses.parse import areas
from geomatch.addresses.parse.town_names import read_town
from geomatch.arrays.rows import Columns, Rows, constant
from geomatch.core.schema import (
    COMMUNES_RESOLVED,
    DTYPES,
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
)
from geomatch.core.text import normalise
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
    "pays",
)
#: Distinct names, with their département and postcode, whose communes are kept.
_MOST_KNOWN = 20_000
#: A commune less likely than this is not told; nor one that the stated département is not of,
#: unless its name is written and no other is likely.
_CREDIBLE, _SURE = 0.3, 0.9
#: How a name met, where the answer's method is called otherwise.
_METHODS = {"short": "name", "none": "postcode"}


class Answer(NamedTuple):
    """One row of COMMUNES_RESOLVED."""

    code: str
    score: float
    method: str
    code_pays: str
    code_departement: str


_NOTHING = Answer("", 0.0, "", "", "")


class CommuneIndex(CommuneFacts):
    """Communes of the store by name, postcode, former code and neighbourhood.

    Use :meth:`open`. All codes are those in force in the store's COG vintage.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        super().__init__(tables)
        self._candidates = Candidates(self)
        #: what was asked before, with what was found
        self._known_asked: dict[tuple[str, frozenset[str], str, frozenset[str]], Asked] = {}

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

    # ------------------------------------------------------------- many questions
    def resolve(self, asked: Columns) -> Rows:
        """Workplace commune of each row.

        Parameters
        ----------
        asked : DataFrame or Rows
            Any of the text columns of :data:`COMMUNE_QUESTION`, without null; absent ones are
            empty.

        Returns
        -------
        Rows of COMMUNES_RESOLVED
            Aligned with `asked`; each distinct question is worked on once. Who works in the
            commune of residence (lieu_travail 1), or tells nothing else, gets that one.
        """
        given = set(asked)
        nothing = constant("", len(asked))
        columns = [np.asarray(asked[c]) if c in given else nothing for c in COMMUNE_QUESTION]
        known: dict[tuple[str, ...], Answer] = {}
        answers = []
        for question in zip(*columns, strict=True):
            answer = known.get(question)
            if answer is None:
                answer = known[question] = self._answer(question)
            answers.append(answer)
        found = zip(*answers, strict=True) if answers else ((),) * len(COMMUNES_RESOLVED.columns)
        kinds = ((c, DTYPES[kind]) for c, (kind, _) in COMMUNES_RESOLVED.columns.items())
        return Rows({c: np.array(v, dtype) for (c, dtype), v in zip(kinds, found, strict=True)})

    def _answer(self, question: tuple[str, ...]) -> Answer:
        name, departement, code_postal, declared, home, place, pays = (q.strip() for q in question)
        if declared:
            code = self.in_force(declared)
            if code:
                return self._at(self._narrowed(code, code_postal), 1.0, "code")
        home = self.in_force(home) if home else ""
        country = areas.country_of(normalise(pays)) or ""
        abroad = departement == ABROAD or bool(country)
        if place == "1" and home and not abroad:
            return self._at(home, 0.97, "home")
        codes = departement_codes(departement)
        asked = self._asked(name, codes, code_postal, home)
        if abroad or asked.country:
            return self._abroad(country or asked.country, asked, home)
        return self._in_france(asked, home, is_elsewhere=place == "2")

    def _in_france(self, asked: Asked, home: str, *, is_elsewhere: bool) -> Answer:
        found = self._candidates.choice(asked, home)
        if found is not None and found.evidence.code.startswith(areas.MARK):
            place = found.evidence.code[len(areas.MARK) :]
            if found.evidence.name != "area":
                return Answer("", round(found.share, 3), "abroad", place, "")
            # the name of a département tells no more than the column of départements
            codes = asked.departements or frozenset(place.split())
            again = self._asked("", codes, asked.code_postal, home)
            return self._in_france(again, home, is_elsewhere=True)
        if found is not None and _is_credible(found):
            return self._answer_of(asked, found)
        if asked.departements == {"75"} or asked.code_postal.startswith("75"):
            return self._at("75056", 0.9, "dep")
        told = asked.departements or asked.code_postal or asked.town.key
        if is_elsewhere or told or not home:
            near = asked.departements or postcode_departements(asked.code_postal)
            only = next(iter(near)) if len(near) == 1 else ""
            return _NOTHING._replace(code_departement=only)
        return self._at(home, 0.6, "home")

    def _abroad(self, country: str, asked: Asked, home: str) -> Answer:
        """Who says to work abroad: the country that is written, else that of the town."""
        if country in ("", areas.UNKNOWN_COUNTRY):
            found = self._candidates.abroad(asked, home)
            country = found or areas.UNKNOWN_COUNTRY
        return Answer("", 1.0, "abroad", country, "")

    def _at(self, code: str, score: float, method: str) -> Answer:
        return Answer(code, score, method, "", self.departement(code))

    def _asked(self, name: str, codes: frozenset[str], code_postal: str, home: str) -> Asked:
        about = codes | postcode_departements(code_postal)
        if home and not about:
            about = frozenset({self.departement(home)})
        key = name, codes, code_postal, about
        asked = self._known_asked.get(key)
        if asked is None:
            if len(self._known_asked) >= _MOST_KNOWN:
                self._known_asked.clear()
            asked = self._known_asked[key] = self._read(name, codes, code_postal, about)
        return asked

    def _read(
        self, name: str, codes: frozenset[str], code_postal: str, about: frozenset[str]
    ) -> Asked:
        """What is written of a commune; an area beside the town's name is no part of the name."""
        town = read_town(name)
        is_town = bool(self.names.exact(town.key)) or town.key in areas.usual_places()
        if not town.key or is_town or areas.foreign_town(town.key):
            return Asked(town, codes, about, code_postal)
        if areas.read_area(town.key) is areas.NOWHERE:
            return Asked(read_town(""), codes, about, code_postal)
        rest, area = areas.split_area(town.key)
        if area is None:
            return Asked(town, codes, about, code_postal)
        codes = codes or area.departements
        return Asked(read_town(rest), codes, about | codes, code_postal, area.country)

    def _answer_of(self, asked: Asked, choice: Choice) -> Answer:
        best, share = choice.evidence, choice.share
        method = _METHODS.get(best.name, best.name)
        if method != "postcode" and best.postcode == "same":
            method += "+postcode"
        elif method != "postcode" and (asked.departements or best.postcode):
            method += "+dep"
        code = self._ranked(best.code, asked)
        return self._at(code, round(share, 3), "arrondissement" if code != best.code else method)

    def _narrowed(self, code: str, code_postal: str) -> str:
        """Arrondissement of a city when the postcode tells it."""
        if code in self._parts:
            parts = [c for c in self.of_postcode(code_postal) if c in self._parts[code]]
            if len(parts) == 1:
                return parts[0]
        return code

    def _ranked(self, code: str, asked: Asked) -> str:
        """The arrondissement that the postcode or the rank names, else the commune."""
        narrowed = self._narrowed(code, asked.code_postal)
        if narrowed != code or code not in self._parts:
            return narrowed
        part = str(_ARRONDISSEMENT_BASE.get(code, 0) + asked.town.rank)
        return part if asked.town.rank and part in self._parts[code] else code


def _is_credible(choice: Choice) -> bool:
    """Whether a commune is told: a doubtful name gives way to another département's code."""
    best = choice.evidence
    if best.departement_agrees:
        return choice.share >= _CREDIBLE
    return choice.share >= _SURE and best.name in ("name", "short") and not best.slips
