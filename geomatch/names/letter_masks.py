"""Letters that words are made of, as two integers a word: one tells swaps, one bounds edits.

Words of the same letters in whatever order have the same *sum*. One edit (a letter put in, left
out or replaced) changes two bits of the *mask* at most, and a swap of neighbours none, so that
words whose masks differ in more than twice the edits allowed need not be compared.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Words64 = NDArray[np.uint64]

_NO_WORD = np.array([], "S1")
#: What a letter adds to a sum: 64 random bits, always the same ones; nothing behind a word's end.
_ADDED = np.random.default_rng(20_190_101).integers(1, 2**64, 256, dtype=np.uint64)
_ADDED[0] = 0
#: Letters told apart in masks: A–Z twice (once, again), the rest by their remainder.
_LETTERS = 26
_BIT = np.uint64(1) << ((np.arange(256) - ord("A")) % _LETTERS).astype(np.uint64)
_BIT[0] = 0


class Letters:
    """The letters of many words, place by place.

    Parameters
    ----------
    words : array of str, shape (n,)
        Normalised.
    """

    def __init__(self, words: NDArray[np.object_]) -> None:
        #: the words as bytes: a quarter of the memory of numpy's text, and the same order
        self.bytes: NDArray[np.bytes_] = words.astype(bytes) if len(words) else _NO_WORD
        width = self.bytes.dtype.itemsize
        #: letter of each word at each place, 0 behind its end; shape (longest, n)
        self.at = np.ascontiguousarray(self.bytes.view(np.uint8).reshape(-1, width).T)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Number of letters of each word."""
        return np.char.str_len(self.bytes)

    @cached_property
    def sums(self) -> Words64:
        """A sum for each word, equal for words of the same letters.

        Others have the same one time in 10¹⁹.
        """
        total = np.zeros(len(self.bytes), np.uint64)
        for letter in self.at:
            total += _ADDED[letter]
        return total

    @cached_property
    def masks(self) -> Words64:
        """A mask for each word: which letters it has, and which more than once."""
        once, again = np.zeros((2, len(self.bytes)), np.uint64)
        for letter in self.at:
            bit = _BIT[letter]
            again |= once & bit
            once |= bit
        return once | again << np.uint64(_LETTERS)


def edits_apart(a: Words64, b: Words64) -> NDArray[np.int64]:
    """Least number of edits between words of two masks."""
    return (np.bitwise_count(a ^ b).astype(np.int64) + 1) // 2
