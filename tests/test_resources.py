"""What a matcher loads of its store, and that two things are loaded at once."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from geomatch.config import AddressOptions
from geomatch.errors import StoreError
from geomatch.resources import Resources, side_by_side
from geomatch.schema import STORE_ESTABLISHMENTS, STORE_STREETS
from geomatch.store import Store, departement_path


def _resources(store: Store) -> Resources:
    return Resources(store, AddressOptions())


def test_two_things_are_done_at_once() -> None:
    met = threading.Barrier(2, timeout=10)
    assert side_by_side(lambda: met.wait() >= 0, met.wait) is True


@pytest.mark.parametrize("fails", ["here", "beside"])
def test_what_either_of_two_things_raises_is_raised(fails: str) -> None:
    def fail(which: str) -> str:
        if which == fails:
            raise StoreError(which)
        return which

    with pytest.raises(StoreError, match=fails):
        side_by_side(lambda: fail("here"), lambda: fail("beside"))


def test_what_is_loaded_at_once_is_what_is_loaded_one_by_one(demo_store: Store) -> None:
    (departement,) = demo_store.departements
    at_once, one_by_one = _resources(demo_store), _resources(demo_store)
    at_once.load(departement)
    pools = [r.pool(departement) for r in (at_once, one_by_one)]
    assert len({len(p.pool) for p in pools}) == 1
    for left, right in zip(*([p.lexicon.words, p.pool.communes] for p in pools), strict=True):
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


@pytest.mark.parametrize("table", [STORE_ESTABLISHMENTS, STORE_STREETS])
def test_a_file_that_is_cut_is_told_whoever_reads_it(
    demo_store: Store, tmp_path: Path, table
) -> None:
    shutil.copytree(demo_store.path, tmp_path / "store")
    (departement,) = demo_store.departements
    file = departement_path(tmp_path / "store", table, departement)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(StoreError, match="not readable"):
        _resources(Store.open(tmp_path / "store")).load(departement)


def test_a_departement_that_the_store_lacks_is_not_loaded(demo_store: Store) -> None:
    resources = _resources(demo_store)
    resources.load("2A")
    assert "2A" not in resources._pools
