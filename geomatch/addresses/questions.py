"""Distinct streets that are asked for, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.gazetteer_index import StreetIndex
from geomatch.addresses.street_names import StreetName

Ints = NDArray[np.int64]

#: How far a street's commune is from the one that is asked for.
STATED, SAME_CITY, NEIGHBOUR, ELSEWHERE = 0, 1, 2, 3
#: Types that hardly ever are a word of a street's name, as QUAI or FAUBOURG are.
_NEVER_IN_NAMES = frozenset(
    ("RUE", "AVENUE", "BOULEVARD", "PLACE", "ALLEE", "IMPASSE", "CHEMIN", "ROUTE", "SQUARE")
)


class Zones:
    """Where streets are looked for: of each zone the communes that are not ELSEWHERE.

    Parameters
    ----------
    zones : sequence of mappings
        For each zone: commune (position in the index) → STATED, SAME_CITY or NEIGHBOUR.
    n_communes : int
        Communes of the index.
    """

    def __init__(self, zones: Sequence[Mapping[int, int]], n_communes: int) -> None:
        self._n = max(n_communes, 1)
        zone = np.repeat(np.arange(len(zones)), [len(z) for z in zones])
        commune = np.array([c for z in zones for c in z], dtype=np.int64)
        near = np.array([n for z in zones for n in z.values()], dtype=np.int64)
        key = zone * self._n + commune
        order = np.argsort(key)
        self._key, self._near = key[order], near[order]

    def near(self, zone: Ints, commune: Ints) -> Ints:
        """STATED … ELSEWHERE for pairs of a zone and a commune."""
        if not len(self._key):
            return np.full(len(zone), ELSEWHERE)
        key = zone * self._n + commune
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._near[at], ELSEWHERE)

    def communes(self, zone: int, reach: int) -> tuple[int, ...]:
        """Communes of a zone that are as near as `reach` or nearer."""
        low, high = np.searchsorted(self._key, [zone * self._n, (zone + 1) * self._n])
        kept = self._near[low:high] <= reach
        return tuple((self._key[low:high][kept] % self._n).tolist())


@dataclass(frozen=True)
class Questions:
    """Streets asked for; every array has one value for each.

    `zone` is the position in `zones`. `numero` is 0 where there is none.
    """

    keys: Sequence[str]
    names: Sequence[StreetName]
    zone: Ints
    zones: Zones
    numero: Ints

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def packed(self) -> NDArray[np.object_]:
        """Letters of each name, run together."""
        return np.array([n.packed for n in self.names], dtype=object)

    @cached_property
    def length(self) -> Ints:
        """Number of these letters."""
        return np.fromiter((len(n.packed) for n in self.names), np.int64, len(self.names))

    @cached_property
    def kind_length(self) -> Ints:
        """Number of letters of each type asked for."""
        return np.fromiter((len(n.kind) for n in self.names), np.int64, len(self.names))

    @cached_property
    def whole(self) -> NDArray[np.object_]:
        """Letters of each name with its type before it."""
        return np.array([n.kind.replace(" ", "") + n.packed for n in self.names], dtype=object)

    @cached_property
    def has_weak_kind(self) -> NDArray[np.bool_]:
        """Whether the type asked for is also a plain word, which names hold."""
        kinds = (bool(n.kind) and n.kind not in _NEVER_IN_NAMES for n in self.names)
        return np.fromiter(kinds, bool, len(self.names))

    def kind_of(self, index: StreetIndex) -> Ints:
        """Type of street asked for as the index counts them; -1 unsaid, a new number unknown."""
        codes = index.kind_code
        return np.fromiter(
            (codes.get(n.kind, len(codes)) if n.kind else -1 for n in self.names),
            np.int64,
            len(self.names),
        )

    def near(self, question: Ints, commune: Ints) -> Ints:
        """STATED … ELSEWHERE for pairs of a question and a commune of the index."""
        return self.zones.near(self.zone[question], commune)
