"""From an activity text to probabilities over the codes of a nomenclature.

Several sources speak, each through its own evidence (natural logarithms, how much likelier each
code is than before): the official *labels*, the names of the *register*, texts that companies
*declared* with their code (words, and *pairs* of words), the *lexicon*. The score of a code is
what it was before plus their weighted sum; the few weights are learned (:mod:`.learn`), and so
is the curve of each level that turns its sum of probabilities into the share that is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit

from geomatch.activities import reading
from geomatch.activities.counts import (
    LEVELS,
    Nomenclature,
    Smoothing,
    best_of_level,
    evidence,
)
from geomatch.activities.words import Written, written
from geomatch.arrays.arrow import encoded, texts
from geomatch.arrays.rows import Columns
from geomatch.core.text import factorise

#: The sources with words of their own, and how the counts of each are smoothed.
SMOOTHING = {
    "labels": Smoothing(0.3, 0.3, 0.3),
    "register": Smoothing(30.0, 10.0, 10.0),
    "declared": Smoothing(3.0, 1.0, 1.0),
    "pairs": Smoothing(3.0, 1.0, 1.0),
}
#: What the lexicon reads in a text, and that of it which is said first and leads.
LEXICON, LEADING = "lexicon", "leading"
_OF_LEXICON = Smoothing(0.3, 0.3, 0.3)
#: Many words repeat one another: a total weight of w counts as w to the power of 1 less this.
_DAMPING = 0.7
#: Of the shares of codes before any text: imagined texts spread as the register is, and evenly.
_BEFORE = 200.0
#: A total probability that is told is at least so far from 0 and 1.
_LEAST = 1e-6


@dataclass(frozen=True)
class Weights:
    """What was learned: weight of each source (``prior`` among them), line of each level.

    ``levels`` gives intercept and slope of the logistic line over the log-odds of a level's best
    sum of probabilities, and over the logarithm of how much of the text was known.
    """

    sources: Mapping[str, float]
    levels: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Coded:
    """Codes of texts.

    ``probability`` has shape (texts, codes) and sums to 1; ``is_known`` tells which texts say
    anything; ``sure`` has the probability that each level's best is right, shape (texts, levels
    of :data:`~geomatch.activities.counts.LEVELS`), ``best`` the position of a code in that best.
    """

    probability: NDArray[np.float32]
    is_known: NDArray[np.bool_]
    sure: NDArray[np.float64]
    best: NDArray[np.int64]


#: Texts whose probabilities are worked out together.
_AT_ONCE = 2_000


class ActivityModel:
    """A model of activity texts for one nomenclature.

    Parameters
    ----------
    nafs : sequence of str
        The codes, in the order of every result; sorted.
    counts : mapping of table
        Of each source of :data:`SMOOTHING` a table ``mot``, ``naf``, ``n``: how often a stem, or
        a pair of stems, was seen with a code. Codes that are not among `nafs` are left out. The
        empty word counts texts of a code.
    weights : Weights
    """

    def __init__(
        self, nafs: Sequence[str], counts: Mapping[str, Columns], weights: Weights
    ) -> None:
        self.nomenclature = Nomenclature(tuple(nafs))
        self.weights = weights
        words = {s: np.asarray(texts(encoded(counts[s]["mot"])), object) for s in counts}
        known = sorted({w for ws in words.values() for w in ws.tolist()} - {""})
        self.vocabulary = {w: i for i, w in enumerate(known)}
        self._counts = {s: self._table(words[s], counts[s]) for s in counts}
        self.prior = self._prior()
        self._known_targets: tuple[tuple[str, ...], sparse.csr_array] | None = None

    def _table(self, words: NDArray[np.object_], table: Columns) -> sparse.csr_array:
        """Counts, shape (vocabulary and the empty word, codes)."""
        row = np.array([self.vocabulary.get(w, -1) for w in words.tolist()], dtype=np.int64)
        row[words == ""] = len(self.vocabulary)
        naf = self.nomenclature.positions(texts(encoded(table["naf"])).tolist())
        at = np.flatnonzero((naf >= 0) & (row >= 0))
        n = np.asarray(table["n"], np.float64)[at]
        shape = (len(self.vocabulary) + 1, len(self.nomenclature.nafs))
        out = sparse.csr_array((n, (row[at], naf[at])), shape)
        out.sum_duplicates()
        return out

    def _shares(self, source: str) -> NDArray[np.float64]:
        """Shares of codes in a source; even ones in the labels, of which each code has one."""
        n_codes = len(self.nomenclature.nafs)
        if source == "labels" or source not in self._counts:
            return np.full(n_codes, 1.0 / n_codes)
        table = self._counts[source]
        texts_of = np.asarray(table[[table.shape[0] - 1]].sum(axis=0)).ravel()
        seen = texts_of if texts_of.any() else np.asarray(table.sum(axis=0)).ravel()
        return (seen + 1.0) / (seen + 1.0).sum()

    def _prior(self) -> NDArray[np.float64]:
        even = np.full(len(self.nomenclature.nafs), 1.0 / len(self.nomenclature.nafs))
        before = 0.5 * (self._shares("register") if "register" in self._counts else even)
        before += 0.5 * even
        table = self._counts.get("declared")
        seen = 0.0 if table is None else np.asarray(table[[table.shape[0] - 1]].sum(axis=0)).ravel()
        total = seen + _BEFORE * before
        return total / total.sum()

    @cached_property
    def evidences(self) -> dict[str, sparse.csr_array]:
        """Evidence of each source, shape (vocabulary, codes)."""
        found = {}
        for source, counts in self._counts.items():
            shares = self.prior if source in ("declared", "pairs") else self._shares(source)
            found[source] = evidence(
                counts[: len(self.vocabulary)], shares, self.nomenclature, SMOOTHING[source]
            )
        return found

    @cached_property
    def words_evidence(self) -> sparse.csr_array:
        """All sources with words, weighted and added up."""
        weighted = [e * self.weights.sources.get(s, 0.0) for s, e in self.evidences.items()]
        return sparse.csr_array(sum(weighted[1:], weighted[0]), dtype=np.float32)

    # ------------------------------------------------------------------ texts
    def asked(self, activities: Sequence[str]) -> Asked:
        """What is read in texts: words of the vocabulary with weights, and the lexicon's codes."""
        words = written(activities)
        return Asked(_weighted(words, self.vocabulary), reading.read(activities))

    def channels(self, asked: Asked) -> dict[str, NDArray[np.float32]]:
        """Evidence by source, each of shape (texts, codes)."""
        found = {s: (asked.words @ e).toarray() for s, e in self.evidences.items()}
        found |= {s: e.toarray() for s, e in self._of_lexicon(asked.reading).items()}
        shape = (asked.words.shape[0], len(self.prior))
        before = np.broadcast_to(np.log(self.prior).astype(np.float32), shape)
        return {"prior": before, **found}

    def evidence(self, asked: Asked) -> NDArray[np.float32]:
        """How much likelier each code is than before, shape (texts, codes); 0 says nothing."""
        total = np.asarray((asked.words @ self.words_evidence).toarray(), np.float32)
        for source, said in self._of_lexicon(asked.reading).items():
            total += (said * np.float32(self.weights.sources.get(source, 0.0))).toarray()
        return total

    def _of_lexicon(self, said: reading.Reading) -> dict[str, sparse.csr_array]:
        """What the lexicon reads, and what of it leads, as evidence of shape (texts, codes)."""
        even = np.full(len(self.prior), 1.0 / len(self.prior))
        found = {}
        for source, rows in ((LEXICON, slice(None)), (LEADING, said.rank == 0)):
            weights = sparse.csr_array(
                (said.weight[rows], (said.text[rows], said.code[rows])),
                shape=(len(said.kinds), len(said.codes)),
            )
            codes = sparse.csr_array(weights @ self._targets(tuple(said.codes)))
            found[source] = evidence(codes, even, self.nomenclature, _OF_LEXICON)
        return found

    def _targets(self, targets: tuple[str, ...]) -> sparse.csr_array:
        """Shares of the codes in each target of the lexicon (a code of any level)."""
        if self._known_targets is None or self._known_targets[0] != targets:
            shares = self.nomenclature.parted(targets, self.prior)
            self._known_targets = (targets, shares)
        return self._known_targets[1]

    def code(self, activities: Sequence[str]) -> Coded:
        """Codes of activity texts, as they were written; each distinct text is worked on once."""
        code_of, distinct = factorise(activities)
        parts = range(0, max(len(distinct), 1), _AT_ONCE)
        coded = [self._code(distinct[low : low + _AT_ONCE]) for low in parts]
        columns = [np.concatenate(column) for column in zip(*coded, strict=True)]
        if len(distinct) < len(activities):
            columns = [column[code_of] for column in columns]
        return Coded(*columns)

    def _code(self, activities: Sequence[str]) -> tuple[NDArray, ...]:
        asked = self.asked(activities)
        score = self.evidence(asked)
        is_known = np.asarray(score.any(axis=1))
        score += np.float32(self.weights.sources.get("prior", 1.0)) * np.log(self.prior)
        probability = softmax(score)
        best, sure = self.levels(probability, asked)
        return probability, is_known, sure, best

    def levels(
        self, probability: NDArray[np.float32], asked: Asked
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Best of each level (the position of a code in it) and the probability that it is right.

        The probability of a level is no less than that of a deeper one.
        """
        best, sure = [], []
        for level in LEVELS:
            group, share = best_of_level(probability, self.nomenclature, level)
            best.append(np.searchsorted(self.nomenclature.groups(level), group))
            sure.append(self._sure(level, share, asked))
        rising = np.maximum.accumulate(np.stack(sure, axis=1)[:, ::-1], axis=1)[:, ::-1]
        return np.stack(best, axis=1), rising

    def _sure(self, level: str, share: NDArray[np.float64], asked: Asked) -> NDArray[np.float64]:
        line = self.weights.levels.get(level)
        if line is None:
            return share
        return line_of(calibration_inputs(share, asked.known), line)


@dataclass(frozen=True)
class Asked:
    """Texts as sources see them: weights of words, shape (texts, vocabulary), and the reading."""

    words: sparse.csr_array
    reading: reading.Reading

    @property
    def known(self) -> NDArray[np.float64]:
        """How much of each text is known: the weights of its words."""
        return np.asarray(self.words.sum(axis=1), np.float64).ravel()


def calibration_inputs(
    share: NDArray[np.float64], known: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What the probability of a level's best is told from, shape (texts, 3)."""
    odds = logit(np.clip(share, _LEAST, 1 - _LEAST))
    return np.stack([np.ones(len(share)), odds, np.log(known + 0.1)], axis=1)


def line_of(inputs: NDArray[np.float64], line: Sequence[float]) -> NDArray[np.float64]:
    """Probabilities by a logistic line over :func:`calibration_inputs`."""
    chance: NDArray[np.float64] = expit(inputs @ np.asarray(line, np.float64))
    return chance


def softmax(score: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probabilities of scores, row by row."""
    score = np.exp(score - score.max(axis=1, keepdims=True))
    return np.asarray(score / score.sum(axis=1, keepdims=True), np.float32)


def _weighted(words: Written, vocabulary: Mapping[str, int]) -> sparse.csr_array:
    """Weights of the known words and pairs of texts, shape (texts, vocabulary), damped."""
    known = np.array([vocabulary.get(f, -1) for f in words.features], dtype=np.int64)
    known = known[words.feature] if len(known) else np.zeros(0, np.int64)
    single = ~words.is_pair[words.feature] if len(known) else np.zeros(0, bool)
    total = np.bincount(words.text[single], words.weight[single], minlength=words.n_texts)
    damped = words.weight * np.maximum(total, 0.5)[words.text] ** -_DAMPING
    at = np.flatnonzero(known >= 0)
    shape = (words.n_texts, len(vocabulary))
    return sparse.csr_array((damped[at].astype(np.float32), (words.text[at], known[at])), shape)
