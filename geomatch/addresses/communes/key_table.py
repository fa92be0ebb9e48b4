"""Which rows bear a key."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.arrays.arrow import coded, encoded, texts
from geomatch.arrays.groups import ragged_ranges

Ints = NDArray[np.int64]
_NO_ROW = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Pairs:
    """Pairs of a question (position) and a street (row of the index)."""

    question: Ints
    street: Ints


class KeyTable:
    """Which rows, of streets or names, bear each key.

    Parameters
    ----------
    bears : int array, shape (rows,)
        Position in `keys` of what each row bears.
    keys : sequence or Array of str
        Not empty; several may be the same.
    """

    def __init__(self, bears: Ints, keys: Sequence[str] | pa.Array) -> None:
        code, distinct = coded(encoded(keys))
        self._code = dict(zip(texts(distinct), range(len(distinct)), strict=True))
        #: number of each row's key, as keys first come
        self.code = code[bears]
        self._order = np.argsort(self.code, kind="stable")
        self._start = np.searchsorted(self.code[self._order], np.arange(len(self._code) + 1))

    @classmethod
    def of(cls, keys: pa.Array | pa.ChunkedArray) -> KeyTable:
        """That of each row's key."""
        return cls(*coded(keys))

    @property
    def keys(self) -> Collection[str]:
        """Distinct keys, as they first come."""
        return self._code.keys()

    def rows(self, key: str) -> Ints:
        """Rows that bear a key, in their order; none when it is not known."""
        code = self._code.get(key, -1)
        return self._order[self._start[code] : self._start[code + 1]] if code >= 0 else _NO_ROW

    def codes(self, keys: Sequence[str]) -> Ints:
        """Number of each key, as :attr:`code` has them; -1 for empty and unknown ones."""
        get = self._code.get
        return np.fromiter((get(k, -1) if k else -1 for k in keys), np.int64, len(keys))

    def find(self, keys: Sequence[str]) -> Pairs:
        """Every row of every key asked for; empty keys find nothing."""
        code = self.codes(keys)
        asked = np.flatnonzero(code >= 0)
        low, high = self._start[code[asked]], self._start[code[asked] + 1]
        question, at = ragged_ranges(low, high)
        return Pairs(asked[question], self._order[at])
