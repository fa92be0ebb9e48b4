from __future__ import annotations

import numpy as np
import pytest
from rapidfuzz.distance import OSA
from scipy import sparse

from geomatch.names.letter_masks import Letters
from geomatch.names.trigram_index import TrigramIndex, trigram_matrix

_DICE = 0.34


def _words(n: int, seed: int) -> np.ndarray:
    """Words of few letters, so that many resemble one another; some are long or repeat."""
    random = np.random.default_rng(seed)
    letters = np.array(list("ABEIN3"))
    made = {"".join(random.choice(letters, random.integers(1, 21))) for _ in range(n)}
    return np.array(sorted(made | {"AAAAAAAA", "ABABABAB", "BOULANGERIE"}), dtype=object)


def _grams(words: np.ndarray) -> sparse.csr_array:
    return trigram_matrix(Letters(words))


def _slip(word: str, random: np.random.Generator) -> str:
    at = int(random.integers(0, max(len(word) - 1, 1)))
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + "E" + word[at:],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    )
    return slips[random.integers(0, 3)]


@pytest.mark.parametrize("least", [0.7, 0.8, 0.9])
def test_no_pair_that_is_alike_is_missed(least):
    random = np.random.default_rng(4)
    known = _words(700, 1)
    asked = np.array([_slip(w, random) for w in known if len(w) >= 4][:200], dtype=object)
    index = TrigramIndex.of(Letters(known))
    row, column = index.resembling(Letters(asked), np.full(len(asked), least), _DICE)
    found = set(zip(row.tolist(), column.tolist(), strict=True))
    assert len(found) == len(row)
    shared = (_grams(asked) @ _grams(known).T).toarray()
    sizes = [np.diff(_grams(w).indptr) for w in (asked, known)]
    dice = 2 * shared / (sizes[0][:, None] + sizes[1][None, :])
    alike = {
        (i, k)
        for i, k in np.argwhere(dice >= _DICE).tolist()
        if OSA.normalized_similarity(asked[i], known[k]) >= least
    }
    assert len(alike) > 100
    assert alike <= found
    assert all(dice[pair] >= _DICE for pair in found)


def test_of_no_word_nothing_is_found():
    nothing = np.array([], dtype=object)
    for known, asked in ((nothing, np.array(["GARE"], dtype=object)),
                         (np.array(["GARE"], dtype=object), nothing)):  # fmt: skip
        index, least = TrigramIndex.of(Letters(known)), np.full(len(asked), 0.7)
        row, column = index.resembling(Letters(asked), least, _DICE)
        assert len(row) == len(column) == 0
