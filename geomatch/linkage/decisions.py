"""Phase 5: what is known of each bulletin by itself, for its file to decide on.

"On peut toujours trouver un écho, encore faut-il s'assurer que c'est le bon": whether the
establishment is in the register at all, and which of the candidates it is if so, are asked
apart. The answers are calibrated; how a file settles them is in :mod:`geomatch.linkage.settling`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns, Rows
from geomatch.core.decision_types import check_conditions, decision_types
from geomatch.linkage.calibration_features import log_odds
from geomatch.linkage.facts import facts_of
from geomatch.linkage.model import LEVELS, Model, threshold_for

#: Types that a flag of the bulletin tells, see
#: :func:`~geomatch.linkage.calibration_features.bulletin_flags`.
_FLAG_TYPES = ("abroad", "outside_store", "no_declaration", "private_employer", "self_employed",
               "home", "itinerant", "temp_agency", "generic_employer")  # fmt: skip
#: Types that the candidates tell, with "sure" before all others and "low_probability" for the rest.
_ECHO_TYPES = ("sure", "no_candidate", "same_siren", "tie", "low_probability")
#: Chance of a unit from which only its establishment is in doubt.
_SURE_UNIT = 0.8
#: Share of the best candidate's chance from which the second is as good.
_AS_GOOD = 0.5


def assess(leading: Columns, flags: Columns, model: Model) -> Rows:
    """What is known of each bulletin by itself.

    Parameters
    ----------
    leading, flags : tables aligned with one another
        See :func:`geomatch.linkage.calibration_features.best_candidates` and
        :func:`~geomatch.linkage.calibration_features.bulletin_flags`.

    Returns
    -------
    Rows of :data:`geomatch.linkage.settling.ASSESSED`.
    """
    found = np.asarray(leading["first"]) >= 0
    presence = model.presence.probability(leading)
    given: dict[str, NDArray[np.float64]] = {}
    least = np.zeros(len(found))
    for level in LEVELS:
        # An answer that says less is right wherever one that says more is.
        least = np.maximum(least, np.where(found, model.given[level].probability(leading), 0.0))
        given[f"given_{level}"] = least
    rivals = np.maximum(np.asarray(leading["found_chance"]) - np.asarray(leading["chance"]), 1e-9)
    share = np.minimum(np.asarray(leading["second_chance"]) / rivals, 1.0)
    second = np.minimum((1.0 - given["given_siret"]) * share, given["given_siret"])
    told = Rows({"presence": presence, **given, "given_second": np.round(second, 6)})
    by_itself = presence * given["given_siret"]
    kind = types_of(type_conditions(leading, flags, found, np.zeros(len(found), bool), by_itself))
    seen = Rows({c: np.asarray(leading[c]) for c in leading}).plus(given_second=second)
    return told.plus(doubt=kind, facts=facts_of(seen))


def type_conditions(
    leading: Columns, flags: Columns, found: NDArray, sure: NDArray, probability: NDArray
) -> dict[str, NDArray[np.bool_]]:
    """Which bulletins each type of :func:`~geomatch.core.decision_types.decision_types` fits."""
    tie = np.asarray(leading["second_chance"]) > _AS_GOOD * np.asarray(leading["chance"])
    told = (
        sure,
        ~found,
        (np.asarray(leading["unit_chance"]) > _SURE_UNIT) & found,
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
    pairs: Columns, leading: Columns, texts: Columns, model: Model, precision: float
) -> Rows:
    """The NAF that the likely candidates agree on, or that the texts alone imply.

    Parameters
    ----------
    pairs : table
        ``row``, ``chance``, ``naf`` (text), sorted by row.
    texts : table aligned with `leading`
        ``naf`` the likeliest code from activity, occupation and name, ``naf_chance`` its share.

    Returns
    -------
    Rows ``naf``, ``naf_probability``, ``naf_decision`` aligned with `leading`.
    """
    n = len(leading)
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
    features = naf_features(share, leading)
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


def naf_features(share: NDArray[np.float64], leading: Columns) -> Rows:
    """Features of the NAF's calibration."""
    told = {c: np.asarray(leading[c]) for c in NAF_FEATURES[1:]}
    return Rows({"share_log_odds": log_odds(share), **told})


NAF_FEATURES = ("share_log_odds", "log_odds", "is_generic", "name_missing")
