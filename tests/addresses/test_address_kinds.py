"""Kinds of addresses that are hard, with the whole chain from the line to the place."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from geomatch.geocoding import geocode_addresses
from geomatch.store.reader import Store

CASES = Path(__file__).parent.parent / "cases" / "address_kinds.csv"
with CASES.open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file, delimiter=";"))


@pytest.fixture(scope="module")
def answers(places: Store) -> dict[str, dict[str, object]]:
    lines = [row["text"] for row in ROWS]
    found = geocode_addresses(lines, places).to_dict("records")
    return dict(zip(lines, found, strict=True))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['kind']}: {row['text']}")
def test_kind(row: dict[str, str], answers: dict[str, dict[str, object]]) -> None:
    found = answers[row["text"]]
    told = ("result_level", "result_street", "result_housenumber", "result_citycode")
    expected = (row["level"], row["street"], row["number"], row["citycode"])
    assert tuple(found[c] for c in told) == expected
    assert float(row["least_score"]) <= found["result_score"] <= float(row["most_score"])


def test_cases_are_many_and_distinct() -> None:
    assert len(ROWS) >= 200
    assert len({row["text"] for row in ROWS}) == len(ROWS)
