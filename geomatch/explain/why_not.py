"""« Pourquoi pas ce SIRET ? »: which stage lost an establishment, and what weighed against it.

The stages in order: it has to be in the register, in what is searched of it, found as a candidate,
kept among the best, first of them, and sure enough. What a run does not keep is matched once more,
alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.core.text import normalise
from geomatch.core.wording import DECISIONS, decimal, metres, percent
from geomatch.explain.past import Past, matcher_of, read_past
from geomatch.linkage.contributions import Evidence, weigh
from geomatch.linkage.matcher import Prepared
from geomatch.names.clean import name_words
from geomatch.review import Atlas
from geomatch.review.desk.register import Register, siret_problem
from geomatch.review.desk.wording import register_names, register_title
from geomatch.runs.results import results_of
from geomatch.store.reader import Store

#: Where an establishment can get lost, in order, and what is then said of it.
STAGES: Mapping[str, str] = {
    "register": "Absent du répertoire de cette base : aucun bulletin ne peut y mener.",
    "departement": "Hors de ce qui a été cherché : le bulletin mène ailleurs.",
    "candidates": "Pas trouvé comme candidat : ni le nom, ni la rue, ni le lieu n'y mènent.",
    "first_sort": "Trouvé, mais écarté au premier tri.",
    "kept": "Candidat, mais pas parmi ceux que le passage garde.",
    "ranking": "Candidat, classé derrière un autre.",
    "decision": "Premier candidat, mais pas assez sûr pour être codé.",
    "chosen": "C'est l'établissement retenu.",
    "unknown": "Le passage ne l'a pas gardé, et il ne peut pas être rejoué.",
}
#: Candidates looked at, when one is looked for that the usual number leaves out.
_MANY = 5_000
_BAR = 24


@dataclass(frozen=True)
class WhyNot:
    """The answer. Of what is unknown at a stage, numbers are None.

    Attributes
    ----------
    stage : key of :data:`STAGES`
    rank : place among the candidates, 1 is best
    probability, first_siret, first_probability : of it, and of the run's first candidate
    evidence : what speaks for the first against it; pulls are log-odds, positive for the first
    facts : numbers and words about it, by French name
    """

    id: str
    siret: str
    stage: str
    reason: str
    rank: int | None
    probability: float | None
    first_siret: str | None
    first_probability: float | None
    evidence: tuple[Evidence, ...]
    facts: Mapping[str, str]

    @property
    def pull(self) -> float:
        """All evidence together, log-odds for the first candidate against this one."""
        return sum(e.pull for e in self.evidence)

    def record(self) -> dict[str, Any]:
        """As one JSON object."""
        return {**asdict(self), "pull": self.pull, "facts": dict(self.facts)}


def why_not(run: Location, bulletin: str, siret: str) -> WhyNot:
    """Why an establishment was not chosen for a bulletin.

    Raises
    ------
    ConfigError
        When the run has no such bulletin, or the SIRET is none.
    DataError
        When the folder is not one of results.
    """
    asked = "".join(siret.split())
    problem = siret_problem(asked)
    if problem:
        raise ConfigError(f"--siret is no SIRET: {problem} Expected 14 digits")
    with results_of(run) as folder:
        past = read_past(folder, bulletin)
    return _Search(past, bulletin, asked).answer()


class _Search:
    """One question, stage by stage from the last to the first."""

    def __init__(self, past: Past, bulletin: str, siret: str) -> None:
        self.past, self.id, self.siret = past, bulletin, siret
        self.decision = past.decision.iloc[0]
        self.facts: dict[str, str] = {}

    def answer(self) -> WhyNot:
        candidates = self.past.candidates
        mine = candidates[candidates["siret"] == self.siret]
        if len(mine):
            return self._candidate(mine.iloc[0])
        return self._lost()

    def _told(self, stage: str, **known: Any) -> WhyNot:
        first = self.past.candidates.head(1)
        usual = {
            "rank": None,
            "probability": None,
            "evidence": (),
            "first_siret": str(first["siret"].iloc[0]) if len(first) else None,
            "first_probability": float(first["probability"].iloc[0]) if len(first) else None,
        }
        told = {**usual, **known}
        return WhyNot(self.id, self.siret, stage, STAGES[stage], facts=self.facts, **told)

    def _candidate(self, row: pd.Series) -> WhyNot:
        """One of the run's candidates: chosen, undecided, or behind another."""
        rank, probability = int(row["rank"]), float(row["probability"])
        known: dict[str, Any] = {"rank": rank, "probability": probability}
        if not math.isnan(float(row["distance_m"])):
            self.facts["distance"] = metres(float(row["distance_m"]))
        first = self.past.candidates.iloc[0]
        if row["siret"] != first["siret"]:
            evidence = weigh(_numbers(first), _numbers(row), self.past.model)
            return self._told("ranking", **known, evidence=tuple(evidence))
        if self.decision["decision"] == "auto":
            return self._told("chosen", **known)
        self.facts["décision"] = DECISIONS[str(self.decision["decision"])].phrase
        self.facts["motif"] = str(self.decision["reason"])
        asked = self.past.description["options"]["decisions"]["precision"]
        self.facts["précision demandée"] = percent(float(asked), 0)
        return self._told("decision", **known)

    def _lost(self) -> WhyNot:
        """None of the run's candidates: matched once more to see where it went."""
        store = self.past.store
        if store is None:
            return self._told("unknown")
        row = self._register_row(store)
        if row is None:
            return self._told("register")
        matcher = matcher_of(self.past)
        if matcher is None or self.past.bulletins is None:
            return self._told("unknown")
        prepared = matcher.prepare(self.past.bulletins)
        searched = sorted({*map(str, prepared.searched)} & matcher.resources.known)
        number = int(self.siret)
        self.facts["départements cherchés"] = ", ".join(searched) or "aucun"
        pools = (matcher.resources.pool(d).pool for d in searched)
        if not any((pool.siret_number == number).any() for pool in pools):
            return self._told("departement")
        self._compare(row, prepared)
        pairs, features = matcher.pairs(prepared)
        at = np.flatnonzero(pairs["siret_number"] == number)
        if len(at):
            return self._ranked(pairs, features, int(at[0]))
        wide = replace(matcher.config.candidates, kept=_MANY, least=_MANY, by_radius=_MANY)
        matcher.config = replace(matcher.config, candidates=wide)
        found, features = matcher.pairs(prepared)
        at = np.flatnonzero(found["siret_number"] == number)
        if not len(at):
            return self._told("candidates")
        told = self._ranked(found, features, int(at[0]))
        self.facts["candidats gardés au premier tri"] = str(len(pairs))
        return replace(told, stage="first_sort", reason=STAGES["first_sort"])

    def _ranked(self, pairs: Any, features: Any, at: int) -> WhyNot:
        """Its rank by the model alone, and what speaks for the best against it."""
        score = pairs["own_score"]
        best = int(np.argmax(score))
        rows = [{name: float(features[name][i]) for name in features} for i in (best, at)]
        self.facts["candidats comparés"] = str(len(score))
        first = str(pairs["siret"][best])
        evidence = tuple(weigh(rows[0], rows[1], self.past.model))
        rank = int((score > score[at]).sum()) + 1
        return self._told("kept", rank=rank, evidence=evidence, first_siret=first)

    def _register_row(self, store: Store) -> dict[str, Any] | None:
        rows = Register(store).rows([self.siret], [str(self.decision["code_commune"])[:2]])
        if rows.empty:
            return None
        row = {str(k): v for k, v in rows.iloc[0].to_dict().items()}
        self.facts["nom au répertoire"] = register_title(row)[0]
        self.facts["commune"] = Atlas(store).commune_name(str(row["code_commune"]))
        return row

    def _compare(self, row: Mapping[str, Any], prepared: Prepared) -> None:
        """What it has of the name and the place that the form tells."""
        written = {w for name in prepared.names["name"] for w in name_words(str(name))}
        known = {w for name in register_names(row) for w in name_words(normalise(name))}
        if written:
            self.facts["mots du nom retrouvés"] = f"{len(written & known)} sur {len(written)}"
        place = prepared.geocodes.frame().iloc[0]
        far = math.hypot(float(row["x"]) - float(place["x"]), float(row["y"]) - float(place["y"]))
        if int(row["crs"]) == int(place["crs"]) and not math.isnan(far):
            self.facts["distance"] = metres(far)
            self.facts["incertitude du lieu"] = metres(float(place["uncertainty_m"]))


def _numbers(row: pd.Series) -> dict[str, float]:
    told = pd.to_numeric(row, errors="coerce")
    return {str(name): float(value) for name, value in told.items()}


def tell_why_not(found: WhyNot, console: Console) -> None:
    """Print the answer: the stage, the numbers, and a waterfall of what weighed."""
    lines = [f"Pourquoi pas {found.siret} ? {found.reason}"]
    if found.rank is not None:
        lines.append(f"Rang {found.rank}" + _chances(found))
    lines += [f"{name} : {value}" for name, value in found.facts.items()]
    for line in lines:
        console.print(escape(line), highlight=False)
    if found.evidence:
        console.print(_waterfall(found))


def _chances(found: WhyNot) -> str:
    told = "" if found.probability is None else f", probabilité {decimal(found.probability)}"
    if found.first_siret is None or found.first_siret == found.siret:
        return told + "."
    chance = "" if found.first_probability is None else f" ({decimal(found.first_probability)})"
    return f"{told} ; le premier est {found.first_siret}{chance}."


def _waterfall(found: WhyNot) -> Table:
    """Each kind of evidence as a step, from nothing to the whole difference."""
    table = Table(
        title="Ce qui pèse contre lui (log-cote en faveur du premier)", title_justify="left"
    )
    table.add_column("critère")
    for column in ("premier", "celui-ci", "poids", "cumul"):
        table.add_column(column, justify="right")
    table.add_column("")
    most = max((abs(e.pull) for e in found.evidence), default=1.0) or 1.0
    total = 0.0
    for one in found.evidence:
        total += one.pull
        fact = one.facts[0] if one.facts else None
        told = (fact.first, fact.second) if fact else ("", "")
        label = one.group + (f" : {fact.label}" if fact else "")
        bar = ("█" if one.pull >= 0 else "░") * round(_BAR * abs(one.pull) / most)
        weight, sum_so_far = (decimal(v, 2, signed=True) for v in (one.pull, total))
        table.add_row(escape(label), *map(escape, told), weight, sum_so_far, bar)
    return table
