"""Letters that words are made of, as two integers a word: one tells swaps, one bounds edits.

Words of the same letters in whatever order have the same *sum*. One edit (a letter put in, left
out or replaced) changes two bits of the *mask* at most, and a swap of neighbours none, so that
words whose masks differ in more than twice the edits allowed need not be compared.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

Words64 = NDArray[np.uint64]

#: What a letter adds to a sum: 64 random bits, always the same ones.
_ADDED = np.random.default_rng(20_190_101).integers(1, 2**64, 256, dtype=np.uint64)
#: Letters told apart in masks: A–Z twice (once, again), the rest by their remainder.
_LETTERS = 26


def letter_sums(words: Collection[str]) -> Words64:
    """A sum for each word, equal for words of the same letters (and, one chance in 10¹⁹, others).

    `words` are normalised.
    """
    letters, start = _flat(words)
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_ADDED[letters], dtype=np.uint64)])
    return np.diff(total[np.append(start, len(letters))])


def letter_masks(words: Collection[str]) -> Words64:
    """A mask for each word: which letters it has, and which more than once."""
    letters, start = _flat(words)
    n = len(start)
    sizes = np.diff(np.append(start, len(letters)))
    place = (letters.astype(np.int64) - 65) % _LETTERS
    # the letters of each word in order, so that one that is there again follows itself
    key = np.sort(np.repeat(np.arange(n), sizes) * _LETTERS + place)
    place = key % _LETTERS
    again = np.zeros(len(key), bool)
    again[1:] = key[1:] == key[:-1]
    mask = np.zeros(n, np.uint64)
    some = np.flatnonzero(sizes)
    if len(some):
        bits = np.uint64(1) << (place + _LETTERS * again).astype(np.uint64)
        mask[some] = np.bitwise_or.reduceat(bits, start[some])
    return mask


def edits_apart(a: Words64, b: Words64) -> NDArray[np.int64]:
    """Least number of edits between words of two masks."""
    return (np.bitwise_count(a ^ b).astype(np.int64) + 1) // 2


def _flat(words: Collection[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    letters = np.frombuffer("".join(words).encode("ascii", "replace"), np.uint8)
    sizes = np.fromiter(map(len, words), np.int64, len(words))
    return letters, np.cumsum(sizes) - sizes
