from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geomatch.core.errors import DataError
from geomatch.runs.keys import bulletin_keys, decisions_of


def test_an_identifier_of_one_bulletin_is_its_key_and_others_get_their_line():
    keys = bulletin_keys(["A", "B", "", "B", ""], np.array([0, 1, 2, 7, 8]))
    assert keys.tolist() == ["A", "B (ligne 3)", "(ligne 4)", "B (ligne 9)", "(ligne 10)"]


def test_a_key_is_never_another_bulletins_identifier():
    keys = bulletin_keys(["B", "B", "B (ligne 2)"], np.arange(3))
    assert keys.tolist() == ["B (ligne 2)'", "B (ligne 3)", "B (ligne 2)"]
    assert len(set(keys)) == 3


def test_candidates_find_their_decision_where_identifiers_stand_twice():
    ids = np.array(["B", "A", "B", "B"], dtype=object)
    has = np.array([True, True, False, True])
    candidates = pd.DataFrame({"id": ["B", "B", "A", "B"], "rank": [1, 2, 1, 1]})
    assert decisions_of(ids, has, candidates).tolist() == [0, 0, 1, 3]


def test_candidates_of_another_run_are_refused():
    candidates = pd.DataFrame({"id": ["B", "B"], "rank": [1, 1]})
    with pytest.raises(DataError, match="match the file again"):
        decisions_of(np.array(["B"], dtype=object), np.array([True]), candidates)
