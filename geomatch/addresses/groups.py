"""Values of many keys, built fast; what is read is kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.columns import coded, texts


class Groups:
    """Values of each key; those asked for once are kept at hand.

    Parameters
    ----------
    keys, values : columns of text, of one length
    rank : array, optional
        Values of a key come in its order, else in that of the table.
    """

    def __init__(
        self, keys: pa.ChunkedArray, values: pa.ChunkedArray, rank: NDArray | None = None
    ) -> None:
        code, distinct = coded(keys)
        order = np.argsort(code, kind="stable") if rank is None else np.lexsort((rank, code))
        start = np.searchsorted(code[order], np.arange(len(distinct) + 1))
        number, values_met = coded(values)
        self._number, self._values = number[order], texts(values_met)
        self._known: dict[str, tuple[str, ...]] = {}
        self._span = dict(zip(distinct.to_pylist(), pairwise(start.tolist()), strict=True))

    def get(self, key: str) -> tuple[str, ...]:
        """Values of a key; none when it has none."""
        known = self._known.get(key)
        if known is None:
            low, high = self._span.get(key, (0, 0))
            known = tuple(self._values[self._number[low:high]])
            if known:  # only keys that are there, so that no asker can fill the memory
                self._known[key] = known
        return known
