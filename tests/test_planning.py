from __future__ import annotations

import numpy as np
import pytest
from chains import Chain

from geomatch import planning
from geomatch.batch import RunOptions
from geomatch.bulletins import read_bulletins
from geomatch.planning import departements_of_work
from geomatch.store import Store


def test_slices_shared_by_workers_find_what_one_process_finds(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulletins = read_bulletins(chain.files.bulletins, chain.config.bulletins)
    store, options = Store.open(chain.store), chain.config.addresses
    alone = departements_of_work(bulletins, store, options, RunOptions())
    monkeypatch.setattr(planning, "SLICE_ROWS", 150)
    shared = departements_of_work(bulletins, store, options, RunOptions(workers=2))
    np.testing.assert_array_equal(shared, alone)
    assert len(alone) == len(bulletins) > 300
    assert set(store.departements) & set(alone)
