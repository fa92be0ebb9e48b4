"""What speaks for one candidate and against another, in French, by kind of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geomatch.core.wording import GROUPS, NO_VALUE, UNITS
from geomatch.linkage.model import Model
from geomatch.linkage.ranking import COLLECTIVE, FEATURES, Feature

#: Less than this much log-odds is nothing.
LEAST_PULL = 0.05


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
    features = {**FEATURES, **COLLECTIVE}
    facts: dict[str, list[Fact]] = {}
    for name, weight in weights.items():
        if name not in first:
            continue
        feature = features[name]
        one, other = float(first[name]), 0.0 if second is None else float(second[name])
        fact = Fact(
            feature.label,
            _told(first, feature),
            "" if second is None else _told(second, feature),
            weight * (one - other),
        )
        facts.setdefault(feature.group, []).append(fact)
    found = [_evidence(group, facts[group]) for group in GROUPS if group in facts]
    return sorted(found, key=lambda e: -abs(e.pull))


def _told(values: Mapping[str, float], feature: Feature) -> str:
    """A feature's value for a reader: ``oui``, ``92 %``, ``350 m``, ``1,25``."""
    if feature.told_by and not values[feature.name]:
        return NO_VALUE
    return UNITS[feature.unit](float(values[feature.told_by or feature.name]))


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
