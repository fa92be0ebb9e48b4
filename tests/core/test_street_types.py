from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from geomatch.core.errors import ConfigError
from geomatch.core.street_keys import street_key
from geomatch.core.street_types import KINDS, read_street_types, street_type_table
from geomatch.core.tables import load_table

ROWS = load_table("street_types")

#: A type that no row of the table has, added in the table alone.
NEW_TYPE = """
import json, sys
import geomatch.core.tables as tables
shipped = tables.load_table
new = tuple(tuple(row) for row in json.loads(sys.argv[1]))
tables.load_table = lambda name: shipped(name) + new if name == "street_types" else shipped(name)
from geomatch.addresses.parse.rules import parse_line
from geomatch.addresses.streets.names import read_street
from geomatch.core.street_keys import street_key
print(json.dumps([parse_line(sys.argv[2]), read_street(street_key(sys.argv[2].split(",")[0]))]))
"""


def read_with(rows: Sequence[Sequence[str]], line: str) -> tuple[list[str], list[object]]:
    done = subprocess.run(
        [sys.executable, "-c", NEW_TYPE, json.dumps(rows), line],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    parts, name = json.loads(done.stdout)
    return parts, name


def test_a_new_type_is_one_row_of_one_file() -> None:
    rows = [
        ["ZORGUE", "ZORGUE", "street", "0", "1", "0", "", "", "", "1"],
        ["ZGE", "ZORGUE", "", "", "", "", "", "", "", ""],
    ]
    for written in ("zge des Ormes", "zorgue des Ormes", "zorgeu des Ormes", "zorguedesormes"):
        parts, _ = read_with(rows, f"12 {written}, 35910 Vaubray")
        assert parts[:5] == ["12", "", "", "ZORGUE", parts[4]]
        assert parts[4].replace(" ", "") == "DESORMES"
    _, name = read_with(rows, "ZGE DES ORMES")
    assert name[0] == "ZORGUE"


def test_a_new_numbered_type_keeps_its_number() -> None:
    row = ["ZORGUE", "ZORGUE", "street", "1", "0", "1", "", "", "", ""]
    assert read_with([row], "zorgue des Ormes 33, 35910 Vaubray")[0][4] == "DES ORMES 33"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (["ZGE", "ZORGUE", "", "", "", "", "", "", "", ""], "no row of its own for ZORGUE"),
        (["ZORGUE", "ZORGUE"], "has 2 values"),
        (["ZORGUE", "ZORGUE", "", "0", "0", "0", "", "", "", ""], "kind of a type is one of"),
        (["ZORGUE", "ZORGUE", "street", "", "0", "0", "", "", "", ""], "are 0 or 1"),
        (["ZORGUE", "ZORGUE", "street", "0", "0", "0", "ZORG", "", "", ""], "ZORG is no type"),
        (["ZORGUE", "ZORGUE", "street", "0", "0", "0", "", "long", "", ""], "form is short"),
        (["RUE", "RUE", "street", "0", "0", "0", "", "", "", ""], "RUE is there twice"),
        (["ZR", "RUE", "street", "", "", "", "", "", "", ""], "in the row of RUE itself"),
    ],
)
def test_incomplete_table_is_refused(row: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_street_types([*ROWS, row])


def test_every_kind_is_borne() -> None:
    table = street_type_table()
    assert all(table.of_kind(kind) for kind in KINDS)


@pytest.mark.parametrize("form", sorted(street_type_table().forms))
def test_every_form_is_read_as_its_type(form: str) -> None:
    kind = street_type_table().forms[form]
    assert street_key(f"{form} DES ORMES") == f"{kind} DES ORMES"
