from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetteer.streets import grouped


def _written(*rows: tuple) -> pd.DataFrame:
    """(voie_ban, nom_voie, x, n[, former commune[, reach]])."""
    full = [(*r, *("", 50.0)[len(r) - 4 :]) for r in rows]
    frame = pd.DataFrame(
        full, columns=["voie_ban", "nom_voie", "x", "n", "code_ancienne_commune", "reach"]
    )
    return frame.assign(code_commune="35901", is_lieu_dit=False, y=0.0)


def _ids(rows: pd.DataFrame) -> dict[str, int]:
    return dict(zip(rows["voie_ban"], rows["voie_id"], strict=True))


def test_spellings_of_one_identifier_are_one_street():
    rows = grouped(_written(("a", "Rue du Lin", 0, 3), ("a", "RUE DU LIN", 900, 2)))
    assert set(rows["voie_id"]) == {0}
    assert set(rows["libelle"]) == {"Rue du Lin"}


@pytest.mark.parametrize(
    ("x", "reach", "streets"), [(900, 50, 1), (1_500, 50, 2), (1_500, 800, 1), (9_000, 50, 2)]
)
def test_identifiers_of_one_name_are_one_street_when_near(x: float, reach: float, streets: int):
    rows = grouped(
        _written(("a", "Rue du Lin", 0, 3, "", reach), ("b", "Rue du Lin", x, 2, "", reach))
    )
    assert rows["voie_id"].nunique() == streets


def test_former_communes_keep_their_own_street_however_near():
    rows = grouped(
        _written(("a", "Rue du Lin", 0, 3, "35801"), ("b", "Rue du Lin", 100, 2, "35802"))
    )
    assert rows["voie_id"].nunique() == 2


def test_the_member_with_most_addresses_gives_name_and_identifier():
    rows = grouped(_written(("a", "RUE DU LIN", 0, 3), ("b", "Rue du Lin", 10, 8)))
    assert set(rows["identifiant"]) == {"b"}
    assert set(rows["libelle"]) == {"Rue du Lin"}


def test_doubly_encoded_names_are_repaired():
    rows = grouped(_written(("a", "AllÃ©e des Ã‰tangs", 0, 1)))
    assert list(rows["libelle"]) == ["Allée des Étangs"]
    assert list(rows["nom_norm"]) == ["ALLEE DES ETANGS"]


def test_names_without_a_letter_are_left_out():
    rows = grouped(_written(("a", " - ", 0, 1), ("b", "Rue du Lin", 0, 1)))
    assert _ids(rows) == {"b": 0}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Rue du Lin", "rue du lin", "Rue du Puits", "Le Lin"]),
            st.integers(0, 20_000),
            st.integers(1, 9),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_ids_run_from_zero_in_the_order_of_the_keys(streets: list[tuple[str, int, int]]):
    rows = grouped(_written(*((f"v{i}", *s) for i, s in enumerate(streets))))
    assert len(rows) == len(streets)
    assert sorted(rows["voie_id"].unique()) == list(range(rows["voie_id"].nunique()))
    first = rows.drop_duplicates("voie_id").sort_values("voie_id")
    assert first["nom_norm"].is_monotonic_increasing
    assert (rows.groupby("voie_id")["nom_norm"].nunique() == 1).all()
    assert np.array_equal(
        rows.groupby("voie_id")["identifiant"].nunique(), np.ones(rows["voie_id"].nunique())
    )
