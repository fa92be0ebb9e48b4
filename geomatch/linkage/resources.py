"""What a matcher has loaded from its store: communes, streets, pools, words that imply a NAF.

Loaded when first asked for and kept; one département's pool at a time stays when memory
matters (:attr:`Resources.most_pools`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.core.config import AddressOptions
from geomatch.core.schema import STORE_NAF, STORE_NAF_WORDS, STORE_STREETS
from geomatch.core.threads import alongside
from geomatch.linkage import activities
from geomatch.linkage.pool import Pool
from geomatch.names.clean import TownWords, clean_names
from geomatch.names.distinctive import PlaceWords
from geomatch.store import array_files
from geomatch.store.reader import Store

#: What Sirene writes where it knows no activity; no nomenclature has it.
NO_ACTIVITY = "00.00Z"


@dataclass(frozen=True)
class IndexedPool:
    """A pool with the NAF positions of its rows and the names of its communes."""

    pool: Pool
    naf: NDArray[np.int64]
    towns: TownWords
    town_names: NDArray[np.object_]

    @cached_property
    def place_words(self) -> PlaceWords:
        """Words of streets and towns among those of the pool's names."""
        return PlaceWords(self.pool.lexicon)

    @cached_property
    def commune_position(self) -> dict[str, int]:
        """Code of each commune of the pool → its position."""
        return {c: i for i, c in enumerate(self.pool.communes)}


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

    @cached_property
    def communes(self) -> CommuneIndex:
        """Communes of the store."""
        return CommuneIndex.open(self.store)

    @cached_property
    def commune_labels(self) -> dict[str, str]:
        """Name of each commune; PARIS for an arrondissement."""
        labels = self.communes.labels
        return {c: labels.get(self.communes.city(c), label) for c, label in labels.items()}

    @cached_property
    def nafs(self) -> list[str]:
        """The NAF codes of the store's nomenclature, sorted: what the register has besides is none.

        Without a file of labels the nomenclature is what the register has.
        """
        codes = self.store.country_arrow(STORE_NAF).column("naf").unique().to_pylist()
        return sorted(set(codes) - {"", None, NO_ACTIVITY})

    @cached_property
    def label_counts(self) -> pd.DataFrame:
        """Words of the official labels."""
        return activities.label_counts(self.store.country(STORE_NAF))

    @cached_property
    def name_words_model(self) -> activities.WordModel:
        """What words of names imply."""
        words = self.store.country_arrow(STORE_NAF_WORDS)
        counts = [(words, 1.0), (self.label_counts, activities.LABEL_WEIGHT)]
        return activities.WordModel(self.nafs, counts)

    @cached_property
    def known(self) -> frozenset[str]:
        """Départements of the store."""
        return frozenset(self.store.departements)

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

    def load(self, departement: str) -> None:
        """Load what bulletins of a département need, on two cores where there are two."""
        if departement in self.known and departement not in self._pools:
            with alongside(lambda: self._words_and_streets(departement)) as other:
                self.pool(departement)
            other.result()

    def _words_and_streets(self, departement: str) -> tuple[activities.WordModel, Geocoder]:
        return self.name_words_model, self.geocoder(departement)

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
        pool = array_files.read(self.store.pool(departement), Pool)
        pool.make_ready()
        towns = clean_names([self.commune_labels.get(c, "") for c in pool.communes])
        names = np.array(towns, dtype=object)
        return IndexedPool(pool, pool.naf_positions(self.nafs), TownWords(towns), names)
