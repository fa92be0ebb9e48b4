"""Known words that share enough trigrams with a written one to be a misspelling of it.

The search is exact: it gives every known word that may pass the bounds it is asked for, and few
others. An edit distance is never less than the difference of two lengths, so that only words of
some lengths are looked at; and of these, who shares the least number of trigrams that any of
them may is noted while it is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.groups import Links
from geomatch.arrays.jit import compiled
from geomatch.names.letter_masks import Letters

_WIDTH = 16  # words are compared on their first 16 letters
_BASE = 38  # A–Z, 0–9, edge, other
#: Of each byte: A–Z are 1 to 26, 0–9 27 to 36, what is neither is none.
_CODE = np.zeros(256, np.int32)
_CODE[np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", np.uint8)] = np.arange(1, 37)
_EPSILON = 1e-6

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Group:
    """Written words of one length that ask for one similarity, and the known words in reach.

    These stand from `low` to `high` in the order of their lengths.
    """

    rows: Ints
    length: int
    least: float
    low: int
    high: int

    def needed(self, own: Ints, other: Ints, longer: Ints, dice: float) -> NDArray[np.float64]:
        """Least number of shared trigrams of words that hold `own` and `other` of them.

        `longer` is the length of the longer word. An edit spoils four trigrams at most, where
        two letters are swapped.
        """
        edits = np.floor((1.0 - self.least) * longer + _EPSILON)
        by_edits = np.where(longer <= _WIDTH, np.maximum(own, other) - 4.0 * edits, 0.0)
        return np.maximum(np.ceil(dice * (own + other) / 2 - _EPSILON), by_edits)


@dataclass(frozen=True)
class TrigramIndex:
    """The trigrams of known words, to find them again.

    ``order`` is that of the words' lengths, in which ``words_of`` has them by trigram. As far as
    bounds go, words of one ``kind_size`` (trigrams) and ``kind_length`` are of one ``kind``.
    """

    order: Ints
    lengths: Ints
    kind: NDArray[np.int16]
    kind_size: Ints
    kind_length: Ints
    words_of: Links

    @classmethod
    def of(cls, words: Letters) -> TrigramIndex:
        """That of the letters of known words."""
        matrix, lengths = trigram_matrix(words), words.lengths
        order = np.argsort(lengths, kind="stable")
        span = int(lengths.max(initial=0)) + 1
        of_word = (np.diff(matrix.indptr) * span + lengths)[order]
        kinds = np.flatnonzero(np.bincount(of_word))
        kind = np.searchsorted(kinds, of_word).astype(np.int16)
        words_of = Links.of(matrix[order].T.tocsr())
        return cls(order, lengths[order], kind, kinds // span, kinds % span, words_of)

    def resembling(
        self, words: Letters, least: NDArray[np.float64], dice: float
    ) -> tuple[Ints, Ints]:
        """Pairs (written, known) that may be alike.

        Parameters
        ----------
        words : Letters
            Those of m written words.
        least : array, shape (m,)
            Similarity each asks for: 1 less the edits over the length of the longer word.
        dice : float
            Least share of trigrams in common (Dice).

        Returns
        -------
        Every pair that has both, and some that lack the similarity.
        """
        grams, lengths = trigram_matrix(words), words.lengths
        sizes = np.diff(grams.indptr)
        found: list[tuple[Ints, Ints]] = []
        for group in self._groups(lengths, least):
            # by the sizes and lengths of the two words
            enough = self._needed(group, dice)
            least_enough = np.maximum(enough[:, self._within(group)].min(axis=1), 1)
            asked, size = grams[group.rows], sizes[group.rows]
            row, column = _sharing(
                _Asked(
                    asked.indptr, asked.indices, least_enough[size].astype(np.int64), enough[size]
                ),
                group.low, group.high,
                _Known(self.words_of.start, self.words_of.to, self.kind),
            )  # fmt: skip
            found.append((group.rows[row], self.order[column]))
        if not found:
            return np.array([], np.int64), np.array([], np.int64)
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def _needed(self, group: _Group, dice: float) -> NDArray[np.float64]:
        """Trigrams that words of each size must share with known ones of each kind."""
        own = np.arange(_WIDTH + 1)[:, None]
        longer = np.maximum(group.length, self.kind_length[None, :])
        return group.needed(own, self.kind_size[None, :], longer, dice)

    def _within(self, group: _Group) -> NDArray[np.bool_]:
        """Kinds of the known words in reach of a group, which are all the words of some lengths."""
        shortest, longest = self.lengths[group.low], self.lengths[group.high - 1]
        return (self.kind_length >= shortest) & (self.kind_length <= longest)

    def _groups(self, lengths: Ints, least: NDArray[np.float64]) -> Iterator[_Group]:
        rows_of: dict[tuple[int, float], list[int]] = {}
        for row, kind in enumerate(zip(lengths.tolist(), least.tolist(), strict=True)):
            rows_of.setdefault(kind, []).append(row)
        for (length, bound), rows in sorted(rows_of.items()):
            shortest = np.ceil(length * bound - _EPSILON)
            longest = np.floor(length / max(bound, _EPSILON) + _EPSILON)
            low = int(np.searchsorted(self.lengths, shortest))
            high = int(np.searchsorted(self.lengths, longest, side="right"))
            if low < high:
                yield _Group(np.array(rows), length, bound, low, high)


class _Asked(NamedTuple):
    """Written words: word *i* has ``grams[start[i]:start[i + 1]]``.

    It must share ``enough[i, kind]`` of them with known words of each kind, ``least[i]`` with any.
    """

    start: NDArray[np.int32]
    grams: NDArray[np.int32]
    least: Ints
    enough: NDArray[np.float64]


class _Known(NamedTuple):
    """Known words, in order, that hold gram *g*: from ``start[g]``; the kind of each word."""

    start: NDArray[np.int32]
    words: NDArray[np.int32]
    kind: NDArray[np.int16]


@compiled
def _sharing(asked: _Asked, low: int, high: int, known: _Known) -> tuple[Ints, Ints]:
    """Pairs (written, known) of words that share enough trigrams; known ones `low` to `high`."""
    shared = np.zeros(high - low, np.int8)
    # A word that shares less or more than the least is written behind the last one and dropped.
    met = np.empty(high - low + 1, np.int32)
    row, column = np.empty(0, np.int64), np.empty(0, np.int64)
    n = 0
    for i in range(len(asked.start) - 1):
        n_met = 0
        for gram in asked.grams[asked.start[i] : asked.start[i + 1]]:
            its = known.words[known.start[gram] : known.start[gram + 1]]
            for at in range(np.searchsorted(its, low), np.searchsorted(its, high)):
                place = its[at] - low
                shared[place] += 1
                met[n_met] = place
                n_met += shared[place] == asked.least[i]
        if n + n_met > len(row):
            more = np.empty(len(row) + n_met, np.int64)
            row, column = np.concatenate((row, more)), np.concatenate((column, more))
        for place in met[:n_met]:
            row[n], column[n] = i, low + place
            n += shared[place] >= asked.enough[i, known.kind[low + place]]
        shared[:] = 0
    return row[:n], column[:n]


def trigram_matrix(words: Letters) -> sparse.csr_array:
    """Which trigrams (edges counted) each word holds; shape (words, 38³), binary."""
    n, width = len(words.bytes), min(len(words.at), _WIDTH)
    padded = np.zeros((width + 2, n), dtype=np.int32)
    padded[1:-1] = _CODE[words.at[:width]]
    gram = (padded[:-2] * _BASE + padded[1:-1]) * _BASE + padded[2:]
    # what is no letter, and what a word has twice, goes behind the rest and out
    gram[padded[1:-1] == 0] = _BASE**3
    gram = np.sort(gram.T, axis=1)
    kept = gram < _BASE**3
    kept[:, 1:] &= gram[:, 1:] != gram[:, :-1]
    start = np.append(0, np.cumsum(kept.sum(axis=1))).astype(np.int32)
    ones = np.ones(start[-1], np.float32)
    return sparse.csr_array((ones, gram[kept], start), shape=(n, _BASE**3))
