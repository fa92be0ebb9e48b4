"""Distinct streets that are asked for, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.streets.index import StreetIndex
from geomatch.addresses.streets.names import StreetName, keys_of
from geomatch.addresses.streets.zones import Zones
from geomatch.core.street_types import street_type_table

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Questions:
    """Streets asked for; every array has one value for each.

    `zone` is the position in `zones`. `numero` is 0 where there is none, `code_postal` and
    `former` (code of the former commune that is written as the town) are "" then.
    """

    keys: Sequence[str]
    names: Sequence[StreetName]
    zone: Ints
    zones: Zones
    numero: Ints
    code_postal: NDArray[np.object_]
    former: NDArray[np.object_]

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
        types = street_type_table().types
        kinds = (bool(n.kind) and types[n.kind].is_in_names for n in self.names)
        return np.fromiter(kinds, bool, len(self.names))

    def kind_of(self, index: StreetIndex) -> Ints:
        """Type of street asked for as the index counts them; -1 unsaid, a new number unknown."""
        codes = index.kind_code
        return np.fromiter(
            (codes.get(n.kind, len(codes)) if n.kind else -1 for n in self.names),
            np.int64,
            len(self.names),
        )

    @cached_property
    def typed(self) -> list[str]:
        """Key of type and words of each name."""
        return keys_of(self.names)[0]

    def near(self, question: Ints, commune: Ints) -> Ints:
        """:class:`Nearness` of pairs of a question and a commune of the index."""
        return self.zones.near(self.zone[question], commune)
