"""What words say of codes, from counts: how much likelier each code is once a word was read.

Of a word that was seen with some codes, the share of each division among them is smoothed towards
what it is among all, then the share of each class in its division, then of each code in its class
(Dirichlet smoothing, level by level). A word that was seen with one butcher and one baker speaks
for food shops, a little. Nothing is said of a division by words never seen with it but that all
the others are likelier, which is a constant of the word and cancels out: evidence is sparse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.jit import compiled
from geomatch.core.tables import load_table

#: Levels of the nomenclature and how many letters of a code without its dot are one's.
LEVELS = {"section": 0, "division": 2, "group": 3, "class": 4, "sub-class": 5}
#: Letters of a code, its dot among them, and its level.
_BY_LENGTH = {2: "division", 4: "group", 5: "class", 6: "sub-class"}
_CHAIN = ("division", "class", "sub-class")


@dataclass(frozen=True)
class Nomenclature:
    """Codes (``43.33Z``), sorted, and what they are parts of."""

    nafs: tuple[str, ...]

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each code, written with its dot or without."""
        dotted = {naf: i for i, naf in enumerate(self.nafs)}
        return dotted | {naf.replace(".", ""): i for naf, i in dotted.items()}

    def positions(self, nafs: Sequence[str]) -> NDArray[np.int64]:
        """Position of each code, -1 for one that is none."""
        return np.array([self.position.get(n, -1) for n in nafs], dtype=np.int64)

    def names(self, level: str) -> NDArray[np.str_]:
        """What each code is part of at a level: ``F``, ``43``, ``43.3``, ``43.33``, ``43.33Z``."""
        if level == "section":
            return np.array([self.sections.get(n[:2], "") for n in self.nafs], dtype=str)
        n = LEVELS[level]
        return np.array([naf[: n + (n > 2)] for naf in self.nafs], dtype=str)

    @cached_property
    def sections(self) -> dict[str, str]:
        """Section of each division: ``{"43": "F"}``."""
        return {
            f"{division:02d}": letter
            for letter, first, last, _ in load_table("naf_sections")
            for division in range(int(first), int(last) + 1)
        }

    def parted(self, targets: Sequence[str], prior: NDArray[np.float64]) -> sparse.csr_array:
        """Codes of any level parted among their sub-classes as `prior` has them.

        Shape (targets, codes); a target with no sub-class here has an empty row.
        """
        rows, columns, values = [], [], []
        names = {level: self.names(level) for level in LEVELS}
        for i, target in enumerate(targets):
            level = "section" if target.isalpha() else _BY_LENGTH.get(len(target), "sub-class")
            members = np.flatnonzero(names[level] == target)
            shares = prior[members] / prior[members].sum() if len(members) else prior[:0]
            rows += [i] * len(members)
            columns += members.tolist()
            values += shares.tolist()
        shape = (len(targets), len(self.nafs))
        return sparse.csr_array((np.array(values, np.float64), (rows, columns)), shape)

    def groups(self, level: str) -> NDArray[np.int64]:
        """Number of what each code is part of at a level; codes of a group follow one another."""
        return self._groups[level]

    @cached_property
    def _groups(self) -> dict[str, NDArray[np.int64]]:
        return {
            name: np.unique(self.names(name), return_inverse=True)[1].ravel() for name in LEVELS
        }


@dataclass(frozen=True)
class Smoothing:
    """How many imagined observations stand for what is so among all, level by level."""

    division: float = 1.0
    class_: float = 1.0
    code: float = 1.0


def evidence(
    counts: sparse.csr_array,
    prior: NDArray[np.float64],
    nomenclature: Nomenclature,
    smoothing: Smoothing,
) -> sparse.csr_array:
    """Log of how much likelier codes are once a word was read, but for a constant a word.

    Parameters
    ----------
    counts : csr_array, shape (words, codes)
        How often each word was seen with each code.
    prior : array, shape (codes,)
        Shares of the codes before anything was read, all positive.
    nomenclature : Nomenclature
    smoothing : Smoothing

    Returns
    -------
    csr_array, shape (words, codes), values of the codes in divisions the word was seen with.
    """
    counts = sparse.csr_array(counts, copy=True)
    counts.sum_duplicates()
    groups = [nomenclature.groups(level) for level in _CHAIN]
    shares = [np.bincount(group, prior)[group].astype(np.float64) for group in groups]
    above = [np.ones(len(prior)), *shares[:-1]]
    given = np.stack([share / outer for share, outer in zip(shares, above, strict=True)])
    ks = np.array([smoothing.division, smoothing.class_, smoothing.code])
    starts = np.searchsorted(groups[0], groups[0], "left")
    ends = np.searchsorted(groups[0], groups[0], "right")
    laid = (counts.indptr.astype(np.int64), counts.indices.astype(np.int64))
    data = counts.data.astype(np.float64)
    out = _evidence(*laid, data, starts, ends, groups[1], given, ks)
    return sparse.csr_array((out[2], out[1], out[0]), shape=counts.shape)


@compiled
def _evidence(
    indptr: NDArray[np.int64],
    code: NDArray[np.int64],
    n: NDArray[np.float64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    class_: NDArray[np.int64],
    given: NDArray[np.float64],
    ks: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The evidence of each row as row starts, codes and values; codes of a row are sorted.

    `starts` and `ends` are those of the division of each code, `given` its share in what is
    above at the levels of the chain, `ks` their smoothing.
    """
    n_rows = len(indptr) - 1
    width = np.zeros(n_rows + 1, np.int64)
    for row in range(n_rows):
        end = 0
        for at in range(indptr[row], indptr[row + 1]):
            if code[at] >= end:
                end = ends[code[at]]
                width[row + 1] += end - starts[code[at]]
    out_ptr = np.cumsum(width)
    out_code = np.empty(out_ptr[-1], np.int64)
    out = np.empty(out_ptr[-1], np.float32)
    of_code = np.zeros(len(class_))
    of_class = np.zeros(len(class_))  # by the number of a class: there are fewer than codes
    for row in range(n_rows):
        to = out_ptr[row]
        at = indptr[row]
        while at < indptr[row + 1]:
            low, high = starts[code[at]], ends[code[at]]
            seen = 0.0
            while at < indptr[row + 1] and code[at] < high:
                of_code[code[at]] = n[at]
                of_class[class_[code[at]]] += n[at]
                seen += n[at]
                at += 1
            for j in range(low, high):
                in_class = of_class[class_[j]]
                # But for log(k / (k + all)), the same for all codes of a word.
                value = np.log1p(seen / (ks[0] * given[0, j]))
                value += np.log((in_class + ks[1] * given[1, j]) / (seen + ks[1]) / given[1, j])
                value += np.log(
                    (of_code[j] + ks[2] * given[2, j]) / (in_class + ks[2]) / given[2, j]
                )
                out_code[to] = j
                out[to] = value
                to += 1
            for j in range(low, high):
                of_code[j] = 0.0
                of_class[class_[j]] = 0.0
    return out_ptr, out_code, out


def level_shares(
    probability: NDArray[np.floating], nomenclature: Nomenclature, level: str
) -> NDArray[np.float64]:
    """Probabilities of codes summed by what they are part of at a level, shape (texts, groups)."""
    group = nomenclature.groups(level)
    starts = np.flatnonzero(np.append(True, np.diff(group) != 0))
    return np.add.reduceat(np.asarray(probability, np.float64), starts, axis=1)


def best_of_level(
    probability: NDArray[np.float32], nomenclature: Nomenclature, level: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The largest of :func:`level_shares` of each text: number of its group, and the share."""
    return _best_sums(np.asarray(probability), nomenclature.groups(level))


@compiled
def _best_sums(
    probability: NDArray[np.float32], group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    n, width = probability.shape
    best, share = np.zeros(n, np.int64), np.zeros(n, np.float64)
    for i in range(n):
        total = 0.0
        for j in range(width):
            total += probability[i, j]
            if j + 1 == width or group[j + 1] != group[j]:
                if total > share[i]:
                    best[i], share[i] = group[j], total
                total = 0.0
    return best, share
