"""Which streets bear a key, and ranges of integers laid out flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of a question (position) and a street (row of the index)."""

    question: Ints
    street: Ints


class KeyTable:
    """Which streets bear each key."""

    def __init__(self, keys: Sequence[str]) -> None:
        codes, distinct = pd.factorize(np.array(keys, dtype=object))
        self._code = {k: i for i, k in enumerate(distinct)}
        self._order = np.argsort(codes, kind="stable")
        self._start = np.searchsorted(codes[self._order], np.arange(len(distinct) + 1))

    def find(self, keys: Sequence[str]) -> Pairs:
        """Every street of every key asked for; empty keys find nothing."""
        get = self._code.get
        code = np.fromiter((get(k, -1) if k else -1 for k in keys), np.int64, len(keys))
        asked = np.flatnonzero(code >= 0)
        low, high = self._start[code[asked]], self._start[code[asked] + 1]
        question, at = spread(low, high)
        return Pairs(asked[question], self._order[at])


def spread(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Row and value of every integer of the ranges ``low[i] … high[i]-1``, flat."""
    sizes = np.maximum(high - low, 0)
    row = np.repeat(np.arange(len(low)), sizes)
    first = np.cumsum(sizes) - sizes
    return row, np.arange(len(row)) - np.repeat(first - low, sizes)
