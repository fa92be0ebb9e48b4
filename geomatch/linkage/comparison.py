"""Phase 4, second half: the values of the features, by family.

Each function takes a :class:`Comparison` and gives one array, or several by name of the feature.
:mod:`geomatch.linkage.ranking` lists the features and says which function computes each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

from geomatch.arrays.rows import Columns
from geomatch.core.tables import load_table
from geomatch.linkage.activities import Evidence
from geomatch.linkage.pool import Pool
from geomatch.linkage.workplaces import Places, Relation
from geomatch.names.clean import name_words
from geomatch.names.distinctive import Distinctive

#: Names in one of so many steps, from nothing to the whole, are about as good as one another.
_NAME_STEPS = 20
#: Names that share less than this (product of the coverages) are those of strangers.
_STRANGER = 0.1


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
    distinctive: Distinctive
    #: weight of the distinctive words of each bulletin's first name
    own_weight: NDArray[np.float32]

    def names_at(self, name: NDArray[np.int64]) -> NDArray[np.object_]:
        """Written names at some positions; ``""`` for no name, -1."""
        return np.append(self.written, "")[name]


#: Computes one feature, or several by name.
Function = Callable[["Comparison"], "NDArray[Any] | Mapping[str, NDArray[Any]]"]


class Comparison:
    """Pairs of a bulletin and an establishment, and the features computed of them so far.

    ``comparison[name]`` is a feature's array, one item a pair; it is computed when it is first
    asked for, so that a feature may use another one.

    Parameters
    ----------
    pairs : table of :data:`geomatch.linkage.blocking.PAIRS`, sorted by bulletin
    places, declared : what the bulletins say
    pool : the register side
    naf : position of each pool row's NAF among the codes of the evidence, -1 unknown
    functions : name → function that computes it
    """

    def __init__(
        self,
        pairs: Columns,
        places: Places,
        declared: Declared,
        pool: Pool,
        naf: NDArray[np.int64],
        functions: Mapping[str, Function],
    ) -> None:
        self.pairs, self.places, self.declared, self.pool = pairs, places, declared, pool
        self.row, self.est = (np.asarray(pairs[c], np.int64) for c in ("row", "establishment"))
        #: Position of each pair's NAF among the codes of the evidence.
        self.naf = naf[self.est]
        self._functions = functions
        self._values: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._values:
            found = self._functions[name](self)
            self._values |= found if isinstance(found, Mapping) else {name: found}
        return self._values[name]

    @property
    def is_vague(self) -> NDArray[np.bool_]:
        """Pairs whose bulletin gives no name, or a generic one only."""
        return np.asarray(self["name_missing"] | self["generic_name"])


def names(c: Comparison) -> dict[str, NDArray]:
    """How alike the written name and the register's are."""
    pairs, declared, pool = c.pairs, c.declared, c.pool
    row, written, known = (np.asarray(pairs[n], np.int64) for n in ("row", "written", "known"))
    compared = (written >= 0) & (known >= 0)
    key = np.where(compared, written * max(pool.n_names, 1) + known, -1)
    distinct, first, back = np.unique(key, return_index=True, return_inverse=True)
    left, sorted_left, a = _read(declared.names_at, np.where(compared, written, -1)[first])
    right, sorted_right, b = _read(pool.names_at, np.where(compared, known, -1)[first])
    none = distinct == -1

    unspaced = _unspaced_alike(left, right)

    def similarity(scorer: Any, a: NDArray, b: NDArray) -> NDArray:
        values = cpdist(a, b, scorer=scorer, dtype=np.float32) / 100.0
        return np.where(none, 0.0, np.where(unspaced, 1.0, values))[back]

    both = np.asarray(pairs["of_written"]) * np.asarray(pairs["of_known"])
    bearers = pool.bearers(known)
    rare = np.where(compared, 1.0 / (1.0 + np.log(np.maximum(bearers, 1))), 0.0)
    generic = declared.kind[row] >= 0
    establishment = np.asarray(pairs["establishment"], np.int64)
    local = pool.bearers_nearby(known, establishment)
    shared, of_written, of_known = (
        np.asarray(pairs[n], np.float64) for n in ("shared", "of_written", "of_known")
    )
    return {
        "both": both,
        "shared": shared,
        "rest_written": np.log1p(shared * (1.0 - of_written) / np.maximum(of_written, 0.05)),
        "rest_known": np.log1p(shared * (1.0 - of_known) / np.maximum(of_known, 0.05)),
        "characters": similarity(fuzz.ratio, sorted_left, sorted_right),
        "contained": similarity(fuzz.partial_ratio, left, right),
        "token_set": similarity(fuzz.token_set_ratio, left, right),
        "same_name": (unspaced & ~none)[back],
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


def _unspaced_alike(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Which names are equal when spaces do not count, or neither spaces nor stop words do."""

    def is_same(a: str, b: str) -> bool:
        if a == b or a.replace(" ", "") == b.replace(" ", ""):
            return True
        return "".join(name_words(a)) == "".join(name_words(b))

    return np.fromiter(map(is_same, left, right), bool, len(left))


def stranger_at_door(c: Comparison) -> NDArray:
    """Same street and number, both sides named, and the names have nothing in common."""
    named = c.declared.has_name[c.row] & c.pool.has_name[c.est]
    return np.asarray(named & (c["number"] > 0) & (c["both"] < _STRANGER))


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


def streets(c: Comparison) -> dict[str, NDArray]:
    """Whether street and number agree."""
    row, est, places, pool = c.row, c.est, c.places, c.pool
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
        "street_differs": given & known & ~street & (text <= 0.0),
        "number": numbered & (a == b),
        "number_differs": numbered & (a != b),
        "number_alone": ~same & (a > 0) & (a == b),
        "number_gap": np.where(numbered, np.log1p(np.abs(a - b)), 0.0),
    }


def communes(c: Comparison) -> dict[str, NDArray]:
    """What residence and the employer's name say of the candidate's commune."""
    row, commune, places = c.row, c.pool.commune[c.est], c.places
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


def distances(c: Comparison) -> dict[str, NDArray]:
    """How far apart the two places are; also ``metres`` and ``radius`` (NaN when unknown)."""
    row, est, places, pool = c.row, c.est, c.places, c.pool
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


def activities(c: Comparison) -> dict[str, NDArray]:
    """What the texts and the generic employer say of the candidate's NAF."""
    row, naf, declared = c.row, c.naf, c.declared
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


def declared_commune(c: Comparison) -> dict[str, NDArray]:
    """How the candidate's commune stands to the declared one."""
    relation = np.asarray(c.pairs["relation"])
    inside, stands = relation == Relation.INSIDE, c.places.relation
    alike = np.stack([(stands == r).sum(axis=1) for r in Relation])
    return {
        "inside": inside,
        "neighbour": relation == Relation.NEIGHBOUR,
        "outside_code": c.places.by_code[c.row] & ~inside,
        "choice_of_communes": np.log(np.maximum(alike[relation, c.places.zone[c.row]], 1)),
    }


def establishments(c: Comparison) -> dict[str, NDArray]:
    """What the register says of the candidate by itself."""
    pool, est = c.pool, c.est
    return {
        "size": np.log(pool.headcount[est]),
        "size_unknown": pool.headcount[est] <= 0.5,
        "siege": pool.is_siege[est],
        "eldest": eldest_of_unit(c.row, pool.siret_number[est], pool.siren[est]),
        "office": pool.is_office[est] & c["inside"],
        "first_of_unit": pool.is_first[est],
        "registered_late": np.log1p(np.maximum(pool.sequence[est] - 1, 0)),
    }


def first_elsewhere(c: Comparison) -> NDArray:
    """The unit's first establishment, in another street than the one that is given.

    Services without a SIRET of their own are coded to it, wherever they stand.
    """
    return np.asarray(c["first_of_unit"] & c["street_differs"])


def shared_outside(c: Comparison) -> NDArray:
    """Shared words count otherwise outside the declared commune."""
    return np.asarray(c["shared"] * ~c["inside"])


def inside_match(c: Comparison) -> NDArray:
    """A locally rare name in the declared commune."""
    return np.asarray(c["inside"] * c["rare_local"])


def of_vague_names(c: Comparison) -> dict[str, NDArray]:
    """What else counts where the name says little."""
    return {
        "size_generic": c.is_vague * c["size"],
        "activity_generic": c.is_vague * (c["activity"] + c["profession"]),
        "street_generic": c.is_vague * np.maximum(c["street"], c["street_text"]),
    }


def eldest_of_unit(
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


def rivals(c: Comparison) -> dict[str, NDArray]:
    """What a candidate is worth beside the others of its bulletin."""
    return beside_rivals(c.row, c)


def beside_rivals(row: NDArray[np.int64], values: Columns | Comparison) -> dict[str, NDArray]:
    """:func:`rivals` of pairs whose bulletins are `row`, from their other features."""
    start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.array([], np.int64)
    group = np.cumsum(np.r_[0, row[1:] != row[:-1]]) if len(row) else np.array([], np.int64)
    c = {n: np.asarray(values[n]) for n in _COMPARED}

    def less_best(values: NDArray) -> NDArray:
        values = np.asarray(values, np.float64)
        return values - np.maximum.reduceat(values, start)[group] if len(start) else values

    best_name = less_best(c["both"])
    name_class = np.round(c["both"] * _NAME_STEPS).astype(np.int64)
    street = np.maximum(c["street"], c["street_text"] >= 0.85).astype(np.int64)
    return {
        "best_name": best_name,
        "best_characters": less_best(c["token_set"]),
        "best_rest": less_best(-c["own_written"]),
        "best_activity": less_best(c["activity"] + c["profession"]),
        "best_size": c["size"] - _group_max(group, name_class, c["size"]),
        "best_street": less_best(street),
        "best_number": less_best(c["number"]),
    }


#: Features that candidates of one bulletin are compared by.
_COMPARED = ("both", "street", "street_text", "token_set", "own_written", "activity", "profession",
             "size", "number")  # fmt: skip


def _group_max(group: NDArray, name_class: NDArray, values: NDArray) -> NDArray:
    code = group * (_NAME_STEPS + 1) + name_class
    best = np.full(code.max(initial=-1) + 1, -np.inf)
    np.maximum.at(best, code, values)
    return best[code]
