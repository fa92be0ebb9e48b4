"""Values of many keys, built fast and read seldom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd


class Groups:
    """Values of each key, in the order of the table; built fast, read seldom."""

    def __init__(self, keys: pd.Series, values: pd.Series) -> None:
        key = keys.to_numpy(object)
        codes, distinct = pd.factorize(key)
        order = np.argsort(codes, kind="stable")
        start = np.searchsorted(codes[order], np.arange(len(distinct) + 1))
        self._values = values.to_numpy(object)[order]
        self._span = dict(zip(distinct, pairwise(start), strict=True))

    def get(self, key: str) -> tuple[str, ...]:
        """Values of a key; none when it has none."""
        low, high = self._span.get(key, (0, 0))
        return tuple(self._values[low:high])
