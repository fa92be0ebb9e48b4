from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gazetteer.engine import quoted, run
from gazetteer.fields import mended

CASES = Path(__file__).parents[1] / "cases" / "official_fields.csv"
with CASES.open(encoding="utf-8", newline="") as _stream:
    ROWS = list(csv.DictReader(_stream, delimiter=";", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("case", ROWS, ids=lambda c: f"{c['column']} {c['written']}")
def test_what_a_spreadsheet_did_to_a_field_is_undone(con, case: dict[str, str]):
    field = f"{case['written']}::DOUBLE" if case["is_number"] else quoted(case["written"])
    text = f"trim(({field})::VARCHAR)"
    read = run(con, f"SELECT {mended(case['column'], text, field)}")[0][0]
    assert (read or "") == case["read"]
