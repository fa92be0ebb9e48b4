"""Pools of the store: a département and what is across its border."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from registers import names_of, register, with_compared, write_store

from gazetteer.pools import pool_of, write_pool
from gazetteer.store import write_departement
from geomatch.core.errors import StoreError
from geomatch.core.schema import NAMES, STORE_ESTABLISHMENTS
from geomatch.review.desk.register import Register
from geomatch.review.desk.search import Finder
from geomatch.store.reader import POOLS, Store, pool_path

HERE = register(
    {"denomination": "FONDERIE VALBRUNOISE", "code_commune": "96001", "voie_id": 1},
    {"denomination": "LION", "code_commune": "96002", "voie_id": 2},
)
BESIDE = register(
    {"denomination": "SCIERIE DU LARGE", "code_commune": "95009", "voie_id": 1},
    {"denomination": "SCIERIE DU BORD", "code_commune": "95001", "voie_id": 2},
    {"denomination": "LION", "code_commune": "95001", "voie_id": 2},
)


class _Communes:
    """95001 touches 96002, and 94001 of a département that the store lacks too."""

    labels = dict.fromkeys(["96001", "96002", "95001", "95009", "94001"], "")

    def neighbours(self, code: str) -> list[str]:
        return {"96002": ["94001", "95001", "96001"], "95001": ["96002"]}.get(code, [])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    root = tmp_path / "store"
    written = write_store(root, HERE)
    for table, rows in ((STORE_ESTABLISHMENTS, with_compared(BESIDE)), (NAMES, names_of(BESIDE))):
        write_departement(root, table, "95", table.conform(rows), crs=2154)
    return written


def test_a_pool_is_the_departement_and_behind_it_the_communes_that_touch_it(store: Store) -> None:
    pool = pool_of(store, _Communes(), "96")
    rows = np.arange(len(pool))
    expected = pd.concat([HERE, BESIDE[BESIDE["code_commune"] == "95001"]])
    assert pool.siret(rows).tolist() == expected["siret"].tolist()
    assert pool.communes[pool.commune].tolist() == expected["code_commune"].tolist()
    names = [[str(pool.names_at(np.array([n]))[0]) for n in pool.names_of[row]] for row in rows]
    assert [n[0] for n in names] == expected["denomination"].tolist()
    assert [int(s) >> 32 for s in pool.street] == [int(d, 36) for d in ("96", "96", "95", "95")]


def test_a_departement_without_neighbours_is_its_own_pool(store: Store) -> None:
    assert len(pool_of(store, _Communes(), "95")) == len(BESIDE) + 1
    (store.path / "establishments/departement=96/part.parquet").unlink()
    assert len(pool_of(store, _Communes(), "95")) == len(BESIDE)


def test_the_clerks_search_finds_nobody_across_the_border(store: Store) -> None:
    assert write_pool(store, _Communes(), "96") == 4
    finder = Finder(Register(store))
    nowhere = {"x": np.nan, "y": np.nan, "crs": 0}
    for name, expected in (("lion", HERE["siret"].tolist()[1:]), ("scierie du bord", [])):
        found = finder.search(name, "", departement="96", place=nowhere)
        assert found["siret"].tolist() == expected


def test_a_pool_that_the_manifest_tells_of_must_be_there(store: Store, tmp_path: Path) -> None:
    shutil.copytree(store.path, tmp_path / "copy")
    manifest = json.loads((tmp_path / "copy/manifest.json").read_text(encoding="utf-8"))
    manifest["tables"] = {POOLS: {"rows": 2, "departements": {"96": 2}}}
    (tmp_path / "copy/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert Store.open(tmp_path / "copy").departements == ["96"]
    pool_path(tmp_path / "copy", "96").unlink()
    with pytest.raises(StoreError, match=r"1 of its files are not there .*pools"):
        Store.open(tmp_path / "copy")
