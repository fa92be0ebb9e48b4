from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from registers import NAFS, Search, centre, register, search

from geomatch.core.config import CandidateOptions
from geomatch.linkage.blocking import BY_ACTIVITY, BY_NAME, BY_RADIUS, BY_STREET, PAIRS
from geomatch.linkage.pool import LARGEST
from geomatch.linkage.workplaces import Relation

#: A commune of everyday establishments, to which each test adds its own.
TOWN = (
    {"denomination": "BOULANGERIE CREPIN", "numero": "2", "type_voie": "RUE",
     "nom_voie": "DES PINS", "naf": "10.71C", "tranche_effectifs": "02"},
    {"denomination": "GARAGE DU LION", "numero": "14", "type_voie": "RUE",
     "nom_voie": "DES PINS", "naf": "45.20A", "tranche_effectifs": "03"},
    {"denomination": "ACIERIES D'OURDAL", "numero": "5", "type_voie": "RUE",
     "nom_voie": "DES FORGES", "naf": "24.10Z", "tranche_effectifs": "31"},
)  # fmt: skip


def sirets(found: Search, *, bulletin: int = 0) -> list[str]:
    return found.sirets(bulletin)


def test_a_name_is_found_in_its_commune() -> None:
    frame = register(*TOWN)
    found = search(frame, [{"names": ["boulangerie crepin"]}])
    assert sirets(found)[0] == frame["siret"][0]
    assert found.source(0, frame["siret"][0]) & BY_NAME


@pytest.mark.parametrize(
    "written",
    ["ACIREIES D'OURDAL", "ACIERIES OURDALL", "OURDAL", "ACIER OURDAL", "4CIERIES OURDAL"],
)
def test_a_name_is_found_in_spite_of_slips_and_missing_words(written: str) -> None:
    frame = register(*TOWN)
    found = search(frame, [{"names": [written]}])
    assert found.source(0, frame["siret"][2]) & BY_NAME


def test_neighbouring_communes_are_searched_and_farther_ones_are_not() -> None:
    twins = [{"denomination": "OURDAL METAL", "code_commune": c} for c in ("96002", "96003")]
    # A name borne by many is not unmistakable.
    others = [{"denomination": "OURDAL METAL", "code_commune": "96005"} for _ in range(5)]
    frame = register(*TOWN, *twins, *others)
    found = search(frame, [{"names": ["OURDAL METAL"], "commune": "96001"}])
    relation = found.pairs.set_index("establishment")["relation"]
    assert relation[3] == Relation.NEIGHBOUR
    assert not set(relation.index) & {4, 5, 6, 7, 8, 9}


def test_an_unmistakable_name_is_found_in_the_whole_pool() -> None:
    frame = register(*TOWN, {"denomination": "ZYGOMAR LUMINAIRES", "code_commune": "96005"})
    found = search(frame, [{"names": ["ZYGOMAR LUMINAIRES"], "commune": "96001"}])
    pair = found.pairs[found.pairs["establishment"] == 3]
    assert pair["relation"].tolist() == [Relation.ELSEWHERE]


def test_the_street_finds_an_establishment_of_another_name() -> None:
    frame = register(*TOWN)
    pool_voie = int(frame["voie_id"][2])
    found = search(frame, [{"names": ["SIDEROR"], "voie_id": pool_voie, "numero": 5}])
    assert found.source(0, frame["siret"][2]) & BY_STREET


def test_the_radius_finds_an_establishment_of_another_name() -> None:
    frame = register(*TOWN)
    bulletin = {"x": frame["x"][2] + 30, "y": frame["y"][2], "radius": 20.0, "numero": 7}
    found = search(frame, [bulletin])
    assert found.source(0, frame["siret"][2]) & BY_RADIUS


def test_a_place_too_unsure_is_not_searched_by_radius() -> None:
    frame = register(*TOWN)
    x, y = centre("96001")
    options = CandidateOptions(max_radius_m=500.0)
    sure, unsure = (
        search(
            frame,
            [{"x": x, "y": y, "radius": 400.0, "numero": 3}, {"x": x, "y": y, "radius": 600.0}],
            options,
        )
        .pairs.groupby("row")["source"]
        .apply(lambda s: int(np.bitwise_or.reduce(s)))
        .reindex([0, 1], fill_value=0)
    )
    assert sure & BY_RADIUS
    assert not unsure & BY_RADIUS


def test_a_street_the_store_lacks_is_compared_as_written() -> None:
    frame = register({"denomination": "GALANT", "nom_voie": "CHEMIN NOIR", "x": 0.0, "y": 0.0})
    found = search(frame, [{"nom_voie": "CHEMIN NOIR"}])
    assert found.source(0, frame["siret"][0]) & BY_STREET


def test_a_street_as_written_is_looked_for_in_every_part_of_a_city() -> None:
    place = {"nom_voie": "CHEMIN NOIR", "x": 0.0, "y": 0.0}
    frame = register(
        {"denomination": "GALANT", "code_commune": "96001", **place},
        {"denomination": "LION", "code_commune": "96002", **place},
        {"denomination": "CREPIN", "code_commune": "96003", **place},
    )
    found = search(frame, [{"nom_voie": "CHEMIN NOIR", "commune": "96001+96002"}, {}])
    assert sorted(sirets(found)) == sorted(frame["siret"][:2])


def test_a_street_of_a_wide_place_is_looked_for_as_written_though_the_store_knows_it() -> None:
    frame = register(
        {"nom_voie": "CHEMIN NOIR", "code_commune": "96001"},
        {"nom_voie": "CHEMIN NOIR", "code_commune": "96002", "naf": "24.10Z"},
    )
    known = {"nom_voie": "CHEMIN NOIR", "voie_id": int(frame["voie_id"][0])}
    found = search(frame, [known | {"commune": "96001+96002"}])
    assert found.source(0, frame["siret"][1]) & BY_STREET
    assert sirets(search(frame, [known])) == [frame["siret"][0]]


def test_a_street_as_written_is_not_looked_for_where_no_commune_is_known() -> None:
    frame = register({"denomination": "GALANT", "nom_voie": "CHEMIN NOIR", "x": 0.0, "y": 0.0})
    found = search(frame, [{"nom_voie": "CHEMIN NOIR", "commune": "96004"}])
    assert sirets(found) == []


def test_without_name_nor_place_activity_and_size_find_the_likely_employers() -> None:
    frame = register(*TOWN)
    found = search(frame, [{"evidence": {"24.10Z": 4.0}}])
    assert sirets(found)[0] == frame["siret"][2]
    assert found.source(0, frame["siret"][2]) == BY_ACTIVITY


def test_the_office_of_the_commune_is_looked_at_whatever_the_activity() -> None:
    shops = [{"naf": "47.11F", "tranche_effectifs": "32"} for _ in range(9)]
    office = {"siren": "219600010", "naf": "84.11Z", "tranche_effectifs": "01"}
    others = [{"naf": naf, "tranche_effectifs": "41"} for naf in sorted(NAFS) if naf != "84.11Z"]
    frame = register(*shops, *others, office)
    found = search(frame, [{"evidence": {"47.11F": 3.0, "84.11Z": -3.0}}])
    assert frame["siret"].iloc[-1] in sirets(found)


def test_a_good_name_far_away_does_not_keep_others_from_being_looked_at() -> None:
    frame = register(
        {"denomination": "ACIERIES OURDAL", "code_commune": "96004"},
        {"naf": "24.10Z", "tranche_effectifs": "41"},
    )
    found = search(frame, [{"names": ["ACIERIES OURDAL"], "evidence": {"24.10Z": 4.0}}])
    assert {*frame["siret"]} == {*sirets(found)}


def test_a_village_told_by_the_name_is_looked_through_too() -> None:
    school = {"naf": "85.20Z", "tranche_effectifs": "02", "code_commune": "96004"}
    frame = register(school, {"naf": "24.10Z"})
    bulletin = {"evidence": {"85.20Z": 4.0}}
    assert frame["siret"][0] not in sirets(search(frame, [bulletin]))
    assert frame["siret"][0] in sirets(search(frame, [bulletin | {"towns": "ECOLE DE 96004"}]))
    both = bulletin | {"towns": "96001 96004"}
    assert frame["siret"][0] not in sirets(search(frame, [both]))


def test_a_city_told_by_the_name_is_looked_through_in_all_its_arrondissements() -> None:
    works = {"naf": "84.11Z", "tranche_effectifs": "32"}
    frame = register(
        works | {"code_commune": "96004"}, works | {"code_commune": "96005"}, {"naf": "24.10Z"}
    )
    city = {"96004": "CITE", "96005": "CITE"}
    asked = {"evidence": {"84.11Z": 4.0}, "towns": "VILLE DE CITE"}
    bulletins = [asked, {"towns": ""}, asked | {"commune": "96001+96004"}]
    found = search(frame, bulletins, cities=city)
    assert {*frame["siret"][:2]} < {*sirets(found)}
    assert not {*frame["siret"][:2]} & {*sirets(found, bulletin=1)}
    # who works in one of them works in the city: nothing else is told
    assert frame["siret"][1] not in sirets(found, bulletin=2)


@pytest.mark.parametrize(
    ("declared", "looked_at"),
    [
        ({"commune": "96001+96003", "home": "96003", "at_home": 1}, True),
        ({"commune": "96001+96003", "home": "96003"}, False),
        ({"commune": "96001+96003", "home": "96003", "at_home": -1}, False),
        # the place declared is one commune, and another: what is said of home contradicts it
        ({"commune": "96001", "home": "96003", "at_home": 1}, True),
        ({"commune": "96003", "home": "96003", "at_home": 1}, True),
    ],
)
def test_who_works_where_they_live_works_in_that_part_of_a_wide_place(
    declared: dict[str, object], looked_at: bool
) -> None:
    larger = [{"naf": "85.20Z", "tranche_effectifs": "21"} for _ in range(LARGEST)]
    school = {"naf": "85.20Z", "tranche_effectifs": "02", "code_commune": "96003"}
    frame = register(*larger, school)
    found = search(frame, [{"evidence": {"85.20Z": 4.0}} | declared])
    assert (frame["siret"].iloc[-1] in sirets(found)) == looked_at


def test_of_many_of_one_name_the_one_where_people_live_is_found() -> None:
    crowd = [{"denomination": "GARAGE DU LION", "tranche_effectifs": "32"} for _ in range(9)]
    frame = register(*crowd, {"denomination": "GARAGE DU LION", "code_commune": "96003"})
    asked = {"names": ["GARAGE DU LION"], "commune": "96001+96003", "home": "96003"}
    few = CandidateOptions(by_name=1, least=3, kept=3)
    assert frame["siret"].iloc[-1] not in sirets(search(frame, [asked], few))
    assert frame["siret"].iloc[-1] in sirets(search(frame, [asked | {"at_home": 1}], few))


def test_a_house_number_counts_without_its_street() -> None:
    twins = [{"denomination": "GARAGE DU LION", "nom_voie": f"VOIE {i}", "numero": str(i + 1)}
             for i in range(6)]  # fmt: skip
    frame = register(*twins)
    found = search(frame, [{"names": ["GARAGE DU LION"], "numero": 5}])
    assert sirets(found)[0] == frame["siret"][4]


def test_who_is_far_behind_is_kept_among_the_first_few_only() -> None:
    small = {"denomination": "GARAGE DU LION", "tranche_effectifs": "01"}
    frame = register(small | {"tranche_effectifs": "41"}, *[small] * 12)
    asked = [{"names": ["GARAGE DU LION"]}]
    wide = search(frame, asked, CandidateOptions(least=4, reach=99.0))
    assert len(sirets(wide)) == 13
    near = search(frame, asked, CandidateOptions(least=4, reach=1.0))
    assert sirets(near) == sirets(wide)[:4]


def test_two_sources_of_one_pair_make_one_row() -> None:
    frame = register(*TOWN)
    bulletin = {
        "names": ["ACIERIES OURDAL"], "voie_id": int(frame["voie_id"][2]), "numero": 5,
        "x": frame["x"][2], "y": frame["y"][2], "radius": 20.0,
    }  # fmt: skip
    found = search(frame, [bulletin])
    assert found.source(0, frame["siret"][2]) >= BY_NAME | BY_RADIUS | BY_STREET
    assert not found.pairs.duplicated(["row", "establishment"]).any()


def test_no_more_than_asked_are_kept_and_the_best_are() -> None:
    crowd = [{"denomination": f"GARAGE DU LION {i}", "numero": str(i)} for i in range(30)]
    frame = register(*TOWN, *crowd)
    bulletins = [{"names": ["GARAGE DU LION"]}, {"names": ["ACIERIES OURDAL"]}]
    found = search(frame, bulletins, CandidateOptions(kept=5))
    assert (found.pairs["row"].value_counts() <= 5).all()
    assert sirets(found)[0] == frame["siret"][1]
    assert sirets(found, bulletin=1)[0] == frame["siret"][2]


def test_pairs_are_sorted_by_bulletin_and_point_at_what_they_compared() -> None:
    frame = register(*TOWN)
    asked = [{"names": ["LION", "GARAGE"]}, {}, {"names": ["CREPIN"]}, {"evidence": {"24.10Z": 3}}]
    found = search(frame, asked)
    pairs = found.pairs
    assert list(pairs.columns) == PAIRS.names
    assert pairs["row"].is_monotonic_increasing
    for column in ("of_written", "of_known"):
        assert pairs[column].between(0, 1).all()
    assert pairs["relation"].isin([Relation.ELSEWHERE, Relation.NEIGHBOUR, Relation.INSIDE]).all()
    compared = pairs[pairs["written"] >= 0]
    assert len(compared)
    for pair in compared.itertuples():
        bears = found.pool.names_of[pair.establishment]
        assert pair.known in bears
        own = found.names.name[found.names.row == pair.row]
        assert pair.written in own
    assert (pairs.loc[pairs["written"] < 0, ["of_written", "of_known"]] == 0).all(axis=None)


def test_the_order_of_bulletins_and_of_the_register_changes_nothing() -> None:
    x, y = centre("96001")
    bulletins = [
        {"names": ["BOULANGERIE CREPIN"]},
        {"names": ["GARAGE LION"], "commune": "96002"},
        {"x": x + 40, "y": y, "radius": 50.0, "numero": 3},
        {"evidence": {"24.10Z": 2.0}},
    ]
    frame = register(*TOWN, {"denomination": "LION", "code_commune": "96002"})
    straight = search(frame, bulletins)
    back = search(frame, bulletins[::-1])
    mixed = search(frame.iloc[::-1].reset_index(drop=True), bulletins)
    for i in range(len(bulletins)):
        expected = _told(straight, i)
        assert _told(back, len(bulletins) - 1 - i) == expected
        assert _told(mixed, i) == expected


def _told(found: Search, bulletin: int) -> set[tuple[str, int, float, float]]:
    mine = found.pairs[found.pairs["row"] == bulletin]
    sirets = found.pool.siret(mine["establishment"].to_numpy())
    return {
        (siret, p.source, round(p.of_written, 4), round(p.of_known, 4))
        for siret, p in zip(sirets, mine.itertuples(), strict=True)
    }


@pytest.mark.parametrize(
    "bulletins",
    [
        [],
        [{}],
        [{"names": ["GALANT"]}],
        [{"names": ["ZZYGO"], "commune": "99999"}],
        [{"x": 0.0, "y": 0.0, "radius": 50.0, "numero": 1}],
    ],
)
def test_nobody_to_find_is_no_error(bulletins: list[dict[str, object]]) -> None:
    nobody = register({"denomination": "X"}).iloc[:0]
    for frame in (nobody, register({"numero": "3"}), register({"denomination": "GALANT"})):
        pairs = search(frame, bulletins).pairs
        assert list(pairs.columns) == PAIRS.names
        assert isinstance(pairs, pd.DataFrame)
        assert pairs["row"].isin(range(len(bulletins))).all()
