from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.addresses.communes.groups import Groups
from geomatch.addresses.communes.key_table import KeyTable

KEYS = st.lists(st.sampled_from(["A", "B", "AB", "C"]), min_size=1, max_size=12)


@given(KEYS, st.lists(st.sampled_from(["A", "B", "AB", "C", "D", ""]), max_size=6))
def test_rows_of_a_key_are_found_in_their_order(keys: list[str], asked: list[str]) -> None:
    table = KeyTable.of(pa.array(keys))
    for key in asked:
        assert table.rows(key).tolist() == [i for i, k in enumerate(keys) if k == key]
    pairs = table.find(asked)
    expected = [(q, i) for q, key in enumerate(asked) for i, k in enumerate(keys) if k == key]
    assert list(zip(pairs.question.tolist(), pairs.street.tolist(), strict=True)) == expected


@given(KEYS)
def test_rows_are_numbered_by_their_key(keys: list[str]) -> None:
    table = KeyTable.of(pa.array(keys))
    assert list(table.keys) == list(dict.fromkeys(keys))
    assert [list(table.keys)[i] for i in table.code] == keys


def test_keys_told_twice_are_one() -> None:
    table = KeyTable(np.array([0, 1, 2, 1]), ["BC", "D", "BC"])
    assert table.rows("BC").tolist() == [0, 2]
    assert table.code.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("asked", ["", "Z"])
def test_what_is_not_known_has_no_rows(asked: str) -> None:
    assert not len(KeyTable.of(pa.array(["A"])).rows(asked))


def test_values_of_a_key_keep_the_order_of_the_table() -> None:
    keys, values = ["A", "B", "A", "A"], ["3", "1", "2", "3"]
    groups = Groups(pa.chunked_array([keys]), pa.chunked_array([values]))
    assert groups.get("A") == ("3", "2", "3")
    assert groups.get("A") is groups.get("A")
    assert groups.get("Z") == ()
