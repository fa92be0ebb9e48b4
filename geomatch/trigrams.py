"""Known words that share enough trigrams with a written one to be a misspelling of it.

The search is exact: it gives every known word that may pass the bounds it is asked for, and few
others. Three cheap bounds keep it from looking at what cannot: an edit distance is never less
than the difference of two lengths; two words that must share *n* trigrams share one of the
rarer ones if the *n* - 1 commonest are left out; and what was left out can add no more than its
number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.compiled import compiled
from geomatch.letters import Letters

_WIDTH = 16  # words are compared on their first 16 letters
_BASE = 38  # A–Z, 0–9, edge, other
#: Of each byte: A–Z are 1 to 26, 0–9 27 to 36, what is neither is none.
_CODE = np.zeros(256, np.int32)
_CODE[np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", np.uint8)] = np.arange(1, 37)
_EPSILON = 1e-6
#: Share of the trigrams a pair must share that need not be looked up.
_DROPPED = 0.2

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


class TrigramIndex:
    """The trigrams of known words, to find them again.

    Parameters
    ----------
    words : Letters
        Known words.
    """

    def __init__(self, words: Letters) -> None:
        self.matrix = trigram_matrix(words)
        self._sizes = np.diff(self.matrix.indptr)
        self._common = np.bincount(self.matrix.indices, minlength=_BASE**3)
        lengths = words.lengths
        self._order = np.argsort(lengths, kind="stable")
        self._lengths = lengths[self._order]
        # words of one size and length are of one kind as far as bounds go
        span = int(lengths.max(initial=0)) + 1
        of_word = (self._sizes * span + lengths)[self._order]
        kinds = np.flatnonzero(np.bincount(of_word))
        self._kind = np.searchsorted(kinds, of_word)
        self._kind_size, self._kind_length = kinds // span, kinds % span
        # trigram → words, in the order of their lengths
        self._words_of = self.matrix[self._order].T.tocsr()

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
        Every pair that has both, and some more; :meth:`dice` tells them apart.
        """
        grams, lengths = trigram_matrix(words), words.lengths
        sizes = np.diff(grams.indptr)
        found: list[tuple[Ints, Ints]] = []
        for group in self._groups(lengths, least):
            dropped = self._droppable(group, dice)
            # least count of the trigrams looked up, by the two words' kinds
            enough = self._needed(group, dice) - dropped[:, None]
            rare = self._without_commonest(grams[group.rows], dropped[sizes[group.rows]])
            row, column = _sharing(
                rare.indptr, rare.indices, enough[sizes[group.rows]], group.low, group.high,
                self._words_of.indptr, self._words_of.indices, self._kind,
            )  # fmt: skip
            found.append((group.rows[row], self._order[column]))
        if not found:
            return np.array([], np.int64), np.array([], np.int64)
        return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])

    def _needed(self, group: _Group, dice: float) -> NDArray[np.float64]:
        """Trigrams that words of each size must share with known ones of each kind."""
        own = np.arange(_WIDTH + 1)[:, None]
        longer = np.maximum(group.length, self._kind_length[None, :])
        return group.needed(own, self._kind_size[None, :], longer, dice)

    def _droppable(self, group: _Group, dice: float) -> Ints:
        """Trigrams that need not be looked up of a written word of each size."""
        smallest = self._kind_size[self._within(group)].min()
        longest = max(group.length, int(self._lengths[group.high - 1]))
        needed = group.needed(np.arange(_WIDTH + 1), smallest, np.array(longest), dice)
        return np.maximum(np.minimum(np.ceil(needed * _DROPPED), needed - 1), 0).astype(np.int64)

    def _within(self, group: _Group) -> NDArray[np.bool_]:
        """Kinds of the known words in reach of a group, which are all the words of some lengths."""
        shortest, longest = self._lengths[group.low], self._lengths[group.high - 1]
        return (self._kind_length >= shortest) & (self._kind_length <= longest)

    def dice(self, words: Letters, row: Ints, column: Ints) -> NDArray[np.float64]:
        """Share of trigrams in common of pairs (written, known)."""
        grams = trigram_matrix(words)
        own = np.diff(grams.indptr)
        written = np.repeat(np.arange(len(own)) * _BASE**3, own) + grams.indices
        start, held = self.matrix.indptr[column], self._sizes[column]
        pair = np.repeat(np.arange(len(column)), held)
        at = np.arange(len(pair)) - np.repeat(np.cumsum(held) - held - start, held)
        asked = row[pair] * _BASE**3 + self.matrix.indices[at]
        near = np.minimum(np.searchsorted(written, asked), max(len(written) - 1, 0))
        hit = written[near] == asked if len(written) else np.zeros(len(asked), bool)
        shared = np.bincount(pair[hit], minlength=len(column)).astype(np.float32)
        return 2.0 * shared / np.maximum(own[row] + held, 1)

    def _groups(self, lengths: Ints, least: NDArray[np.float64]) -> Iterator[_Group]:
        rows_of: dict[tuple[int, float], list[int]] = {}
        for row, kind in enumerate(zip(lengths.tolist(), least.tolist(), strict=True)):
            rows_of.setdefault(kind, []).append(row)
        for (length, bound), rows in sorted(rows_of.items()):
            shortest = np.ceil(length * bound - _EPSILON)
            longest = np.floor(length / max(bound, _EPSILON) + _EPSILON)
            low = int(np.searchsorted(self._lengths, shortest))
            high = int(np.searchsorted(self._lengths, longest, side="right"))
            if low < high:
                yield _Group(np.array(rows), length, bound, low, high)

    def _without_commonest(self, grams: sparse.csr_array, dropped: Ints) -> sparse.csr_array:
        """The rows without so many of the trigrams that most known words hold."""
        row = np.repeat(np.arange(grams.shape[0]), np.diff(grams.indptr))
        order = np.lexsort((grams.indices, -self._common[grams.indices], row))
        rank = np.arange(len(order)) - grams.indptr[row]
        kept = order[rank >= dropped[row]]
        counts = np.bincount(row[kept], minlength=grams.shape[0])
        start = np.concatenate([[0], np.cumsum(counts)])
        return sparse.csr_array((grams.data[kept], grams.indices[kept], start), shape=grams.shape)


@compiled
def _sharing(
    start: NDArray[np.int32],
    grams: NDArray[np.int32],
    enough: NDArray[np.float64],
    low: int,
    high: int,
    words_start: NDArray[np.int32],
    words: NDArray[np.int32],
    kind: Ints,
) -> tuple[Ints, Ints]:
    """Pairs (written, known) of words that share enough trigrams, known ones from `low` to `high`.

    Word *i* is written with ``grams[start[i]:start[i + 1]]`` and must share ``enough[i, kind]``
    of them with known ones of each kind; gram *g* is in ``words[words_start[g]:]``, in order.
    """
    shared = np.zeros(high - low, np.int8)
    met = np.empty(high - low + 1, np.int32)  # who is met again is noted behind the last
    row, column = np.empty(0, np.int64), np.empty(0, np.int64)
    n = 0
    for i in range(len(start) - 1):
        n_met = 0
        for gram in grams[start[i] : start[i + 1]]:
            its = words[words_start[gram] : words_start[gram + 1]]
            for at in range(np.searchsorted(its, low), np.searchsorted(its, high)):
                place = its[at] - low
                met[n_met] = place
                n_met += shared[place] == 0
                shared[place] += 1
        if n + n_met > len(row):
            more = np.empty(len(row) + n_met, np.int64)
            row, column = np.concatenate((row, more)), np.concatenate((column, more))
        for place in met[:n_met]:
            row[n], column[n] = i, low + place
            n += shared[place] >= enough[i, kind[low + place]]
            shared[place] = 0
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
