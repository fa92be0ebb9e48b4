"""Every feature of a fixed little register, value by value: a scale that changes is seen.

After a change that is meant, the values are written anew and belong to the change::

    PYTHONPATH=.:tests:tests/linkage python tests/linkage/test_held_values.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from registers import register, search
from test_comparison import declared_of

from geomatch.linkage.ranking import FEATURE_NAMES, compare

HELD = Path(__file__).parents[1] / "cases" / "held_features.csv"
_STREET = {"type_voie": "RUE", "nom_voie": "DES PINS"}


def _register() -> pd.DataFrame:
    unit = {"siren": "900000002", "denomination": "ZYGOMAR LEVAGE", "naf": "25.62B"}
    return register(
        {"denomination": "BOULANGERIE DU LION GALANT", "naf": "10.71C", "numero": "3", **_STREET,
         "tranche_effectifs": "03", "x": 600_000.0, "y": 6_600_000.0, "uncertainty_m": 10.0},
        {"denomination": "LE LION GALANT", "naf": "56.10A", "numero": "9", **_STREET,
         "tranche_effectifs": "12", "x": 600_130.0, "y": 6_600_000.0, "uncertainty_m": 10.0},
        {"denomination": "LION GALANT", "naf": "47.11F", "code_commune": "96002",
         "tranche_effectifs": "NN"},
        {**unit, "siret": "90000000200018", "numero": "14", **_STREET, "tranche_effectifs": "31",
         "is_siege": True},
        {**unit, "siret": "90000000200026", "code_commune": "96002", "numero": "2",
         "type_voie": "AVENUE", "nom_voie": "DU PORT", "tranche_effectifs": "11"},
        {**unit, "siret": "90000000200034", "code_commune": "96005"},
        {"denomination": "ECOLE PRIMAIRE DES PINS", "naf": "85.20Z", "numero": "20", **_STREET},
        {"denomination": "COMMUNE DE VALBRUNE", "naf": "84.11Z", "tranche_effectifs": "21"},
        {"denomination": "", "naf": "69.20Z", "numero": "5", **_STREET},
        {"denomination": "ACIERIES DE L OURDAL", "naf": "24.10Z", "tranche_effectifs": "41"},
    )  # fmt: skip


def held() -> pd.DataFrame:
    """``bulletin``, ``establishment``, ``feature``, ``value`` of all that is not 0."""
    frame = _register()
    voie = int(frame["voie_id"][0])
    here = {"x": 600_000.0, "y": 6_600_050.0, "radius": 60.0}
    bulletins = [
        {"names": ["LION GALANT"], "voie_id": voie, "numero": 3, "nom_voie": "DES PINS", **here,
         "evidence": {"10.71C": 1.5, "56.10A": -0.5}},
        {"names": ["LION GALLANT"], "home": "96001", "evidence": {"56.10A": 0.7}},
        {"names": ["ZIGOMAR"], "voie_id": voie, "numero": 16, "nom_voie": "DES PINS"},
        {"names": ["ZYGOMAR LEVAGE"], "commune": "96002", "by_code": True, "at_home": 1},
        {"names": ["ECOLE DES PINS"], "commune": "96001", "x": 600_400.0, "y": 6_600_000.0,
         "radius": 500.0},
        {"names": ["ACIERIES OURDLA"], "numero": 20, "nom_voie": "DES PINS"},
        {"names": [], "voie_id": voie, "numero": 5, "nom_voie": "DES PINS", **here},
    ]  # fmt: skip
    found = search(frame, bulletins)
    declared = declared_of(found, {4: ("85.20Z",)})
    features = compare(
        found.pairs, found.places, declared, found.pool, found.activities.naf
    ).frame()
    features["bulletin"] = found.pairs["row"].to_numpy()
    features["establishment"] = found.pairs["establishment"].to_numpy()
    long = features.melt(["bulletin", "establishment"], var_name="feature")
    long = long[long["value"].notna() & (long["value"] != 0)]
    return long.sort_values(["bulletin", "establishment", "feature"]).reset_index(drop=True)


def test_features_of_a_fixed_register_are_those_held() -> None:
    found = held().set_index(["bulletin", "establishment", "feature"])["value"]
    with HELD.open(encoding="utf-8", newline="") as stream:
        told = {
            (int(r["bulletin"]), int(r["establishment"]), r["feature"]): float(r["value"])
            for r in csv.DictReader(stream)
        }
    assert set(found.index) == set(told)
    for key, value in found.items():
        assert value == pytest.approx(told[key], rel=2e-4, abs=1e-6), key


def test_most_features_have_a_value_that_is_held() -> None:
    seen = set(held()["feature"])
    assert len(seen & set(FEATURE_NAMES)) >= 0.6 * len(FEATURE_NAMES), sorted(
        set(FEATURE_NAMES) - seen
    )


if __name__ == "__main__":
    table = held()
    table["value"] = [f"{v:.6g}" for v in np.asarray(table["value"], np.float64)]
    table.to_csv(HELD, index=False, lineterminator="\n")
