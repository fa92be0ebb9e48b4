"""Activity texts as words: stems, pairs of stems that follow one another, and where they stand.

What is said first leads: the *j*-th word (from 0, empty words left out) counts 1 / (1 + 0.3 j).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.arrays.arrow import coded, texts
from geomatch.core.tables import load_table
from geomatch.core.text import normalise_all

#: Letters of a word that are its stem.
STEM = 7
#: How much less each word counts than the one before it.
_DECAY = 0.3
#: Between the two stems of a pair; no normalised word has one.
_JOIN = "+"


@dataclass(frozen=True)
class Written:
    """Words and pairs of texts: parallel arrays, one element a distinct word or pair of a text.

    ``text`` is the position of the text (sorted), ``feature`` the position in ``features``
    (stems such as ``CARRELA``, pairs such as ``POSE+CARRELA``), ``weight`` in (0, 1] what its
    place in the text makes it count, ``n_texts`` the number of texts.
    """

    text: NDArray[np.int64]
    feature: NDArray[np.int64]
    weight: NDArray[np.float64]
    features: NDArray[np.object_]
    n_texts: int

    @property
    def is_pair(self) -> NDArray[np.bool_]:
        """Which of ``features`` are pairs."""
        return np.array([_JOIN in f for f in self.features], dtype=bool)


@cache
def empty_words() -> frozenset[str]:
    """Words that say nothing of an activity: articles, prepositions (``activity_phrases``)."""
    rows = load_table("activity_phrases_1")
    return frozenset(w for kind, said in rows if kind == "vide" for w in normalise_words(said))


def normalise_words(said: str) -> list[str]:
    """Normalised words of a text in which phrases are parted by commas."""
    return [word for phrase in normalise_all(said.split(",")) for word in phrase.split()]


def stems(words: pa.Array) -> pa.Array:
    """Stem of each normalised word; ``""`` of empty words, single letters and numbers."""
    stem = pc.utf8_rtrim(pc.utf8_slice_codeunits(words, 0, STEM), characters="SX")
    is_empty = pc.or_(pc.less(pc.utf8_length(words), 2), pc.utf8_is_digit(words))
    is_empty = pc.or_(is_empty, pc.is_in(words, pa.array(sorted(empty_words()))))
    return pc.if_else(is_empty, "", stem)


def written(activities: Sequence[str]) -> Written:
    """Words and pairs of activity texts, as they were written."""
    split = pc.split_pattern(pa.array(normalise_all(activities), pa.string()), " ")
    text = np.repeat(
        np.arange(len(activities)), np.diff(split.offsets.to_numpy())[: len(activities)]
    )
    word, words = coded(split.flatten())
    code, distinct = coded(stems(words))
    stem = code[word] if len(code) else np.zeros(0, np.int64)
    names = texts(distinct)
    kept = np.flatnonzero(names[stem] != "") if len(names) else np.zeros(0, np.int64)
    text, stem = text[kept], stem[kept]
    return _with_pairs(text, stem, names, len(activities))


def _with_pairs(
    text: NDArray[np.int64], stem: NDArray[np.int64], names: NDArray[np.object_], n_texts: int
) -> Written:
    """Add the pairs, and keep of what a text says twice the first."""
    place = np.arange(len(text)) - np.searchsorted(text, text)
    follows = np.flatnonzero(text[1:] == text[:-1])
    span = max(len(names), 1)
    pair, pairs = np.unique(stem[follows] * span + stem[follows + 1], return_inverse=True)
    pair_names = [f"{names[p // span]}{_JOIN}{names[p % span]}" for p in pair.tolist()]
    text = np.concatenate([text, text[follows]])
    feature = np.concatenate([stem, len(names) + pairs.ravel()])
    place = np.concatenate([place, place[follows]])
    features = np.array([*names, *pair_names], dtype=object)
    _, first = np.unique(text * (len(features) + 1) + feature, return_index=True)
    text, feature, place = text[first], feature[first], place[first]
    weight = (1.0 / (1.0 + _DECAY * place)).astype(np.float64)
    return Written(text, feature, weight, features, n_texts)
