from __future__ import annotations

import csv
from pathlib import Path

import pytest

from geomatch.bulletins import read_bulletins
from geomatch.bulletins.codes import code_text

CASES = Path(__file__).parents[1] / "cases" / "written_codes.csv"
with CASES.open(encoding="utf-8", newline="") as _stream:
    ROWS = list(csv.DictReader(_stream, delimiter=";", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("case", ROWS, ids=lambda c: f"{c['written']} {c['width']}")
def test_a_code_is_read_as_it_was(case: dict[str, str]):
    assert code_text(case["written"], int(case["width"])) == case["read"]


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n", ""])
def test_a_line_that_tells_the_separator_is_no_header(tmp_path: Path, first: str):
    file = tmp_path / "b.csv"
    file.write_text(
        f"{first}id;nom;adresse;code postal;code commune\nB1;A, B, C;4 RUE, X;1990.0;1901\n",
        newline="",
    )
    row = read_bulletins(file).iloc[0]
    told = (row["id"], row["raison_sociale"], row["code_postal"], row["code_commune_declaree"])
    assert told == ("B1", "A, B, C", "01990", "01901")
