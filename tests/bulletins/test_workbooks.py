from __future__ import annotations

import sys
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from workbooks import KINDS, Cells

from geomatch.bulletins import files, read_bulletins
from geomatch.bulletins.rejects import rejects
from geomatch.bulletins.tables import read_table
from geomatch.core.errors import ConfigError, DataError, LayoutError
from geomatch.evaluation.truth import read_truth

pytest.importorskip("python_calamine", reason="spreadsheets need python-calamine")

HEADER = ("id", "nom", "numero", "voie", "code postal")
SECRET = "MENUISERIE DUPUITS"
either = pytest.mark.parametrize("kind", KINDS)


def written(tmp_path: Path, kind: str, **sheets: Cells) -> Path:
    file = tmp_path / f"b.{kind}"
    file.write_bytes(KINDS[kind](sheets))
    return file


@either
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("B1", "GARAGE", 12, "RUE BASSE", 1990), ("B1", "12", "01990", "")),
        ((7000000000, "GARAGE", "12 bis", "RUE", "01990"), ("7000000000", "12 bis", "01990", "")),
        ((1, "GARAGE", None, "RUE", None), ("1", "", "", "")),
        ((2, "GARAGE", 12.5, "RUE", "  35000 "), ("2", "12.5", "35000", "")),
        # 10-12, which a spreadsheet takes for the tenth of December
        ((3, "GARAGE", date(2026, 12, 10), "RUE", 35000),
         ("3", "", "35000", "date à la place d'un texte")),
        ((date(2026, 12, 10), "GARAGE", 4, "RUE", 35000),
         ("2026-12-10", "4", "35000", "date à la place d'un texte")),
        ((None, "GARAGE", 4, "RUE", 35000), ("", "4", "35000", "identifiant vide")),
    ],
)  # fmt: skip
def test_cells_are_read_as_the_text_they_were(
    tmp_path: Path, kind: str, cells: tuple[object, ...], expected: tuple[str, ...]
) -> None:
    found = read_bulletins(written(tmp_path, kind, Feuille1=[HEADER, cells])).iloc[0]
    assert tuple(found[["id", "numero", "code_postal", "probleme"]]) == expected
    assert found["raison_sociale"] == "GARAGE"


@either
def test_blank_rows_and_sheets_do_not_count_and_lines_are_those_of_the_sheet(
    tmp_path: Path, kind: str
) -> None:
    blank = (None,) * 5
    cells = [blank, HEADER, (1, "A", 1, "RUE", 35000), blank, (1, "B", 2, "RUE", 35000)]
    file = written(tmp_path, kind, Vide=[], Feuille1=cells, Aussi=[blank])
    found = read_bulletins(file)
    assert found["raison_sociale"].tolist() == ["A", "B"]
    assert rejects(file, found, keep_text=True).to_pylist() == [
        {"line": 5, "source_row": 1, "reason": "identifiant en double", "text": ""}
    ]


@either
@pytest.mark.parametrize(
    ("sheets", "error", "part"),
    [
        ({"A": [HEADER], "B": [(SECRET,)]}, LayoutError, r"2 sheets .*\(A, B\), expected one"),
        ({"A": []}, DataError, "is empty"),
        (
            {"A": [HEADER, (7000000000000001, SECRET, 1, "R", 1)]},
            LayoutError,
            r"column\(s\) A hold",
        ),
        ({"A": [("id", "nom", "nom", "voie"), (1, SECRET, 1, "R")]}, LayoutError, "stand twice"),
        ({"A": [(1, SECRET, 3, "RUE", 35000)]}, LayoutError, "is the first line a header"),
    ],
)
def test_what_cannot_be_read_surely_is_refused_without_quoting_it(
    tmp_path: Path, kind: str, sheets: dict[str, Cells], error: type[Exception], part: str
) -> None:
    with pytest.raises(error, match=part) as caught:
        read_bulletins(written(tmp_path, kind, **sheets))
    assert SECRET not in str(caught.value)


@either
def test_a_damaged_workbook_is_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    file = written(tmp_path, kind, A=[HEADER, (1, SECRET, 1, "R", 1)])
    made = BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(made, "w") as out:
        for name in source.namelist():
            out.writestr(name, source.read(name)[:90])
    file.write_bytes(made.getvalue())
    with pytest.raises(DataError, match=r"damaged spreadsheet.*as CSV") as caught:
        read_bulletins(file)
    assert SECRET not in str(caught.value)


@either
def test_a_workbook_that_unpacks_to_very_much_is_not_unpacked(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SMALL_UNPACKED", 10)
    file = written(tmp_path, kind, A=[HEADER, (1, "A" * 1_000_000, 1, "R", 1)])
    with pytest.raises(DataError, match="unpacks to more"):
        read_bulletins(file)


@either
def test_without_the_library_the_message_says_what_to_install(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ConfigError, match=r"pip install 'geomatch-sirene\[tableur\]', or save"):
        read_bulletins(written(tmp_path, kind, A=[HEADER]))


@either
def test_addresses_and_truths_may_be_spreadsheets_too(tmp_path: Path, kind: str) -> None:
    cells = [("id", "siret", "le"), (1, 20003005600012, date(2026, 1, 2)), (2, None, None)]
    file = written(tmp_path, kind, A=cells)
    assert read_table(file).column("le").to_pylist() == ["2026-01-02", ""]
    assert read_truth(written(tmp_path, kind, A=cells))["siret"].tolist() == ["20003005600012", ""]
