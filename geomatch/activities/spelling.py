"""Words one letter away from a known one: CARELAGE is CARRELAGE.

A letter too many, missing, another, or two that changed places (Damerau's four slips). Words
are found through what is left of them without one of their letters (symmetric deletion).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: Shorter words are too near to one another.
_SHORTEST = 7


class Spelling:
    """Finds the one known word that a word is a slip of."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._words = frozenset(vocabulary)
        self._by_part: dict[str, list[str]] = {}
        for word in sorted(self._words):
            if len(word) >= _SHORTEST:
                for part in _parts(word):
                    self._by_part.setdefault(part, []).append(word)

    def nearest(self, word: str) -> str:
        """The known word that is one slip away; the word itself where none, or several, are."""
        if word in self._words or len(word) < _SHORTEST or not word.isalpha():
            return word
        found: dict[int, set[str]] = {}
        for part in _parts(word):
            for known in self._by_part.get(part, ()):
                if known[-2:] == word[-2:] and (kind := _slip(word, known)):
                    found.setdefault(kind, set()).add(known)
        likeliest = found[min(found)] if found else set()
        return likeliest.pop() if len(likeliest) == 1 else word


def _parts(word: str) -> Iterator[str]:
    yield word
    # The first letter is seldom wrong, and tells words apart; the last two are those of grammar.
    for i in range(1, len(word) - 2):
        yield word[:i] + word[i + 1 :]


def _slip(a: str, b: str) -> int:
    """How two words differ, the likeliest slip first; 0 if by more than one.

    1: a letter too many or missing (letters written twice), 2: two that changed places, 3:
    another one.
    """
    if len(a) != len(b):
        return int(abs(len(a) - len(b)) == 1)
    differ = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    if len(differ) == 2:
        i, j = differ
        return 2 if j == i + 1 and a[i] == b[j] and a[j] == b[i] else 0
    return 3 if len(differ) == 1 else 0
