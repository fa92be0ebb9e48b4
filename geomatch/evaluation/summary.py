"""The evaluation in a few French sentences, for whoever reads nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping

from geomatch.core.wording import FIELDS, SCORE_LABELS, decimal, integer, percent, points
from geomatch.evaluation.drift import Drift
from geomatch.evaluation.evaluate import Evaluation
from geomatch.evaluation.measures import Measure
from geomatch.evaluation.metrics import Metrics
from geomatch.evaluation.without_truth import Portrait


def sentences(runs: Mapping[str, Evaluation]) -> list[str]:
    """What the best run is worth; `runs` are by rank, and named when there are several."""
    overall = next(iter(runs.values())).overall
    told = _best(runs)
    told.append(_coding(overall))
    told.append(_reach(overall))
    told += _naf(overall)
    told += _calibration(overall)
    told += _errors(overall)
    told += _past(overall)
    return [t for t in told if t]


def portrait_sentences(portrait: Portrait) -> list[str]:
    """What can be said of a run without a truth."""
    coding, promised = portrait.measures["coding_rate"], portrait.measures["expected_precision"]
    review = portrait.measures["review_rate"]
    told = [
        f"Sur {integer(portrait.n)} bulletins, {_told(coding)} sont codés automatiquement et "
        f"{percent(review.value)} vont à un gestionnaire.",
    ]
    if promised.n:
        told.append(
            f"D'après les probabilités annoncées, {_told(promised)} de ces codes devraient être "
            "justes : une promesse, pas une vérification."
        )
    return told


def drift_sentences(drift: Drift) -> list[str]:
    """What moved since the last campaign."""
    coding = drift.rates["coding_rate"]
    word = "change" if coding.is_clear else "ne change pas nettement"
    told = [
        f"Depuis la campagne précédente, le taux de codage {word} : {percent(coding.before.value)} "
        f"puis {percent(coding.now.value)} ({points(coding.difference)} points)."
    ]
    moved = [SCORE_LABELS[n] for n, s in drift.scores.items() if s.verdict != "stable"]
    told.append(
        "La répartition des scores est à regarder pour : " + ", ".join(moved) + "."
        if moved
        else "La répartition des scores est stable."
    )
    gaps = [f"{FIELDS[n]} ({points(c.difference)})" for n, c in drift.missing.items() if c.is_clear]
    if gaps:
        told.append("Champs plus ou moins souvent vides, en points : " + ", ".join(gaps) + ".")
    return told


def _best(runs: Mapping[str, Evaluation]) -> list[str]:
    if len(runs) < 2:
        return []
    name = next(iter(runs))
    told = f"Le premier des {len(runs)} passages est « {name} »"
    first, second = ([*runs.values()][i].overall.siret.get("coverage_95") for i in (0, 1))
    if first is not None and second is not None and not first.low > second.high:
        return [told + ", mais l'écart avec le suivant est dans les intervalles."]
    return [told + "."]


def _coding(overall: Metrics) -> str:
    coding, precision = overall.siret["coding_rate"], overall.siret["precision"]
    text = f"Sur {integer(overall.n)} bulletins, {_told(coding)} sont codés automatiquement"
    return text + (f", dont {_told(precision)} de justes." if precision.n else ".")


def _reach(overall: Metrics) -> str:
    coverage = overall.siret.get("coverage_95")
    if coverage is None or math.isnan(coverage.value):
        return ""
    text = (
        f"À 95 % de codes justes, on pourrait coder {percent(coverage.value)} des bulletins ; "
        f"à 98 %, {percent(overall.siret['coverage_98'].value)}."
    )
    recall = overall.siret.get("recall_20")
    if recall is not None and recall.n:
        text += (
            f" Quand l'établissement est au répertoire, il est parmi les vingt premiers candidats "
            f"{percent(recall.value)} du temps."
        )
    return text


def _naf(overall: Metrics) -> list[str]:
    naf = overall.naf.get(5)
    if not naf:
        return []
    text = (
        f"L'activité (NAF à 5 caractères) est codée pour {_told(naf['coding_rate'])} des bulletins"
    )
    known = naf["precision_known"]
    return [
        text
        + (f", et juste pour {_told(known)} d'entre eux quand on la connaît." if known.n else ".")
    ]


def _calibration(overall: Metrics) -> list[str]:
    error = overall.siret.get("calibration_error")
    if error is None or not error.n:
        return []
    unit = "points" if 100 * error.value >= 2 else "point"
    return [
        f"La probabilité annoncée s'écarte en moyenne de {decimal(100 * error.value, 1)} {unit} "
        "de la part juste."
    ]


def _errors(overall: Metrics) -> list[str]:
    kinds = overall.errors.get("auto", {})
    if not kinds.get("wrong"):
        return []
    absent = kinds["not_in_register"] / kinds["wrong"]
    site = kinds["right_siren_wrong_site"] / kinds["wrong"]
    return [
        f"Des {integer(kinds['wrong'])} codes faux, {percent(absent, 0)} touchent un établissement "
        f"absent du répertoire et {percent(site, 0)} la bonne entreprise mais un autre site."
    ]


def _past(overall: Metrics) -> list[str]:
    name = "mca_c" if "mca_c" in overall.agreement else "mca"
    past = overall.agreement.get(name)
    if past is None:
        return []
    right = overall.who_was_right[name]["auto"]
    return [
        f"MCA codait {percent(past['coding_rate'].value)} des bulletins, dont "
        f"{percent(past['precision'].value)} de justes. Parmi ceux que nous codons tous deux sans "
        f"être d'accord, nous avons raison {integer(right['run_right'])} fois et MCA "
        f"{integer(right['other_right'])} fois."
    ]


def _told(measure: Measure) -> str:
    """``77,8 % (de 77,2 à 78,4)``."""
    low, high = (decimal(100 * v, 1) for v in (measure.low, measure.high))
    return f"{percent(measure.value)} (de {low} à {high})"
