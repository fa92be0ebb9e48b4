"""Where a street is looked for: its commune, the city around, the neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.communes.index import CommuneIndex
from geomatch.arrays.rows import Columns
from geomatch.core.territories import departement_of

Ints = NDArray[np.int64]


class Nearness(IntEnum):
    """How far a street's commune is from the one asked for; less is nearer."""

    STATED = 0
    SAME_CITY = 1
    NEIGHBOUR = 2
    ELSEWHERE = 3


class Zones:
    """Where streets are looked for: of each zone the communes that are not ELSEWHERE.

    Parameters
    ----------
    zones : sequence of mappings
        For each zone: commune (position in the index) → :class:`Nearness`.
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
        """:class:`Nearness` of pairs of a zone and a commune."""
        if not len(self._key):
            return np.full(len(zone), Nearness.ELSEWHERE)
        key = zone * self._n + commune
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        return np.where(self._key[at] == key, self._near[at], Nearness.ELSEWHERE)

    def communes(self, zone: int, reach: int) -> tuple[int, ...]:
        """Communes of a zone that are as near as `reach` or nearer."""
        low, high = np.searchsorted(self._key, [zone * self._n, (zone + 1) * self._n])
        kept = self._near[low:high] <= reach
        return tuple((self._key[low:high][kept] % self._n).tolist())


class ZoneFinder:
    """Zones of addresses among the communes whose streets are loaded.

    `position` gives the place of each such commune in the index of streets.
    """

    def __init__(self, communes: CommuneIndex, position: Mapping[str, int]) -> None:
        self.communes = communes
        self._position = position
        self._covered = frozenset(position)
        self._of_departement: dict[str, set[str]] = {}
        for code in position:
            self._of_departement.setdefault(departement_of(code)[:2], set()).add(code)

    def of(self, asked: Columns) -> tuple[Zones, Ints]:
        """Zone of each distinct (commune, postcode), and which is whose; -1 for no zone."""
        known: dict[tuple[str, str], int] = {}
        zones: list[dict[int, int]] = []
        of_row = np.empty(len(asked), dtype=np.int64)
        pairs = zip(asked["code_commune"], asked["code_postal"], strict=True)
        for i, pair in enumerate(pairs):
            z = known.get(pair)
            if z is None:
                near = self._nearness(*pair)
                z = known[pair] = len(zones) if near else -1
                if near:
                    zones.append(near)
            of_row[i] = z
        return Zones(zones, len(self._position)), of_row

    def _nearness(self, code: str, code_postal: str) -> dict[int, int]:
        """How near the communes of a zone are; none when no street could be meant."""
        index = self.communes
        stated = {c for c in index.of_postcode(code_postal) if c in self._covered}
        if code:
            own = set(index.zone(code))
            stated = (stated & own) or own
        city = {p for c in stated for p in index.zone(index.city(c))}
        around = {n for c in stated | ({code} if code else set()) for n in index.neighbours(c)}
        if not stated:
            around = self._of_departement.get(code_postal[:2], set())
        if not (stated | city) & self._covered and (code or not around):
            return {}
        near: dict[int, int] = {}
        for codes, value in (
            (around, Nearness.NEIGHBOUR),
            (city, Nearness.SAME_CITY),
            (stated, Nearness.STATED),
        ):
            near |= {self._position[c]: value for c in codes & self._covered}
        return near
