"""Phase 4, second half: what speaks for each candidate, and which comes first.

:data:`FEATURES` is the whole of what the model sees of a bulletin and a candidate by themselves
(:mod:`geomatch.linkage.collective` has what other bulletins say); each line says what it measures.
The model is a table of weights kept as JSON; see :mod:`geomatch.linkage.model`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

from geomatch.arrays.rows import Columns, Rows
from geomatch.core.tables import load_table
from geomatch.linkage.activities import Evidence
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import ELSEWHERE, INSIDE, NEIGHBOUR, Places

#: Feature → what it measures. Scores are in [0, 1] unless said otherwise.
FEATURES: dict[str, str] = {
    "both": "product of the two",
    "shared": "weight (idf, natural log) of the words that both names have",
    "shared_outside": "shared, for candidates outside the declared commune",
    "characters": "similarity of the two names, words in order of the alphabet",
    "contained": "similarity of the best part of the longer name",
    "token_set": "similarity of shared and unshared words",
    "same_name": "1 when the two names are equal",
    "name_missing": "1 when the bulletin gives no usable name",
    "generic_name": "1 when the bulletin names a generic employer only",
    "unnamed": "1 when the register gives the establishment no name",
    "rare_match": "both, over 1 + log of those of the pool that bear the name",
    "rare_local": "both, over 1 + log of those that bear the name in the candidate's commune",
    "inside_match": "rare_local in the declared commune",
    "town_named": "1 when the written name holds the name of the candidate's commune",
    "town_other": "1 when it holds that of another commune only",
    "kind_shared": "1 when both names say the same kind of place (maternelle, lycée …)",
    "kind_differs": "1 when both say one and not the same",
    "kind_written_only": "1 when only the written name says one",
    "kind_more": "1 when the register's name says one that the written name does not",
    "street": "1 when both are in one street of the gazetteer",
    "street_text": "similarity of the street names as written",
    "street_missing": "1 when the bulletin gives no street",
    "street_unknown": "1 when the bulletin gives one and the register none",
    "number": "1 when street and number agree",
    "number_differs": "1 when the street agrees and both have numbers that differ",
    "number_gap": "how far the numbers are apart in one street, log scale; 0 when unknown",
    "number_alone": "1 when the numbers agree and the streets do not, or one is not known",
    "distance": "log of 1 + metres / 50, 0 when unknown",
    "distance_known": "1 when both have a position better than the commune",
    "within": "1 when the distance is within the two uncertainties",
    "ratio": "distance over the two uncertainties, at most 3, 0 when unknown",
    "inside": "1 in the declared commune",
    "neighbour": "1 in a neighbouring one",
    "outside_code": "1 outside a declared commune that was given by its official code",
    "choice_of_communes": "log of how many communes of the pool stand to the declared one alike",
    "home": "1 in the commune of residence, when work is said to be there",
    "home_excluded": "1 in the commune of residence, when work is said to be elsewhere",
    "activity": "evidence of the activity text for the candidate's NAF, log",
    "profession": "evidence of the occupation, log",
    "name_activity": "evidence of the written name, log",
    "kind_activity": "1 when the NAF is one that the generic employer implies",
    "kind_contradicts": "1 when it is not",
    "size": "log of the headcount's middle",
    "size_unknown": "1 when the tranche is NN",
    "siege": "1 for a head office",
    "eldest": "1 for the lowest NIC of its unit among the bulletin's candidates, if of several",
    "office": "1 for the office (mairie) of a local authority in the declared commune",
    "size_generic": "size, for generic or missing names only",
    "activity_generic": "activity, for generic or missing names only",
    "street_generic": "street, for generic or missing names only",
    "best_name": "both, less the best of the bulletin's candidates",
    "best_characters": "token_set, less the best",
    "best_activity": "activity and occupation together, less the best",
    "best_size": "size, less the best among candidates whose name is as good",
    "best_street": "1 when the street agrees, less the best",
    "best_number": "1 when the number agrees, less the best",
}
FEATURE_NAMES: tuple[str, ...] = tuple(FEATURES)
#: Names in one of so many steps, from nothing to the whole, are about as good as one another.
_NAME_STEPS = 20
#: Weights that a sample corrects, where it says anything. A file with official codes was filled
#: in by an administration, which takes one commune for another far more seldom than a
#: respondent; census bulletins, which the shipped model learned from, have no such column.
PRIOR_WEIGHTS: dict[str, float] = {"outside_code": -3.0}


@dataclass(frozen=True)
class Declared:
    """What the bulletins of a batch say, row by row, beside their places.

    ``written`` are the distinct written names (strings). ``kind_mask[kind[i]]`` tells which
    NAF codes the generic employer of bulletin *i* implies; ``kind`` is -1 for none.
    """

    written: NDArray[np.object_]
    has_name: NDArray[np.bool_]
    kind: NDArray[np.int64]
    kind_mask: NDArray[np.bool_]
    activity: Evidence
    profession: Evidence
    name_activity: Evidence

    def names_at(self, name: NDArray[np.int64]) -> NDArray[np.object_]:
        """Written names at some positions; ``""`` for no name, -1."""
        return np.append(self.written, "")[name]


def compare(
    pairs: Columns, places: Places, declared: Declared, pool: Pool, naf: NDArray[np.int64]
) -> Rows:
    """Features of each pair.

    Parameters
    ----------
    pairs : table of :data:`geomatch.linkage.blocking.PAIRS`, sorted by bulletin
    places, declared : what the bulletins say
    pool : the register side
    naf : position of each pool row's NAF among the codes of the evidence, -1 unknown

    Returns
    -------
    Rows of float32, one column a feature (:data:`FEATURES`), plus ``distance_m``,
    ``radius_m`` (NaN when unknown) for the reader; rows as in `pairs`.
    """
    row, est = (np.asarray(pairs[c], np.int64) for c in ("row", "establishment"))
    out: dict[str, NDArray] = {}
    out |= _names(pairs, declared, pool)
    out |= _streets(row, est, places, pool)
    out |= _distances(row, est, places, pool)
    relation = np.asarray(pairs["relation"])
    out["inside"], out["neighbour"] = relation == INSIDE, relation == NEIGHBOUR
    out["outside_code"] = places.by_code[row] & ~out["inside"]
    out["shared_outside"] = out["shared"] * ~out["inside"]
    out["inside_match"] = out["inside"] * out["rare_local"]
    out |= _communes(row, pool.commune[est], places)
    alike = np.stack([(places.relation == r).sum(axis=1) for r in (ELSEWHERE, NEIGHBOUR, INSIDE)])
    out["choice_of_communes"] = np.log(np.maximum(alike[relation, places.zone[row]], 1))
    out |= _activities(row, naf[est], declared)
    out["size"] = np.log(pool.headcount[est])
    out["size_unknown"] = pool.headcount[est] <= 0.5
    out["siege"] = pool.is_siege[est]
    out["eldest"] = _eldest(row, pool.siret_number[est], pool.siren[est])
    vague = out["name_missing"] | out["generic_name"]
    out["size_generic"] = vague * out["size"]
    out["activity_generic"] = vague * (out["activity"] + out["profession"])
    out["street_generic"] = vague * np.maximum(out["street"], out["street_text"])
    out["office"] = pool.is_office[est] & out["inside"]
    out |= _rivals(row, out)
    features = {k: np.asarray(out[k], np.float32) for k in FEATURE_NAMES}
    return Rows({**features, "distance_m": out["metres"], "radius_m": out["radius"]})


def _names(pairs: Columns, declared: Declared, pool: Pool) -> dict[str, NDArray]:
    row, written, known = (np.asarray(pairs[c], np.int64) for c in ("row", "written", "known"))
    compared = (written >= 0) & (known >= 0)
    key = np.where(compared, written * max(pool.n_names, 1) + known, -1)
    distinct, first, back = np.unique(key, return_index=True, return_inverse=True)
    left, sorted_left, a = _read(declared.names_at, np.where(compared, written, -1)[first])
    right, sorted_right, b = _read(pool.names_at, np.where(compared, known, -1)[first])
    none = distinct == -1

    def similarity(scorer: Any, a: NDArray, b: NDArray) -> NDArray:
        values = cpdist(a, b, scorer=scorer, dtype=np.float32) / 100.0
        return np.where(none, 0.0, values)[back]

    both = np.asarray(pairs["of_written"]) * np.asarray(pairs["of_known"])
    bearers = pool.bearers(known)
    rare = np.where(compared, 1.0 / (1.0 + np.log(np.maximum(bearers, 1))), 0.0)
    generic = declared.kind[row] >= 0
    establishment = np.asarray(pairs["establishment"], np.int64)
    local = pool.bearers_nearby(known, establishment)
    return {
        "both": both,
        "shared": np.asarray(pairs["shared"]),
        "characters": similarity(fuzz.ratio, sorted_left, sorted_right),
        "contained": similarity(fuzz.partial_ratio, left, right),
        "token_set": similarity(fuzz.token_set_ratio, left, right),
        "same_name": ((left == right) & ~none)[back],
        "kind_shared": ((a & b) != 0)[back],
        "kind_differs": ((a != 0) & (b != 0) & ((a & b) == 0))[back],
        "kind_written_only": ((a != 0) & (b == 0))[back],
        "kind_more": ((b & ~a) != 0)[back],
        "name_missing": ~declared.has_name[row] & ~generic,
        "generic_name": ~declared.has_name[row] & generic,
        "unnamed": ~pool.has_name[establishment],
        "rare_match": rare * both,
        "rare_local": np.where(compared, both / (1.0 + np.log(local)), 0.0),
    }


def _read(
    names_at: Callable[[NDArray[np.int64]], NDArray[np.object_]], at: NDArray[np.int64]
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.int64]]:
    """Names at some positions (-1: an empty one), with their words sorted, and kinds of place.

    Kinds are bits (see ``tables/kinds_of_place.csv``). Each distinct name is read once.
    """
    position, back = np.unique(at, return_inverse=True)
    back = back.ravel()
    distinct = names_at(position).tolist()
    words = [name.split() for name in distinct]
    in_order = np.array([" ".join(sorted(w)) for w in words], dtype=object)
    kinds = np.array([_kinds_of(ws) for ws in words], np.int64)
    return np.array(distinct, dtype=object)[back], in_order[back], kinds[back]


def _kinds_of(words: Sequence[str]) -> int:
    bits, kinds = _kind_bits(), 0
    for word in words:
        if word in bits:
            kinds |= bits[word]
    return kinds


@functools.cache
def _kind_bits() -> dict[str, int]:
    bits: dict[str, int] = {}
    for i, (_, words) in enumerate(load_table("kinds_of_place")):
        for word in words.split():
            bits[word] = bits.get(word, 0) | 1 << i
    return bits


def _streets(row: NDArray, est: NDArray, places: Places, pool: Pool) -> dict[str, NDArray]:
    street = (places.street[row] >= 0) & (places.street[row] == pool.street[est])
    given, known = (places.street_text != "")[row], pool.street_text_code[est] >= 0
    text = np.zeros(len(row), np.float32)
    both = np.flatnonzero(given & known)
    if len(both):
        asked, borne = places.street_text[row[both]], pool.street_text[est[both]]
        likeness = cpdist(asked, borne, scorer=fuzz.ratio, score_cutoff=50, dtype=np.float32)
        text[both] = np.maximum(likeness / 100.0 - 0.5, 0.0) * 2.0
    same = street | (text >= 0.85)
    a, b = places.numero[row], pool.numero[est]
    numbered = same & (a > 0) & (b > 0)
    return {
        "street": street,
        "street_text": text,
        "street_missing": ~given,
        "street_unknown": given & ~known & ~street,
        "number": numbered & (a == b),
        "number_differs": numbered & (a != b),
        "number_alone": ~same & (a > 0) & (a == b),
        "number_gap": np.where(numbered, np.log1p(np.abs(a - b)), 0.0),
    }


def _communes(row: NDArray, commune: NDArray, places: Places) -> dict[str, NDArray]:
    """What residence and the employer's name say of the candidate's commune."""
    at_home = places.home[row] == commune
    n_towns = np.diff(places.named.indptr)[row]
    named = np.zeros(len(row), dtype=bool)
    asked = np.flatnonzero(n_towns)
    if len(asked):
        named[asked] = places.named[row[asked], commune[asked]] > 0
    return {
        "home": at_home & (places.at_home[row] > 0),
        "home_excluded": at_home & (places.at_home[row] < 0),
        "town_named": named,
        "town_other": (n_towns > 0) & ~named,
    }


def _distances(row: NDArray, est: NDArray, places: Places, pool: Pool) -> dict[str, NDArray]:
    metres = np.hypot(*(places.position[row] - pool.position[est]).T)
    radius = places.radius[row] + pool.uncertainty[est]
    known = ~np.isnan(metres) & np.isfinite(radius) & (radius < 5_000.0)
    return {
        "distance": np.where(known, np.log1p(metres / 50.0), 0.0),
        "distance_known": known,
        "within": known & (metres <= radius),
        "ratio": np.where(known, np.minimum(metres / np.maximum(radius, 1.0), 3.0), 0.0),
        "metres": metres,
        "radius": np.where(np.isfinite(radius), radius, np.nan),
    }


def _activities(row: NDArray, naf: NDArray, declared: Declared) -> dict[str, NDArray]:
    kind = declared.kind[row]
    implies = np.asarray(declared.kind_mask.any(axis=1))
    asks = (kind >= 0) & implies[np.maximum(kind, 0)]
    fits = asks & (naf >= 0)
    fits[fits] = declared.kind_mask[kind[fits], naf[fits]]
    return {
        "activity": declared.activity.of_pairs(row, naf),
        "profession": declared.profession.of_pairs(row, naf),
        "name_activity": declared.name_activity.of_pairs(row, naf),
        "kind_activity": fits,
        "kind_contradicts": asks & ~fits,
    }


def _eldest(
    row: NDArray[np.int64], siret: NDArray[np.int64], siren: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The first establishment that the unit had, of those of it among a bulletin's candidates.

    NICs are given in the order of registration, and the first is mostly the principal one: the
    town hall of a commune, to which services without a SIRET are coded.
    """
    order = np.lexsort((siret, row))
    row, siren = row[order], siren[order]
    begins = np.flatnonzero(np.r_[True, (row[1:] != row[:-1]) | (siren[1:] != siren[:-1])])
    several = np.diff(np.r_[begins, len(order)]) > 1
    out = np.zeros(len(order), dtype=bool)
    out[order[begins[several]]] = True
    return out


def _rivals(row: NDArray, out: dict[str, NDArray]) -> dict[str, NDArray]:
    """What a candidate is worth beside the others of its bulletin."""
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.array([], np.int64)
    group = np.cumsum(np.r_[0, row[1:] != row[:-1]]) if len(row) else np.array([], np.int64)

    def less_best(values: NDArray) -> NDArray:
        values = np.asarray(values, np.float64)
        return values - np.maximum.reduceat(values, start)[group] if len(start) else values

    best_name = less_best(out["both"])
    name_class = np.round(np.asarray(out["both"]) * _NAME_STEPS).astype(np.int64)
    street = np.maximum(out["street"], out["street_text"] >= 0.85).astype(np.int64)
    return {
        "best_name": best_name,
        "best_characters": less_best(out["token_set"]),
        "best_activity": less_best(out["activity"] + out["profession"]),
        "best_size": out["size"] - _group_max(group, name_class, out["size"]),
        "best_street": less_best(street),
        "best_number": less_best(out["number"]),
    }


def _group_max(group: NDArray, name_class: NDArray, values: NDArray) -> NDArray:
    code = group * (_NAME_STEPS + 1) + name_class
    best = np.full(code.max(initial=-1) + 1, -np.inf)
    np.maximum.at(best, code, values)
    return best[code]
