"""The register side of the index: establishments of one pool, their names and positions.

A pool is one département with the fringe of its neighbours. Everything a later phase asks
of the register is an array aligned with the pool's rows, or one of the indexes below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rtree.index import Index, Property
from scipy import sparse

from geomatch.lexicon import Lexicon, ragged_ranges

#: Middle of each tranche d'effectifs; NN (unknown) stands below the smallest employer.
TRANCHE_HEADCOUNT = {
    "NN": 0.5, "00": 0.7, "01": 1.5, "02": 4, "03": 7.5, "11": 15, "12": 35, "21": 75, "22": 150,
    "31": 225, "32": 375, "41": 750, "42": 1500, "51": 3500, "52": 7500, "53": 12000,
}  # fmt: skip
#: A position less sure than this is not one: such establishments are found by name or street.
PRECISE_M = 150.0
#: What a local authority's office (mairie, communauté de communes) does, and how the SIREN of
#: one begins.
_OFFICE_NAF = "84.11"
_AUTHORITY_SIREN = ("20", "21")


@dataclass(frozen=True)
class Pool:
    """Establishments that may be found together, with the indexes to find them.

    Attributes
    ----------
    frame : DataFrame of STORE_ESTABLISHMENTS, one row an establishment
    names : DataFrame of NAMES (``row`` points into `frame`), sorted by row
    communes : distinct commune codes; ``commune`` holds their position for each row
    """

    frame: pd.DataFrame
    names: pd.DataFrame

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def siret(self) -> NDArray[np.object_]:
        """SIRET of each row."""
        return self.frame["siret"].to_numpy(object)

    @cached_property
    def street_text(self) -> NDArray[np.object_]:
        """Street name of each row, without its type."""
        return self.frame["voie_norm"].to_numpy(object)

    @cached_property
    def numero(self) -> NDArray[np.int64]:
        """House number of each row, -1 for none."""
        return self.frame["numero_norm"].to_numpy(np.int64)

    @cached_property
    def is_office(self) -> NDArray[np.bool_]:
        """Offices of local authorities, where services without a SIRET of their own are coded."""
        naf = self.frame["naf"].str.startswith(_OFFICE_NAF)
        return (naf & self.frame["siren"].str.startswith(_AUTHORITY_SIREN)).to_numpy(bool)

    @cached_property
    def _communes(self) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        codes, values = pd.factorize(self.frame["code_commune"].to_numpy(object))
        return codes, values

    @property
    def commune(self) -> NDArray[np.int64]:
        """Position of each row's commune in :attr:`communes`."""
        return self._communes[0]

    @property
    def communes(self) -> NDArray[np.object_]:
        """Distinct commune codes."""
        return self._communes[1]

    @cached_property
    def headcount(self) -> NDArray[np.float32]:
        """Employees, middle of the tranche."""
        return self.frame["tranche_effectifs"].map(TRANCHE_HEADCOUNT).fillna(0.5).to_numpy("f4")

    @cached_property
    def position(self) -> NDArray[np.float64]:
        """x, y of each row in metres, shape (n, 2); NaN when there is none."""
        return self.frame[["x", "y"]].to_numpy(np.float64)

    @cached_property
    def uncertainty(self) -> NDArray[np.float64]:
        """Metres; 95 % radius of the register position."""
        return self.frame["uncertainty_m"].fillna(np.inf).to_numpy(np.float64)

    @cached_property
    def street(self) -> NDArray[np.int64]:
        """An integer for each street of the store (département and voie_id), -1 for none."""
        voie = self.frame["voie_id"].to_numpy(np.int64)
        return np.where(
            voie >= 0, street_codes(self.frame["departement"].to_numpy(object), voie), -1
        )

    # ------------------------------------------------------------------ names
    @cached_property
    def _name_codes(self) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        codes, values = pd.factorize(self.names["name"].to_numpy(object))
        return codes, values

    @property
    def distinct_names(self) -> NDArray[np.object_]:
        """Every name some establishment of the pool bears."""
        return self._name_codes[1]

    @cached_property
    def name_bearers(self) -> sparse.csr_array:
        """Which rows bear each name; shape (names, rows)."""
        shape = (len(self.distinct_names), len(self))
        ones = np.ones(len(self.names), np.float32)
        return sparse.csr_array((ones, (self._name_codes[0], self.names["row"])), shape=shape)

    @cached_property
    def _nearby(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        key = self._name_codes[0] * len(self.communes) + self.commune[self.names["row"]]
        return np.unique(key, return_counts=True)

    def bearers_nearby(self, name: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many establishments of ``row[i]``'s commune bear ``name[i]``, at least 1."""
        keys, counts = self._nearby
        if not len(keys):
            return np.ones(len(row), np.int64)
        asked = name * len(self.communes) + self.commune[row]
        at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return np.where(keys[at] == asked, counts[at], 1)

    @cached_property
    def names_of(self) -> sparse.csr_array:
        """Which names each row bears; shape (rows, names)."""
        return self.name_bearers.T.tocsr()

    @cached_property
    def has_name(self) -> NDArray[np.bool_]:
        """Rows that bear any name."""
        return np.diff(self.names_of.indptr) > 0

    def lexicon(self, words: Sequence[Sequence[str]]) -> Lexicon:
        """Word index over :attr:`distinct_names`; `words` are those of each distinct name."""
        return Lexicon(words)

    # ------------------------------------------------------------------ places
    @cached_property
    def _tree(self) -> tuple[Index | None, NDArray[np.int64], NDArray[np.int64]]:
        sure = np.flatnonzero((self.uncertainty <= PRECISE_M) & ~np.isnan(self.position[:, 0]))
        if not len(sure):
            return None, sure, np.zeros(1, np.int64)
        places, code = np.unique(self.position[sure], axis=0, return_inverse=True)
        order = np.argsort(code.ravel(), kind="stable")
        start = np.searchsorted(code.ravel()[order], np.arange(len(places) + 1))
        ids = np.arange(len(places), dtype=np.int64)
        properties = Property(dimension=2, leaf_capacity=64, index_capacity=32)
        tree = Index((ids, places, places), properties=properties)
        return tree, sure[order], start

    def within(
        self, position: NDArray[np.float64], radius: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Establishments surely placed whose distance is within both uncertainties.

        Parameters
        ----------
        position : array (n, 2), metres, the pool's projection
        radius : array (n,), metres, the asker's own uncertainty

        Returns
        -------
        asker, row : int arrays
        distance : metres
        """
        tree, rows, start = self._tree
        if tree is None or not len(position):
            none = np.array([], np.int64)
            return none, none, np.array([], np.float64)
        reach = (radius + PRECISE_M)[:, None]
        # Neighbouring questions walk the same branches of the tree: ask them together.
        order = np.lexsort((position[:, 1] // 1000, position[:, 0] // 1000))
        place, counts = tree.intersection_v((position - reach)[order], (position + reach)[order])
        place = np.asarray(place, dtype=np.int64)
        asker = np.repeat(order, np.asarray(counts, dtype=np.int64))
        pair, index = ragged_ranges(start[place], start[place + 1])
        asker, row = asker[pair], rows[index]
        distance = np.hypot(*(position[asker] - self.position[row]).T)
        near = distance <= radius[asker] + self.uncertainty[row]
        return asker[near], row[near], distance[near]

    @cached_property
    def _by_street(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows = np.flatnonzero(self.street >= 0)
        order = np.argsort(self.street[rows], kind="stable")
        return rows[order], self.street[rows][order]

    def on_street(self, street: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs (asker, row) of one street of the store; ``-1`` asks for nothing."""
        rows, sorted_street = self._by_street
        low = np.searchsorted(sorted_street, street)
        high = np.searchsorted(sorted_street, street, side="right")
        asker, index = ragged_ranges(np.where(street >= 0, low, 0), np.where(street >= 0, high, 0))
        return asker, rows[index]

    @cached_property
    def _by_street_text(self) -> tuple[dict[str, int], NDArray[np.int64], NDArray[np.int64]]:
        """Number of each street name; rows by commune and name, and these keys, sorted."""
        rows = np.flatnonzero(self.street_text != "")
        text, names = pd.factorize(self.street_text[rows])
        key = self.commune[rows] * max(len(names), 1) + text
        order = np.argsort(key, kind="stable")
        return {n: i for i, n in enumerate(names)}, rows[order], key[order]

    def on_street_named(
        self, commune: NDArray[np.int64], text: NDArray[np.object_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs (asker, row) of one commune (position) and one written street name.

        Serves communes whose streets the store does not know.
        """
        number, rows, keys = self._by_street_text
        code = np.fromiter((number.get(t, -1) for t in text), np.int64, len(text))
        key = np.where((code >= 0) & (commune >= 0), commune * max(len(number), 1) + code, -1)
        low, high = np.searchsorted(keys, key), np.searchsorted(keys, key, side="right")
        asker, at = ragged_ranges(low, high)
        return asker, rows[at]


def street_codes(departement: NDArray[np.object_], voie_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """One integer for a street of the whole store; base 36 keeps 2A and 2B apart."""
    known = {d: int(d or "0", 36) << 32 for d in set(departement)}
    return np.fromiter((known[d] for d in departement), np.int64, len(departement)) + voie_id
