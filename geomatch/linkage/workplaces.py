"""Where the bulletins of a batch are at work, as far as candidates are concerned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


class Relation(IntEnum):
    """How a commune of the pool stands to the declared place of work; more is nearer."""

    ELSEWHERE = 0
    NEIGHBOUR = 1
    INSIDE = 2


@dataclass(frozen=True)
class Places:
    """Where each bulletin of a batch is, as far as candidates are concerned (n rows).

    ``zone`` indexes the rows of `relation`, an array (zones, communes of the pool) of
    values of :class:`Relation`. ``position`` and ``radius`` are metres; NaN for none.
    ``street`` is :func:`geomatch.linkage.pool.street_codes`, -1 for none. ``home`` is the
    commune of residence (position among the pool's, -1 for one outside), ``at_home`` 1 where
    work is said to be in it, -1 elsewhere, 0 where nothing is said. ``by_code`` tells whose
    commune was given by its official code. ``named`` tells which communes of the pool each
    employer's name holds; ``town`` numbers their names, of which the arrondissements of Paris
    share one.
    """

    zone: NDArray[np.int64]
    relation: NDArray[np.int8]
    position: NDArray[np.float64]
    radius: NDArray[np.float64]
    street: NDArray[np.int64]
    numero: NDArray[np.int64]
    street_text: NDArray[np.object_]
    home: NDArray[np.int64]
    at_home: NDArray[np.int8]
    by_code: NDArray[np.bool_]
    named: sparse.csr_array
    town: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.zone)

    @cached_property
    def focus(self) -> NDArray[np.int64]:
        """The commune of residence where it tells more than the declared place; -1 elsewhere.

        Who lives in an arrondissement of Paris and works where they live works in it, one of
        twenty that PARIS may mean.
        """
        outside = self.relation[self.zone, self.home] != Relation.INSIDE
        return np.where((self.at_home > 0) & (self.is_wide | outside), self.home, -1)

    @cached_property
    def is_wide(self) -> NDArray[np.bool_]:
        """Whose declared place is several communes: Paris, Lyon, Marseille, or none at all."""
        return np.asarray((self.relation == Relation.INSIDE).sum(axis=1)[self.zone] != 1)
