"""How much two names share, written ones against known ones.

Two coverages, both in [0, 1]: what share of the written name's weight the known name explains,
and the other way round. Names are met by the words they share that are no crowd's; of those that
share the commonest words alone, those short enough to be alike are looked up (decision 0044).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

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
        # Real part: what a word adds to the coverage of the written name; imaginary: to that of
        # the known one. Written words that stand for one known word add up, there to once it.
        adds = likeness * (idf[word] / weight[name])[stands] + 1j * likeness
        shape = len(names), len(lexicon.words)
        more_name, more_word, more = _across_spaces(lexicon, names, position, idf, weight)
        rows = np.concatenate([name[stands], more_name])
        columns = np.concatenate([alike.indices[at], more_word])
        adds = np.concatenate([adds, more])
        both = sparse.csr_array((adds.astype(np.complex64), (rows, columns)), shape=shape)
        #: known words that the *i*-th name's may stand for are ``word[start[i]:start[i + 1]]``;
        #: what each adds to the sum of either coverage is in ``adds``, shape (words, 2)
        self.start, self.word = (a.astype(np.int64) for a in (both.indptr, both.indices))
        of_known = np.minimum(both.data.imag, 1.0) * lexicon.idf[both.indices]
        self.adds = np.stack([both.data.real, of_known], axis=1)

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
        limits = np.array([least - _SLACK, least, least_of_many], np.float32)
        mean = np.array([OF_WRITTEN, OF_KNOWN], np.float32)
        with lexicon.sheet() as sheet:
            return _search(
                low, high, limits, most, mean, (self.start, self.word, self.adds),
                (lexicon.names_with.start, lexicon.names_with.to),
                (crowds.number, crowds.start, crowds.holders, crowds.weights), *sheet,
            )  # fmt: skip


@compiled_part
def _meet_by_words(
    places: NDArray[np.int64],
    words: NDArray[np.int64],
    adds: NDArray[np.float32],
    known: tuple[NDArray, ...],
    sheet: NDArray[np.void],
    met: NDArray[np.int32],
) -> int:
    """Add up in `sheet` what names that hold some words share; they are `met`, so many."""
    holders_start, holders = known
    n = 0
    for j in places:
        for at in range(holders_start[words[j]], holders_start[words[j] + 1]):
            name = sheet[holders[at]]
            met[n] = holders[at]
            n += name["known"] == 0.0
            name["written"] += adds[j, 0]
            name["known"] += adds[j, 1]
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
    numbers: NDArray[np.uint64],
    common: NDArray[np.float32],
    totals: tuple[np.float32, np.float32],
    limits: NDArray[np.float32],
    many: int,
    mean: NDArray[np.float32],
    found: NDArray[np.int64],
    of_written: NDArray[np.float32],
    of_known: NDArray[np.float32],
) -> int:
    """Which of the `names` that were `met` are alike enough, and their coverages; how many."""
    one, n = np.float32(1.0), 0
    for i in range(len(names)):
        name = names[i]
        # a bound first, without the caps and the bits: it throws out nine in ten
        bound = mean[0] * (name["written"] + totals[0])
        bound += mean[1] * (name["known"] + totals[1]) / name["weight"]
        if bound < limits[0]:
            continue
        a = b = np.float32(0.0)
        for c in range(len(numbers)):
            if name["bits"] >> numbers[c] & np.uint64(1):
                a += common[c, 0]
                b += common[c, 1]
        a, b = min(name["written"] + a, one), min((name["known"] + b) / name["weight"], one)
        if mean[0] * a + mean[1] * b >= limits[1]:
            found[n], of_written[n], of_known[n] = met[i], a, b
            n += 1
    if n <= many:
        return n
    n_kept = 0
    for i in range(n):
        if mean[0] * of_written[i] + mean[1] * of_known[i] >= limits[2]:
            found[n_kept] = found[i]
            of_written[n_kept], of_known[n_kept] = of_written[i], of_known[i]
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
    limits: NDArray[np.float32],
    many: int,
    mean: NDArray[np.float32],
    written: tuple[NDArray, ...],
    known: tuple[NDArray, ...],
    crowds: tuple[NDArray, ...],
    sheet: NDArray[np.void],
    met: NDArray[np.int32],
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """See :meth:`Coverage.search`.

    `mean` is what the two coverages count in their mean; `limits` are something less than the
    least mean asked for, this, and that of names that have many alike.
    """
    start, words, adds = written
    number, crowd_start, crowd, crowd_weights = crowds
    one, infinite = np.float32(1.0), np.float32(np.inf)
    copied = np.empty(_ROOM, sheet.dtype)
    found_written, found_known = np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int64)
    of_written, of_known = np.empty(_ROOM, np.float32), np.empty(_ROOM, np.float32)
    n = 0
    for w in range(low, high):
        places = np.arange(start[w], start[w + 1])
        is_common = number[words[places]] >= 0
        common = adds[places[is_common]]
        numbers = number[words[places[is_common]]].astype(np.uint64)
        total_written = total_known = np.float32(0.0)
        for c in range(len(common)):
            total_written += common[c, 0]
            total_known += common[c, 1]
        n_rare = _meet_by_words(places[~is_common], words, adds, known, sheet, met)
        # Who shares commonest words alone may be alike when there is not much else to the name.
        missing = limits[0] - mean[0] * min(total_written, one)
        heaviest = mean[1] * total_known / missing if missing > 0.0 else infinite
        n_met = n_rare
        before = np.uint64(0)
        for c in numbers:
            first, last = crowd_start[c], crowd_start[c + np.uint64(1)]
            last = first + np.searchsorted(crowd_weights[first:last], heaviest, side="right")
            n_met = _meet_in_crowd(crowd[first:last], before, sheet, met, n_met)
            before |= np.uint64(1) << c
        if n_met > len(copied):
            copied = np.empty(2 * n_met, sheet.dtype)
        if n + n_met > len(found_written):
            more = max(n_met, len(found_written))
            found_written, found_known = _longer(found_written, more), _longer(found_known, more)
            of_written, of_known = _longer(of_written, more), _longer(of_known, more)
        _move(sheet, met, n_rare, n_met, copied)
        n_found = _alike(
            copied[:n_met], met, numbers, common, (total_written, total_known), limits, many, mean,
            found_known[n:], of_written[n:], of_known[n:],
        )  # fmt: skip
        found_written[n : n + n_found] = w
        n += n_found
    return found_written[:n], found_known[:n], of_written[:n], of_known[:n]


def _across_spaces(
    lexicon: Lexicon,
    names: Sequence[Sequence[str]],
    position: Mapping[str, int],
    idf: NDArray[np.float32],
    weight: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.complex128]]:
    """What words joined or split otherwise than known names have them add: name, word, adds."""
    name, word, adds = [], [], []
    for n, places, known in lexicon.across_spaces(names):
        written = sum(float(idf[position[names[n][i]]]) for i in places) / weight[n]
        total = float(lexicon.idf[list(known)].sum())
        for k in known:
            name.append(n)
            word.append(k)
            adds.append(_SPACED * (written * float(lexicon.idf[k]) / total + 1j))
    ints = np.array(name, np.int64), np.array(word, np.int64)
    return *ints, np.array(adds, np.complex128)


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
