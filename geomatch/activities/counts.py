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

from geomatch.arrays.groups import ragged_ranges
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
    pairs = sparse.csr_array(counts).tocoo()
    word, naf = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    groups = nomenclature.groups("division")
    n_codes = len(nomenclature.nafs)
    seen_with = np.unique(word * n_codes + groups[naf])
    division = seen_with % n_codes
    low, high = (np.searchsorted(groups, division, side) for side in ("left", "right"))
    cell, code = ragged_ranges(low, high)
    cells = seen_with[cell] // n_codes * n_codes + code
    value, share_above = np.zeros(len(cells)), np.ones(n_codes)
    above: NDArray[np.float64] | None = None
    levels = zip(_CHAIN, (smoothing.division, smoothing.class_, smoothing.code), strict=True)
    for level, k in levels:
        group = nomenclature.groups(level)
        share = np.bincount(group, prior)[group].astype(np.float64)
        seen = _seen(word, naf, pairs.data, group, cells)
        given = (share / share_above)[code]
        if above is None:  # but for log(k / (k + all)), the same for all codes of a word
            value += np.log1p(seen / (k * given))
        else:
            value += np.log((seen + k * given) / (above + k) / given)
        above, share_above = seen, share
    out = (value.astype(np.float32), (cells // n_codes, cells % n_codes))
    return sparse.csr_array(out, shape=counts.shape)


def _seen(
    word: NDArray[np.int64],
    naf: NDArray[np.int64],
    n: NDArray[np.floating],
    group: NDArray[np.int64],
    cells: NDArray[np.int64],
) -> NDArray[np.float64]:
    """How often each cell's word was seen with the group of its code."""
    n_codes = len(group)
    keys, at = np.unique(word * n_codes + group[naf], return_inverse=True)
    total = np.bincount(at.ravel(), n, minlength=len(keys))
    asked = cells // n_codes * n_codes + group[cells % n_codes]
    found = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
    if not len(keys):
        return np.zeros(len(cells))
    return np.where(keys[found] == asked, total[found], 0.0)


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
