"""Phase 5: coded, to a clerk, or none — at the precision that was asked for.

"On peut toujours trouver un écho, encore faut-il s'assurer que c'est le bon": the score of
the best echo is compared with its rivals and with the chance that the right establishment is
not among them; the probability that comes out is calibrated, and a threshold on it decides.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns, Rows
from geomatch.core.config import DecisionOptions
from geomatch.core.decision_types import check_conditions, decision_types
from geomatch.linkage.model import Model, threshold_for

#: Types that a flag of the bulletin tells (:func:`bulletin_flags`).
_FLAG_TYPES = ("abroad", "outside_store", "no_declaration", "private_employer", "self_employed",
               "home", "itinerant", "temp_agency", "generic_employer")  # fmt: skip
#: Types that the candidates tell, with "sure" before all others and "low_probability" for the rest.
_ECHO_TYPES = ("sure", "no_candidate", "same_siren", "tie", "low_probability")
#: Chance of a unit from which only its establishment is in doubt.
_SURE_UNIT = 0.8
#: Share of the best candidate's chance from which the second is as good.
_AS_GOOD = 0.5
#: Probability under which "none" is an answer, for types that allow it.
_UNLIKELY = 0.2


def best_echoes(pairs: Columns, features: Columns, flags: Columns) -> Rows:
    """What is known of each bulletin's best echo: the features of calibration.

    Parameters
    ----------
    pairs : table
        ``row``, ``score``, ``chance``, ``siren``, sorted by row then by falling score.
    features : table aligned with `pairs`
        The ranking features.
    flags : table, one row a bulletin
        See :func:`bulletin_flags`.

    Returns
    -------
    Rows aligned with `flags`: ``first`` (position in `pairs`, -1 for none),
    ``second_chance``, ``chance`` and the columns of :data:`CALIBRATION_FEATURES`.
    """
    n = len(flags)
    row = np.asarray(pairs["row"], np.int64)
    first = np.searchsorted(row, np.arange(n))
    size = np.searchsorted(row, np.arange(n), side="right") - first
    nowhere = len(row)  # position of a pair that stands for "no echo"
    top = np.where(size > 0, first, nowhere)
    chance = np.append(np.asarray(pairs["chance"], np.float64), 1e-6)
    siren = np.append(np.asarray(pairs["siren"], np.int64), -1)
    best = chance[top]
    second = np.where(size > 1, chance[np.minimum(first + 1, nowhere)], 0.0)
    of_unit = np.where(siren[:-1] == siren[top][row], chance[:-1], 0.0)
    echoes = {
        "first": np.where(size > 0, first, -1),
        "chance": best,
        "second_chance": second,
        "log_odds": _logit(best),
        "score": np.append(np.asarray(pairs["score"], np.float64), -8.0)[top],
        "lead": np.log((best + 1e-4) / (second + 1e-4)),
        "unit_chance": np.bincount(row, weights=of_unit, minlength=n),
    }
    for name in _TOP_FEATURES:
        echoes[f"top_{name}"] = np.append(np.asarray(features[name], np.float64), 0.0)[top]
    for flag in _FLAGS:
        echoes[flag] = np.asarray(flags[flag], np.float64)
    return Rows(echoes)


_TOP_FEATURES = ("both", "rare_match", "rare_local", "characters", "number", "inside", "unnamed")
_FLAGS = ("is_generic", "is_paper", "is_placed", "is_temp", "is_home", "name_missing")
#: Columns of :func:`best_echoes` that the calibration sees.
CALIBRATION_FEATURES: tuple[str, ...] = (
    "log_odds",
    "score",
    "lead",
    "unit_chance",
    *(f"top_{name}" for name in _TOP_FEATURES),
    *_FLAGS,
)


def bulletin_flags(
    bulletins: Columns,
    kind: list[str],
    level: NDArray[np.object_],
    is_outside: NDArray[np.bool_] | None = None,
    is_abroad: NDArray[np.bool_] | None = None,
) -> Rows:
    """Facts of each bulletin that decide its type and feed calibration.

    `kind` is that of :func:`geomatch.names.clean.employer_kinds`, `level` the geocode level;
    `is_outside` tells whose place of work is in a département that the store does not hold,
    `is_abroad` whose is in another country (None: nobody's).
    """
    n = len(kind)
    kinds = np.array(kind, dtype=object)
    place = np.asarray(bulletins["lieu_variable"])
    return Rows(
        {
            "abroad": np.zeros(n, bool) if is_abroad is None else is_abroad,
            "outside_store": np.zeros(n, bool) if is_outside is None else is_outside,
            "no_declaration": kinds == "no_declaration",
            "private_employer": (kinds == "private_employer") | (place == "3"),
            "self_employed": kinds == "self_employed",
            "home": place == "2",
            "itinerant": place == "1",
            "temp_agency": kinds == "temp_agency",
            "generic_employer": (kinds != "") & (kinds != "temp_agency"),
            "is_generic": (kinds != "") & (kinds != "no_declaration"),
            "is_paper": np.asarray(bulletins["mode_collecte"]) == "paper",
            "is_placed": (level == "housenumber") | (level == "interpolated") | (level == "street"),
            "is_temp": kinds == "temp_agency",
            "is_home": place == "2",
            "name_missing": np.asarray(bulletins["raison_sociale"]) == "",
        }
    )


def decide(echoes: Columns, flags: Columns, model: Model, options: DecisionOptions) -> Rows:
    """auto, review or none for each bulletin, with type and reason.

    Returns
    -------
    Rows aligned with `echoes`: ``decision``, ``probability``, ``margin``, ``type``,
    ``reason``.
    """
    found = np.asarray(echoes["first"]) >= 0
    probability = np.where(found, model.siret.probability(echoes), 0.0)
    sure = probability >= threshold_for(model.thresholds, options.precision)
    sure &= ~np.asarray(flags["abroad"], bool)  # no establishment of France is abroad
    kind = types_of(type_conditions(echoes, flags, found, sure, probability))
    known = decision_types()
    may_be_none = np.array([known[k].may_be_none for k in kind], dtype=bool)
    is_none = may_be_none & ~sure & (probability < _UNLIKELY)
    decision = np.where(sure, "auto", np.where(is_none, "none", "review"))
    margin = np.maximum(probability - np.asarray(echoes["second_chance"]), 0.0)
    return Rows(
        {
            "decision": decision.astype(object),
            "probability": probability,
            "margin": np.where(found, margin, 0.0),
            "type": kind,
            "reason": np.array([known[k].reason for k in kind], dtype=object),
        }
    )


def type_conditions(
    echoes: Columns, flags: Columns, found: NDArray, sure: NDArray, probability: NDArray
) -> dict[str, NDArray[np.bool_]]:
    """Which bulletins each type of :func:`~geomatch.core.decision_types.decision_types` fits."""
    tie = np.asarray(echoes["second_chance"]) > _AS_GOOD * np.asarray(echoes["chance"])
    told = (
        sure,
        ~found,
        (np.asarray(echoes["unit_chance"]) > _SURE_UNIT) & found,
        tie & found & (probability > 0.05),
        np.ones(len(found), dtype=bool),
    )
    of_flags = {k: np.asarray(flags[k], dtype=bool) for k in _FLAG_TYPES}
    return {**of_flags, **dict(zip(_ECHO_TYPES, told, strict=True))}


def types_of(conditions: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.object_]:
    """The type of each bulletin: of those that fit, the one of the first priority.

    Raises :class:`~geomatch.core.errors.ConfigError` when a type has no condition, or a condition
    no type.
    """
    check_conditions(conditions)
    codes = list(decision_types())
    return np.select([conditions[c] for c in codes], codes, default="").astype(object)


def decide_naf(
    pairs: Columns, echoes: Columns, texts: Columns, model: Model, precision: float
) -> Rows:
    """The NAF that the likely echoes agree on, or that the texts alone imply.

    Parameters
    ----------
    pairs : table
        ``row``, ``chance``, ``naf`` (text), sorted by row.
    texts : table aligned with `echoes`
        ``naf`` the likeliest code from activity, occupation and name, ``naf_chance`` its share.

    Returns
    -------
    Rows ``naf``, ``naf_probability``, ``naf_decision`` aligned with `echoes`.
    """
    n = len(echoes)
    row = np.asarray(pairs["row"], np.int64)
    chance = np.asarray(pairs["chance"], np.float64)
    known = np.zeros(n)
    np.add.at(known, row, chance)
    naf, share = _likeliest(
        np.concatenate([row, np.arange(n)]),
        np.concatenate([np.asarray(t["naf"], object) for t in (pairs, texts)]),
        np.concatenate([chance, (1 - known) * np.asarray(texts["naf_chance"])]),
        n,
    )
    features = naf_features(share, echoes)
    probability = np.where(naf != "", model.naf.probability(features), 0.0)
    sure = probability >= threshold_for(model.naf_thresholds, precision)
    decision = np.where(naf == "", "none", np.where(sure, "auto", "review"))
    return Rows(
        {
            "naf": naf,
            "naf_probability": probability,
            "naf_decision": decision.astype(object),
            "naf_share": share,
        }
    )


def _likeliest(
    row: NDArray[np.int64], naf: NDArray[np.object_], chance: NDArray[np.float64], n: int
) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Code of the largest sum of chances of each of `n` bulletins, and the sum; "" and 0 for none.

    Of equal ones the first in the order of codes.
    """
    told = np.flatnonzero(naf != "")
    code, distinct = pd.factorize(naf[told])
    in_order = np.argsort(distinct)
    rank = np.empty(len(distinct), np.int64)
    rank[in_order] = np.arange(len(distinct))
    span = max(len(distinct), 1)
    keys, group = np.unique(row[told] * span + rank[code], return_inverse=True)
    share = np.bincount(group.ravel(), chance[told], minlength=len(keys))
    order = np.lexsort((-share, keys // span))
    owner = keys[order] // span
    best = order[np.flatnonzero(np.append(True, owner[1:] != owner[:-1])[: len(owner)])]
    codes, shares = np.full(n, "", dtype=object), np.zeros(n)
    codes[keys[best] // span] = distinct[in_order[keys[best] % span]]
    shares[keys[best] // span] = share[best]
    return codes, shares


def naf_features(share: NDArray[np.float64], echoes: Columns) -> Rows:
    """Features of the NAF's calibration."""
    told = {c: np.asarray(echoes[c]) for c in NAF_FEATURES[1:]}
    return Rows({"share_log_odds": _logit(share), **told})


NAF_FEATURES = ("share_log_odds", "log_odds", "is_generic", "name_missing")


def _logit(p: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
