from __future__ import annotations

import csv
import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from gazetteer.files import Source
from gazetteer.layouts import column_key
from gazetteer.references import BY_ROLE, REFERENCES
from gazetteer.sources import find, only, recognise
from geomatch.core.errors import DataError, LayoutError

CASES = Path(__file__).parents[1] / "cases" / "gazetteer_layouts.csv"
BAN = "id;numero;rep;nom_voie;code_insee;x;y\n35901_0001_00001;1;;Rue du Lin;35901;1;2\n"


def _cases() -> list[tuple[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as stream:
        return [(row["header"], row["role"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize(("header", "role"), _cases())
@pytest.mark.parametrize("name", ["x.csv", "y.csv.gz", "z.zip"])
def test_a_file_is_known_by_its_columns_not_by_its_name(
    tmp_path, written, header: str, role: str, name: str
):
    file = written(tmp_path / name, header + "\n1;2;3\n")
    assert [s.role for s in recognise(file)] == ([role] if role else [])


def test_a_parquet_file_is_known_by_its_columns(tmp_path):
    file = tmp_path / "adresses.bin"
    pd.DataFrame({"siret": ["1"], "qualite_xy": ["11"], "x": [1.0], "y": [2.0], "epsg": [1]}
                 ).to_parquet(file)  # fmt: skip
    assert [s.role for s in recognise(file)] == ["geoloc"]


def test_a_zip_may_hold_several_official_files(tmp_path):
    file = tmp_path / "cog.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "TYPECOM,COM,DEP,LIBELLE,COMPARENT\n")
        archive.writestr("b.csv", "REG,NCC\n")
        archive.writestr("c.csv", "MOD,DATE_EFF,TYPECOM_AV,COM_AV,LIBELLE_AV,TYPECOM_AP,COM_AP\n")
    assert [(s.role, s.member) for s in recognise(file)] == [
        ("communes", "a.csv"),
        ("mouvements", "c.csv"),
    ]


def test_header_with_byte_order_mark_and_quotes(tmp_path, written):
    text = '"id";"numero";"nom_voie";"code_insee";"lon";"lat"\n'
    file = written(tmp_path / "x.csv", text, encoding="utf-8-sig")
    assert recognise(file)[0].columns["id"] == "id"


def test_all_missing_columns_of_a_file_are_told_together(tmp_path, written):
    file = written(tmp_path / "x.csv", "numero;nom_voie;code_postal\n1;Rue du Lin;35990\n")
    with pytest.raises(LayoutError, match=r"id, code_insee, x\+y or lon\+lat missing for BAN"):
        recognise(file)


def test_problems_of_several_files_are_told_together(tmp_path, written):
    written(tmp_path / "a.csv", "")
    written(tmp_path / "b.csv", "numero;nom_voie\n1;Rue du Lin\n")
    with pytest.raises(DataError) as caught:
        find([tmp_path], ["ban"], option="--ban")
    assert "a.csv is empty" in str(caught.value)
    assert "b.csv: column(s) id" in str(caught.value)


def test_truncated_zip_and_gz_headers_are_data_errors(tmp_path):
    for name, content in (
        ("a.zip", b"PK\x03\x04 not a zip"),
        ("b.gz", gzip.compress(BAN.encode())[:12]),
        ("c.parquet", b"PAR1 not parquet"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="damaged or truncated"):
            recognise(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"\n", "is empty"), (gzip.compress(b"", mtime=0), "is empty")],
)
def test_empty_files(tmp_path, content: bytes, message: str):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        recognise(tmp_path / "x.csv")


def test_a_zip_without_csv_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("lisezmoi.pdf", "?")
    with pytest.raises(DataError, match="holds no csv file"):
        recognise(tmp_path / "x.zip")


def test_a_missing_path_is_named_with_its_option(tmp_path):
    with pytest.raises(DataError, match=r"--ban: .*absent does not exist"):
        find([tmp_path / "absent"], ["ban"], option="--ban")


def test_a_file_named_outright_must_have_the_layout_asked_for(tmp_path, written):
    file = written(tmp_path / "x.csv", "code_naf;libelle\n")
    with pytest.raises(LayoutError, match="has the layout of NAF labels; expected BAN addresses"):
        find([file], ["ban"], option="--ban")
    unknown = written(tmp_path / "y.csv", "nom;prenom\n")
    with pytest.raises(LayoutError, match="has the layout of no known layout"):
        find([unknown], ["ban"], option="--ban")


def test_other_files_of_a_folder_are_left_aside(tmp_path, written):
    written(tmp_path / "adresses.csv", BAN)
    written(tmp_path / "naf.csv", "code_naf;libelle\n")
    written(tmp_path / "notes.csv", "a;b\n")
    written(tmp_path / "lisezmoi.json", "")
    written(tmp_path / ".cache.csv", "")
    found = find([tmp_path], ["ban"], option="--ban")
    assert [(s.role, s.path.name, s.size) for s in found] == [("ban", "adresses.csv", len(BAN))]
    assert len(found[0].sha256) == 64


def _source(name: str, role: str = "communes") -> Source:
    return Source(BY_ROLE[role].layout, Path(name), "csv", (), {})


@pytest.mark.parametrize(
    ("name", "vintage"),
    [
        ("v_commune_2024.csv", "2024"),
        ("stock-2025-03.csv", "2025-03"),
        ("geoloc_202511.zip", "202511"),
        ("StockEtablissement_utf8.parquet", None),
        ("120240.csv", None),
    ],
)
def test_vintage_is_read_in_the_name(name: str, vintage: str | None):
    assert _source(name).vintage == vintage


def test_of_several_vintages_the_latest_is_used():
    sources = [_source("v_2023.csv"), _source("v_2025.csv"), _source("v_2024.csv")]
    assert only(sources, "communes", option="--cog", where="x").path.name == "v_2025.csv"


def test_two_files_of_one_role_without_vintage_are_refused():
    with pytest.raises(DataError, match="several files of COG communes"):
        only([_source("a.csv"), _source("b.csv")], "communes", option="--cog", where="x")


def test_a_missing_role_is_told_with_its_columns():
    with pytest.raises(DataError, match=r"--cog x: no file .* of COG communes .*typecom"):
        only([], "communes", option="--cog", where="x")


def test_no_layout_hides_another():
    layouts = [r.layout for r in REFERENCES]
    for layout in layouts:
        columns = [*layout.needed, *sum(layout.one_of, ())]
        first = next(x for x in layouts if x.is_signed(x.resolve(columns)))
        assert first is layout


def test_column_key_forgets_case_accents_and_signs():
    assert column_key("#Libellé_d_acheminement") == column_key("libelle_d_acheminement")
