"""Which communes, and what else, a written town may stand for; the dearer sources come last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rapidfuzz import process
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio

from geomatch.addresses.communes.choice import Choice, Evidence, choose
from geomatch.addresses.communes.departements import postcode_departements
from geomatch.addresses.communes.facts import SOME_SIZE, CommuneFacts
from geomatch.addresses.parse import areas
from geomatch.addresses.parse.town_names import Town

#: A share from which on nothing less than an exact name is looked at.
_SURE = 0.9
_ALIKE = 80.0


@dataclass(frozen=True)
class Asked:
    """What is written of a commune, cleaned; `departements` are those of the column of that name.

    Slips are looked for `about` these, the postcode's and, when nothing of that is told, home.
    `found` is what sources said of it before: respondents who live elsewhere write the same.
    """

    town: Town
    departements: frozenset[str]
    about: frozenset[str]
    code_postal: str
    #: country that is written beside the town; "" for none
    country: str = ""
    found: dict[str, list[Evidence]] = field(default_factory=dict)


class Candidates:
    """Sources of candidates: communes by their names, towns abroad, départements and regions."""

    def __init__(self, facts: CommuneFacts) -> None:
        self.facts = facts

    def choice(self, asked: Asked, home: str) -> Choice | None:
        """The likeliest; dearer sources only when the cheap ones leave a doubt."""
        found: list[tuple[Evidence, str]] = []
        best: Choice | None = None
        for source in (
            self._named,
            self._elsewhere,
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
            # a name abroad has to be weighed against those of France before anything is sure
            if best is not None and source.__name__ != "_named" and self._is_sure(best):
                break
        return best

    def abroad(self, asked: Asked, home: str) -> str:
        """The country that a written town or country is in; "" when none is known."""
        said = [(s, self._home_relation(home, s.code)) for s in self._elsewhere(asked)]
        outside = [(s, near) for s, near in said if s.name != "area"]
        best = choose(outside)
        return best.evidence.code[len(areas.MARK) :] if best is not None else ""

    def _is_sure(self, choice: Choice) -> bool:
        best = choice.evidence
        fits = best.postcode in ("", "same", "cedex") and best.departement_agrees
        # A small town far from home may be a slip for a large one near it: PARS, in Paris.
        is_near = choice.home not in ("", "other")
        told = bool(best.postcode) or best.size >= SOME_SIZE or is_near
        is_likely = fits and told and choice.share >= _SURE
        return is_likely and (not best.slips or best.postcode == "same")

    # ------------------------------------------------------------- sources
    def _named(self, asked: Asked) -> Iterator[Evidence]:
        town, names = asked.town, self.facts.names
        if not town.key:
            return
        for name, codes in (("name", names.exact(town.key)), ("short", names.short(town.short))):
            for code, origin in codes.items():
                yield self._evidence(asked, code, name, origin)
        usual = self.facts.in_force(areas.usual_places().get(town.key, ""))
        if usual:
            yield self._evidence(asked, usual, "name", "usual")

    def _elsewhere(self, asked: Asked) -> Iterator[Evidence]:
        """A country, a département or region, a town abroad."""
        key = asked.town.key
        area = areas.read_area(key) if key else None
        if area is not None and area.country:
            workers = areas.workers_abroad().get(area.country, 0)
            yield self._outside(asked, area, "name", size=workers)
        elif area is not None and area.departements:
            yield self._outside(asked, area, "area", size=self._size_of(area))
        words = key.split()
        for used in range(len(words), 0, -1):
            found = areas.foreign_town(" ".join(words[:used]))
            if found is not None:
                name = "name" if used == len(words) else "more"
                place = areas.Area(found[0], frozenset())
                yield self._outside(asked, place, name, size=found[1])
                return
        yield from self._misspelt_abroad(asked)

    def _misspelt_abroad(self, asked: Asked) -> Iterator[Evidence]:
        key, names = asked.town.key, areas.names_abroad()
        if not key or self.facts.names.exact(key):
            return
        alike = process.extract(key, names.keys(), scorer=ratio, limit=3, score_cutoff=_ALIKE)
        for name, _, _ in alike:
            if OSA.distance(key, name, score_cutoff=1) == 1:
                country, workers = names[name]
                place = areas.Area(country, frozenset())
                yield self._outside(asked, place, "fuzzy", size=workers, slips=1)

    def _misspelt_of_postcode(self, asked: Asked) -> Iterator[Evidence]:
        facts = self.facts
        codes = {facts.city(c) for c in facts.of_postcode(asked.code_postal)}
        for departement in {facts.departement(c) for c in codes}:
            names = facts.names.of_communes(codes, departement)
            for found, slips in facts.names.alike_among(asked.town.key, names):
                for code, origin in found.items():
                    yield self._evidence(asked, code, "fuzzy", origin, slips)

    def _cut_or_longer(self, asked: Asked) -> Iterator[Evidence]:
        key, names = asked.town.key, self.facts.names
        for codes in names.beginning_with(key):
            for code, origin in codes.items():
                yield self._evidence(asked, code, "cut", origin)
        words = key.split()
        for used in range(len(words) - 1, 0, -1):
            codes = names.exact(" ".join(words[:used]))
            if codes:
                for code, origin in codes.items():
                    yield self._evidence(asked, code, "more", origin)
                return

    def _misspelt(self, asked: Asked) -> Iterator[Evidence]:
        key = asked.town.key
        if len(key) < 3:
            return
        pools = (asked.about, None) if asked.about else (None,)
        for pool in pools:
            found = False
            for codes, slips in self.facts.names.alike(key, pool):
                for code, origin in codes.items():
                    found = True
                    yield self._evidence(asked, code, "fuzzy", origin, slips)
            if found:
                return

    def _of_postcode(self, asked: Asked) -> Iterator[Evidence]:
        name = "postcode" if asked.town.key else "none"
        for code in {self.facts.city(c) for c in self.facts.of_postcode(asked.code_postal)}:
            yield self._evidence(asked, code, name, "cog")

    # ------------------------------------------------------------- what speaks for each
    def _evidence(
        self, asked: Asked, code: str, name: str, origin: str, slips: int = 0
    ) -> Evidence:
        departement = self.facts.departement(code)
        return Evidence.of(
            code,
            name,
            origin,
            slips,
            postcode=self._postcode_relation(asked, code, departement),
            departement_agrees=not asked.departements or departement in asked.departements,
            size=float(self.facts.size.get(code, 0)),
        )

    def _outside(
        self, asked: Asked, area: areas.Area, name: str, *, size: float, slips: int = 0
    ) -> Evidence:
        """Evidence of what is no commune; a postcode of France speaks against a country."""
        told = postcode_departements(asked.code_postal)
        relation = "departement" if told & area.departements else "other"
        return Evidence.of(
            area.code,
            name,
            "cog",
            slips,
            postcode=relation if told else "",
            departement_agrees=not asked.departements
            or bool(asked.departements & area.departements),
            size=size,
        )

    def _size_of(self, area: areas.Area) -> float:
        return float(sum(self.facts.size_of_departement.get(d, 0) for d in area.departements))

    def _postcode_relation(self, asked: Asked, code: str, departement: str) -> str:
        if not asked.code_postal:
            return ""
        facts = self.facts
        codes = facts.of_postcode(asked.code_postal)
        if code in codes or any(facts.city(c) == code for c in codes):
            return "same"
        if departement in postcode_departements(asked.code_postal):
            return "departement" if codes else "cedex"
        return "other"

    def _home_relation(self, home: str, code: str) -> str:
        facts = self.facts
        if not home:
            return ""
        if code.startswith(areas.MARK):
            departement, place = facts.departement(home), code[len(areas.MARK) :]
            if departement in areas.border_departements(place):
                return "near"
            return "departement" if departement in place.split() else "other"
        if facts.city(home) == code:
            return "home"
        if code in facts.near(home):
            return "near"
        return "departement" if facts.departement(code) == facts.departement(home) else "other"
