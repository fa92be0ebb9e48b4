from __future__ import annotations

import gzip
import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomatch.bulletins import files, read_bulletins
from geomatch.bulletins.files import open_source
from geomatch.bulletins.rejects import rejects
from geomatch.core.errors import DataError

HEADER = "id;raison_sociale;adresse\n"


def told(path: Path, *, keep_text: bool = False) -> pd.DataFrame:
    return rejects(path, read_bulletins(path), keep_text=keep_text).to_pandas()


@pytest.mark.parametrize(
    ("text", "lines", "reasons"),
    [
        (HEADER + "1;A;B\n2;C;D\n", [], []),
        (HEADER + "1;A;B\n2;C\n3;E;F\n", [3], ["champs manquants"]),
        ("sep=;\n\n" + HEADER + "\n1;A;B\n2;C\n", [6], ["champs manquants"]),
        (HEADER + '1;"A\nB";C\n2;C;D;E\n', [4], ["champs en trop"]),
        (HEADER + '1;"A\n\nB";C\n\n;C;D\n', [6], ["identifiant vide"]),
        (HEADER + "1;A;B\n1;C;D\n;E\n", [3, 4],
         ["identifiant en double", "identifiant vide; champs manquants"]),
        (HEADER.replace("\n", "\r\n") + "1;A;B\r\n2;C\r\n", [3], ["champs manquants"]),
        (HEADER + '1;"CHEZ;B\n1;"CHEZ;B', [3], ["identifiant en double"]),
    ],
)  # fmt: skip
def test_a_row_that_is_not_usable_is_told_by_its_line(
    tmp_path: Path, text: str, lines: list[int], reasons: list[str]
) -> None:
    file = tmp_path / "b.csv"
    file.write_bytes(text.encode())
    found = told(file)
    assert found["line"].tolist() == lines
    assert found["reason"].tolist() == reasons
    assert list(found.columns) == ["line", "source_row", "reason"]


def test_the_text_is_kept_only_when_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "b.csv"
    file.write_text(HEADER + '1;A;B\n2;SECRET\n;"X\nY";Z\n4;A;B\n', encoding="utf-8")
    assert "text" not in told(file)
    assert told(file, keep_text=True)["text"].tolist() == ["2;SECRET", ';"X Y";Z']


def test_a_row_of_a_parquet_file_is_told_by_its_number(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["1", "", "1"], "raison_sociale": "A", "adresse": "B"})
    frame.to_parquet(tmp_path / "b.parquet")
    found = told(tmp_path / "b.parquet", keep_text=True)
    assert found["line"].tolist() == [2, 3]
    assert found["text"].tolist() == ["", ""]


_FIELD = st.text(st.sampled_from('ab"" \u00e9'), max_size=4)
_LINES = st.lists(st.lists(_FIELD, max_size=5).map(";".join), max_size=12)


@settings(deadline=None)
@given(_LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_line_is_in_one_record(lines: list[str], end: str, closed: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "b.csv"
        text = end.join([HEADER.strip(), *lines]) + (end if closed else "")
        file.write_bytes(text.encode())
        opened = open_source(file)
        arrays, _ = opened.columns([0, 1, 2])
        first, after = opened.lines()
    assert len(first) == len(arrays[0])
    assert (first[1:] > first[:-1]).all()
    written = {i for i, line in enumerate(lines, start=2) if line}
    covered = {n for a, b in zip(first, after, strict=True) for n in range(a, b)}
    assert written <= covered
    # a record begins on a line that is not blank
    assert {*first.tolist()} <= written


# ------------------------------------------------------------------ what is no file of bulletins
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.csv")
    with pytest.raises(DataError, match="a pipe"):
        read_bulletins(tmp_path / "b.csv")


def test_a_gzip_file_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SMALL_UNPACKED", 1 << 20)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(HEADER.encode() + b"\n" * (1 << 24)))
    with pytest.raises(DataError, match="unpacks to more than"):
        read_bulletins(tmp_path / "b.csv.gz")


def test_a_parquet_file_of_endless_equal_rows_is_refused(tmp_path: Path) -> None:
    n = 2_000_000
    pd.DataFrame({c: ["A"] * n for c in ("id", "raison_sociale", "adresse")}).to_parquet(
        tmp_path / "b.parquet"
    )
    with pytest.raises(DataError, match="too many for rows that differ"):
        read_bulletins(tmp_path / "b.parquet")
