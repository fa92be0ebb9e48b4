"""How much two names share, written ones against known ones.

Two coverages, both in [0, 1]: what share of the written name's weight the known name explains,
and the other way round. Words that are no crowd's meet in a sparse matrix product; of the names
that share the commonest words alone, those short enough to be alike are looked up (decision 0044).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.columns import narrow
from geomatch.lexicon import OF_KNOWN, OF_WRITTEN, Lexicon
from geomatch.ragged import ragged_ranges

#: Written names compared with all known ones at once: few, so that what their product makes is
#: still in the processor's cache when the most of it is thrown away.
_AT_ONCE = 50
#: More than what sums of single precision are wrong by.
_SLACK = 1e-4


class Coverage:
    """Written names against the known names of a :class:`Lexicon`.

    Parameters
    ----------
    lexicon : Lexicon
    names : sequence of list of str
        Words of each written name.
    """

    def __init__(self, lexicon: Lexicon, names: Sequence[Sequence[str]]) -> None:
        self.lexicon = lexicon
        names, words, alike = lexicon.understood(names)
        position = {w: i for i, w in enumerate(words)}
        held = [[position[w] for w in dict.fromkeys(ws)] for ws in names]
        counts = np.fromiter(map(len, held), np.int64, len(held))
        word = np.fromiter(chain.from_iterable(held), np.int64, counts.sum())
        name = np.repeat(np.arange(len(names)), counts)
        idf = _written_idf(alike, lexicon)
        weight = np.maximum(np.bincount(name, idf[word], len(names)), 1e-6)
        stands, at = ragged_ranges(alike.indptr[word], alike.indptr[word + 1])
        likeness = alike.data[at]
        # Real part: coverage of the written name; imaginary: of the known one. One product
        # over one pattern of non-zeros costs half of two.
        adds = likeness * (idf[word] / weight[name])[stands] + 1j * likeness
        shape = len(names), len(lexicon.words)
        both = sparse.csr_array(
            (adds.astype(np.complex64), (name[stands], alike.indices[at])), shape=shape
        )
        both.data.imag = np.minimum(both.data.imag, 1.0) * lexicon.idf[both.indices]
        places = narrow(both.indices, both.indptr)
        self._both = sparse.csr_array((both.data, *places), shape=both.shape)
        #: to mark known names on, left as it was found; not the lexicon's, which threads share
        self._paper = np.zeros(lexicon.matrix.shape[0], bool)
        number = lexicon.crowds.number[self._both.indices]
        #: the commonest words of each written name, and what each adds to both coverages
        self._common, self._common_adds = number[number >= 0], self._both.data[number >= 0]
        self._common_start = np.append(0, np.cumsum(number >= 0))[self._both.indptr]
        rare = number < 0
        start = np.append(0, np.cumsum(rare))[self._both.indptr].astype(places[1].dtype)
        self._rare = sparse.csr_array(
            (self._both.data[rare], self._both.indices[rare], start), shape=both.shape
        )

    def search(
        self, low: int, high: int, least: float
    ) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Pairs among written names ``low … high-1`` whose mean coverage reaches `least`.

        Returns
        -------
        written, known : int arrays of one length
            Positions of the two names, written ones in order.
        of_written, of_known : float32 arrays
            The two coverages.
        """
        none = np.zeros(0, np.int64)
        found = [(none, none, none.astype(np.float32), none.astype(np.float32))]
        for first in range(low, high, _AT_ONCE):
            last = min(first + _AT_ONCE, high)
            sizes, known, both = self._sharing(first, last, least)
            of_written = np.minimum(both.real, 1.0)
            of_known = np.minimum(both.imag / self.lexicon.weight[known], 1.0)
            keep = np.flatnonzero(OF_WRITTEN * of_written + OF_KNOWN * of_known >= least)
            written = np.repeat(np.arange(first, last), sizes)[keep]
            found.append((written, known[keep], of_written[keep], of_known[keep]))
        written, known, of_written, of_known = (
            np.concatenate(part) for part in zip(*found, strict=True)
        )
        return written, known, of_written, of_known

    def _sharing(
        self, first: int, last: int, least: float
    ) -> tuple[list[int], NDArray[np.int64], NDArray[np.complex64]]:
        """Known names that may be alike, so many for each written one, and both coverages' sums."""
        share = self.lexicon.weight_share
        product = self._rare[first:last] @ self.lexicon.names_with
        # a bound first, without the caps and the division: it throws out nine in ten
        bound = product.data.imag * share[product.indices]
        bound += OF_WRITTEN * product.data.real
        begin = self._common_start[first : last + 1]
        crowded = np.flatnonzero(np.diff(begin)).tolist()
        total = {i: self._common_adds[begin[i] : begin[i + 1]].sum() for i in crowded}
        for i, adds in total.items():
            mine = slice(product.indptr[i], product.indptr[i + 1])
            bound[mine] += adds.imag * share[product.indices[mine]] + OF_WRITTEN * adds.real
        likely = np.flatnonzero(bound >= least - _SLACK)
        known, both = product.indices[likely].astype(np.int64), product.data[likely]
        ends = np.searchsorted(likely, product.indptr)
        sizes = np.diff(ends).tolist()
        parts, done = [(known[:0], both[:0])], 0
        for i, adds in total.items():
            mine = slice(ends[i], ends[i + 1])
            both[mine] += self._crowds_add(first + i, self.lexicon.crowds.bits[known[mine]])
            more = self._by_crowds_alone(first + i, adds, known[mine], least)
            parts += [(known[done : mine.stop], both[done : mine.stop]), more]
            sizes[i] += len(more[0])
            done = mine.stop
        parts.append((known[done:], both[done:]))
        return sizes, *(np.concatenate(part) for part in zip(*parts, strict=True))

    def _by_crowds_alone(
        self, written: int, total: np.complex64, met: NDArray[np.int64], least: float
    ) -> tuple[NDArray[np.int64], NDArray[np.complex64]]:
        """Names that may be alike though they share the commonest words alone; none of `met`.

        `total` is what all of these words add.
        """
        crowds = self.lexicon.crowds
        common = slice(self._common_start[written], self._common_start[written + 1])
        numbers, adds = self._common[common].tolist(), self._common_adds[common]
        short = least - _SLACK - OF_WRITTEN * min(float(total.real), 1.0)
        most = OF_KNOWN * float(total.imag) / short if short > 0.0 else np.inf
        paper = self._paper
        paper[met] = True
        known, both, before = [], [], 0
        for number in numbers:
            other = crowds.lighter(number, most)
            if len(numbers) == 1:
                other = other[~paper[other]]
                sums = np.full(len(other), adds[0])
            else:
                bits = crowds.bits[other]
                # each name once: by the first of the words that it shares
                new = np.flatnonzero(~paper[other] & (bits & np.uint64(before) == 0))
                other = other[new]
                sums = self._crowds_add(written, bits[new])
                before |= 1 << number
            known.append(other)
            both.append(sums)
        paper[met] = False
        return np.concatenate(known), np.concatenate(both)

    def _crowds_add(self, written: int, bits: NDArray[np.uint64]) -> NDArray[np.complex64]:
        """What the commonest words that a written name shares with known ones add to both sums.

        `bits` tell which each known name holds.
        """
        out = np.zeros(len(bits), np.complex64)
        for at in range(self._common_start[written], self._common_start[written + 1]):
            holds = bits >> np.uint64(self._common[at]) & np.uint64(1)
            out += self._common_adds[at] * holds.astype(np.float32)
        return out

    def of_pairs(self, written: NDArray, known: NDArray) -> tuple[NDArray, NDArray]:
        """The two coverages of given pairs of positions."""
        product = self._both[written].multiply(self.lexicon.matrix[known])
        total = np.asarray(product.sum(axis=1)).ravel()
        of_known = total.imag / self.lexicon.weight[known]
        return np.minimum(total.real, 1.0), np.minimum(of_known, 1.0)


def _written_idf(alike: sparse.csr_array, lexicon: Lexicon) -> NDArray[np.float32]:
    """Weight of a written word: that of the commonest known word it surely is, else unknown's."""
    idf = np.full(alike.shape[0], lexicon.unknown_idf, dtype=np.float32)
    row = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
    order = np.lexsort((alike.indices, alike.data, row))
    last = order[np.diff(row[order], append=alike.shape[0]) > 0]
    idf[row[last]] = lexicon.idf[alike.indices[last]]
    return idf
