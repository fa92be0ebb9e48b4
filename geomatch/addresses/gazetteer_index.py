"""Streets and house numbers of some départements as arrays, with the keys to find them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.addresses.numbers import rep_letter
from geomatch.addresses.street_names import StreetName, keys_of, read_street
from geomatch.schema import STORE_ADDRESSES, STORE_STREETS
from geomatch.store import Store

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: House numbers are below this, so that one integer holds a street and a number.
NUMBER_SPAN = 1 << 18


@dataclass(frozen=True)
class Pairs:
    """Pairs of a question (position) and a street (row of the index)."""

    question: Ints
    street: Ints


class KeyTable:
    """Which streets bear each key."""

    def __init__(self, keys: Sequence[str]) -> None:
        codes, distinct = pd.factorize(np.array(keys, dtype=object))
        self._code = {k: i for i, k in enumerate(distinct)}
        self._order = np.argsort(codes, kind="stable")
        self._start = np.searchsorted(codes[self._order], np.arange(len(distinct) + 1))

    def find(self, keys: Sequence[str]) -> Pairs:
        """Every street of every key asked for; empty keys find nothing."""
        get = self._code.get
        code = np.fromiter((get(k, -1) if k else -1 for k in keys), np.int64, len(keys))
        asked = np.flatnonzero(code >= 0)
        low, high = self._start[code[asked]], self._start[code[asked] + 1]
        question, at = spread(low, high)
        return Pairs(asked[question], self._order[at])


def spread(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Row and value of every integer of the ranges ``low[i] … high[i]-1``, flat."""
    sizes = np.maximum(high - low, 0)
    row = np.repeat(np.arange(len(low)), sizes)
    first = np.cumsum(sizes) - sizes
    return row, np.arange(len(row)) - np.repeat(first - low, sizes)


@dataclass
class StreetIndex:
    """Streets of the loaded départements; every array is aligned with the streets.

    ``first`` … ``first + count - 1`` are a street's rows in the address arrays.
    """

    streets: pd.DataFrame
    addresses: Addresses

    @classmethod
    def open(cls, store: Store, departements: Iterable[str]) -> StreetIndex:
        """Load streets and addresses of some départements."""
        streets, parts, base = [], [], 0
        for departement in departements:
            table = store.departement(STORE_STREETS, departement)
            if not len(table):
                continue
            part = Addresses.read(store, departement)
            table["first_address"] += base
            base += len(part.numero)
            streets.append(table)
            parts.append(part)
        table = pd.concat(streets, ignore_index=True) if streets else STORE_STREETS.empty()
        return cls(table, Addresses.join(parts))

    def __post_init__(self) -> None:
        s = self.streets
        self.commune, communes = pd.factorize(s["code_commune"].to_numpy(object))
        self.communes: NDArray[np.object_] = communes
        self.commune_code = {c: i for i, c in enumerate(communes)}
        self.x = s["x"].to_numpy(np.float64)
        self.y = s["y"].to_numpy(np.float64)
        self.half_length = s["half_length_m"].to_numpy(np.float64)
        self.first = s["first_address"].to_numpy(np.int64)
        self.count = s["n_addresses"].to_numpy(np.int64)
        self.names: list[StreetName] = [read_street(k) for k in s["nom_norm"]]
        kinds, distinct = pd.factorize(np.array([n.kind for n in self.names], dtype=object))
        self.kind: Ints = kinds
        self.kind_code = {k: i for i, k in enumerate(distinct)}
        self.no_kind = self.kind_code.get("", -1)
        typed, bag, packed = keys_of(self.names)
        self.packed = np.array(packed, dtype=object)
        self.length = np.fromiter((len(p) for p in packed), np.int64, len(packed))
        self.key_code = pd.factorize(s["nom_norm"].to_numpy(object))[0]
        self.by_full = KeyTable(s["nom_norm"].tolist())
        self.by_typed = KeyTable(typed)
        self.by_bag = KeyTable(bag)
        self.by_packed = KeyTable(packed)
        order = np.argsort(self.commune, kind="stable")
        self._commune_order = order
        self._commune_start = np.searchsorted(
            self.commune[order], np.arange(len(self.communes) + 1)
        )

    def __len__(self) -> int:
        return len(self.streets)

    def of_communes(self, communes: Sequence[int]) -> Ints:
        """Streets of some communes, given by their positions in :attr:`communes`."""
        if not communes:
            return np.array([], dtype=np.int64)
        start, order = self._commune_start, self._commune_order
        return np.concatenate([order[start[c] : start[c + 1]] for c in communes])

    @cached_property
    def _word_pairs(self) -> tuple[Ints, Ints, NDArray[np.object_]]:
        flat = [(w, i) for i, name in enumerate(self.names) for w in name.words if len(w) >= 3]
        code, words = pd.factorize(np.array([w for w, _ in flat], dtype=object))
        return code, np.array([i for _, i in flat], dtype=np.int64), words

    @property
    def words(self) -> NDArray[np.object_]:
        """Distinct words of three letters or more of all names."""
        return self._word_pairs[2]

    def words_of(self, streets: Ints) -> tuple[Ints, tuple[Ints, Ints]]:
        """Words that some streets bear, and their bearers.

        Returns
        -------
        words : positions in :attr:`words`
        (start, rows) : the bearers of ``words[i]`` are ``rows[start[i]:start[i + 1]]``
        """
        code, street, _ = self._word_pairs
        wanted = np.zeros(len(self), dtype=bool)
        wanted[streets] = True
        at = np.flatnonzero(wanted[street])
        words, local = np.unique(code[at], return_inverse=True)
        order = np.argsort(local, kind="stable")
        start = np.searchsorted(local[order], np.arange(len(words) + 1))
        return words, (start, street[at][order])


@dataclass(frozen=True)
class Addresses:
    """House numbers, sorted by street, number and repetition."""

    street: Ints
    numero: Ints
    rep: NDArray[np.object_]
    x: Floats
    y: Floats
    code_postal: pa.Array
    ban_id: pa.Array

    @classmethod
    def read(cls, store: Store, departement: str) -> Addresses:
        """One département's addresses; ``street`` counts within the département."""
        t = store.departement(STORE_ADDRESSES, departement)
        return cls(
            t["voie_id"].to_numpy(np.int64),
            t["numero"].to_numpy(np.int64),
            t["rep"].to_numpy(object),
            t["x"].to_numpy(np.float64),
            t["y"].to_numpy(np.float64),
            pa.array(t["code_postal"], pa.string()),
            pa.array(t["ban_id"], pa.string()),
        )

    @classmethod
    def join(cls, parts: Sequence[Addresses]) -> Addresses:
        """Several départements' addresses; streets are counted on."""
        base, street = 0, []
        for p in parts:
            street.append(p.street + base)
            base += int(p.street.max()) + 1 if len(p.street) else 0
        if not parts:
            none, text = np.array([], np.int64), pa.array([], pa.string())
            empty = np.array([], np.float64)
            return cls(none, none, np.array([], object), empty, empty, text, text)
        return cls(
            np.concatenate(street),
            *(np.concatenate([getattr(p, c) for p in parts]) for c in ("numero", "rep", "x", "y")),
            *(pa.concat_arrays([getattr(p, c) for p in parts]) for c in ("code_postal", "ban_id")),
        )

    @cached_property
    def rep_codes(self) -> tuple[Ints, dict[str, int]]:
        """Integer of each address's repetition (``bis`` and ``b`` are one) and of each letter."""
        code, distinct = pd.factorize(self.rep)
        letters = [rep_letter(r) for r in distinct]
        of_letter = {letter: i for i, letter in enumerate(dict.fromkeys(["", *letters]))}
        table = np.array([of_letter[letter] for letter in letters] or [0], dtype=np.int64)
        return (table[code] if len(code) else code.astype(np.int64)), of_letter

    @cached_property
    def number_key(self) -> Ints:
        """``street · span + number``, sorted."""
        return self.street * NUMBER_SPAN + self.numero

    @cached_property
    def parity_order(self) -> tuple[Ints, Ints]:
        """Addresses in the order of street, side (parity) and number, and the sorted keys."""
        key = (self.street * 2 + self.numero % 2) * NUMBER_SPAN + self.numero
        order = np.argsort(key, kind="stable")
        return key[order], order
