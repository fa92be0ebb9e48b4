from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.arrays.arrow import coded, encoded, texts, whole

TEXTS = st.lists(st.sampled_from(["NANTES", "REZE", "", None]), max_size=12)


def _chunked(values: list[str | None], *, shared: bool) -> pa.ChunkedArray:
    """The values in pieces of three rows, each with a dictionary of its own or none."""
    pieces = [pa.array(values[i : i + 3], pa.string()) for i in range(0, len(values), 3)]
    if shared:
        pieces = [p.dictionary_encode() for p in pieces]
    return pa.chunked_array(pieces, type=pieces[0].type if pieces else pa.string())


@given(TEXTS, st.booleans())
def test_texts_are_numbered_as_they_first_come(values: list[str | None], shared: bool) -> None:
    filled = [v or "" for v in values]
    column = _chunked(values, shared=shared)
    code, distinct = coded(column)
    assert texts(distinct).tolist() == list(dict.fromkeys(filled))
    assert [texts(distinct)[i] for i in code] == filled
    assert texts(column).tolist() == filled
    assert texts(whole(column)).tolist() == filled
    assert texts(encoded(column)).tolist() == filled


def test_texts_of_rows_that_were_left_out_are_not_among_the_distinct_ones(tmp_path: Path) -> None:
    pq.write_table(pa.table({"commune": ["A", "B", "A", "C"]}), tmp_path / "file")
    column = pq.read_table(tmp_path / "file", read_dictionary=["commune"]).column("commune")
    kept = column.filter(pa.array([False, True, False, True]))
    assert texts(kept.chunk(0).dictionary).tolist() == ["A", "B", "C"]
    code, distinct = coded(kept)
    assert (code.tolist(), texts(distinct).tolist()) == ([0, 1], ["B", "C"])


@pytest.mark.parametrize("values", [[], ["A", "B"], pa.array(["A"])])
def test_plain_texts_are_encoded_too(values: list[str] | pa.Array) -> None:
    assert texts(encoded(values)).tolist() == list(map(str, values))
