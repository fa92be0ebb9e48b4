"""What a matcher loads of its store."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from registers import register, write_store

from geomatch.core.config import AddressOptions
from geomatch.core.errors import StoreError
from geomatch.core.schema import STORE_STREETS
from geomatch.linkage.resources import Resources
from geomatch.store.reader import Store, departement_path, pool_path


def _resources(store: Store) -> Resources:
    return Resources(store, AddressOptions())


def test_what_is_loaded_at_once_is_what_is_loaded_one_by_one(demo_store: Store) -> None:
    (departement,) = demo_store.departements
    at_once, one_by_one = _resources(demo_store), _resources(demo_store)
    at_once.load(departement)
    pools = [r.pool(departement).pool for r in (at_once, one_by_one)]
    assert len({len(p) for p in pools}) == 1
    for left, right in zip(*([p.lexicon.words, p.communes] for p in pools), strict=True):
        np.testing.assert_array_equal(left, right)
    keys = [r.geocoder(departement).streets.key_code for r in (at_once, one_by_one)]
    np.testing.assert_array_equal(*keys)


def test_what_is_loaded_stays(demo_store: Store) -> None:
    (departement,) = demo_store.departements
    resources = _resources(demo_store)
    resources.load(departement)
    pool, geocoder = resources.pool(departement), resources.geocoder(departement)
    resources.load(departement)
    assert resources.pool(departement) is pool
    assert resources.geocoder(departement) is geocoder


@pytest.mark.parametrize("path", [pool_path, partial(departement_path, table=STORE_STREETS)])
def test_a_file_that_is_cut_is_told_whoever_reads_it(
    demo_store: Store, tmp_path: Path, path
) -> None:
    shutil.copytree(demo_store.path, tmp_path / "store")
    (departement,) = demo_store.departements
    file = path(tmp_path / "store", departement=departement)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(StoreError, match="manifest tells of"):
        _resources(Store.open(tmp_path / "store")).load(departement)


def test_a_departement_that_the_store_lacks_is_not_loaded(demo_store: Store) -> None:
    resources = _resources(demo_store)
    resources.load("2A")
    assert "2A" not in resources._pools


def test_codes_are_those_of_the_nomenclature(tmp_path: Path) -> None:
    # Stores built before this was known have such rows.
    rows = register({"naf": "10.71C"}, {"naf": "00.00Z"})
    resources = _resources(write_store(tmp_path / "store", rows))
    assert "10.71C" in resources.nafs
    assert "00.00Z" not in resources.nafs
