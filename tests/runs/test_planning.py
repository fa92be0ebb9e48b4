from __future__ import annotations

import numpy as np
import pytest
from chains import Chain

from geomatch.bulletins import read_bulletins
from geomatch.linkage.matcher import Matcher
from geomatch.runs import planning
from geomatch.runs.batch import RunOptions
from geomatch.runs.planning import workplaces
from geomatch.store.reader import Store


def test_slices_shared_by_workers_find_what_one_process_finds(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulletins = read_bulletins(chain.files.bulletins, chain.config.bulletins)
    store, options = Store.open(chain.store), chain.config.addresses
    alone = workplaces(bulletins, store, options, RunOptions())
    monkeypatch.setattr(planning, "SLICE_ROWS", 150)
    shared = workplaces(bulletins, store, options, RunOptions(workers=2))
    for column in alone:
        np.testing.assert_array_equal(shared[column], alone[column])
    assert len(alone) == len(bulletins) > 300
    assert set(store.departements) & set(alone["departement"])


def test_what_planning_found_is_what_the_matcher_finds(chain: Chain) -> None:
    bulletins = read_bulletins(chain.files.bulletins, chain.config.bulletins)
    # a line that tells the town, and a postcode written where the complement stands
    bulletins.loc[:9, "adresse"] = "3 rue du Lion, " + bulletins.loc[:9, "commune"]
    bulletins.loc[:19, ["commune", "departement", "code_commune_declaree"]] = ""
    bulletins.loc[10:19, "complement"] = "BP 3 96001 CEDEX"
    matcher = Matcher.open(chain.store, chain.config)
    found = workplaces(bulletins, matcher.store, chain.config.addresses, RunOptions())
    plain = matcher.prepare(bulletins)
    planned = matcher.prepare(bulletins, communes=found)
    for column in plain.communes:
        np.testing.assert_array_equal(planned.communes[column], plain.communes[column])
    np.testing.assert_array_equal(found["departement"], plain.departement)
