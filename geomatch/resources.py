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
from geomatch.addresses import CommuneIndex, Geocoder, register_parts
from geomatch.config import AddressOptions
from geomatch.establishments import Pool
from geomatch.lexicon import Lexicon
from geomatch.names import name_words, register_names
from geomatch.schema import (
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNES,
    STORE_ESTABLISHMENTS,
    STORE_NAF,
    STORE_NAF_WORDS,
    departement_of,
)
from geomatch.store import Store


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
        self._geocoders: dict[tuple[str, ...], Geocoder] = {}
        self._pools: dict[str, IndexedPool] = {}

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

    def geocoder(self, departements: Sequence[str]) -> Geocoder:
        """Streets and addresses of some départements; the last one asked for is kept."""
        key = tuple(departements)
        if key not in self._geocoders:
            self._geocoders.clear()
            self._geocoders[key] = Geocoder.open(self.store, key, self.options)
        return self._geocoders[key]

    def pool(self, departement: str) -> IndexedPool:
        """Establishments of a département and of the neighbouring communes across its border."""
        if departement in self._pools:
            self._pools[departement] = self._pools.pop(departement)  # now the latest used
        else:
            if len(self._pools) >= self.most_pools:
                self._pools.pop(next(iter(self._pools)))
            frames = [self._establishments(departement)]
            for other, near in self._fringe.get(departement, {}).items():
                if other in self.known:
                    frame = self._establishments(other)
                    frames.append(frame[frame["code_commune"].isin(near)])
            frame = pd.concat(frames, ignore_index=True)
            towns = [self.commune_labels.get(c, "") for c in frame["code_commune"]]
            pool = Pool.build(frame, register_names(frame, towns), register_parts(frame))
            words = [name_words(n) for n in pool.distinct_names]
            codes = {n: i for i, n in enumerate(self.nafs)}
            naf = frame["naf"].map(codes).fillna(-1).to_numpy(np.int64)
            self._pools[departement] = IndexedPool(pool, Lexicon(words), naf)
        return self._pools[departement]

    def _establishments(self, departement: str) -> pd.DataFrame:
        frame = self.store.departement(STORE_ESTABLISHMENTS, departement)
        return frame.assign(departement=departement)
