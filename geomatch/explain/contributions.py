"""What speaks for one candidate and against another, in French, by kind of evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from geomatch.core.tables import load_table
from geomatch.linkage.model import Model

#: Less than this much log-odds is nothing.
LEAST_PULL = 0.05
_GROUPS = ("nom", "adresse", "distance", "commune", "activité", "taille", "rivaux", "collègues")
_OTHER = "autres"


#: How values are told; several features are logarithms, which nobody reads.
UNITS: Mapping[str, Callable[[float], str]] = {
    "oui_non": lambda v: "oui" if v >= 0.5 else "non",
    "part": lambda v: f"{100 * v:.0f} %",
    "nombre": lambda v: f"{v:.2f}".replace(".", ","),
    "compte": lambda v: f"{math.exp(v):.0f}",
    "effectif": lambda v: f"{math.exp(v):.0f}",
    "ecart": lambda v: f"{math.expm1(v):.0f}",
    "metres": lambda v: f"{50.0 * math.expm1(v):.0f} m",
}

#: Features told by another's value where they are not 0: a logarithm times a share is nobody's.
_TOLD_BY: Mapping[str, str] = {"missed": "size"}


@dataclass(frozen=True)
class Label:
    """How a feature is called on screens; `unite` is one of :data:`UNITS`."""

    groupe: str
    libelle: str
    unite: str


@dataclass(frozen=True)
class Fact:
    """One feature of the first candidate and of the second, in words.

    `pull` is what it adds to the first's log-odds beyond the second's.
    """

    label: str
    first: str
    second: str
    pull: float


@dataclass(frozen=True)
class Evidence:
    """All facts of one kind, the strongest first; `pull` is their sum."""

    group: str
    pull: float
    facts: tuple[Fact, ...]


def feature_labels() -> dict[str, Label]:
    """Feature → its label, in the order of the table."""
    return {row[0]: Label(*row[1:]) for row in load_table("feature_labels")}


def weigh(
    first: Mapping[str, float], second: Mapping[str, float] | None, model: Model
) -> list[Evidence]:
    """Evidence of the first candidate against the second, by kind, the strongest kind first.

    Parameters
    ----------
    first, second : mapping
        Features of the two best candidates; without a second, against a candidate of which
        every feature is 0.
    model : Model
        Its weights, and what it makes of other bulletins (``collective``).
    """
    weights = {**model.ranking.weights, **model.collective}
    labels = feature_labels()
    facts: dict[str, list[Fact]] = {}
    for name, weight in weights.items():
        if name not in first:
            continue
        label = labels.get(name, Label(_OTHER, name, "nombre"))
        one, other = float(first[name]), 0.0 if second is None else float(second[name])
        fact = Fact(
            label.libelle,
            _told(first, name, label),
            "" if second is None else _told(second, name, label),
            weight * (one - other),
        )
        facts.setdefault(label.groupe, []).append(fact)
    found = [_evidence(group, facts[group]) for group in (*_GROUPS, _OTHER) if group in facts]
    return sorted(found, key=lambda e: -abs(e.pull))


def value_text(value: float, unite: str) -> str:
    """A feature's value for a reader: ``oui``, ``92 %``, ``350 m``, ``1,25``."""
    return UNITS[unite](value)


def _told(features: Mapping[str, float], name: str, label: Label) -> str:
    source = _TOLD_BY.get(name, name)
    if source != name and not features[name]:
        return "–"
    return value_text(float(features[source]), label.unite)


def for_and_against(found: Sequence[Evidence]) -> tuple[list[str], list[str]]:
    """Kinds of evidence in words: those for the first candidate, those for the second."""
    told = [e for e in found if abs(e.pull) >= LEAST_PULL]
    return (
        [_in_words(e) for e in told if e.pull > 0],
        [_in_words(e) for e in told if e.pull < 0],
    )


def _evidence(group: str, facts: list[Fact]) -> Evidence:
    strongest = sorted(facts, key=lambda f: -abs(f.pull))
    kept = tuple(f for f in strongest if abs(f.pull) >= LEAST_PULL)
    return Evidence(group, sum(f.pull for f in facts), kept)


def _in_words(evidence: Evidence) -> str:
    """``adresse (même voie et même numéro : oui contre non)``, with the fact that weighs most."""
    same_way = [f for f in evidence.facts if f.pull * evidence.pull > 0 and f.first != f.second]
    if not same_way:
        return evidence.group
    fact = same_way[0]
    against = f" contre {fact.second}" if fact.second else ""
    return f"{evidence.group} ({fact.label} : {fact.first}{against})"
