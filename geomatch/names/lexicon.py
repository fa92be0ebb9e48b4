"""Words of a set of names, found again in spite of slips.

A name is a bag of words, each as heavy as it is rare (idf). A written word stands for the
known words that resemble it, with a weight in (0, 1]: itself, its misspellings, the word it
cuts short. What two names share follows from it: see :mod:`geomatch.names.coverage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist
from scipy import sparse

from geomatch.arrays.groups import Links, best_of_each, ragged_ranges, top
from geomatch.names.clean import category_words
from geomatch.names.common_words import Crowds
from geomatch.names.compounds import LEAST_LENGTH, JoinedWords
from geomatch.names.letter_masks import Letters, edits_apart
from geomatch.names.trigram_index import TrigramIndex
from geomatch.names.word_bags import Bags
from geomatch.store.array_files import stored

#: What the two coverages count in their mean: what is written counts most.
OF_WRITTEN, OF_KNOWN = 0.6, 0.4
#: Words that so many known names hold are meant when they are written: no slips are looked for.
_COMMON = 3
_MIN_DICE = 0.34
_MAX_ALIKE = 6
#: Less than any similarity that counts: words less alike need not be compared to the end.
_BELOW_ALL = 0.64
#: Written words whose lookalikes are kept: the next bulletins write most of them again.
_MOST_REMEMBERED = 20_000
_PREFIX_WEIGHT = 0.75
_PREFIX_MIN = 3
_PREFIX_MAX = 6


#: written word, known word, weight
_Pairs = tuple[NDArray, NDArray, NDArray]


_ROW = np.dtype(
    [("written", "f4"), ("known", "f4"), ("weight", "f4"), ("pair", "i4"), ("bits", "u8")]
)


class Sheet(NamedTuple):
    """One row of ``names`` for each known name, and room to list those that were ``met``.

    ``written`` and ``known`` sum up what is shared, ``pair`` is a pair of names: 0 all three, and
    to be so again. ``weight`` and ``bits`` (see :class:`Crowds`) stand beside them, so that what is
    asked of a name is fetched at once. ``met`` has room for one more: who is met again is noted
    behind the last.
    """

    names: NDArray[np.void]
    met: NDArray[np.int32]


@dataclass(frozen=True)
class _Spellings:
    """Words in the orders they are looked up in: by the sum of their letters, and as bytes."""

    lengths: NDArray[np.int64]
    masks: NDArray[np.uint64]
    by_sum: NDArray[np.int64]
    sums: NDArray[np.uint64]
    order: NDArray[np.int64]
    sorted: NDArray[np.bytes_]

    @classmethod
    def of(cls, letters: Letters) -> _Spellings:
        by_sum = np.argsort(letters.sums, kind="stable")
        order = np.argsort(letters.bytes, kind="stable")
        sums, as_bytes = letters.sums[by_sum], letters.bytes[order]
        return cls(letters.lengths, letters.masks, by_sum, sums, order, as_bytes)

    def positions(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Position of each of some words, -1 for one that is not known."""
        width = self.sorted.dtype.itemsize
        found = np.full(len(words), -1, np.int64)
        short = [i for i, word in enumerate(words) if 0 < len(word) <= width]
        if len(self.sorted) and short:
            asked = np.array([words[i] for i in short]).astype(f"S{width}")
            at = np.minimum(np.searchsorted(self.sorted, asked), len(self.sorted) - 1)
            found[short] = np.where(self.sorted[at] == asked, self.order[at], -1)
        return found


class Lexicon:
    """The distinct words of known names and, for each name, which it holds.

    Parameters
    ----------
    names : Bags
        Words of each known name; what is not known to any cannot be found.
    """

    def __init__(self, names: Bags) -> None:
        self._names = names

    @classmethod
    def of(cls, names: Sequence[Sequence[str]]) -> Lexicon:
        """That of lists of words, one list a name."""
        return cls(Bags.of(names))

    @stored
    def words(self) -> NDArray[np.object_]:
        """The distinct words."""
        return self._names.words

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Which name holds which word; shape (names, words), binary. Not there once read."""
        return self._names.held

    @stored
    def names_with(self) -> Links:
        """Names that hold each word."""
        return Links.of(self.matrix.T.tocsr())

    @cached_property
    def frequency(self) -> NDArray[np.int64]:
        """How many names hold each word."""
        return self.names_with.counts.astype(np.int64)

    @cached_property
    def idf(self) -> NDArray[np.float32]:
        """Weight of each word."""
        return np.log1p(self._n_names / np.maximum(self.frequency, 1)).astype(np.float32)

    @cached_property
    def words_of(self) -> Links:
        """Words that each name holds."""
        return self.names_with.reverse(self._n_names)

    @cached_property
    def is_category(self) -> NDArray[np.bool_]:
        """Words of trades and kinds of place, which tell no bearer from another."""
        found = self.positions(sorted(category_words()))
        out = np.zeros(len(self.words), dtype=bool)
        out[found[found >= 0]] = True
        return out

    @stored
    def _n_names(self) -> int:
        return self._names.n

    @stored
    def weight(self) -> NDArray[np.float32]:
        """Weight of each name: that of its words."""
        return np.maximum(self.matrix @ self.idf, 1e-6)

    @cached_property
    def unknown_idf(self) -> float:
        """Weight of a word that no name holds."""
        return float(np.quantile(self.idf, 0.5)) if len(self.idf) else 1.0

    @stored
    def crowds(self) -> Crowds:
        """The words that most names hold."""
        return Crowds.of(self.names_with, self.frequency, self.weight)

    @cached_property
    def _letters(self) -> Letters:
        return Letters(self.words)

    @stored
    def _spellings(self) -> _Spellings:
        return _Spellings.of(self._letters)

    @stored
    def _trigrams(self) -> TrigramIndex:
        return TrigramIndex.of(self._letters)

    @stored
    def _followers(self) -> Links:
        return self._names.followers

    @cached_property
    def _joined(self) -> JoinedWords:
        return JoinedWords(self.words, self._followers)

    @cached_property
    def _sheets(self) -> list[Sheet]:
        """Those that nobody has."""
        return []

    @cached_property
    def _remembered(self) -> dict[str, tuple[NDArray, NDArray]]:
        """What was found alike to the words asked for last."""
        return {}

    def positions(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Position of each of some words in :attr:`words`, -1 for one that is not known."""
        return self._spellings.positions(words)

    def alike(self, words: Sequence[str]) -> sparse.csr_array:
        """Known words each written word may stand for, with their weights.

        Returns
        -------
        csr_array, shape (len(words), number of known words)
            1 for the word itself; (similarity) for words of at least four letters at small
            edit distance (Damerau, on 16 letters); 0.75 for what the word is the beginning of.
        """
        remembered = self._remembered
        new = [w for w in dict.fromkeys(words) if w not in remembered]
        fresh = self._looked_up(new) if new else {}
        answers = [remembered.get(w) or fresh[w] for w in words]
        if len(remembered) + len(new) > _MOST_REMEMBERED:
            remembered.clear()
        if len(new) <= _MOST_REMEMBERED:
            remembered |= fresh
        start = np.cumsum([0, *(len(columns) for columns, _ in answers)])
        none = np.zeros(0, np.int32), np.zeros(0, np.float32)
        indices, data = (np.concatenate(p) for p in zip(none, *answers, strict=True))
        shape = (len(words), len(self.words))
        return sparse.csr_array((data, indices, start), shape=shape)

    def _looked_up(self, words: Sequence[str]) -> dict[str, tuple[NDArray, NDArray]]:
        """Known words and weights of distinct words that nobody asked for yet."""
        exact = self.positions(words)
        hit = np.flatnonzero(exact >= 0)
        near = self._near(words, exact)
        begins = self._begins(words)
        rows = np.concatenate([hit, near[0], begins[0]])
        columns = np.concatenate([exact[hit], near[1], begins[1]])
        weights = np.concatenate([np.ones(len(hit), np.float32), near[2], begins[2]])
        key = rows * max(len(self.words), 1) + columns
        order = np.argsort(key, kind="stable")
        order = order[best_of_each(key[order], weights[order])]
        ends = np.searchsorted(rows[order], np.arange(1, len(words)))
        found = columns[order].astype(np.int32), weights[order]
        return dict(zip(words, zip(*(np.split(f, ends) for f in found), strict=True), strict=True))

    def _near(
        self, words: Sequence[str], exact: NDArray[np.int64]
    ) -> tuple[NDArray, NDArray, NDArray]:
        asked = np.array(
            [i for i, w in enumerate(words) if len(w) >= 4 and not w.isdigit()], dtype=np.int64
        )
        if len(self.words):
            is_common = self.frequency[exact[asked]] >= _COMMON
            asked = asked[(exact[asked] < 0) | ~is_common]
        if not len(asked) or not len(self.words):
            return _no_pairs()
        texts = np.array([words[i] for i in asked], dtype=object)
        letters = Letters(texts)
        known = exact[asked] >= 0
        least = np.where(known, 0.8, 0.7)
        likely = self._trigrams.resembling(letters, least, _MIN_DICE)
        likely = self._near_enough(letters, least, *likely)
        swapped = self._same_letters(texts, letters.sums)
        row = np.concatenate([swapped[0], likely[0]])
        column = np.concatenate([swapped[1], likely[1]])
        _, first = np.unique(row * len(self.words) + column, return_index=True)
        row, column, is_swapped = row[first], column[first], first < len(swapped[0])
        similarity = cpdist(
            texts[row],
            self.words[column],
            scorer=OSA.normalized_similarity,
            score_cutoff=_BELOW_ALL,
            dtype=np.float32,
        )
        cutoff = np.where(known[row], 0.8, np.where(is_swapped, 0.65, 0.7))
        keep = np.flatnonzero((similarity >= cutoff) & (similarity < 1.0))
        row, column, similarity = row[keep], column[keep], similarity[keep]
        likest = top(row, similarity, _MAX_ALIKE)
        row, column, similarity = row[likest], column[likest], similarity[likest]
        # A known word is more likely meant than its lookalike.
        similarity = np.where(known[row], similarity * 0.6, similarity * similarity)
        return asked[row], column, similarity.astype(np.float32)

    def _near_enough(
        self, words: Letters, least: NDArray, row: NDArray, column: NDArray
    ) -> tuple[NDArray, NDArray]:
        """The pairs whose letters do not rule out the similarity asked for: a cheap bound."""
        longer = np.maximum(words.lengths[row], self._spellings.lengths[column])
        allowed = np.floor((1.0 - least[row]) * longer + 1e-6)
        keep = edits_apart(words.masks[row], self._spellings.masks[column]) <= allowed
        return row[keep], column[keep]

    def _same_letters(self, words: NDArray, asked: NDArray) -> tuple[NDArray, NDArray]:
        """Pairs of one set of letters: swaps leave short words hardly a trigram in common."""
        low = np.searchsorted(self._spellings.sums, asked)
        high = np.searchsorted(self._spellings.sums, asked, side="right")
        row, at = ragged_ranges(low, high)
        column = self._spellings.by_sum[at]
        other = np.flatnonzero(self.words[column] != words[row])
        return row[other], column[other]

    def _begins(self, words: Sequence[str]) -> tuple[NDArray, NDArray, NDArray]:
        asked = np.array(
            [i for i, w in enumerate(words) if len(w) >= _PREFIX_MIN and w.isalpha()],
            dtype=np.int64,
        )
        if not len(asked) or not len(self.words):
            return _no_pairs()
        texts = np.array([words[i] for i in asked]).astype(bytes)
        low = np.searchsorted(self._spellings.sorted, texts)
        high = np.searchsorted(self._spellings.sorted, np.char.add(texts, b"\xff"))
        row, position = ragged_ranges(low, high)
        column = self._spellings.order[position]
        longer = self._spellings.lengths[column] > np.char.str_len(texts)[row]
        row, column = row[longer], column[longer]
        frequency = self.frequency[column].astype(np.float32)
        order = np.lexsort((column, row))  # of equals the first known stays
        likest = order[top(row[order], frequency[order], _PREFIX_MAX)]
        row, column = row[likest], column[likest]
        return asked[row], column, np.full(len(row), _PREFIX_WEIGHT, np.float32)

    @contextmanager
    def sheet(self) -> Iterator[Sheet]:
        """Paper to note on what is found of the known names; nobody else has it meanwhile.

        It must come back as blank as it was.
        """
        try:
            sheet = self._sheets.pop()
        except IndexError:
            sheet = Sheet(
                np.zeros(len(self.weight), _ROW), np.empty(len(self.weight) + 1, np.int32)
            )
            sheet.names["weight"], sheet.names["bits"] = self.weight, self.crowds.bits
        yield sheet
        self._sheets.append(sheet)

    def parted(self, names: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        """The names as :meth:`understood`."""
        return self.understood(names)[0]

    def understood(
        self, names: Sequence[Sequence[str]]
    ) -> tuple[Sequence[Sequence[str]], list[str], sparse.csr_array]:
        """The names with words that were run together apart: GARAGEDELORMEAU, GARAGE ORMEAU.

        Only a word that resembles no known one is taken apart, and only into known ones. Also
        gives the distinct words that remain, sorted, and :meth:`alike` of them.
        """
        # Words in one order whoever else is asked for: sums are the same to the last bit.
        words = sorted({w for ws in names for w in ws})
        alike = self.alike(words)
        apart: dict[str, list[str]] = {}
        if len(self.words):
            for i in np.flatnonzero(np.diff(alike.indptr) == 0):
                parts = self._joined.parts(words[i]) if len(words[i]) >= LEAST_LENGTH else []
                if parts:
                    apart[words[i]] = parts
        if not apart:
            return names, words, alike
        names = [[p for w in ws for p in apart.get(w) or [w]] for ws in names]
        remaining = sorted({w for ws in names for w in ws})
        position = {w: i for i, w in enumerate(words)}
        new = [w for w in remaining if w not in position]
        position |= {w: len(words) + i for i, w in enumerate(new)}
        both = sparse.vstack([alike, self.alike(new)], format="csr")
        return names, remaining, both[[position[w] for w in remaining]]

    def across_spaces(
        self, names: Sequence[Sequence[str]]
    ) -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
        """What the names hold when a space more or less does not count.

        Returns
        -------
        list of (name, places of its words, positions of known words)
            ENERGI BELLE holds ENERGIBELLE, FITKERLANN holds FIT and KERLANN where these two
            stand side by side in some known name. Words may be known as they are besides.
        """
        if not len(self.words):
            return []
        found: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        joined, split = self._joined, {}
        for n, words in enumerate(names):
            for i, word in enumerate(words):
                if len(word) >= LEAST_LENGTH:
                    if word not in split:
                        split[word] = joined.exact_parts(word)
                    found += [(n, (i,), pair) for pair in split[word]]
                if i:
                    both = joined.code_of.get(words[i - 1] + word, -1)
                    if both >= 0:
                        found.append((n, (i - 1, i), (both,)))
        return found


def _no_pairs() -> _Pairs:
    return np.array([], np.int64), np.array([], np.int64), np.array([], np.float32)
