from __future__ import annotations

import csv
import gzip
import itertools
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomatch.bulletins import read_bulletins, read_strata, recognise, standardise
from geomatch.bulletins.clean import clean_column
from geomatch.bulletins.reader import CONTROLS
from geomatch.bulletins.records import MAX_LINES, split_record
from geomatch.core.config import BulletinOptions
from geomatch.core.errors import ConfigError, DataError, LayoutError
from geomatch.core.schema import BULLETINS

CASES = Path(__file__).parents[1] / "cases"
BENCH = Path(__file__).parents[3] / "shared" / "bench"
FREE = "id;nom;adresse;ville\n"
RP = (
    "CABBI;TYPCOL;DEPCOM_CODE;RS_X;ILT_X;VARDOMPART_X;NUMVOI_X;BISTER_X;TYPEVOI_X;NOMVOI_X;"
    "CPLADR_X;ACTET_X;CLT_X;DLT_X;PLT_X;PROFS_X;PROFI_X;PROFA_X;SIRETC;I_MCA_C\n"
)
SAMPLE = (
    "id;nom;adresse;cp;ville\n"
    "1;Crêperie de l'Œuf;3 allée des Tilleuls;35000;Rennes\n"
    '2;"Menuiserie A;B";"lieu-dit ""Le Gué""";;\n'
)


def cases(name: str) -> list:
    with (CASES / name).open(encoding="utf-8", newline="") as file:
        return [pytest.param(row, id=row["case"]) for row in csv.DictReader(file)]


def unescape(text: str) -> str:
    for written, meant in {r"\n": "\n", r"\t": "\t", r"\r": "\r"}.items():
        text = text.replace(written, meant)
    return text.replace(r"\x07", "\x07").replace(r"\x00", "\x00").replace(r"\xa0", "\xa0")


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes, name: str = "bulletins.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


# ------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize("case", cases("bulletins_headers.csv"))
def test_columns_are_recognised_by_name(case):
    header = case["header"].split(";")
    if case["expected"].startswith("!"):
        with pytest.raises(LayoutError) as error:
            recognise(header, BulletinOptions(), source="f.csv")
        assert case["expected"][1:] in str(error.value)
        return
    layout = recognise(header, BulletinOptions(), source="f.csv")
    assert layout.name == case["layout"]
    expected = dict(pair.split("=") for pair in case["expected"].split())
    assert {k: str(layout.columns.get(k, "")) for k in expected} == expected


def test_all_problems_of_a_header_are_told_at_once():
    with pytest.raises(LayoutError) as error:
        recognise(["ville", "city", "nom"], BulletinOptions(), source="f.csv")
    message = str(error.value)
    for part in ("f.csv", "recognised as id", "'ville' and 'city'", "Got columns", "--columns"):
        assert part in message


def test_mapping_has_the_last_word(write):
    path = write("clef;qui;ou;nom\n7;Fonderie;3 rue;x\n")
    options = BulletinOptions(columns={"id": "clef", "raison_sociale": "QUI", "adresse": "ou"})
    row = read_bulletins(path, options).iloc[0]
    assert (row["id"], row["raison_sociale"], row["adresse"]) == ("7", "Fonderie", "3 rue")


def test_mapping_settles_an_ambiguity(write):
    path = write("id;nom;name;adresse\n1;A;B;rue\n")
    options = BulletinOptions(columns={"raison_sociale": "name"})
    assert read_bulletins(path, options)["raison_sociale"].tolist() == ["B"]


def test_mapping_reads_one_column_twice(write):
    options = BulletinOptions(columns={"adresse": "ville"})
    row = read_bulletins(write(FREE + "1;A;rue;Laval\n"), options).iloc[0]
    assert row["adresse"] == "Laval"
    assert row["commune"] == ""


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        (BulletinOptions(layout="census"), ConfigError, "expected one of auto, rp_final, free"),
        (BulletinOptions(columns={"nimporte": "id"}), ConfigError, "nimporte"),
        (BulletinOptions(columns={"id": "absente"}), LayoutError, "'absente', given for id"),
        (BulletinOptions(layout="rp_final"), LayoutError, "CABBI is missing"),
    ],
)
def test_wrong_options_are_told(options, error, part):
    with pytest.raises(error, match=part):
        recognise(["id", "nom", "adresse"], options, source="f.csv")


def test_census_columns_become_the_tables_columns(write):
    path = write(
        RP
        + "9;1;35238;FONDERIE;2;;0012;B;R;DES LILAS;BAT C;FONTE;CESSON;35;;FONDEUR;;;"
        + "00000000000017;C\n"
        + "8;0;35238;MOULIN;2;;;;;;;;;;;;MEUNIER;;;\n"
        + "7;;35238;GARE;2;;;;;;;;;;;;;CHEF DE GARE;;\n"
    )
    frame = read_bulletins(path)
    first = frame.iloc[0]
    assert first["numero"] == "0012"
    assert (first["rep"], first["type_voie"], first["nom_voie"]) == ("B", "R", "DES LILAS")
    assert (first["siret_mca"], first["classe_mca"]) == ("00000000000017", "C")
    assert frame["mode_collecte"].tolist() == ["web", "paper", ""]
    assert frame["profession"].tolist() == ["FONDEUR", "MEUNIER", "CHEF DE GARE"]
    assert frame["is_salarie"].tolist() == [True, False, True]


# ---------------------------------------------------------------------------------- files


@pytest.mark.parametrize("case", cases("bulletins_rows.csv"))
def test_rows_are_never_dropped_nor_swallowed(write, case):
    frame = read_bulletins(write(FREE + unescape(case["body"])))
    assert frame["id"].tolist() == case["ids"].split("|")
    assert frame["raison_sociale"].tolist() == case["names"].split("|")
    assert frame["probleme"].tolist() == case["problems"].split("|")
    assert frame["source_row"].tolist() == list(range(len(frame)))


@pytest.mark.parametrize(
    ("encoding", "separator", "end", "is_gzip"),
    list(
        itertools.product(
            ["utf-8", "utf-8-sig", "cp1252", "utf-16"],
            ";,\t|",
            ["\n", "\r\n", "\r"],
            [True, False],
        )
    ),
)
def test_same_frame_whatever_the_encoding(write, encoding, separator, end, is_gzip):
    expected = read_bulletins(write(SAMPLE, "reference.csv"))
    assert expected["raison_sociale"].tolist() == ["Crêperie de l'Œuf", "Menuiserie A;B"]
    assert expected["adresse"].tolist() == ["3 allée des Tilleuls", 'lieu-dit "Le Gué"']
    text = SAMPLE.replace(";", separator).replace(f"A{separator}B", "A;B").replace("\n", end)
    content = text.encode(encoding)
    path = write(gzip.compress(content) if is_gzip else content)
    pd.testing.assert_frame_equal(read_bulletins(path), expected)


def test_parquet_gives_the_same_frame(tmp_path, write):
    expected = read_bulletins(write(SAMPLE))
    raw = expected[["id", "raison_sociale", "adresse", "code_postal", "commune"]]
    path = tmp_path / "b.parquet"
    raw.to_parquet(path)
    pd.testing.assert_frame_equal(read_bulletins(path), expected)


def test_numbers_of_a_parquet_file_become_codes(tmp_path):
    frame = pd.DataFrame(
        {"id": [1, 2], "nom": ["A", None], "adresse": ["r", "r"], "cp": [1000.0, np.nan]}
    )
    path = tmp_path / "b.parquet"
    frame.to_parquet(path)
    got = read_bulletins(path)
    assert got["id"].tolist() == ["1", "2"]
    assert got["raison_sociale"].tolist() == ["A", ""]
    assert got["code_postal"].tolist() == ["01000", ""]


def test_latin1_bytes_that_windows_does_not_know_are_told(write):
    frame = read_bulletins(write(FREE.encode() + b"1;caf\xe9\x81;rue;V\n"))
    assert frame["raison_sociale"].tolist() == ["café"]
    assert frame["probleme"].tolist() == ["caractères de contrôle remplacés"]


def test_one_bad_byte_does_not_break_the_accents_of_a_utf8_file(write):
    frame = read_bulletins(write((FREE + "1;Allée;rue;V\n").encode() + b"2;caf\xe9;rue;V\n"))
    assert frame["raison_sociale"].tolist() == ["Allée", "café"]


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("size", [100_000, 2_000_000, 20_000_000])
def test_huge_fields_are_read(write, size, quote):
    text = f"{FREE}1;{quote}{'x' * size}{quote};rue;V\n2;B;rue;V\n"
    frame = read_bulletins(write(text))
    assert frame["raison_sociale"].str.len().tolist() == [size, 1]


def test_a_quoted_field_of_too_many_lines_is_a_stray_quote(write):
    lines = "\n".join(["x"] * (MAX_LINES + 2))
    frame = read_bulletins(write(f'{FREE}1;"{lines}";rue;V\n2;B;rue;V\n'))
    assert frame["id"].iloc[-1] == "2"
    assert frame["probleme"].iloc[0] == "champs manquants"


def test_header_only_gives_no_rows(write):
    for text in (FREE, FREE.strip(), FREE + "\n\n"):
        frame = read_bulletins(write(text))
        assert len(frame) == 0
        assert list(frame.columns) == BULLETINS.names


def test_one_row_with_commas_in_its_text_keeps_its_separator(write):
    frame = read_bulletins(write("id;nom;adresse\n1;A, B, C, D;3, rue, basse\n"))
    assert frame["raison_sociale"].tolist() == ["A, B, C, D"]


def test_unnamed_columns_are_left_alone(write):
    assert read_bulletins(write("id;nom;adresse;;\n1;A;rue;;\n"))["id"].tolist() == ["1"]


SECRET = "MENUISERIE DUPUITS"


@pytest.mark.parametrize(
    ("content", "error", "part"),
    [
        (b"", DataError, "is empty"),
        (b"\n \n", DataError, "is empty"),
        (gzip.compress(b"", mtime=0), DataError, "is empty"),
        (
            gzip.compress(SECRET.encode() * 100, mtime=0)[:40],
            DataError,
            "truncated or damaged gzip",
        ),
        (b"PK\x03\x04" + SECRET.encode(), DataError, "zip archive"),
        (bytes(range(256)) * 8, DataError, "binary"),
        (b"PAR1" + SECRET.encode(), DataError, "damaged Parquet"),
        (f"1;{SECRET};3 rue;VILLE\n".encode(), LayoutError, "is the first line a header"),
        (f"NOM;{SECRET};VILLE;12\n".encode(), LayoutError, "is the first line a header"),
        (f"{SECRET}\n".encode(), LayoutError, "1 column"),
        (f"id;{SECRET};{SECRET}\n".encode(), LayoutError, "stand twice"),
        (f"a,b;c\n1,{SECRET};3\n".encode(), LayoutError, "separator cannot be told"),
    ],
)
def test_bad_files_raise_without_quoting_them(write, content, error, part):
    with pytest.raises(error, match=part) as caught:
        read_bulletins(write(content))
    assert SECRET not in str(caught.value)
    assert "bulletins.csv" in str(caught.value)


def test_missing_file_and_folder_raise(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_bulletins(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_bulletins(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_raises(write):
    path = write(SAMPLE)
    path.chmod(0)
    with pytest.raises(DataError, match="not readable"):
        read_bulletins(path)


def test_bulletins_of_some_identifiers_are_read_as_among_all(write):
    rows = ["a;UN;r", "b;DEUX;r", "", "c;TROIS", "b;QUATRE;r;trop", "d;CIN\x01Q;r", ";SIX;r"]
    path = write("id;nom;adresse\n" + "\n".join(rows) + "\n")
    whole = read_bulletins(path)
    assert (whole["probleme"] != "").sum() > 3
    for only in (["b"], ["d", "c"], ["a", "z"], [""], ["z"], []):
        expected = whole[whole["id"].isin(only)].reset_index(drop=True)
        pd.testing.assert_frame_equal(read_bulletins(path, only=only), expected)


# ------------------------------------------------------------------------------ in memory


def test_standardise_does_not_touch_its_input():
    frame = pd.DataFrame({"id": [3], "nom": [" A "], "adresse": ["rue"]}, index=[7])
    before = frame.copy()
    got = standardise(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert got.index.tolist() == [0]
    assert got["raison_sociale"].tolist() == ["A"]


def test_standardise_keeps_a_bulletins_table(write):
    frame = read_bulletins(write(FREE + "1;A;rue\n2;B;rue;V\n"))
    later = frame.iloc[1:]
    got = standardise(later)
    assert got["source_row"].tolist() == [1]
    pd.testing.assert_frame_equal(standardise(frame), frame)


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_standardise_takes_any_text_type(dtype):
    frame = pd.DataFrame({"id": ["1", "2"], "nom": ["A", None], "adresse": ["r", "s"]})
    got = standardise(frame.astype(dtype))
    assert got["raison_sociale"].tolist() == ["A", ""]


def test_standardise_takes_mixed_and_ill_formed_values():
    frame = pd.DataFrame({"id": [1, "b"], "nom": ["A\ud800B", 5], "adresse": ["r", None]})
    got = standardise(frame)
    assert got["id"].tolist() == ["1", "b"]
    assert got["raison_sociale"].tolist() == ["A B", "5"]
    assert got["probleme"].tolist() == [CONTROLS, ""]


_TEXTS_OR_NONE = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
_NUMBERS = st.lists(st.none() | st.integers(-10, 99_999)) | st.lists(
    st.none() | st.integers(0, 999).map(float)
)


@given(_TEXTS_OR_NONE | _NUMBERS, st.sampled_from([0, 5]))
def test_a_column_is_cleaned_alike_as_values_and_as_it_comes_from_a_file(values, width):
    kind = pa.string() if all(v is None or isinstance(v, str) for v in values) else None
    column = pa.chunked_array([pa.array(values, kind)])
    got, expected = (clean_column(c, width=width) for c in (values, column))
    assert got.values.tolist() == expected.values.tolist()
    assert got.had_controls.tolist() == expected.had_controls.tolist()


def test_standardise_refuses_lists():
    frame = pd.DataFrame({"id": ["1"], "nom": [["a", "b"]], "adresse": ["r"]})
    with pytest.raises(LayoutError, match="expected text or numbers"):
        standardise(frame)


def test_standardise_of_no_rows_has_all_columns():
    got = standardise(pd.DataFrame({"id": [], "nom": [], "adresse": []}))
    assert list(got.columns) == BULLETINS.names
    assert len(got) == 0


def test_strata_are_read_raw(write):
    path = write("id;nom;adresse;millesime;zone\n1;A;rue;2017;\n2;B;rue;2018;Nord\n")
    got = read_strata(path, ["zone", "millesime"])
    assert list(got.columns) == ["id", "zone", "millesime"]
    assert got.to_numpy().tolist() == [["1", "", "2017"], ["2", "Nord", "2018"]]


def test_missing_strata_are_told_together(write):
    with pytest.raises(LayoutError, match="age, sexe not found"):
        read_strata(write(SAMPLE), ["age", "ville", "sexe"])


def test_text_of_a_parquet_file_that_is_not_utf8_is_refused_without_being_quoted(tmp_path):
    raw = pa.array([b"SECRET \xe9", b"B"], pa.binary())
    text = pa.StringArray.from_buffers(2, raw.buffers()[1], raw.buffers()[2])
    table = pa.table({"id": ["1", "2"], "nom": text, "adresse": ["x", "y"], "ville": ["z", "z"]})
    pq.write_table(table, tmp_path / "b.parquet")
    with pytest.raises(DataError, match="nom holds text that is not UTF-8") as told:
        read_bulletins(tmp_path / "b.parquet")
    assert "SECRET" not in str(told.value)
    assert told.value.__cause__ is None


# ----------------------------------------------------------------------------- properties

field = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]),
    max_size=12,
)
plain = st.text(st.sampled_from("ABÉ ;,'\"-"), max_size=10)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(plain, plain, plain), max_size=12), sep=st.sampled_from(";,\t|"))
def test_what_the_standard_writer_writes_is_read_back(tmp_path_factory, rows, sep):
    path = tmp_path_factory.mktemp("b") / "b.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=sep, quoting=csv.QUOTE_ALL)
        writer.writerow(["id", "nom", "adresse", "ville"])
        writer.writerows([str(i), *row] for i, row in enumerate(rows))
    frame = read_bulletins(path)
    assert frame["id"].tolist() == [str(i) for i in range(len(rows))]
    for column, k in (("raison_sociale", 0), ("adresse", 1), ("commune", 2)):
        assert frame[column].tolist() == [row[k].strip() for row in rows]
    assert not frame["probleme"].any()


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.text(st.sampled_from('ab;"'), max_size=10), max_size=10))
def test_every_line_without_quote_is_one_row(tmp_path_factory, lines):
    """Whatever stands around it, a well-formed line is never swallowed."""
    whole = [f"k{i};x;y;z" for i in range(len(lines))]
    body = "\n".join(itertools.chain.from_iterable(zip(lines, whole, strict=True)))
    path = tmp_path_factory.mktemp("b") / "b.csv"
    path.write_text(f"{FREE}first;x;y;z\nsecond;x;y;z\nthird;x;y;z\n{body}", encoding="utf-8")
    ids = read_bulletins(path)["id"].tolist()
    assert [i for i in ids if i.startswith("k")] == [w.split(";")[0] for w in whole]


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_frame_or_a_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("b") / "b.csv"
    path.write_bytes(FREE.encode() + content)
    try:
        frame = read_bulletins(path)
    except DataError:
        return
    assert list(frame.columns) == BULLETINS.names
    assert frame["source_row"].tolist() == list(range(len(frame)))


@settings(max_examples=200, deadline=None)
@given(fields=st.lists(field, min_size=1, max_size=6), sep=st.sampled_from(";,\t|"))
def test_a_quoted_record_is_split_back(fields, sep):
    line = sep.join('"' + value.replace('"', '""') + '"' for value in fields)
    assert split_record(line, sep) == (fields, True)


# -------------------------------------------------------------------------------- at scale


def test_a_hundred_thousand_rows_take_less_than_seconds(write):
    line = ";1;35238;FONDERIE;2;;0012;B;R;DES LILAS;BAT C;FONTE;CESSON;35;;FONDEUR;;;;\n"
    body = "".join(f"{i}{line}" for i in range(100_000)) + "x;1\n"
    path = write((RP + body).replace("LILAS", "HÊTRES").encode("latin-1"))
    start = time.perf_counter()
    frame = read_bulletins(path)
    assert time.perf_counter() - start < 5
    assert len(frame) == 100_001
    assert frame["nom_voie"].iloc[0] == "DES HÊTRES"
    assert frame["probleme"].iloc[-1] == "champs manquants"


@pytest.mark.shared
@pytest.mark.skipif(not BENCH.is_dir(), reason="shared real data not beside the checkout")
@pytest.mark.parametrize("name", ["rp_dev.csv", "real_dev.csv"])
def test_shared_files_are_read_whole(name):
    frame = read_bulletins(BENCH / name)
    with (BENCH / name).open(encoding="latin-1", newline="") as file:
        header, *lines = csv.reader(file, delimiter=";")
    field = header.index("TYPCOL") if "TYPCOL" in header else None
    web = 0 if field is None else sum(line[field] == "1" for line in lines)
    assert len(frame) == len(lines)
    assert frame["id"].is_unique
    assert (frame["probleme"] != "").mean() <= 0.01
    assert (frame["mode_collecte"] == "web").sum() == web
    assert not frame["raison_sociale"].str.contains("\ufffd|[\x00-\x1f]", regex=True).any()
