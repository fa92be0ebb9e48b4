"""Streets of some départements as arrays, with the keys to find them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses.doors import Addresses
from geomatch.addresses.key_table import KeyTable, spread
from geomatch.addresses.street_names import StreetName, keys_of, read_street
from geomatch.rows import Rows
from geomatch.schema import STORE_STREETS
from geomatch.store import Store

Ints = NDArray[np.int64]

#: What a geocode tells of its street.
_TOLD = ("code_commune", "voie_id", "nom_voie", "code_postal", "ban_id", "is_lieu_dit")


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
        self.told = Rows.of(s, _TOLD)
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
        """Words of three letters or more: those of each street begin at ``start[street]``."""
        long = [[w for w in name.words if len(w) >= 3] for name in self.names]
        counts = np.fromiter(map(len, long), np.int64, len(long))
        code, words = pd.factorize(np.array([w for ws in long for w in ws], dtype=object))
        return np.append(0, np.cumsum(counts)), code, words

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
        first, code, _ = self._word_pairs
        streets = np.sort(streets)
        bearer, at = spread(first[streets], first[streets + 1])
        words, local = np.unique(code[at], return_inverse=True)
        order = np.argsort(local, kind="stable")
        start = np.searchsorted(local[order], np.arange(len(words) + 1))
        return words, (start, streets[bearer[order]])
