"""What is known of a bulletin and its candidates as a whole: the features of calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Columns, Rows
from geomatch.linkage.collective import FEATURES as COLLECTIVE_FEATURES
from geomatch.linkage.ranking import FEATURE_NAMES

#: Score of a candidate that is not there, and a lead that no rival contests.
_NO_SCORE, _MOST_LEAD = -8.0, 12.0
#: What depends on how much of the country a store holds. Nor does calibration look at features that
#: compare the best candidate with its rivals: lead and shares tell that.
_NOT_LOOKED_AT = frozenset({"choice_of_communes"})
_TOP_FEATURES = tuple(
    f for f in FEATURE_NAMES if not f.startswith("best_") and f not in _NOT_LOOKED_AT
)
_FLAGS = ("no_declaration", "private_employer", "self_employed", "is_home", "itinerant", "is_temp",
          "is_generic", "is_paper", "is_placed", "name_missing")  # fmt: skip
#: Columns of :func:`best_candidates` that calibrators may look at. How many candidates there are
#: is not among them: it tells how much of a register a store holds, not whether it holds this one.
CALIBRATION_FEATURES: tuple[str, ...] = (
    "found_log_odds",
    "log_odds",
    "score",
    "lead",
    "lead_third",
    "lead_unit",
    "share_log_odds",
    "site_log_odds",
    "unit_log_odds",
    *(f"top_{name}" for name in (*_TOP_FEATURES, *COLLECTIVE_FEATURES)),
    *_FLAGS,
)


def best_candidates(pairs: Columns, features: Columns, flags: Columns) -> Rows:
    """What is known of each bulletin's best candidate and its rivals.

    Parameters
    ----------
    pairs : table
        ``row``, ``score``, ``chance``, ``siren``, ``code_commune`` and what other bulletins say
        (:data:`geomatch.linkage.collective.FEATURES`), sorted by row then by falling score.
    features : table aligned with `pairs`
        The ranking features.
    flags : table, one row a bulletin
        See :func:`bulletin_flags`.

    Returns
    -------
    Rows aligned with `flags`: ``first`` (position in `pairs`, -1 for none), ``chance``,
    ``second_chance``, ``unit_chance``, ``site_chance`` (the unit's establishments in the commune of
    the first), ``found_chance`` (all candidates together) and :data:`CALIBRATION_FEATURES`.
    """
    n = len(flags)
    row = np.asarray(pairs["row"], np.int64)
    first = np.searchsorted(row, np.arange(n))
    size = np.searchsorted(row, np.arange(n), side="right") - first
    nowhere = len(row)  # position of a pair that stands for "no candidate"
    top = np.where(size > 0, first, nowhere)
    chance = np.append(np.asarray(pairs["chance"], np.float64), 1e-6)
    score = np.append(np.asarray(pairs["score"], np.float64), _NO_SCORE)
    siren = np.append(np.asarray(pairs["siren"], np.int64), -1)
    is_unit = siren[:-1] == siren[top][row]
    commune = np.append(np.asarray(pairs["code_commune"], object), "")
    is_site = is_unit & (commune[:-1] == commune[top][row]).astype(bool)
    best, found = chance[top], np.bincount(row, chance[:-1], n).astype(np.float64)
    second, third = (np.where(size > k, first + k, nowhere) for k in (1, 2))
    other = np.full(n, _NO_SCORE)
    np.maximum.at(other, row, np.where(is_unit, _NO_SCORE, score[:-1]))
    unit, site = (np.bincount(row, np.where(f, chance[:-1], 0.0), n) for f in (is_unit, is_site))
    known = np.maximum(found, 1e-9)
    second_chance = np.where(size > 1, chance[second], 0.0)
    leading = {
        "first": np.where(size > 0, first, -1),
        "chance": best,
        "second_chance": second_chance,
        "unit_chance": unit,
        "site_chance": site,
        "found_chance": found,
        "found_log_odds": log_odds(found),
        "log_odds": log_odds(best),
        "score": score[top],
        "lead": np.minimum(score[top] - score[second], _MOST_LEAD),
        "lead_third": np.minimum(score[top] - score[third], _MOST_LEAD),
        "lead_unit": np.minimum(score[top] - other, _MOST_LEAD),
        "share_log_odds": log_odds(best / known),
        "site_log_odds": log_odds(site / known),
        "unit_log_odds": log_odds(unit / known),
    }
    for table, names in ((features, _TOP_FEATURES), (pairs, tuple(COLLECTIVE_FEATURES))):
        for name in names:
            values = np.append(np.asarray(table[name], np.float64), 0.0)
            leading[f"top_{name}"] = values[top]
    for flag in _FLAGS:
        leading[flag] = np.asarray(flags[flag], np.float64)
    return Rows(leading)


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


def log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of probabilities, finite."""
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
