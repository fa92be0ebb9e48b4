from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gazetteer.engine import run
from gazetteer.files import fingerprinted
from gazetteer.reading import checked, reading, select
from gazetteer.sources import recognise
from geomatch.core.errors import DataError

HEADER = "id;numero;rep;nom_voie;code_insee;x;y\n"
ROW = "35901_0001_00001;1;;Rue de l'Œuvre;35901;1.5;2.5\n"


def _read(con, file: Path, *columns: str, folder: Path) -> list[tuple]:
    source = checked(fingerprinted(recognise(file)[0]), folder)
    with reading(source):
        return run(con, select(source, *columns))


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.zip"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_is_read_whatever_its_packing_and_encoding(
    con, tmp_path, folder, written, name: str, encoding: str, end: str
):
    text = (HEADER + ROW).replace("\n", end)
    file = written(tmp_path / name, text, encoding=encoding)
    got = _read(con, file, "id", "nom_voie", "y", folder=folder)
    assert got == [("35901_0001_00001", "Rue de l'Œuvre", "2.5")]


def test_blank_and_absent_values_are_null(con, tmp_path, folder, written):
    file = written(tmp_path / "x.csv", HEADER + "a;1; ;  Rue  ;35901;;\n")
    got = _read(con, file, "rep", "nom_voie", "x", "type_position", folder=folder)
    assert got == [(None, "Rue", None, None)]


def test_quotes_doubled_and_stray(con, tmp_path, folder, written):
    rows = 'a;1;;"Rue ""du"" Lin; bas";35901;1;2\nb;1;;Rue "du" Lin;35901;1;2\n'
    file = written(tmp_path / "x.csv", HEADER + rows)
    got = _read(con, file, "nom_voie", folder=folder)
    assert got == [('Rue "du" Lin; bas',), ('Rue "du" Lin',)]


def test_parquet_columns_of_any_type_come_out_as_text(con, tmp_path, folder):
    file = tmp_path / "x.parquet"
    frame = pd.DataFrame({"siret": ["1"], "x": [1.5], "y": [2], "qualite_xy": [11], "epsg": [2154]})
    frame.to_parquet(file)
    got = _read(con, file, "siret", "x", "y", "qualite_xy", folder=folder)
    assert got == [("1", "1.5", "2", "11")]


@pytest.mark.parametrize(("rows", "expected"), [("", 0), (ROW, 1), (ROW * 3, 3), (ROW + "x", 2)])
def test_rows_are_counted(tmp_path, folder, written, rows: str, expected: int):
    source = fingerprinted(recognise(written(tmp_path / "x.csv", HEADER + rows))[0])
    if expected:
        assert checked(source, folder).rows == expected
    else:
        with pytest.raises(DataError, match="has a header but no row"):
            checked(source, folder)


def test_lieux_dits_may_be_empty(tmp_path, folder, written):
    file = written(tmp_path / "x.csv", "id;nom_lieu_dit;code_insee;lon;lat\n")
    assert checked(fingerprinted(recognise(file)[0]), folder).rows == 0


def test_truncated_gz(tmp_path, folder):
    content = gzip.compress((HEADER + ROW * 50_000).encode())
    file = tmp_path / "x.csv.gz"
    file.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(DataError, match="damaged or truncated"):
        checked(fingerprinted(recognise(file)[0]), folder)


def test_zip_with_a_wrong_byte(tmp_path, folder):
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("x.csv", HEADER + ROW * 1000)
    content = bytearray(file.read_bytes())
    content[20_000] ^= 1
    file.write_bytes(content)
    with pytest.raises(DataError, match="damaged or truncated"):
        checked(fingerprinted(recognise(file)[0]), folder)


@pytest.mark.parametrize("row", ["only;three;fields\n", "a;1;;SECRET;35901;1;2;8;9\n"])
def test_a_ragged_row_is_told_without_being_quoted(con, tmp_path, folder, written, row: str):
    file = written(tmp_path / "x.csv", HEADER + ROW + row)
    with pytest.raises(DataError, match=r"x\.csv \(BAN addresses\) is not readable") as caught:
        _read(con, file, "id", folder=folder)
    assert "Line: 3" in str(caught.value)
    assert "SECRET" not in str(caught.value)
