"""Words that a writer ran together, taken apart into words of known names.

``LOUBISTROT`` is LOU BISTROT when some known name holds these two words side by side;
``GARAGEDELORMEAU`` is GARAGE ORMEAU because both are known and what stands between is not a
word that counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from geomatch.arrays.groups import Links
from geomatch.names.clean import spelled_out

#: Words made of known words wherever these stand are looked for from this length on …
LEAST_LENGTH = 6
_FREE_LENGTH = 8
#: … and made of words at least so long; side by side in a name, of two letters or more.
_PART_MIN = 4
_BESIDE_MIN = 2
#: One of two words that stand side by side may be misspelt, if it is long enough.
_MISSPELT_MIN = 4
_ALIKE = 0.75
_BETWEEN = frozenset({"A", "AU", "AUX", "D", "DE", "DES", "DU", "ET", "L", "LA", "LE", "LES"})
#: Words that do not count and are long enough to be seen in a longer one.
_BESIDE = frozenset({"AUX", "CHEZ", "DES", "LES", "PAR", "POUR", "SOUS", "SUR", "UNE"})


class JoinedWords:
    """What words that ran together are made of.

    Parameters
    ----------
    words : array of str, shape (n,)
        The distinct known words.
    after : Links
        Which follow each in some name (:attr:`geomatch.names.word_bags.Bags.followers`).
    """

    def __init__(
        self,
        words: NDArray[np.object_],
        after: Links,
    ) -> None:
        self.words = words
        self.code_of = dict(zip(words, range(len(words)), strict=True))
        self._after = after
        self._before = after.reverse(len(words))

    def parts(self, word: str) -> list[str]:
        """Known words that make up `word`, in order; empty when it cannot be told apart."""
        return self._side_by_side(word) or self._anywhere(word)

    def exact_parts(self, word: str) -> list[tuple[int, ...]]:
        """Known words (positions) that make up `word`: two side by side in a name, or one beside
        a word that does not count (CHEZMARIE is MARIE).

        Abbreviations stand for what names have in their place: RESIDUNIV is RESIDENCE UNIVERSITE.
        """
        found: list[tuple[int, ...]] = []
        for cut in range(_BESIDE_MIN, len(word) - _BESIDE_MIN + 1):
            first, last = word[:cut], word[cut:]
            left, right = self._codes(first), self._codes(last)
            if first in _BESIDE and len(last) >= _PART_MIN and right:
                found.append(right)
            elif last in _BESIDE and len(first) >= _PART_MIN and left:
                found.append(left)
            elif left and right and right[0] in self._after[left[-1]]:
                found.append((*left, *right))
        return found

    def _codes(self, word: str) -> tuple[int, ...]:
        """Positions of the words that `word` stands for; none where one is not known."""
        code = self.code_of.get(word, -1)
        if code >= 0:
            return (code,)
        words = spelled_out(word)
        codes = tuple(self.code_of.get(w, -1) for w in words)
        return () if words == [word] or -1 in codes else codes

    def _side_by_side(self, word: str) -> list[str]:
        best: tuple[float, list[str]] = (0.0, [])
        for cut in range(_BESIDE_MIN, len(word) - _BESIDE_MIN + 1):
            left, right = word[:cut], word[cut:]
            for known, other, beside in ((left, right, self._after), (right, left, self._before)):
                found = self._neighbour(known, other, beside)
                if found and found[1] > best[0]:
                    pair = [known, found[0]] if beside is self._after else [found[0], known]
                    best = (found[1], pair)
        return best[1]

    def _neighbour(self, known: str, other: str, beside: Links) -> tuple[str, float] | None:
        """The word beside `known` in some name that `other` most likely is, with likeness."""
        code = self.code_of.get(known)
        if code is None:
            return None
        near = beside[code]
        if self.code_of.get(other, -1) in near:
            return other, 1.0
        if len(other) < _MISSPELT_MIN or not len(near):
            return None
        found = process.extractOne(
            other, self.words[near], scorer=OSA.normalized_similarity, score_cutoff=_ALIKE
        )
        return (found[0], found[1]) if found else None

    def _anywhere(self, word: str) -> list[str]:
        """The fewest known words that make up a long word, those between left out."""
        if len(word) < _FREE_LENGTH:
            return []
        best: list[list[str] | None] = [[], *([None] * len(word))]
        for end in range(1, len(word) + 1):
            for start in range(end):
                before, piece = best[start], word[start:end]
                if before is None or not (
                    piece in _BETWEEN or (len(piece) >= _PART_MIN and piece in self.code_of)
                ):
                    continue
                now = best[end]
                if now is None or len(before) + 1 < len(now):
                    best[end] = [*before, piece]
        parts = [p for p in best[-1] or [] if p not in _BETWEEN]
        return parts if len(parts) > 1 else []
