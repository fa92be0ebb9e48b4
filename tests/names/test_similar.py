"""Similar names laid out over all known ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from geomatch.arrays.groups import Links
from geomatch.names import similar as similar_module
from geomatch.names.coverage import Coverage
from geomatch.names.lexicon import Lexicon
from geomatch.names.similar import look_up, similar_names

WORDS = ("LION", "GARAGE", "CREPIN", "PINS", "FORGES")
names = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3, unique=True), min_size=1)


@given(names, names)
def test_the_best_similar_name_of_an_establishment_is_found(
    written: list[list[str]], known: list[list[str]]
) -> None:
    coverage = Coverage(Lexicon.of(known), written)
    bulletins = np.arange(len(written))
    similar = similar_names(bulletins, bulletins, coverage, len(written))
    # establishment i bears names i and i + 1
    borne = [sorted({i, min(i + 1, len(known) - 1)}) for i in range(len(known))]
    row, column = zip(*((i, n) for i, ns in enumerate(borne) for n in ns), strict=True)
    names_of = Links.of(sparse.csr_array((np.ones(len(row)), (row, column))))
    asker = np.repeat(bulletins, len(known))
    establishment = np.tile(np.arange(len(known)), len(written))
    found = look_up(asker, establishment, similar, names_of)
    assert (similar.compared(found)["written"][found >= 0] == asker[found >= 0]).all()
    found = similar.compared(found)
    a, b = found["of_written"], found["of_known"]
    pairs = {}
    for w, k, x, y in zip(*coverage.search(0, len(written), 0.33), strict=True):
        pairs[int(w), int(k)] = 0.6 * x + 0.4 * y
    for i, (w, e) in enumerate(zip(asker.tolist(), establishment.tolist(), strict=True)):
        best = max((pairs.get((w, n), 0.0) for n in borne[e]), default=0.0)
        assert np.isclose(0.6 * a[i] + 0.4 * b[i], best, atol=1e-5)
        assert (found["known"][i] >= 0) == (best > 0)
        assert found["known"][i] == -1 or found["known"][i] in borne[e]


def test_of_many_names_alike_a_little_only_those_more_alike_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = [["GARAGE", "LION"], ["GARAGE", "PINS"], ["GARAGE", "FORGES"], ["CREPIN", "FORGES"]]
    names = [["GARAGE", "LION"], ["CREPIN", "PINS"]]
    rows = np.arange(2)
    coverage = Coverage(Lexicon.of(known), names)
    found = {}
    for many in (2, 3):
        monkeypatch.setattr(similar_module, "_MANY", many)
        similar = similar_names(rows, rows, coverage, 2)
        assert similar.start.tolist()[-1] == len(similar.known)
        found[many] = [
            sorted(similar.known[a:b].tolist()) for a, b in pairwise(similar.start.tolist())
        ]
    assert found[3] == [[0, 1, 2], [1, 3]]
    # three are alike to the first name, two of them by GARAGE alone; the second has few
    assert found[2] == [[0], [1, 3]]
