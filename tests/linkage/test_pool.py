from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from registers import pool_of, register

from geomatch.linkage.pool import PRECISE_M, TRANCHE_HEADCOUNT, street_codes

metres = st.integers(0, 600).map(float)
placed = st.tuples(metres, metres, st.sampled_from([5.0, 60.0, PRECISE_M, PRECISE_M + 1, np.nan]))
asked = st.tuples(metres, metres, st.floats(0, 400))


def at(x: float, y: float, uncertainty: float) -> dict[str, object]:
    return {"x": x, "y": y, "uncertainty_m": uncertainty, "denomination": "GALANT"}


@given(st.lists(placed, min_size=1, max_size=12), st.lists(asked, max_size=5))
def test_within_finds_what_measuring_every_distance_finds(
    establishments: list[tuple[float, float, float]], askers: list[tuple[float, float, float]]
) -> None:
    pool = pool_of(register(*(at(*e) for e in establishments)))
    position = np.array([a[:2] for a in askers], dtype=float).reshape(-1, 2)
    radius = np.array([a[2] for a in askers], dtype=float)
    asker, row, distance = pool.within(position, radius)
    expected = {
        (i, j): float(np.hypot(a[0] - e[0], a[1] - e[1]))
        for (i, a), (j, e) in product(enumerate(askers), enumerate(establishments))
        if e[2] <= PRECISE_M and np.hypot(a[0] - e[0], a[1] - e[1]) <= a[2] + e[2]
    }
    found = dict(zip(zip(asker.tolist(), row.tolist(), strict=True), distance, strict=True))
    assert len(found) == len(asker)
    assert found.keys() == expected.keys()
    for pair, metres_apart in expected.items():
        assert found[pair] == pytest.approx(metres_apart)


def test_an_establishment_without_a_sure_place_is_never_near() -> None:
    pool = pool_of(register(at(np.nan, np.nan, np.nan), at(0, 0, 5_000)))
    asker, row, distance = pool.within(np.zeros((1, 2)), np.array([1_000.0]))
    assert len(asker) == len(row) == len(distance) == 0


def test_a_question_without_a_place_gets_no_answer_and_does_no_harm() -> None:
    pool = pool_of(register(at(0, 0, 10)))
    asker, *_ = pool.within(np.zeros((0, 2)), np.zeros(0))
    assert len(asker) == 0


def test_establishments_of_a_street_are_found_by_its_number() -> None:
    pool = pool_of(
        register(
            {"numero": "3", "type_voie": "RUE", "nom_voie": "DES PINS"},
            {"numero": "9", "type_voie": "RUE", "nom_voie": "DES PINS"},
            {"numero": "3", "type_voie": "RUE", "nom_voie": "DU LION"},
            {"denomination": "SANS RUE"},
        )
    )
    asker, row = pool.on_street(np.array([-1, pool.street[0], pool.street[2], 10**12]))
    assert list(zip(asker.tolist(), row.tolist(), strict=True)) == [(1, 0), (1, 1), (2, 2)]


def test_a_street_the_store_does_not_know_is_found_as_written_in_its_commune() -> None:
    pool = pool_of(
        register(
            {"nom_voie": "DES PINS", "voie_id": -1},
            {"nom_voie": "DES PINS", "code_commune": "96002"},
            {"denomination": "SANS RUE"},
        )
    )
    commune = int(pool.commune[0])
    asker, row = pool.on_street_named(
        np.array([commune, -1, commune]), np.array(["DES PINS", "DES PINS", ""], dtype=object)
    )
    assert (asker.tolist(), row.tolist()) == ([0], [0])


def test_names_lead_to_their_bearers_and_back() -> None:
    pool = pool_of(
        register(
            {"denomination": "GALANT"}, {"denomination": "GALANT", "sigle": "GLT"}, {"numero": "3"}
        )
    )
    names = pool.names_at(np.arange(pool.n_names)).tolist()
    assert pool.name_bearers[names.index("GALANT")].tolist() == [0, 1]
    assert pool.name_bearers[names.index("GLT")].tolist() == [1]
    assert [sorted(names[n] for n in pool.names_of[row]) for row in range(3)] == [
        ["GALANT"], ["GALANT", "GLT"], [],
    ]  # fmt: skip
    assert pool.has_name.tolist() == [True, True, False]


def test_offices_of_local_authorities_are_known_by_siren_and_activity() -> None:
    pool = pool_of(
        register(
            {"siren": "213500019", "naf": "84.11Z"},
            {"siren": "213500019", "naf": "85.20Z"},
            {"siren": "200012345", "naf": "84.11Z"},
            {"siren": "130012345", "naf": "84.11Z"},
        )
    )
    assert pool.is_office.tolist() == [True, False, True, False]


def test_bearers_nearby_are_those_of_the_commune() -> None:
    pool = pool_of(
        register(
            {"denomination": "GALANT", "code_commune": "35238"},
            {"denomination": "GALANT", "code_commune": "35238"},
            {"denomination": "GALANT", "code_commune": "35047"},
            {"denomination": "DISCRET", "code_commune": "35047"},
            {"denomination": "DISCRET", "code_commune": "35047"},
            {"denomination": "SEUL", "code_commune": "35047"},
        )
    )
    name, row = np.array([0, 0, 0, 1, 2, -1]), np.array([0, 1, 2, 3, 5, 5])
    assert pool.bearers_nearby(name, row).tolist() == [2, 2, 1, 2, 1, 1]


def test_headcounts_grow_with_the_tranche_and_an_unknown_one_is_below_all() -> None:
    tranches = ["NN", "00", "01", "02", "03", "11", "12", "21", "22", "31", "32", "41", "42",
                "51", "52", "53"]  # fmt: skip
    assert set(tranches) == set(TRANCHE_HEADCOUNT)
    pool = pool_of(register(*({"tranche_effectifs": t} for t in [*tranches, "", "??"])))
    assert (np.diff(pool.headcount[: len(tranches)]) > 0).all()
    assert (pool.headcount[-2:] == pool.headcount[0]).all()
    assert (pool.headcount > 0).all()


def test_streets_of_different_departements_never_share_a_code() -> None:
    departements = ["01", "1", "2A", "2B", "35", "974", "75"]
    codes = [
        int(street_codes(np.array([d], dtype=object), np.array([v]))[0])
        for d in departements
        if d != "1"
        for v in (0, 1, 1_000_000)
    ]
    assert len(set(codes)) == len(codes)


def test_a_register_of_nobody_answers_every_question_with_nothing() -> None:
    pool = pool_of(register({"denomination": "X"}).iloc[:0])
    assert len(pool) == 0
    asker, *_ = pool.within(np.zeros((2, 2)), np.ones(2))
    assert len(asker) == 0
    asker, row = pool.on_street(np.array([3, -1]))
    assert len(asker) == len(row) == 0
    asker, row = pool.on_street_named(np.array([0]), np.array(["DES PINS"], dtype=object))
    assert len(asker) == len(row) == 0
    assert len(pool.names_of) == len(pool.name_bearers) == 0


def test_the_largest_of_each_activity_come_first_whatever_the_communes() -> None:
    kinds = list(product(("10.71C", "24.10Z"), ("NN", "03", "31"), ("96002", "96001")))
    frame = register(*({"naf": n, "tranche_effectifs": t, "code_commune": c} for n, t, c in kinds))
    pool = pool_of(frame)
    for codes in (["96001"], ["96001", "96002"], []):
        found = pool.largest(np.flatnonzero(np.isin(pool.communes, codes)))
        told = [(kinds[i][0], -TRANCHE_HEADCOUNT[kinds[i][1]]) for i in found]
        assert told == sorted(told)
        assert sorted(found) == np.flatnonzero(frame["code_commune"].isin(codes)).tolist()


def test_streets_have_one_number_each_and_none_where_no_text_is() -> None:
    pool = pool_of(register({"nom_voie": "DES PINS"}, {}, {"nom_voie": "DES PINS"}))
    pins, none, again = pool.street_text_code
    assert none == -1 < pins == again
    asked = np.array(["DES PINS", "", "DU LION"], dtype=object)
    assert pool.codes_of_streets(asked).tolist() == [pins, -1, -1]


def test_traits_are_what_their_own_columns_say() -> None:
    pool = pool_of(
        register(
            {"denomination": "GALANT", "numero": "3", "type_voie": "RUE", "nom_voie": "DES PINS"},
            {"numero": "9", "nom_voie": "DU LION", "code_commune": "96002"},
            {"denomination": "CREPIN", "tranche_effectifs": "31"},
        )
    )
    for name in ("street", "commune", "numero", "size", "has_name"):
        assert pool.traits[name].tolist() == getattr(pool, name).tolist(), name
    assert pool.traits["street_text"].tolist() == pool.street_text_code.tolist()
    assert pool.traits["has_name"].tolist() == [True, False, True]
