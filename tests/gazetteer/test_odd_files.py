"""Names, kinds and sizes of files, and disks, that a build meets and did not ask for."""

from __future__ import annotations

import errno
import gzip
import os
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from official_files import Country

from gazetteer import files, parts
from gazetteer.build import build
from gazetteer.engine import full_disk, read_failure
from gazetteer.sources import find
from geomatch.core.errors import ConfigError, DataError, LayoutError
from geomatch.core.schema import STORE_ESTABLISHMENTS

BAN = "id;numero;rep;nom_voie;code_insee;x;y\n35901_0001_00001;1;;Rue du Lin;35901;1;2\n"


def test_signs_of_patterns_in_names_are_themselves(tmp_path: Path) -> None:
    plain, odd = tmp_path / "plain", tmp_path / "[2026]*"
    plain.mkdir()
    odd.mkdir()
    options = Country(odd).write()
    for folder in (options.ban[0], options.sirene):
        for file in [f for f in Path(folder).iterdir() if f.is_file()]:
            file.rename(file.with_name(f"a[1]*{file.name}"))
    stores = [build(o) for o in (options, Country(plain).write())]
    rows = [s.departement(STORE_ESTABLISHMENTS, "35") for s in stores]
    assert len(rows[0])
    pd.testing.assert_frame_equal(*rows)


def test_a_place_that_the_database_cannot_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rename it"):
        build(Country(tmp_path / "a?").write())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_needed_column_that_stands_twice_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"ban.{kind}"
    if kind == "csv":
        file.write_text(BAN.replace(";y\n", ";y;x\n").replace(";2\n", ";2;3\n"), encoding="utf-8")
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = ["siret", "qualite_xy", "x", "y", "epsg", "x"]
        pq.write_table(pa.Table.from_arrays([pa.array(["1"])] * len(names), names), file)
    with pytest.raises(LayoutError, match="x stand twice"):
        find([file], ["ban", "geoloc"], option="--ban")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ban.csv")
    with pytest.raises(DataError, match="a pipe"):
        find([tmp_path / "ban.csv"], ["ban"], option="--ban")


def test_a_name_that_is_not_utf8_is_refused_before_any_work(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/adresses-\xe9.csv"
    with open(name, "w", encoding="utf-8") as out:
        out.write(BAN)
    with pytest.raises(DataError, match="not UTF-8"):
        find([tmp_path], ["ban"], option="--ban")


@pytest.mark.parametrize("kind", ["gz", "zip"])
def test_a_file_that_unpacks_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(files, "SMALL_UNPACKED", 1 << 20)
    country = Country(tmp_path)
    options = country.write()
    (ban,) = [f for f in Path(options.ban[0]).iterdir() if f.is_file()][:1]
    text = BAN.encode() + b"\n" * (1 << 24)
    ban.unlink()
    if kind == "gz":
        ban.with_suffix(".csv.gz").write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(ban.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ban.csv", text)
    with pytest.raises(DataError, match="unpacks to more than 100 times"):
        build(options)


# ------------------------------------------------------------------ a disk that is full
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
    ],
)
def test_a_disk_that_is_full_is_blamed_not_the_source(error: Exception) -> None:
    assert isinstance(full_disk(error, "here"), ConfigError)
    if isinstance(error, duckdb.Error):
        assert isinstance(read_failure(error, Path("ban.csv"), "BAN"), ConfigError)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), duckdb.IOException("IO Error: x")])
def test_other_errors_are_not_the_disks(error: Exception) -> None:
    assert full_disk(error, "here") is None


def test_what_was_finished_when_the_disk_was_full_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Country(tmp_path).write()
    sound = parts.establishments

    def full(*arguments: object) -> dict[str, object]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(parts, "establishments", full)
    with pytest.raises(ConfigError, match=r"disk of .* is full"):
        build(options)
    left = [*options.out.parent.glob(f".{options.out.name}.building/done/*")]
    assert left
    done: list[str] = []

    def counted(shop: object, subject: object) -> dict[str, object]:
        done.append(str(subject))
        return sound(shop, subject)

    monkeypatch.setattr(parts, "establishments", counted)
    monkeypatch.setattr(parts, "split", full)  # what is finished is not done again
    assert len(build(options).departement(STORE_ESTABLISHMENTS, "35"))
    assert done
