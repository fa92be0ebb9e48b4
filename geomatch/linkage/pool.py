"""The register side of the index: establishments of one pool, their names and positions.

A pool is one département with the fringe of its neighbours. Everything a later phase asks
of the register is an array aligned with the pool's rows, or one of the indexes below; what is
marked :class:`~geomatch.store.array_files.stored` is computed when the store is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.arrow import coded, narrow, texts
from geomatch.arrays.groups import Links, ragged_ranges
from geomatch.linkage.spatial_index import Positions
from geomatch.names.clean import name_bags
from geomatch.names.lexicon import Lexicon
from geomatch.store.array_files import stored

#: Middle of each tranche d'effectifs; NN (unknown) stands below the smallest employer.
TRANCHE_HEADCOUNT = {
    "NN": 0.5, "00": 0.7, "01": 1.5, "02": 4, "03": 7.5, "11": 15, "12": 35, "21": 75, "22": 150,
    "31": 225, "32": 375, "41": 750, "42": 1500, "51": 3500, "52": 7500, "53": 12000,
}  # fmt: skip
#: What each candidate is asked for, in one place: fetched at once.
TRAITS = np.dtype(
    [("street", "i8"), ("commune", "i4"), ("street_text", "i4"), ("numero", "i4"), ("size", "f4"),
     ("has_name", "?")], align=True
)  # fmt: skip
#: A position less sure than this is not one: such establishments are found by name or street.
PRECISE_M = 150.0
#: Questions put to the R-tree together: in Paris each finds thousands.
_ASKED_AT_ONCE = 100
#: Employers of one activity and commune that are looked at for their size alone.
LARGEST = 24
#: What a local authority's office (mairie, communauté de communes) does, and how the SIREN of
#: one begins.
_OFFICE_NAF = "84.11"
_AUTHORITY_SIREN = (20, 21)
_SIRET_DIGITS = 14


@dataclass(frozen=True)
class Pool:
    """Establishments that may be found together, with the indexes to find them.

    Attributes
    ----------
    rows : Table of STORE_ESTABLISHMENTS and ``departement``, one row an establishment, those of
        the pool's own département first, as its table has them
    names : Table of NAMES (``row`` points into `rows`), sorted by row
        Both are there when a pool is made, and no more when it is read.
    communes : distinct commune codes; ``commune`` holds their position for each row
    """

    rows: pa.Table
    names: pa.Table

    def __len__(self) -> int:
        return len(self.siret_number)

    def siret(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """SIRET of some rows."""
        number = pa.array(self.siret_number[rows]).cast(pa.string())
        return texts(pc.utf8_lpad(number, _SIRET_DIGITS, "0"))

    @stored
    def siret_number(self) -> NDArray[np.int64]:
        """SIRET of each row, as a number."""
        return pc.cast(self.rows.column("siret"), pa.int64()).to_numpy()

    @cached_property
    def siren(self) -> NDArray[np.int64]:
        """SIREN of each row, as a number."""
        return self.siret_number // 100_000

    @cached_property
    def sequence(self) -> NDArray[np.int64]:
        """Running number of each row among those of its unit: its NIC without the key."""
        return self.siret_number // 10 % 10_000

    @cached_property
    def is_first(self) -> NDArray[np.bool_]:
        """The first registered of its unit's establishments in the pool."""
        order = np.argsort(self.siret_number, kind="stable")
        siren = self.siren[order]
        out = np.zeros(len(order), dtype=bool)
        out[order[np.append(True, siren[1:] != siren[:-1])[: len(order)]]] = True
        return out

    @stored
    def _nafs(self) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        code, distinct = coded(self.rows.column("naf"))
        return code, texts(distinct)

    def naf(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """NAF code of some rows."""
        code, distinct = self._nafs
        return distinct[code[rows]]

    def naf_positions(self, nafs: Sequence[str]) -> NDArray[np.int64]:
        """Position of each row's NAF among some codes, -1 for one that is not there."""
        position = {naf: i for i, naf in enumerate(nafs)}
        code, distinct = self._nafs
        return np.array([position.get(n, -1) for n in distinct], dtype=np.int64)[code]

    @stored
    def is_siege(self) -> NDArray[np.bool_]:
        """Head offices."""
        return self.rows.column("is_siege").to_numpy()

    @cached_property
    def street_text(self) -> NDArray[np.object_]:
        """Street name of each row, without its type."""
        code, distinct = self._written_streets
        return texts(distinct)[code]  # each name is one string, whoever bears it

    @stored
    def _written_streets(self) -> tuple[NDArray[np.int64], pa.Array]:
        return coded(self.rows.column("voie_norm"))

    @cached_property
    def _street_texts(self) -> tuple[NDArray[np.int64], dict[str, int]]:
        code, distinct = self._written_streets
        number = {t: i for i, t in enumerate(texts(distinct))}
        absent = number.pop("", -1)
        return np.where(code == absent, -1, code), number

    @cached_property
    def street_names(self) -> NDArray[np.object_]:
        """The texts that :attr:`street_text_code` numbers, and "" behind the last, for -1."""
        return np.append(texts(self._written_streets[1]), "").astype(object)

    @property
    def street_text_code(self) -> NDArray[np.int64]:
        """A number for each text of :attr:`street_text`, -1 for none."""
        return self._street_texts[0]

    def codes_of_streets(self, texts: NDArray[np.object_]) -> NDArray[np.int64]:
        """Numbers, as in :attr:`street_text_code`, of street names; -1 for those of no row."""
        number = self._street_texts[1]
        return np.fromiter((number.get(t, -1) for t in texts), np.int64, len(texts))

    @stored
    def numero(self) -> NDArray[np.int64]:
        """House number of each row, -1 for none."""
        return self.rows.column("numero_norm").to_numpy().astype(np.int64)

    @stored
    def is_office(self) -> NDArray[np.bool_]:
        """Offices of local authorities, where services without a SIRET of their own are coded."""
        code, distinct = self._nafs
        office = np.array([n.startswith(_OFFICE_NAF) for n in distinct], dtype=bool)[code]
        return office & np.isin(self.siren // 10_000_000, _AUTHORITY_SIREN)

    @stored
    def _communes(self) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
        code, distinct = coded(self.rows.column("code_commune"))
        return code, texts(distinct)

    @property
    def commune(self) -> NDArray[np.int64]:
        """Position of each row's commune in :attr:`communes`."""
        return self._communes[0]

    @property
    def communes(self) -> NDArray[np.object_]:
        """Distinct commune codes."""
        return self._communes[1]

    @stored
    def headcount(self) -> NDArray[np.float32]:
        """Employees, middle of the tranche."""
        code, distinct = coded(self.rows.column("tranche_effectifs"))
        middle = [TRANCHE_HEADCOUNT.get(t, 0.5) for t in texts(distinct)]
        return np.array(middle, np.float32)[code]

    @cached_property
    def size(self) -> NDArray[np.float32]:
        """Natural logarithm of :attr:`headcount`."""
        return np.log(self.headcount)

    @stored
    def _largest(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Place of each row by NAF and falling size; rows of each commune so, and their bounds.

        Of each commune and NAF only the :data:`LARGEST` are there.
        """
        code, distinct = self._nafs
        alphabet = np.argsort(np.argsort(distinct.astype(str)))
        order = np.lexsort((-self.size, alphabet[code]))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        order = order[np.argsort(self.commune[order], kind="stable")]
        key = self.commune[order] * max(len(distinct), 1) + alphabet[code[order]]
        order = order[np.arange(len(order)) - np.searchsorted(key, key) < LARGEST]
        start = np.searchsorted(self.commune[order], np.arange(len(self.communes) + 1))
        return place, order, start

    def largest(self, communes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The :data:`LARGEST` employers of each NAF in each of some communes (positions).

        NAF by NAF, the largest of each first.
        """
        place, rows, start = self._largest
        found = rows[ragged_ranges(start[communes], start[communes + 1])[1]]
        return found if len(communes) == 1 else found[np.argsort(place[found])]

    @stored
    def position(self) -> NDArray[np.float64]:
        """x, y of each row in metres, shape (n, 2); NaN when there is none."""
        return np.stack([self.rows.column(c).to_numpy() for c in ("x", "y")], axis=1)

    @stored
    def uncertainty(self) -> NDArray[np.float64]:
        """Metres; 95 % radius of the register position."""
        metres = self.rows.column("uncertainty_m").to_numpy().astype(np.float64)
        return np.where(np.isnan(metres), np.inf, metres)

    @stored
    def street(self) -> NDArray[np.int64]:
        """An integer for each street of the store (département and voie_id), -1 for none."""
        voie = self.rows.column("voie_id").to_numpy()
        code, distinct = coded(self.rows.column("departement"))
        return np.where(voie >= 0, _street_bases(texts(distinct))[code] + voie, -1)

    # ------------------------------------------------------------------ names
    @cached_property
    def _name_codes(self) -> tuple[NDArray[np.int64], pa.Array]:
        return coded(self.names.column("name"))

    @cached_property
    def _named_rows(self) -> NDArray[np.int64]:
        return self.names.column("row").to_numpy()

    @stored
    def _distinct_names(self) -> pa.Array:
        return self._name_codes[1]

    @property
    def n_names(self) -> int:
        """Number of distinct names that establishments of the pool bear."""
        return len(self._distinct_names)

    @stored
    def lexicon(self) -> Lexicon:
        """Words of the distinct names."""
        return Lexicon(name_bags(self._distinct_names))

    @stored
    def name_bearers(self) -> Links:
        """Rows that bear each name."""
        ones = np.ones(len(self.names), np.int8)
        places = narrow(self._name_codes[0], self._named_rows)
        return Links.of(sparse.csr_array((ones, places), shape=(self.n_names, len(self))))

    def bearers(self, name: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many rows bear each of some names (positions); 1 for no name, -1."""
        if not len(self.n_bearers):
            return np.ones(len(name), np.int64)
        return np.where(name >= 0, self.n_bearers[np.maximum(name, 0)], 1).astype(np.int64)

    def names_at(self, name: NDArray[np.int64]) -> NDArray[np.object_]:
        """Names at some positions; ``""`` for no name, -1."""
        asked, back = np.unique(name, return_inverse=True)  # each name is one string
        found = np.full(len(asked), "", dtype=object)
        some = np.flatnonzero(asked >= 0)
        found[some] = texts(self._distinct_names.take(pa.array(asked[some])))
        return found[back]

    @cached_property
    def n_bearers(self) -> NDArray[np.int32]:
        """How many rows bear each name."""
        return self.name_bearers.counts

    @stored
    def _nearby(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Names that several bear in one commune (as one number), sorted, and how many do."""
        key = self._name_codes[0] * len(self.communes) + self.commune[self._named_rows]
        keys, counts = np.unique(key, return_counts=True)
        return keys[counts > 1], counts[counts > 1]

    def bearers_nearby(self, name: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many establishments of ``row[i]``'s commune bear ``name[i]``, at least 1."""
        out = np.ones(len(row), np.int64)
        several = np.flatnonzero(self.bearers(name) > 1)
        keys, counts = self._nearby
        if len(several) and len(keys):
            asked = name[several] * len(self.communes) + self.commune[row[several]]
            at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
            out[several] = np.where(keys[at] == asked, counts[at], 1)
        return out

    @stored
    def names_of(self) -> Links:
        """Names that each row bears."""
        return self.name_bearers.reverse(len(self))

    @cached_property
    def has_name(self) -> NDArray[np.bool_]:
        """Rows that bear any name."""
        return self.names_of.counts > 0

    @cached_property
    def traits(self) -> NDArray[np.void]:
        """What candidates are asked for, row by row (:data:`TRAITS`)."""
        traits = np.empty(len(self), TRAITS)
        for name in ("street", "commune", "numero", "size", "has_name"):
            traits[name] = getattr(self, name)
        traits["street_text"] = self.street_text_code
        return traits

    # ------------------------------------------------------------------ places
    def make_ready(self) -> None:
        """Make what the store does not keep now, not when it is first asked for."""
        _ = self.street_text_code, self.traits, self._positions.tree

    @stored
    def _positions(self) -> Positions:
        sure = np.flatnonzero((self.uncertainty <= PRECISE_M) & ~np.isnan(self.position[:, 0]))
        return Positions.of(sure, self.position[sure], self.uncertainty[sure])

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
        places = self._positions
        none = np.array([], np.int64)
        found = [(none, none, np.array([], np.float64))]
        # Neighbouring questions walk the same branches of the tree: ask them together.
        order = np.lexsort((position[:, 1] // 1000, position[:, 0] // 1000))
        for low in range(0, len(order), _ASKED_AT_ONCE):
            part = order[low : low + _ASKED_AT_ONCE]
            asked, place, distance = places.near(position[part], radius[part])
            pair, index = ragged_ranges(places.start[place], places.start[place + 1])
            asker, row, distance = part[asked[pair]], places.rows[index], distance[pair]
            near = np.flatnonzero(distance <= radius[asker] + self.uncertainty[row])
            found.append((asker[near], row[near], distance[near]))
        asker, row, distance = (np.concatenate(part) for part in zip(*found, strict=True))
        return asker, row, distance

    @stored
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

    @stored
    def _by_street_text(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows by commune and street name, and these keys, sorted."""
        rows = np.flatnonzero(self.street_text_code >= 0)
        key = self._street_text_key(self.commune[rows], self.street_text_code[rows])
        order = np.argsort(key, kind="stable")
        return rows[order], key[order]

    def _street_text_key(
        self, commune: NDArray[np.int64], code: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        return commune * max(len(self._street_texts[1]), 1) + code

    def on_street_named(
        self, commune: NDArray[np.int64], text: NDArray[np.object_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pairs (asker, row) of one commune (position) and one written street name.

        Serves communes whose streets the store does not know.
        """
        rows, keys = self._by_street_text
        code = self.codes_of_streets(text)
        is_asked = (code >= 0) & (commune >= 0)
        key = np.where(is_asked, self._street_text_key(commune, code), -1)
        low, high = np.searchsorted(keys, key), np.searchsorted(keys, key, side="right")
        asker, at = ragged_ranges(low, high)
        return asker, rows[at]


def street_codes(departement: NDArray[np.object_], voie_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """One integer for a street of the whole store."""
    code, distinct = pd.factorize(departement)
    return _street_bases(distinct)[code] + voie_id if len(code) else voie_id


def _street_bases(departements: NDArray[np.object_]) -> NDArray[np.int64]:
    """What is added to each one's streets; base 36 keeps 2A and 2B apart."""
    return np.array([int(d or "0", 36) << 32 for d in departements], dtype=np.int64)
