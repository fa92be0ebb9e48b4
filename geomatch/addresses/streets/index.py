"""Streets of some départements as arrays, with the keys to find them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.addresses.communes.key_table import KeyTable
from geomatch.addresses.streets.doors import Addresses
from geomatch.addresses.streets.homonyms import cut_apart
from geomatch.addresses.streets.names import TYPED, road_key
from geomatch.arrays.arrow import coded, texts, whole
from geomatch.arrays.groups import ragged_ranges
from geomatch.arrays.rows import Rows
from geomatch.core.schema import STORE_STREETS
from geomatch.store.reader import Store, empty_rows

Ints = NDArray[np.int64]

#: Names that may end with the road that the street is a part of: ROUTE DE LA MER RD 36.
_ROAD = r" [A-Z]{2} \d+(?: [A-Z])?$"
#: Streets of a type that say as much of it as all types together.
_FEW = 20
#: What a geocode tells of its street.
_TOLD = ("code_commune", "voie_id", "nom_voie", "code_postal", "ban_id", "is_lieu_dit")


@dataclass
class StreetIndex:
    """Streets of the loaded départements; every array is aligned with the streets.

    ``first`` … ``first + count - 1`` are a street's rows in the address arrays.

    Parameters
    ----------
    streets : Table of STORE_STREETS
        Its ``first_address`` counts the rows of all the addresses.
    addresses : Addresses
    """

    streets: pa.Table
    addresses: Addresses

    @classmethod
    def open(cls, store: Store, departements: Iterable[str]) -> StreetIndex:
        """Load streets and addresses of some départements."""
        streets, parts, base = [empty_rows(STORE_STREETS)], [], 0
        at = STORE_STREETS.names.index("first_address")
        for departement in departements:
            table = store.arrow(STORE_STREETS, departement)
            if not len(table):
                continue
            part = Addresses.read(store, departement)
            first = pc.add(table.column(at), base)
            base += len(part.numero)
            streets.append(table.set_column(at, "first_address", first))
            parts.append(part)
        return cls(*cut_apart(pa.concat_tables(streets).combine_chunks(), Addresses.join(parts)))

    def __post_init__(self) -> None:
        table = self.streets
        self.commune, communes = coded(table.column("code_commune"))
        self.communes: NDArray[np.object_] = texts(communes)
        self.commune_code = {c: i for i, c in enumerate(self.communes)}
        self.x, self.y, self.half_length, self.first, self.count = (
            table.column(c).to_numpy()
            for c in ("x", "y", "half_length_m", "first_address", "n_addresses")
        )
        self.former: NDArray[np.object_] = texts(table.column("code_ancienne_commune"))
        kind, words = (whole(table.column(c)) for c in ("type_norm", "mots_norm"))
        self.kind, kinds = coded(kind)
        self.kind_code = {k: i for i, k in enumerate(texts(kinds))}
        self.no_kind = self.kind_code.get("", -1)
        # few streets are alone in bearing their words: what follows is made once for all bearers
        bears, self._distinct_words = coded(words)
        run_together = pc.replace_substring(self._distinct_words, " ", "")
        packed = texts(run_together)
        self.packed = packed[bears]
        self.length = np.fromiter(map(len, packed), np.int64, len(packed))[bears]
        self._bears = bears
        in_any_order = [" ".join(sorted(w.split())) for w in texts(self._distinct_words)]
        self.by_full = KeyTable.of(table.column("nom_norm"))
        self.key_code = self.by_full.code
        self.by_typed = KeyTable.of(
            pc.binary_join_element_wise(kind.cast(words.type), words, TYPED)
        )
        self.by_bag = KeyTable(bears, in_any_order)
        self.by_packed = KeyTable(bears, run_together)
        self.by_road = _roads(table.column("nom_norm"))
        order = np.argsort(self.commune, kind="stable")
        self._commune_order = order
        self._commune_start = np.searchsorted(
            self.commune[order], np.arange(len(self.communes) + 1)
        )

    def __len__(self) -> int:
        return len(self.streets)

    def told(self, streets: Ints) -> Rows:
        """What a geocode tells of some streets."""
        rows = self.streets.select(_TOLD).take(pa.array(streets))
        return Rows({c: v.to_numpy() for c, v in zip(_TOLD, rows.columns, strict=True)}, len(rows))

    def of_communes(self, communes: Sequence[int]) -> Ints:
        """Streets of some communes, given by their positions in :attr:`communes`."""
        if not communes:
            return np.array([], dtype=np.int64)
        start, order = self._commune_start, self._commune_order
        return np.concatenate([order[start[c] : start[c + 1]] for c in communes])

    @cached_property
    def _word_pairs(self) -> tuple[Ints, Ints, NDArray[np.object_]]:
        """Words of three letters or more: those of each street begin at ``start[street]``."""
        lists = pc.split_pattern(self._distinct_words, " ")
        word = lists.flatten()
        long = pc.greater_equal(pc.utf8_length(word), 3).to_numpy(zero_copy_only=False)
        bearer = pc.list_parent_indices(lists).to_numpy()[long]
        code, words = coded(word.filter(pa.array(long)))
        start = np.searchsorted(bearer, np.arange(len(lists) + 1))
        street, at = ragged_ranges(start[self._bears], start[self._bears + 1])
        return np.searchsorted(street, np.arange(len(self) + 1)), code[at], texts(words)

    @property
    def words(self) -> NDArray[np.object_]:
        """Distinct words of three letters or more of all names."""
        return self._word_pairs[2]

    def words_borne(self, streets: Ints) -> list[str]:
        """The words of some streets, each street's with blanks between."""
        return list(texts(self._distinct_words.take(pa.array(self._bears[streets]))))

    @cached_property
    def rarity(self) -> dict[str, float]:
        """Logarithm of how rarely names bear each word; under ``""`` that of an unknown word."""
        words = pc.split_pattern(self._distinct_words, " ").flatten()
        code, distinct = coded(words)
        n = len(self._distinct_words) + 1
        log = np.log(n / (np.bincount(code, minlength=len(distinct)) + 1))
        return dict(zip(texts(distinct), log.tolist(), strict=True)) | {"": float(np.log(n))}

    @cached_property
    def is_homonym(self) -> NDArray[np.bool_]:
        """Streets whose commune has another one of that very name."""
        return _is_shared(self._in_commune)

    @cached_property
    def is_cut(self) -> NDArray[np.bool_]:
        """Parts of what the store holds as one street, for its former commune is one as well."""
        former, distinct = coded(self.streets.column("code_ancienne_commune"))
        return _is_shared(self._in_commune * len(distinct) + former)

    @property
    def _in_commune(self) -> Ints:
        """One number for each commune and name."""
        return self.commune * (int(self.key_code.max(initial=0)) + 1) + self.key_code

    @cached_property
    def n_streets(self) -> Ints:
        """Number of streets of each commune."""
        return np.diff(self._commune_start)

    @cached_property
    def kind_share(self) -> NDArray[np.float64]:
        """Share of each type among the streets of each commune, (communes, types + 1).

        The last column is that of a type no street has; none is quite 0.
        """
        kinds = len(self.kind_code) + 1
        flat = np.bincount(
            self.commune * kinds + self.kind, minlength=len(self.communes) * kinds
        ).reshape(-1, kinds)
        return (flat + 0.5) / (flat.sum(axis=1, keepdims=True) + 0.5 * kinds)

    @cached_property
    def companions(self) -> NDArray[np.float64]:
        """Share of each type's streets that bear the name of another one of the commune.

        PASSAGE CHOISEUL is beside RUE DE CHOISEUL; few streets called RUE have such a companion.
        The last value is that of a type no street has.
        """
        bearer = self.commune * (int(self._bears.max(initial=0)) + 1) + self._bears
        _, group, size = np.unique(bearer, return_inverse=True, return_counts=True)
        of_kind = np.unique(group * (len(self.kind_code) + 1) + self.kind)
        n_kinds = np.bincount(of_kind // (len(self.kind_code) + 1), minlength=len(size))
        n = len(self.kind_code) + 1
        accompanied = np.bincount(self.kind, n_kinds[group] > 1, minlength=n)
        usual = accompanied.sum() / max(len(self), 1)
        return (accompanied + _FEW * usual) / (np.bincount(self.kind, minlength=n) + _FEW)

    def words_of(self, streets: Ints) -> tuple[Ints, tuple[Ints, Ints]]:
        """Words that some streets bear, and their bearers.

        Returns
        -------
        words : positions in :attr:`words`
        (start, rows) : the bearers of ``words[i]`` are ``rows[start[i]:start[i + 1]]``
        """
        first, code, _ = self._word_pairs
        streets = np.sort(streets)
        bearer, at = ragged_ranges(first[streets], first[streets + 1])
        words, local = np.unique(code[at], return_inverse=True)
        order = np.argsort(local, kind="stable")
        start = np.searchsorted(local[order], np.arange(len(words) + 1))
        return words, (start, streets[bearer[order]])


def _is_shared(keys: Ints) -> NDArray[np.bool_]:
    _, group, size = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(size[group] > 1)


def _roads(names: pa.ChunkedArray) -> KeyTable:
    """Streets by the road that their name ends with; the empty key has the others."""
    code, distinct = coded(pc.if_else(pc.match_substring_regex(names, _ROAD), names, ""))
    return KeyTable(code, [road_key(name) for name in texts(distinct)] or [""])
