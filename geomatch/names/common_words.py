"""Words that crowds of names hold: those names in the order of their weights, and a bit for each.

A word that tens of thousands of names hold (PARIS, SCI, CABINET) makes most of the pairs of a
product of words, and nearly all of these share nothing else, so that only short names among them
can be alike. Laid out by weight these stand together; the others are met by their rarer words, and
their bits tell which of the commonest words they hold besides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.groups import Links

#: Bits of a name: so many of the commonest words, of those that so many names hold.
_MOST = 64
_CROWD = 500


@dataclass(frozen=True)
class Crowds:
    """The commonest words, 64 at most.

    ``number`` is that of each word among them, -1 for none. Bit *k* of ``bits`` tells which names
    hold the *k*-th. The names that hold it are ``holders[start[k]:start[k + 1]]``, by rising
    weight, which ``weights`` gives.
    """

    number: NDArray[np.int64]
    bits: NDArray[np.uint64]
    start: NDArray[np.int64]
    holders: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def of(
        cls, names_with: Links, frequency: NDArray[np.int64], weight: NDArray[np.float32]
    ) -> Crowds:
        """Those of the names with each word; how many names hold each word; their weights."""
        words = np.argsort(-frequency, kind="stable")[:_MOST]
        words = words[frequency[words] >= _CROWD]
        number = np.full(len(frequency), -1, np.int64)
        number[words] = np.arange(len(words))
        bits = np.zeros(len(weight), np.uint64)
        parts = [np.zeros(0, np.int32)]
        for k, word in enumerate(words):
            mine = names_with[word]
            bits[mine] |= np.uint64(1 << k)
            parts.append(mine[np.argsort(weight[mine], kind="stable")])
        holders = np.concatenate(parts)
        start = np.cumsum([len(p) for p in parts])
        return cls(number, bits, start, holders, weight[holders].astype(np.float32))
