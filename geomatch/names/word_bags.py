"""Names as bags of words: which distinct words each holds, in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.arrow import narrow, texts
from geomatch.arrays.groups import Links

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Bags:
    """Words of ``n`` names: names in order, words in theirs.

    ``words[code[i]]`` stands in name ``row[i]``; distinct words are numbered as they first come.
    """

    n: int
    row: Ints
    code: Ints
    words: NDArray[np.object_]

    @classmethod
    def of(cls, names: Sequence[Sequence[str]]) -> Bags:
        """Those of lists of words."""
        counts = np.fromiter((len(w) for w in names), np.int64, len(names))
        code, words = pd.factorize(np.array([w for ws in names for w in ws], dtype=object))
        row = np.repeat(np.arange(len(names)), counts)
        return cls(len(names), row, code, np.asarray(words, dtype=object))

    @classmethod
    def split(cls, names: pa.Array, stop_words: Sequence[str]) -> Bags:
        """Words of normalised names but `stop_words`; all of a name's when it has no others."""
        lists = pc.split_pattern(names, " ")
        sizes = pc.list_value_length(lists).to_numpy()
        coded = lists.flatten().dictionary_encode()
        code = coded.indices.to_numpy().astype(np.int64)
        row = np.repeat(np.arange(len(names)), sizes)
        counts = _is_in(coded.dictionary, [*stop_words, ""])
        identifying = ~counts[code]
        has_some = np.bincount(row[identifying], minlength=len(names)) > 0
        kept = np.flatnonzero(
            identifying | (~has_some[row] & ~_is_in(coded.dictionary, [""])[code])
        )
        code, first = pd.factorize(code[kept])
        return cls(len(names), row[kept], code, texts(coded.dictionary)[first])

    @property
    def held(self) -> sparse.csr_array:
        """Which name holds which word; shape (names, words), binary."""
        return _binary(self.row, self.code, (self.n, len(self.words)))

    @property
    def followers(self) -> Links:
        """Words that follow each in some name."""
        beside = np.flatnonzero(self.row[1:] == self.row[:-1])
        n_words = len(self.words)
        return Links.of(_binary(self.code[beside], self.code[beside + 1], (n_words, n_words)))


def _binary(rows: Ints, columns: Ints, shape: tuple[int, int]) -> sparse.csr_array:
    """The matrix with ones at some places, however often they are told."""
    places = narrow(rows, columns)
    matrix = sparse.csr_array((np.ones(len(rows), np.float32), places), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1.0
    return matrix


def _is_in(values: pa.Array, wanted: Sequence[str]) -> NDArray[np.bool_]:
    return pc.is_in(values, pa.array(wanted, values.type)).to_numpy(zero_copy_only=False)
