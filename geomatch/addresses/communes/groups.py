"""Values of many keys, built fast; what is read is kept."""

from __future__ import annotations

import pyarrow as pa

from geomatch.addresses.communes.key_table import KeyTable
from geomatch.arrays.arrow import coded, texts


class Groups:
    """Values of each key, in the order of the table; those asked for once are kept at hand.

    Parameters
    ----------
    keys, values : columns of text, of one length
    """

    def __init__(self, keys: pa.ChunkedArray, values: pa.ChunkedArray) -> None:
        self._keys = KeyTable.of(keys)
        self._number, distinct = coded(values)
        self._values = texts(distinct)
        self._known: dict[str, tuple[str, ...]] = {}

    def get(self, key: str) -> tuple[str, ...]:
        """Values of a key; none when it has none."""
        known = self._known.get(key)
        if known is None:
            known = tuple(self._values[self._number[self._keys.rows(key)]])
            if known:  # only keys that are there, so that no asker can fill the memory
                self._known[key] = known
        return known
