"""Phase 3: activity and occupation text → how much each NAF code is likelier than before.

Words speak for activities through counts: words of the official labels, words of register
names (the name BOULANGERIE implies 10.71C), and words of bulletins already coded. The
evidence of a text is the sum of its words' pointwise mutual information with each code
(naive Bayes), damped because words of one text repeat one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.arrow import coded, encoded, texts
from geomatch.arrays.groups import best_of_each, ragged_ranges
from geomatch.arrays.rows import Columns
from geomatch.core.tables import load_table
from geomatch.core.text import factorise, normalise_all
from geomatch.names.clean import STOP_WORDS
from geomatch.names.lexicon import Lexicon

_STEM = 7
#: Marks a whole text among the words: what it was coded as says more than its words do.
_WHOLE = "="
_SMOOTHING = 3.0
#: Words of one text repeat one another: n of them count as n to the power of 1 less this.
_DAMPING = 0.5
#: One official label counts as much as this many coded bulletins.
LABEL_WEIGHT = 4.0
_EVIDENCE_LIMIT = 6.0
#: A whole text tells more than its words once it was coded this often.
LEAST_TEXT_COUNT = 5
_TEXT_SMOOTHING = 5.0
#: Texts whose evidence is summed up together: it is to stay in the processor's cache.
_AT_ONCE = 500
#: Stems that a misspelt word may stand for, the commonest: who is called GIRARDY is no GIRAFE.
_MEANT = 5_000


def stems(text: str) -> list[str]:
    """Distinct word beginnings of a normalised text, stop words and final S left out."""
    found = dict.fromkeys(_stem(w) for w in text.split() if w not in STOP_WORDS and len(w) > 1)
    return [s for s in found if s]


def _stem(word: str) -> str:
    return word[:_STEM].rstrip("S")


def _stems(words: pa.Array) -> pa.Array:
    """:func:`_stem` of many words at once."""
    return pc.utf8_rtrim(pc.utf8_slice_codeunits(words, 0, _STEM), characters="S")


def word_counts(texts: Sequence[str], nafs: Sequence[str], *, whole: bool = False) -> pd.DataFrame:
    """Count stems against codes: DataFrame of ``mot``, ``naf``, ``n`` (see STORE_NAF_WORDS).

    With `whole` each text counts as one more word, marked by ``=``.
    """
    rows = [
        (word, naf)
        for text, naf in zip(normalise_all(texts), nafs, strict=True)
        if naf and text
        for word in [*stems(text), *([_WHOLE + text] if whole else [])]
    ]
    frame = pd.DataFrame(rows, columns=["mot", "naf"])
    return frame.value_counts(sort=False).rename("n").reset_index()


def without_rare(counts: pd.DataFrame, least: int) -> pd.DataFrame:
    """Counts of at least `least`; whole texts only where enough bulletins wrote the same.

    What few people wrote may tell who they are, and says little.
    """
    total = counts.groupby("mot")["n"].transform("sum")
    is_whole = counts["mot"].str.startswith(_WHOLE)
    return counts[(counts["n"] >= least) & (~is_whole | (total >= LEAST_TEXT_COUNT))]


@dataclass(frozen=True)
class Evidence:
    """Evidence of many texts over the codes: ``values[code_of[i]]`` is text *i*'s row.

    ``values`` has shape (distinct texts, codes), natural logarithms, 0 = says nothing.
    """

    code_of: NDArray[np.int64]
    values: NDArray[np.float32]

    def rows(self, rows: NDArray[np.int64]) -> Evidence:
        """The same for some of the texts."""
        return Evidence(self.code_of[rows], self.values)

    def of_pairs(self, text: NDArray[np.int64], naf: NDArray[np.int64]) -> NDArray[np.float32]:
        """Evidence of text ``text[i]`` for the code at position ``naf[i]`` (-1: none)."""
        found = self.values[self.code_of[text], np.maximum(naf, 0)]
        return np.where(naf >= 0, found, 0.0).astype(np.float32)


class WordModel:
    """Words that speak for codes.

    Parameters
    ----------
    nafs : sequence of str
        The codes, in the order of every result.
    counts : sequence of (table ``mot``, ``naf``, ``n``; weight)
        Sources that are added up. Words that are not stems are cut to stems.
    """

    def __init__(
        self, nafs: Sequence[str], counts: Sequence[tuple[Columns | pa.Table, float]]
    ) -> None:
        self.nafs = list(nafs)
        position = {naf: i for i, naf in enumerate(self.nafs)}
        (word, words), (code, codes) = (
            coded(pa.concat_arrays([encoded(table[c]) for table, _ in counts]))
            for c in ("mot", "naf")
        )
        n = np.concatenate([np.asarray(table["n"]) * weight for table, weight in counts])
        code = np.array([position.get(c, -1) for c in texts(codes)], dtype=np.int64)[code]
        is_whole = pc.starts_with(words, _WHOLE).to_numpy(zero_copy_only=False)[word]
        whole = np.flatnonzero(is_whole & (code >= 0))
        self._fit_texts(texts(words.take(pa.array(word[whole]))), code[whole], n[whole])
        stem, stems = coded(_stems(words))
        is_stop = pc.is_in(stems, pa.array(sorted(STOP_WORDS))).to_numpy(zero_copy_only=False)
        at = np.flatnonzero(~is_whole & (code >= 0) & ~is_stop[stem][word])
        row, first = pd.factorize(stem[word[at]])
        known = texts(stems)[first]
        self._code_of = dict(zip(known, range(len(known)), strict=True))
        shape = (len(known), len(self.nafs))
        table = sparse.csr_array((n[at].astype(np.float64), (row, code[at])), shape)
        table.sum_duplicates()
        self._fit(table)
        total = np.asarray(table.sum(axis=1)).ravel()
        self._meant = np.sort(np.argsort(-total, kind="stable")[:_MEANT])
        self._lexicon = Lexicon.of([[w] for w in known[self._meant]])

    def _fit(self, n: sparse.csr_array) -> None:
        per_word = np.asarray(n.sum(axis=1)).ravel()
        per_naf = np.asarray(n.sum(axis=0)).ravel()
        share = per_word / max(per_word.sum(), 1.0)
        # What any word says of a code it was never seen with.
        self._unseen = np.log(_SMOOTHING / (per_naf + _SMOOTHING)).astype(np.float32)
        self._unseen = np.maximum(self._unseen, -3.0)
        pairs = n.tocoo()
        seen = (pairs.data + _SMOOTHING * share[pairs.row]) / (per_naf[pairs.col] + _SMOOTHING)
        delta = np.log(seen / share[pairs.row]) - self._unseen[pairs.col]
        self._delta = sparse.csr_array(
            (delta.astype(np.float32), (pairs.row, pairs.col)), shape=n.shape
        )
        self.prior = (per_naf + 0.5) / (per_naf + 0.5).sum()

    def _fit_texts(
        self, texts: NDArray[np.object_], naf: NDArray[np.int64], n: NDArray[np.float64]
    ) -> None:
        """Whole texts seen often enough, with the codes they were given."""
        code, texts = pd.factorize(texts)
        per_naf = np.bincount(naf, n, len(self.nafs)) + 0.5
        self._text_prior = per_naf / per_naf.sum()
        self._text_counts = sparse.csr_array(
            (n, (code, naf)), shape=(len(texts), len(self.nafs)), dtype=np.float64
        )
        often = np.asarray(self._text_counts.sum(axis=1)).ravel() >= LEAST_TEXT_COUNT
        self._text_row = {t[len(_WHOLE) :]: i for i, t in enumerate(texts) if often[i]}

    def _of_known_texts(self, texts: Sequence[str], values: NDArray[np.float64]) -> None:
        """Replace, in place, what the words of a text say by what the text was coded as.

        The words' opinion stays as so many imagined bulletins (Dirichlet smoothing).
        """
        rows = np.array([i for i, t in enumerate(texts) if t in self._text_row], dtype=np.int64)
        if not len(rows):
            return
        counts = self._text_counts[[self._text_row[texts[i]] for i in rows]].toarray()
        believed = self._text_prior * np.exp(values[rows])
        believed *= _TEXT_SMOOTHING / believed.sum(axis=1, keepdims=True)
        share = (counts + believed) / (counts.sum(axis=1, keepdims=True) + _TEXT_SMOOTHING)
        values[rows] = np.log(share / self._text_prior)

    def evidence(self, texts: Sequence[str]) -> Evidence:
        """Evidence of each text; a text of no known word says nothing."""
        code_of, distinct = factorise(normalise_all(texts))
        words = [stems(t) for t in distinct]
        counts = np.fromiter((len(w) for w in words), np.int64, len(words))
        # Words in one order whoever else is asked for: sums are the same to the last bit.
        known = sorted({s for ws in words for s in ws})
        position = {s: i for i, s in enumerate(known)}
        word_code = np.array([position[s] for ws in words for s in ws], dtype=np.int64)
        stem_of, weight_of = self._stood_for(known)
        stem, weight = stem_of[word_code], weight_of[word_code]
        row = np.repeat(np.arange(len(words)), counts)
        hit = np.flatnonzero(stem >= 0)
        row, stem, weight = row[hit], stem[hit], weight[hit]
        values = np.empty((len(distinct), len(self.nafs)), np.float32)
        for low in range(0, len(distinct), _AT_ONCE):
            part = slice(low, low + _AT_ONCE)
            mine = slice(*np.searchsorted(row, (low, low + _AT_ONCE)))
            found = (row[mine] - low, stem[mine], weight[mine])
            values[part] = self._values(found, counts[part], distinct[part])
        return Evidence(code_of, values)

    def _stood_for(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The stem that each word stands for: itself, else the likeliest of the common ones.

        Also how much it counts: blurred words count less. -1 is no stem.
        """
        stem = np.array([self._code_of.get(w, -1) for w in words], dtype=np.int64)
        weight = np.ones(len(words), np.float32)
        unknown = np.flatnonzero(stem < 0)
        if len(unknown):
            alike = self._lexicon.alike([words[i] for i in unknown.tolist()])
            row = np.repeat(np.arange(alike.shape[0]), np.diff(alike.indptr))
            best = best_of_each(row, alike.data)
            row, meant = unknown[row[best]], self._meant[alike.indices[best]]
            stem[row], weight[row] = meant, alike.data[best]
        return stem, weight

    def _values(
        self,
        found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]],
        counts: NDArray[np.int64],
        texts: Sequence[str],
    ) -> NDArray[np.float64]:
        """Evidence of some distinct texts, of the stems found in them: text, stem, weight."""
        row, stem, weight = found
        n, width = len(texts), len(self.nafs)
        pair, at = ragged_ranges(self._delta.indptr[stem], self._delta.indptr[stem + 1])
        cell = row[pair] * width + self._delta.indices[at]
        said = np.bincount(cell, weight[pair] * self._delta.data[at], n * width)
        unseen = np.bincount(row, weight, n)[:, None] * self._unseen[None, :]
        values = said.reshape(n, width) + unseen
        values *= np.maximum(counts, 1)[:, None] ** -_DAMPING
        np.clip(values, -_EVIDENCE_LIMIT, _EVIDENCE_LIMIT, out=values)
        self._of_known_texts(texts, values)
        np.clip(values, -_EVIDENCE_LIMIT, _EVIDENCE_LIMIT, out=values)
        return values


def label_counts(naf: pd.DataFrame) -> pd.DataFrame:
    """Words of the official labels as counts (see :func:`word_counts`).

    With them the everyday words that no label holds (``tables/activity_words.csv``: PRISON).
    """
    labels = word_counts(naf["libelle"].tolist(), naf["naf"].tolist())
    everyday = pd.DataFrame(load_table("activity_words"), columns=["mot", "naf"])
    everyday = everyday[everyday["naf"].isin(naf["naf"])].assign(n=1)
    return pd.concat([labels, everyday], ignore_index=True)


def naf_prefix_mask(nafs: Sequence[str], prefixes: Sequence[str]) -> NDArray[np.bool_]:
    """Which codes begin with any of the prefixes (written without dot); none given: no code."""
    plain = [n.replace(".", "") for n in nafs]
    return np.array([bool(prefixes) and n.startswith(tuple(prefixes)) for n in plain], dtype=bool)
