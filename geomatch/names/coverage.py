"""Similarity of written and known names: two coverages, both in [0, 1].

They are the share of the written name's weight that the known name explains, and the reverse.
Known names are found by the rarer words they share with the written one. Of the names that share
only the commonest words, those light enough to be similar are looked up (decision 0044).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.groups import ragged_ranges
from geomatch.arrays.jit import compiled, compiled_part
from geomatch.names.clean import category_words
from geomatch.names.lexicon import OF_KNOWN, OF_WRITTEN, Lexicon

#: More than what sums of single precision are wrong by.
_SLACK = 1e-4
#: Likeness of words that differ in a space only.
_SPACED = 0.97
#: Pairs that there is room for before more is made.
_ROOM = 1024


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
        told = idf * _is_category(words, alike, lexicon)
        #: weight of each written name, and that of its words of trades and kinds of place
        self.weight = weight.astype(np.float32)
        self.category_weight = np.bincount(name, told[word], len(names)).astype(np.float32)
        stands, at = ragged_ranges(alike.indptr[word], alike.indptr[word + 1])
        likeness = alike.data[at]
        of_written = likeness * (idf[word] / weight[name])[stands]
        spaced = _across_spaces(lexicon, names, position, idf, weight)
        rows = np.concatenate([name[stands], spaced.name])
        columns = np.concatenate([alike.indices[at], spaced.word])
        shape = len(names), len(lexicon.words)

        def summed(adds: NDArray) -> sparse.csr_array:
            # Several written words may stand for one known word: what they add is summed.
            return sparse.csr_array((adds.astype(np.float32), (rows, columns)), shape=shape)

        to_written = summed(np.concatenate([of_written, spaced.of_written]))
        to_known = summed(np.concatenate([likeness, spaced.of_known]))
        #: known words that the *i*-th name's may stand for are ``word[start[i]:start[i + 1]]``
        self.start = to_written.indptr.astype(np.int64)
        self.word = to_written.indices.astype(np.int64)
        # The known word counts once, whatever the number of words that stand for it.
        of_known = np.minimum(to_known.data, 1.0) * lexicon.idf[self.word]
        #: what each adds to the coverage of the written name and of the known one, (words, 2)
        self.adds = np.stack([to_written.data, of_known], axis=1)

    def search(
        self,
        low: int,
        high: int,
        least: float,
        many: int | None = None,
        least_of_many: float = 0.0,
    ) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Pairs among written names ``low … high-1`` whose mean coverage reaches `least`.

        Of a written name that has more of them than `many` those that reach `least_of_many`;
        None: of none.

        Returns
        -------
        written, known : int arrays of one length
            Positions of the two names, written ones in order.
        of_written, of_known : float32 arrays
            The two coverages.
        """
        lexicon, crowds = self.lexicon, self.lexicon.crowds
        most = len(lexicon.weight) if many is None else many
        limits = _Limits(
            np.float32(least - _SLACK),
            np.float32(least),
            np.float32(least_of_many),
            np.float32(OF_WRITTEN),
            np.float32(OF_KNOWN),
            most,
        )
        with lexicon.sheet() as sheet:
            return _search(
                low, high, limits, _Written(self.start, self.word, self.adds),
                _Holders(lexicon.names_with.start, lexicon.names_with.to),
                _Common(crowds.number, crowds.start, crowds.holders, crowds.weights),
                sheet.names, sheet.met,
            )  # fmt: skip


class _Written(NamedTuple):
    """Words of written name *i*: from ``start[i]``; the known word, and what it adds (n, 2)."""

    start: NDArray[np.int64]
    word: NDArray[np.int64]
    adds: NDArray[np.float32]


class _Holders(NamedTuple):
    """Known names that hold word *w*: from ``start[w]``."""

    start: NDArray
    names: NDArray


class _Common(NamedTuple):
    """Commonest words: number of each word among them (-1: none), names from ``start[number]``.

    The names of one word are in the order of their ``weight``.
    """

    number: NDArray
    start: NDArray
    names: NDArray
    weight: NDArray


class _Limits(NamedTuple):
    """Least mean coverages: a bound of it, the least, the least where more than ``many`` reach it.

    ``of_written`` and ``of_known`` are the weights of the two coverages in their mean.
    """

    bound: np.float32
    least: np.float32
    least_of_many: np.float32
    of_written: np.float32
    of_known: np.float32
    many: int


class _Shared(NamedTuple):
    """Commonest words of one written name: their numbers, what each adds (n, 2), and the sums."""

    numbers: NDArray[np.uint64]
    adds: NDArray[np.float32]
    of_written: np.float32
    of_known: np.float32


class _Pairs(NamedTuple):
    """Room for pairs found: known names and the two coverages."""

    known: NDArray[np.int64]
    of_written: NDArray[np.float32]
    of_known: NDArray[np.float32]


@compiled_part
def _meet_by_words(
    places: NDArray[np.int64],
    written: _Written,
    holders: _Holders,
    sheet: NDArray[np.void],
    met: NDArray[np.int32],
) -> int:
    """Sum up in `sheet` what the names that hold some words share; list them in `met`."""
    n = 0
    for j in places:
        word = written.word[j]
        for at in range(holders.start[word], holders.start[word + 1]):
            name = sheet[holders.names[at]]
            met[n] = holders.names[at]
            n += name["known"] == 0.0
            name["written"] += written.adds[j, 0]
            name["known"] += written.adds[j, 1]
    return n


@compiled_part
def _meet_in_crowd(
    crowd: NDArray[np.int64],
    before: np.uint64,
    sheet: NDArray[np.void],
    met: NDArray[np.int32],
    n: int,
) -> int:
    """Names of a crowd are `met` too, behind the first `n`; nobody twice."""
    for k in crowd:
        met[n] = k
        n += sheet[k]["known"] == 0.0 and sheet[k]["bits"] & before == 0
    return n


@compiled_part
def _move(
    sheet: NDArray[np.void], met: NDArray[np.int32], n_rare: int, n: int, to: NDArray[np.void]
) -> None:
    """Copy the rows of `sheet` that are `met`, of rare words the last first, and clear them.

    A loop that only fetches has the processor wait for many rows at once.
    """
    for i in range(n_rare // 2):
        met[i], met[n_rare - 1 - i] = met[n_rare - 1 - i], met[i]
    for i in range(n):
        name = sheet[met[i]]
        to[i]["written"], to[i]["known"] = name["written"], name["known"]
        to[i]["weight"], to[i]["bits"] = name["weight"], name["bits"]
        name["written"] = name["known"] = 0.0


@compiled_part
def _alike(
    names: NDArray[np.void],
    met: NDArray[np.int32],
    shared: _Shared,
    limits: _Limits,
    found: _Pairs,
) -> int:
    """Write the `names` listed in `met` that are similar enough into `found`; their number."""
    one, n = np.float32(1.0), 0
    for i in range(len(names)):
        name = names[i]
        # An upper bound first, without caps and bits: it rules out nine names in ten.
        bound = limits.of_written * (name["written"] + shared.of_written)
        bound += limits.of_known * (name["known"] + shared.of_known) / name["weight"]
        if bound < limits.bound:
            continue
        a = b = np.float32(0.0)
        for c in range(len(shared.numbers)):
            if name["bits"] >> shared.numbers[c] & np.uint64(1):
                a += shared.adds[c, 0]
                b += shared.adds[c, 1]
        a, b = min(name["written"] + a, one), min((name["known"] + b) / name["weight"], one)
        if limits.of_written * a + limits.of_known * b >= limits.least:
            found.known[n], found.of_written[n], found.of_known[n] = met[i], a, b
            n += 1
    if n <= limits.many:
        return n
    n_kept = 0
    for i in range(n):
        a, b = found.of_written[i], found.of_known[i]
        if limits.of_written * a + limits.of_known * b >= limits.least_of_many:
            found.known[n_kept] = found.known[i]
            found.of_written[n_kept], found.of_known[n_kept] = a, b
            n_kept += 1
    return n_kept


@compiled_part
def _longer(values: NDArray, more: int) -> NDArray:
    out = np.empty(len(values) + more, values.dtype)
    for i in range(len(values)):  # a slice takes five times as long to compile
        out[i] = values[i]
    return out


@compiled
def _search(
    low: int,
    high: int,
    limits: _Limits,
    written: _Written,
    holders: _Holders,
    common: _Common,
    sheet: NDArray[np.void],
    met: NDArray[np.int32],
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """See :meth:`Coverage.search`; `sheet` and `met` are those of :class:`lexicon.Sheet`."""
    one, infinite = np.float32(1.0), np.float32(np.inf)
    copied = np.empty(_ROOM, sheet.dtype)
    found_written, found_known = np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int64)
    of_written, of_known = np.empty(_ROOM, np.float32), np.empty(_ROOM, np.float32)
    n = 0
    for w in range(low, high):
        places = np.arange(written.start[w], written.start[w + 1])
        number = common.number[written.word[places]]
        is_common = number >= 0
        adds = written.adds[places[is_common]]
        numbers = number[is_common].astype(np.uint64)
        total_written = total_known = np.float32(0.0)
        for c in range(len(adds)):
            total_written += adds[c, 0]
            total_known += adds[c, 1]
        n_rare = _meet_by_words(places[~is_common], written, holders, sheet, met)
        # A name that shares only commonest words is similar only if the rest of it weighs little.
        missing = limits.bound - limits.of_written * min(total_written, one)
        heaviest = limits.of_known * total_known / missing if missing > 0.0 else infinite
        n_met = n_rare
        before = np.uint64(0)
        for c in numbers:
            first, last = common.start[c], common.start[c + np.uint64(1)]
            last = first + np.searchsorted(common.weight[first:last], heaviest, side="right")
            n_met = _meet_in_crowd(common.names[first:last], before, sheet, met, n_met)
            before |= np.uint64(1) << c
        if n_met > len(copied):
            copied = np.empty(2 * n_met, sheet.dtype)
        if n + n_met > len(found_written):
            more = max(n_met, len(found_written))
            found_written, found_known = _longer(found_written, more), _longer(found_known, more)
            of_written, of_known = _longer(of_written, more), _longer(of_known, more)
        _move(sheet, met, n_rare, n_met, copied)
        n_found = _alike(
            copied[:n_met], met, _Shared(numbers, adds, total_written, total_known), limits,
            _Pairs(found_known[n:], of_written[n:], of_known[n:]),
        )  # fmt: skip
        found_written[n : n + n_found] = w
        n += n_found
    return found_written[:n], found_known[:n], of_written[:n], of_known[:n]


class _Spaced(NamedTuple):
    """Written name, known word, and what it adds to the coverage of each of the two names."""

    name: NDArray[np.int64]
    word: NDArray[np.int64]
    of_written: NDArray[np.float64]
    of_known: NDArray[np.float64]


def _across_spaces(
    lexicon: Lexicon,
    names: Sequence[Sequence[str]],
    position: Mapping[str, int],
    idf: NDArray[np.float32],
    weight: NDArray[np.float64],
) -> _Spaced:
    """What words add that a known name joins or splits otherwise."""
    name, word, of_written = [], [], []
    for n, places, known in lexicon.across_spaces(names):
        written = sum(float(idf[position[names[n][i]]]) for i in places) / weight[n]
        total = float(lexicon.idf[list(known)].sum())
        for k in known:
            name.append(n)
            word.append(k)
            of_written.append(_SPACED * (written * float(lexicon.idf[k]) / total))
    return _Spaced(
        np.array(name, np.int64),
        np.array(word, np.int64),
        np.array(of_written, np.float64),
        np.full(len(name), _SPACED),
    )


def _is_category(
    words: Sequence[str], alike: sparse.csr_array, lexicon: Lexicon
) -> NDArray[np.bool_]:
    """Written words of trades and kinds of place, or slips of such words alone."""
    held = np.fromiter((w in category_words() for w in words), bool, len(words))
    counts = np.diff(alike.indptr)
    row = np.repeat(np.arange(alike.shape[0]), counts)
    of_category = np.bincount(row, lexicon.is_category[alike.indices], alike.shape[0])
    return held | ((counts > 0) & (of_category == counts))


def _written_idf(alike: sparse.csr_array, lexicon: Lexicon) -> NDArray[np.float32]:
    """Weight of a written word: that of the commonest known word it surely is, else unknown's."""
    idf = np.full(alike.shape[0], lexicon.unknown_idf, dtype=np.float32)
    row = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
    order = np.lexsort((alike.indices, alike.data, row))
    last = order[np.diff(row[order], append=alike.shape[0]) > 0]
    idf[row[last]] = lexicon.idf[alike.indices[last]]
    return idf
