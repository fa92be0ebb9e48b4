"""Name, département, postcode and home commune → the commune in force, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rapidfuzz import process
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio

from geomatch.addresses.town_names import Town, read_town, short_key, town_key
from geomatch.schema import (
    COMMUNES_RESOLVED,
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
    departement_of,
    text_array,
)
from geomatch.store import Store

#: Cities of arrondissements: commune code → prefix of its parts' postcodes.
CITIES: Mapping[str, str] = {"75056": "750", "69123": "6900", "13055": "130"}
_ARRONDISSEMENT_BASE = {"75056": 75100, "69123": 69380, "13055": 13200}
#: Origins of a name, the surest first.
_ORIGINS = {"cog": 0, "arrondissement": 0, "deleguee": 1, "ancienne": 2, "laposte": 2, "ligne5": 3}
_COLUMNS = (
    "commune",
    "departement",
    "code_postal",
    "code_commune_declaree",
    "code_commune_residence",
    "lieu_travail",
)
#: Written and official names less alike than this are not the same.
_FUZZY_CUTOFF = 0.78
Answer = tuple[str, float, str]
_NOTHING: Answer = ("", 0.0, "")


@dataclass(frozen=True)
class _Asked:
    """One distinct question, cleaned."""

    town: Town
    departements: frozenset[str]
    code_postal: str
    home: str


class CommuneIndex:
    """Communes of the store by name, postcode, former code and neighbourhood.

    Use :meth:`open`. All codes are those in force in the store's COG vintage.
    """

    def __init__(
        self,
        communes: pd.DataFrame,
        names: pd.DataFrame,
        postcodes: pd.DataFrame,
        neighbours: pd.DataFrame,
        history: pd.DataFrame,
    ) -> None:
        self._departement = dict(
            zip(communes["code_commune"], communes["departement"], strict=True)
        )
        self._weight = dict(
            zip(
                communes["code_commune"],
                communes["n_addresses"] + communes["n_establishments"],
                strict=True,
            )
        )
        self._label = dict(zip(communes["code_commune"], communes["libelle"], strict=True))
        parts = communes[communes["code_parent"] != ""]
        self._parent = dict(zip(parts["code_commune"], parts["code_parent"], strict=True))
        self._parts: dict[str, tuple[str, ...]] = {
            p: tuple(sorted(rows["code_commune"])) for p, rows in parts.groupby("code_parent")
        }
        self._history = dict(zip(history["code_ancien"], history["code_commune"], strict=True))
        self._by_postcode = _groups(postcodes["code_postal"], postcodes["code_commune"])
        near = neighbours.sort_values(["code_commune", "distance_m"], kind="stable")
        self._neighbours = _groups(near["code_commune"], near["voisine"])
        self._by_name: dict[str, dict[str, int]] = {}
        self._by_short: dict[str, dict[str, int]] = {}
        self._names_of_departement: dict[str, list[str]] = {}
        self._read_names(names)

    @classmethod
    def open(cls, store: Store) -> CommuneIndex:
        """Read the commune tables of a store."""
        return cls(
            store.country(STORE_COMMUNES),
            store.country(STORE_COMMUNE_NAMES),
            store.country(STORE_COMMUNE_POSTCODES),
            store.country(STORE_COMMUNE_NEIGHBOURS),
            store.country(STORE_COMMUNE_HISTORY),
        )

    def _read_names(self, names: pd.DataFrame) -> None:
        by_departement: dict[str, dict[str, None]] = {}
        rows = names[["nom_norm", "code_commune", "departement", "origine"]]
        for name, code, departement, origin in rows.itertuples(index=False):
            key = town_key(name)
            rank = _ORIGINS.get(origin, 3)
            for table, k in ((self._by_name, key), (self._by_short, short_key(key))):
                codes = table.setdefault(k, {})
                codes[code] = min(rank, codes.get(code, 9))
            by_departement.setdefault(departement, {})[key] = None
        self._names_of_departement = {d: list(k) for d, k in by_departement.items()}
        self._all_names = list(self._by_name)

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
        return self._neighbours.get(code_commune, ())

    def of_postcode(self, code_postal: str) -> tuple[str, ...]:
        """Communes and arrondissements of a postcode; none for a CEDEX one."""
        return self._by_postcode.get(code_postal, ())

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
            Aligned with `frame`; each distinct question is worked on once.
        """
        columns = [
            text_array(frame[c]) if c in frame.columns else np.full(len(frame), "", dtype=object)
            for c in _COLUMNS
        ]
        known: dict[tuple[str, ...], Answer] = {}
        answers = []
        for question in zip(*columns, strict=True):
            answer = known.get(question)
            if answer is None:
                answer = known[question] = self._answer(question)
            answers.append(answer)
        out = pd.DataFrame(answers, columns=COMMUNES_RESOLVED.names, index=frame.index)
        return COMMUNES_RESOLVED.conform(out)

    def _answer(self, question: tuple[str, ...]) -> Answer:
        name, departement, code_postal, declared, home, place = (q.strip() for q in question)
        if declared:
            code = self.in_force(declared)
            if code:
                return self._narrowed(code, code_postal), 1.0, "code"
        home = self.in_force(home) if home else ""
        if place == "1" and home:
            return home, 0.97, "home"
        asked = _Asked(read_town(name), _departements(departement), code_postal, home)
        if asked.town.key:
            found = self._by_text(asked)
            if found[0]:
                return found
        found = self._without_name(asked)
        if found[0] or place == "2" or departement or code_postal or asked.town.key:
            return found
        return (home, 0.6, "home") if home else _NOTHING

    def _narrowed(self, code: str, code_postal: str) -> str:
        """Arrondissement of a city when the postcode tells it."""
        if code in self._parts:
            parts = [c for c in self.of_postcode(code_postal) if c in self._parts[code]]
            if len(parts) == 1:
                return parts[0]
        return code

    # ------------------------------------------------------------- by name
    def _by_text(self, asked: _Asked) -> Answer:
        town = asked.town
        for table, key, score in (
            (self._by_name, town.key, 1.0),
            (self._by_short, town.short, 0.97),
        ):
            codes = table.get(key)
            if codes:
                found = self._choose(codes, asked, score)
                if found[0]:
                    return found
        near = self._alike(asked)
        if near[0]:
            return near
        codes = self._by_name.get(town.key) or self._by_short.get(town.short)
        if codes:
            code = max(codes, key=lambda c: self._weight.get(c, 0))
            return self._ranked(code, asked), 0.5, "name"
        return _NOTHING

    def _choose(self, codes: Mapping[str, int], asked: _Asked, score: float) -> Answer:
        """Of communes of one name, the one that the other facts point at; none contradicts."""
        allowed = dict(codes)
        method = "name"
        for facts, word, factor in (
            (set(self.of_postcode(asked.code_postal)), "name+postcode", 1.0),
            (asked.departements, "name+dep", 0.99),
            (_postcode_departements(asked.code_postal), "name+dep", 0.98),
        ):
            if not facts:
                continue
            kept = {c: r for c, r in allowed.items() if self._agrees(c, facts)}
            if kept:
                allowed, method, score = kept, word, score * factor
                break
            if word == "name+dep":
                return _NOTHING
        best = min(allowed.values())
        finalists = [c for c, r in allowed.items() if r == best]
        code, share = self._nearest_home(finalists, asked.home)
        return self._ranked(code, asked), round(score * share, 3), method

    def _agrees(self, code: str, facts: Iterable[str]) -> bool:
        codes = set(facts)
        return (
            code in codes
            or self.departement(code) in codes
            or any(part in codes for part in self._parts.get(code, ()))
        )

    def _nearest_home(self, codes: Sequence[str], home: str) -> tuple[str, float]:
        """Of several communes, the likeliest workplace of who lives in `home`, and its share."""
        if len(codes) == 1:
            return codes[0], 0.99
        if home in codes:
            return home, 0.95
        near = set(self.neighbours(home)) if home else set()
        for codes_near in (
            [c for c in codes if c in near],
            [c for c in codes if home and self.departement(c) == self.departement(home)],
        ):
            if codes_near:
                codes = codes_near
                return max(codes, key=lambda c: self._weight.get(c, 0)), 0.9 / len(codes)
        best = max(codes, key=lambda c: self._weight.get(c, 0))
        return best, 0.8 / len(codes)

    def _ranked(self, code: str, asked: _Asked) -> str:
        """The arrondissement that the rank or the postcode names, else the commune."""
        if code not in self._parts:
            return code
        if asked.code_postal:
            narrowed = self._narrowed(code, asked.code_postal)
            if narrowed != code:
                return narrowed
        part = str(_ARRONDISSEMENT_BASE.get(code, 0) + asked.town.rank)
        return part if asked.town.rank and part in self._parts[code] else code

    def _alike(self, asked: _Asked) -> Answer:
        """The name nearest in spelling, among the postcode's, then the département's, then all."""
        key = asked.town.key
        if len(key) < 3:
            return _NOTHING
        for names, method in self._name_pools(asked):
            found = process.extract(
                key, names, scorer=ratio, limit=3, score_cutoff=_FUZZY_CUTOFF * 100
            )
            if found and (len(found) == 1 or found[0][1] > found[1][1]):
                name, similarity = found[0][0], found[0][1] / 100
                similarity = max(similarity, OSA.normalized_similarity(key, name))
                codes = self._by_name[name]
                code, method_score, _ = self._choose(codes, asked, similarity)
                if code:
                    return code, round(method_score, 3), method
        return _NOTHING

    def _name_pools(self, asked: _Asked) -> Iterable[tuple[list[str], str]]:
        codes = {self.city(c) for c in self.of_postcode(asked.code_postal)}
        if codes:
            names = [
                n
                for d in {self.departement(c) for c in codes}
                for n in self._names_of_departement.get(d, ())
                if codes & self._by_name[n].keys()
            ]
            yield names, "fuzzy+postcode"
        departements = asked.departements or _postcode_departements(asked.code_postal)
        if departements:
            for d in departements:
                yield self._names_of_departement.get(d, []), "fuzzy+dep"
            return
        if asked.home:
            yield self._names_of_departement.get(self.departement(asked.home), []), "fuzzy+home"
        yield self._all_names, "fuzzy"

    # ------------------------------------------------------------- without a name
    def _without_name(self, asked: _Asked) -> Answer:
        codes = self.of_postcode(asked.code_postal)
        if len(codes) == 1:
            return codes[0], 0.95, "postcode"
        if codes:
            if asked.home in codes:
                return asked.home, 0.7, "postcode"
            best = max(codes, key=lambda c: self._weight.get(c, 0))
            return best, round(0.8 / len(codes), 3), "postcode"
        for city, prefix in CITIES.items():
            if city == "75056" and asked.code_postal.startswith(("75", prefix)):
                return city, 0.9, "postcode"
        if asked.departements == {"75"}:
            return "75056", 0.95, "dep"
        return _NOTHING


def _groups(keys: pd.Series, values: pd.Series) -> dict[str, tuple[str, ...]]:
    out: dict[str, list[str]] = {}
    for key, value in zip(keys, values, strict=True):
        out.setdefault(key, []).append(value)
    return {k: tuple(v) for k, v in out.items()}


def _departements(written: str) -> frozenset[str]:
    """``1`` → 01, ``20`` → 2A and 2B; what is no département code says nothing."""
    code = written.strip().upper().lstrip("(").rstrip(")")
    if code.isdigit() and len(code) == 1:
        code = "0" + code
    if code == "20":
        return frozenset({"2A", "2B"})
    is_code = len(code) in (2, 3) and (code.isdigit() or code in ("2A", "2B"))
    return frozenset({code}) if is_code and code not in ("99", "00") else frozenset()


def _postcode_departements(code_postal: str) -> frozenset[str]:
    if len(code_postal) != 5 or not code_postal.isdigit():
        return frozenset()
    head = code_postal[:3] if code_postal[:2] in ("97", "98") else code_postal[:2]
    return _departements(head)
