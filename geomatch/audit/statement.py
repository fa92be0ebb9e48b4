"""The statement of an audit, in French: what was drawn, what is guaranteed, what more would buy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from geomatch.audit.certificate import Certificate
from geomatch.audit.clerks import Settled
from geomatch.audit.design import RISK
from geomatch.audit.recalibration import Recalibration
from geomatch.audit.sample import Sample
from geomatch.core.wording import decimal, integer, percent

_LEVELS = {
    "siret": "codes SIRET",
    "site": "couples entreprise et commune",
    "siren": "entreprises (SIREN)",
}
#: A gain in coding rate that is worth telling.
_LEAST_GAIN = 0.005


def statement(
    sample: Sample, settled: Settled, found: Certificate, calibration: Recalibration
) -> str:
    """The whole statement, one paragraph a line."""
    return "\n".join(
        line
        for part in (
            _drawn(sample, settled, found),
            _guaranteed(sample, found),
            _calibration(calibration),
            _further(found),
        )
        for line in part
    )


def _drawn(sample: Sample, settled: Settled, found: Certificate) -> Iterator[str]:
    design, (core, rest) = sample.design, sample.held()
    who = "un gestionnaire" if sample.clerks == 1 else "deux gestionnaires"
    yield (
        f"Tirage : {integer(len(sample.cards))} fiches sur les {integer(design.target)} réponses "
        f"les plus probables, {core} parmi les {integer(design.core)} premières et {rest} parmi "
        f"les autres, vues par {who}."
    )
    seen = len(sample.cards) - found.n_open
    yield f"Fiches réglées : {integer(seen)}." + (
        f" {integer(found.n_open)} ne le sont pas et comptent comme fausses : le résultat ne peut "
        "que monter."
        if found.n_open
        else ""
    )
    if settled.n_double:
        yield (
            f"Deux avis sur {integer(settled.n_double)} fiches, "
            f"{integer(settled.n_differing)} désaccords, dont {integer(len(settled.disputed))} "
            "sans arbitrage. Erreur que deux gestionnaires partageraient sans qu'on la voie : "
            f"{percent(found.unseen, 2)} au plus, s'ils se trompent indépendamment."
        )
    elif sample.clerks == 1:
        yield "Un seul avis par fiche : il est tenu pour juste."


def _guaranteed(sample: Sample, found: Certificate) -> Iterator[str]:
    asked, what = percent(sample.design.precision), _LEVELS[sample.level]
    sure = percent(1.0 - RISK, 0)
    certified = found.certified
    if certified is None:
        first = found.tested[0]
        yield (
            f"Garanti : rien à {asked}. Parmi les {integer(first.size)} réponses les plus "
            f"probables, {integer(first.wrong)} fiches sur {integer(first.drawn)} sont fausses : "
            f"avec une confiance de {sure}, {percent(first.at_least)} au moins sont justes."
        )
        return
    yield (
        f"Garanti, avec une confiance de {sure} : {asked} au moins des {what} de probabilité "
        f"{decimal(certified.threshold, 4)} ou plus sont justes, les réponses trouvées fausses "
        "étant retirées."
    )
    yield (
        f"Taux de codage : {percent(found.coding_rate)} ({integer(certified.size)} des "
        f"{integer(sample.design.n_bulletins)} bulletins). Part juste estimée : "
        f"{percent(certified.estimate)}, {integer(certified.wrong)} fiches fausses sur "
        f"{integer(certified.drawn)}."
    )


def _calibration(calibration: Recalibration) -> Iterator[str]:
    if calibration.is_supported:
        yield (
            "Probabilités : l'échantillon les corrige (pente "
            f"{decimal(calibration.stretch, 2)}, décalage "
            f"{decimal(calibration.shift, 2, signed=True)} en logit) ; leur ordre et la garantie "
            "n'en dépendent pas."
        )


def _further(found: Certificate) -> Iterator[str]:
    gains = [(n, rate) for n, rate in found.further if rate > found.coding_rate + _LEAST_GAIN]
    if not gains:
        if found.further:
            yield "Fiches de plus : elles n'apporteraient presque rien."
        return
    told = " ; ".join(f"{integer(n)} de plus, {percent(rate)}" for n, rate in gains)
    yield f"Taux de codage probable avec d'autres fiches : {told}."


def as_record(
    sample: Sample, settled: Settled, found: Certificate, calibration: Recalibration
) -> dict[str, Any]:
    """The same for programs: what ``certificate.json`` holds."""
    certified = found.certified
    return {
        "level": sample.level,
        "precision": sample.design.precision,
        "confidence": 1.0 - RISK,
        "certified": certified is not None,
        "threshold": certified.threshold if certified else None,
        "coding_rate": found.coding_rate,
        "n_coded": certified.size if certified else 0,
        "n_bulletins": sample.design.n_bulletins,
        "cards": len(sample.cards),
        "cards_open": found.n_open,
        "clerks": sample.clerks,
        "cards_with_two_verdicts": settled.n_double,
        "cards_differing": settled.n_differing,
        "unseen_error": found.unseen,
        "alpha": found.alpha,
        "draws": sample.draws,
        "decisions_sha256": sample.decisions,
        "recalibration": asdict(calibration),
        "tested": [asdict(t) for t in found.tested],
        "further": [{"cards": n, "coding_rate": rate} for n, rate in found.further],
        "statement": statement(sample, settled, found, calibration),
    }
