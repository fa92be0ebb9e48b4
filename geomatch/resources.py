"""What a matcher has loaded from its store: communes, streets, pools, words that imply a NAF.

Loaded when first asked for and kept; one département's pool at a time stays when memory
matters (:attr:`Resources.most_pools`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch import activities
from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.config import AddressOptions
from geomatch.establishments import Pool
from geomatch.lexicon import Lexicon
from geomatch.names import name_words
from geomatch.schema import (
    NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNES,
    STORE_ESTABLISHMENTS,
    STORE_NAF,
    STORE_NAF_WORDS,
    STORE_STREETS,
)
from geomatch.store import Store
from geomatch.territories import departement_of


@dataclass(frozen=True)
class IndexedPool:
    """A pool with its word index and the NAF positions of its rows."""

    pool: Pool
    lexicon: Lexicon
    naf: NDArray[np.int64]


class Resources:
    """The parts of a store that matching needs.

    Parameters
    ----------
    store : Store
    options : AddressOptions
        For the geocoder.
    most_pools : int
        Pools kept in memory; the least recently used goes first.
    """

    def __init__(self, store: Store, options: AddressOptions, most_pools: int = 8) -> None:
        self.store = store
        self.options = options
        self.most_pools = most_pools
        self._geocoders: dict[str, Geocoder] = {}
        self._pools: dict[str, IndexedPool] = {}
        self._registers: dict[str, tuple[pd.DataFrame, pd.DataFrame]] = {}

    @cached_property
    def communes(self) -> CommuneIndex:
        """Communes of the store."""
        return CommuneIndex.open(self.store)

    @cached_property
    def commune_labels(self) -> dict[str, str]:
        """Name of each commune; PARIS for an arrondissement."""
        frame = self.store.country(STORE_COMMUNES)
        labels = dict(zip(frame["code_commune"], frame["libelle"], strict=True))
        parent = zip(frame["code_commune"], frame["code_parent"], strict=True)
        return labels | {c: labels[p] for c, p in parent if p in labels}

    @cached_property
    def nafs(self) -> list[str]:
        """Every NAF code of the store, sorted."""
        labels = self.store.country(STORE_NAF)["naf"]
        return sorted({*labels, *self.store.country(STORE_NAF_WORDS)["naf"]} - {""})

    @cached_property
    def label_counts(self) -> pd.DataFrame:
        """Words of the official labels."""
        return activities.label_counts(self.store.country(STORE_NAF))

    @cached_property
    def name_words_model(self) -> activities.WordModel:
        """What words of names imply."""
        words = self.store.country(STORE_NAF_WORDS)
        counts = [(words, 1.0), (self.label_counts, activities.LABEL_WEIGHT)]
        return activities.WordModel(self.nafs, counts)

    @cached_property
    def known(self) -> frozenset[str]:
        """Départements of the store."""
        return frozenset(self.store.departements)

    @cached_property
    def _fringe(self) -> dict[str, dict[str, list[str]]]:
        """For each département, the communes of other ones that its communes touch."""
        near = self.store.country(STORE_COMMUNE_NEIGHBOURS)
        near = near.assign(
            own=[departement_of(c) for c in near["code_commune"]],
            other=[departement_of(c) for c in near["voisine"]],
        )
        near = near[near["own"] != near["other"]]
        fringe: dict[str, dict[str, list[str]]] = {}
        for (own, other), part in near.groupby(["own", "other"]):
            fringe.setdefault(own, {})[other] = sorted(set(part["voisine"]))
        return fringe

    def geocoder(self, departement: str) -> Geocoder:
        """Streets and addresses of a département; one without streets knows communes only."""
        key = departement if self.store.has(STORE_STREETS, departement) else ""
        if key in self._geocoders:
            self._geocoders[key] = self._geocoders.pop(key)  # now the latest used
        else:
            if len(self._geocoders) >= self.most_pools:
                self._geocoders.pop(next(iter(self._geocoders)))
            wanted = [key] if key else []
            self._geocoders[key] = Geocoder.open(
                self.store, wanted, self.options, communes=self.communes
            )
        return self._geocoders[key]

    def pool(self, departement: str) -> IndexedPool:
        """Establishments of a département and of the neighbouring communes across its border."""
        if departement in self._pools:
            self._pools[departement] = self._pools.pop(departement)  # now the latest used
        else:
            if len(self._pools) >= self.most_pools:
                self._pools.pop(next(iter(self._pools)))
            self._pools[departement] = self._index(departement)
        return self._pools[departement]

    def _index(self, departement: str) -> IndexedPool:
        parts = [self._register(departement)]
        for other, near in self._fringe.get(departement, {}).items():
            if other in self.known:
                parts.append(_part(*self._register(other), near))
        shift = np.cumsum([0, *(len(frame) for frame, _ in parts)])
        frame = pd.concat([frame for frame, _ in parts], ignore_index=True)
        names = pd.concat(
            [n.assign(row=n["row"] + s) for (_, n), s in zip(parts, shift, strict=False)],
            ignore_index=True,
        )
        pool = Pool(frame, names)
        words = [name_words(n) for n in pool.distinct_names]
        codes = {n: i for i, n in enumerate(self.nafs)}
        naf = frame["naf"].map(codes).fillna(-1).to_numpy(np.int64)
        return IndexedPool(pool, Lexicon(words), naf)

    def _register(self, departement: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Establishments of a département, and their names."""
        if departement not in self._registers:
            if len(self._registers) >= _MOST_REGISTERS:
                self._registers.pop(next(iter(self._registers)))
            frame = self.store.departement(STORE_ESTABLISHMENTS, departement, _COLUMNS)
            names = self.store.departement(NAMES, departement)
            self._registers[departement] = frame.assign(departement=departement), names
        return self._registers[departement]


def _part(
    frame: pd.DataFrame, names: pd.DataFrame, communes: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of some communes, and their names, renumbered."""
    kept = frame["code_commune"].isin(communes).to_numpy()
    number = np.cumsum(kept) - 1
    names = names[kept[names["row"].to_numpy()]]
    return frame[kept], names.assign(row=number[names["row"].to_numpy()])


#: Registers kept as read, for the fringes of their neighbours.
_MOST_REGISTERS = 12
#: What matching needs of an establishment.
_COLUMNS = ("siret", "siren", "code_commune", "naf", "tranche_effectifs", "is_siege", "voie_id",
            "x", "y", "uncertainty_m", "numero_norm", "voie_norm")  # fmt: skip
