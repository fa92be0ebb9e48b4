"""Bits of a store that are flipped: an error, or the very same results."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from chains import Chain
from commands import Commands

from geomatch.core.errors import StoreError
from geomatch.core.schema import COUNTRY_TABLES, DEPARTEMENT_TABLES, STORE_NAF
from geomatch.store import integrity
from geomatch.store.nearby import NEARBY_FILES, nearby_folder
from geomatch.store.reader import MANIFEST, Store, country_path, read_manifest


@pytest.fixture
def copy(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of one's own, and a cache folder that nobody has noted anything in."""
    monkeypatch.setenv("GEOMATCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(integrity, "_SEEN", set())
    shutil.copytree(chain.store, tmp_path / "store")
    return tmp_path / "store"


def flip(file: Path, at: int, bit: int = 0) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1 << bit
    file.write_bytes(content)


def read_all(path: Path) -> None:
    """All that a match may read of a store."""
    store = Store.open(path)
    for table in COUNTRY_TABLES:
        if table.name in store.manifest["tables"]:
            store.country(table)
    for departement in store.departements:
        for table in DEPARTEMENT_TABLES:
            store.arrow(table, departement)
        store.pool(departement)
        for name in NEARBY_FILES:
            store.file(nearby_folder(path, departement) / name)


def test_a_flipped_bit_in_any_file_is_found(copy: Path) -> None:
    chosen = random.Random(25)
    files = sorted(read_manifest(copy)[integrity.FILES])
    assert len(files) > 5
    read_all(copy)
    for name in files:
        for _ in range(3):
            at, bit = chosen.randrange((copy / name).stat().st_size), chosen.randrange(8)
            flip(copy / name, at, bit)
            with pytest.raises(StoreError, match="manifest tells of"):
                read_all(copy)
            flip(copy / name, at, bit)
    read_all(copy)


def test_a_flipped_bit_in_the_manifest_changes_nothing_that_results_depend_on(copy: Path) -> None:
    chosen = random.Random(5)
    file = copy / MANIFEST
    parts = ("departements", "tables", "crs", "nearby", "files")
    right = json.loads(file.read_bytes())
    found = 0
    for _ in range(200):
        at, bit = chosen.randrange(file.stat().st_size), chosen.randrange(8)
        flip(file, at, bit)
        try:
            told = read_manifest(copy)
        except StoreError:
            found += 1
        else:
            assert {p: told.get(p) for p in parts} == {p: right[p] for p in parts}
        flip(file, at, bit)
    assert found


def test_a_file_that_is_cut_is_found_on_opening(copy: Path) -> None:
    file = country_path(copy, STORE_NAF)
    os.truncate(file, file.stat().st_size - 1)
    with pytest.raises(StoreError, match=r"naf\.parquet"):
        Store.open(copy)


def test_a_file_is_read_in_full_once_until_it_changes(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    sums = integrity.paths.size_and_sha256

    def told(path: Path) -> tuple[int, str]:
        read.append(path.name)
        return sums(path)

    monkeypatch.setattr(integrity.paths, "size_and_sha256", told)
    store = Store.open(copy)
    for _ in range(3):
        monkeypatch.setattr(integrity, "_SEEN", set())  # another process
        store.country(STORE_NAF)
    assert read == ["naf.parquet"]
    os.utime(country_path(copy, STORE_NAF), ns=(1, 1))
    store.country(STORE_NAF)
    assert read == ["naf.parquet"] * 2


def test_a_store_that_is_replaced_after_it_was_opened_is_not_mixed(copy: Path) -> None:
    store = Store.open(copy)
    other = copy.parent / "other.parquet"
    shutil.copy(country_path(copy, STORE_NAF), other)
    flip(other, other.stat().st_size // 2)
    os.replace(other, country_path(copy, STORE_NAF))
    with pytest.raises(StoreError, match="replaced meanwhile"):
        store.country(STORE_NAF)


def test_store_verify_and_store_info(copy: Path, commands: Commands) -> None:
    told = commands("store", "verify", copy)
    assert told.code == 0, told.err
    assert json.loads(told.out)["files"] == len(read_manifest(copy)["files"])
    info = json.loads(commands("store", "info", copy).out)
    assert info["has_sums"]
    assert info["departements"] == Store.open(copy).departements
    flip(country_path(copy, STORE_NAF), 20)
    told = commands("store", "verify", copy)
    assert told.code == 3
    assert "naf.parquet" in told.err
    manifest = json.loads((copy / MANIFEST).read_text())
    old = {k: v for k, v in manifest.items() if k not in (integrity.FILES, integrity.SUM)}
    (copy / MANIFEST).write_text(json.dumps(old))
    told = commands("store", "verify", copy)
    assert (told.code, "without sums" in told.err) == (3, True)
