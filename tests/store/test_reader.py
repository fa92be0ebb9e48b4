from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from registers import register, write_store

from geomatch.core.errors import StoreError
from geomatch.core.schema import (
    DEPARTEMENT_TABLES,
    STORE_COMMUNES,
    STORE_ESTABLISHMENTS,
    STORE_FORMAT,
    STORE_FORMAT_VERSION,
    STORE_STREETS,
    Table,
)
from geomatch.store.reader import ALL_TABLES, MANIFEST, Store, country_path, departement_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    frame = register({"denomination": "ACIERIES D'OURDAL", "numero": "3", "nom_voie": "DES FORGES"})
    write_store(tmp_path / "store", frame)
    return tmp_path / "store"


def change_manifest(root: Path, **changes: object) -> None:
    manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
    (root / MANIFEST).write_text(json.dumps(manifest | changes), encoding="utf-8")


def test_a_store_gives_its_tables_typed_as_the_schema_says(root: Path) -> None:
    store = Store.open(root)
    assert store.departements == ["96"]
    communes = store.country(STORE_COMMUNES)
    assert communes["code_commune"].dtype == object
    assert "96001" in communes["code_commune"].tolist()
    establishments = store.departement(STORE_ESTABLISHMENTS, "96")
    assert establishments.dtypes.equals(STORE_ESTABLISHMENTS.empty().dtypes)
    assert establishments["denomination"].tolist() == ["ACIERIES D'OURDAL"]


def test_the_geometry_column_of_the_files_is_not_read(root: Path) -> None:
    file = departement_path(root, STORE_ESTABLISHMENTS, "96")
    assert "geometry" in pq.ParquetFile(file).schema_arrow.names
    assert "geometry" not in Store.open(root).departement(STORE_ESTABLISHMENTS, "96")


def test_a_departement_the_store_has_not_gives_no_rows(root: Path) -> None:
    nothing = Store.open(root).departement(STORE_STREETS, "75")
    pd.testing.assert_frame_equal(nothing, STORE_STREETS.empty())


@pytest.mark.parametrize("wanted", [["96001"], ["96003", "96002"], ["96002"], ["96009"], []])
def test_rows_of_some_communes_are_read_from_few_groups(
    root: Path, wanted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(root)
    codes = ["96002"] * 3 + ["96001"] * 4 + ["96003"] * 3
    table = store.arrow(STORE_ESTABLISHMENTS, "96").take([0] * len(codes))
    table = table.set_column(table.column_names.index("code_commune"), "code_commune", [codes])
    table = table.set_column(0, "siret", [[f"{i:014d}" for i in range(len(codes))]])
    pq.write_table(table, departement_path(root, STORE_ESTABLISHMENTS, "96"), row_group_size=3)
    read: list[list[int]] = []
    whole = pq.ParquetFile.read_row_groups

    def counted(self: pq.ParquetFile, groups: list[int], **options: object) -> pa.Table:
        read.append(groups)
        return whole(self, groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", counted)
    asked = pa.array(wanted, pa.string())
    rows, at = store.rows_of(STORE_ESTABLISHMENTS, "96", ["siret"], "code_commune", asked)
    expected = [i for i, code in enumerate(codes) if code in wanted]
    assert at.tolist() == expected
    assert rows.column("siret").to_pylist() == [f"{i:014d}" for i in expected]
    groups = [codes[i : i + 3] for i in range(0, len(codes), 3)]
    told = [i for i, g in enumerate(groups) if wanted and _overlap(g, wanted)]
    assert read == [told, sorted({i // 3 for i in expected})]


def _overlap(group: list[str], wanted: list[str]) -> bool:
    return min(group) <= max(wanted) and max(group) >= min(wanted)


def test_rows_of_a_departement_the_store_has_not(root: Path) -> None:
    asked = pa.array(["75101"], pa.string())
    rows, at = Store.open(root).rows_of(STORE_STREETS, "75", ["voie_id"], "code_commune", asked)
    assert rows.num_rows == len(at) == 0
    assert rows.column_names == ["voie_id"]


def test_departements_come_one_after_the_other_with_their_code(root: Path) -> None:
    store = Store.open(root)
    both = store.departements_of(STORE_ESTABLISHMENTS, ["75", "96", "96"])
    assert both["departement"].tolist() == ["96", "96"]
    assert both.index.tolist() == [0, 1]
    none = store.departements_of(STORE_ESTABLISHMENTS, ["75"])
    assert list(none.columns) == [*STORE_ESTABLISHMENTS.names, "departement"]
    assert not len(none)


def test_a_folder_without_a_manifest_is_no_store(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StoreError, match=r"no reference store at .*geomatch build"):
            Store.open(place)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"\xe9"])
def test_a_manifest_that_is_no_json_is_told(root: Path, content: bytes) -> None:
    (root / MANIFEST).write_bytes(content)
    with pytest.raises(StoreError, match="not readable"):
        Store.open(root)


@pytest.mark.parametrize("content", ["[]", "3", "null", '"geomatch-store"'])
def test_a_manifest_that_is_json_of_something_else_is_told(root: Path, content: str) -> None:
    (root / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(StoreError):
        Store.open(root)


@pytest.mark.parametrize(
    "changes",
    [
        {"format_version": STORE_FORMAT_VERSION + 1},
        {"format_version": str(STORE_FORMAT_VERSION)},
        {"format_version": None},
        {"format": "another"},
    ],
)
def test_a_store_of_another_format_is_refused_with_both_versions(
    root: Path, changes: dict[str, object]
) -> None:
    change_manifest(root, **changes)
    with pytest.raises(StoreError) as raised:
        Store.open(root)
    message = str(raised.value)
    assert f"reads {STORE_FORMAT} version {STORE_FORMAT_VERSION}" in message
    assert str(next(iter(changes.values()))) in message
    assert "geomatch build" in message


def test_a_table_that_lacks_columns_or_is_cut_short_is_told_when_read(root: Path) -> None:
    store = Store.open(root)
    file = country_path(root, STORE_COMMUNES)
    whole = file.read_bytes()
    pd.DataFrame({"code_commune": ["96001"]}).to_parquet(file)
    with pytest.raises(StoreError, match=r"communes\.parquet.*libelle.* missing"):
        store.country(STORE_COMMUNES)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"communes\.parquet"):
        store.country(STORE_COMMUNES)
    file.unlink()
    with pytest.raises(StoreError, match=r"communes\.parquet"):
        store.country(STORE_COMMUNES)


@pytest.mark.parametrize("table", [STORE_COMMUNES, STORE_ESTABLISHMENTS])
def test_a_file_that_the_manifest_tells_of_and_is_gone_is_told_at_once(
    root: Path, table: Table
) -> None:
    tables = {t.name: {"departements": {"96": 1}} for t in DEPARTEMENT_TABLES}
    for one in DEPARTEMENT_TABLES:
        file = departement_path(root, one, "96")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    change_manifest(root, tables={**tables, STORE_COMMUNES.name: {"rows": 1}})
    Store.open(root)
    is_country = table is STORE_COMMUNES
    gone = country_path(root, table) if is_country else departement_path(root, table, "96")
    gone.unlink()
    with pytest.raises(StoreError, match=rf"1 of its files .*{table.name}.*build it again"):
        Store.open(root)


@pytest.mark.parametrize("departements", [None, "96", {"96": 1}])
def test_a_manifest_that_lists_no_departements_is_told(root: Path, departements: object) -> None:
    change_manifest(root, departements=departements)
    with pytest.raises(StoreError, match="departements"):
        Store.open(root)


def test_no_two_tables_share_a_file(tmp_path: Path) -> None:
    names = [t.name for t in ALL_TABLES]
    assert len(set(names)) == len(names)
