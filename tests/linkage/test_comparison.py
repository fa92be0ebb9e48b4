from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from registers import Search, register, search

from geomatch.linkage.activities import Evidence
from geomatch.linkage.comparison import Declared
from geomatch.linkage.ranking import FEATURE_NAMES, FEATURES, compare, table_of
from geomatch.names.distinctive import Distinctive, PlaceWords

#: Features that are not scores in [0, 1].
UNBOUNDED = {
    "number_gap", "distance", "ratio", "activity", "profession", "name_activity", "size",
    "size_generic", "activity_generic", "best_name", "best_characters", "best_activity",
    "best_size", "best_street", "best_number", "shared", "shared_outside", "choice_of_communes",
    "rest_written", "rest_known", "own_shared", "own_written", "best_rest", "registered_late",
}  # fmt: skip
GALANT = {"denomination": "GALANT"}
STREET = {"type_voie": "RUE", "nom_voie": "DES PINS"}


def declared_of(found: Search, kinds: dict[int, tuple[str, ...]] | None = None) -> Declared:
    """What the bulletins of a search say beside their places.

    `kinds` are NAF they imply.
    """
    kinds = kinds or {}
    n = len(found.places)
    n_nafs = found.activities.evidence.shape[1]
    silent = Evidence(np.zeros(n, np.int64), np.zeros((1, n_nafs), np.float32))
    has_name = np.zeros(n, dtype=bool)
    has_name[found.names.row] = True
    mask = np.zeros((max(len(kinds), 1), n_nafs), dtype=bool)
    kind = np.full(n, -1, np.int64)
    nafs = found.pool.naf(np.arange(len(found.pool))).astype(str)
    for i, (bulletin, implied) in enumerate(kinds.items()):
        kind[bulletin] = i
        mask[i, found.activities.naf[np.isin(nafs, implied)]] = True
    towns = np.array(found.pool.communes, dtype=object)
    distinctive = Distinctive(found.names.coverage, PlaceWords(found.pool.lexicon), towns)
    return Declared(
        distinctive=distinctive,
        own_weight=distinctive.weight(found.names.row, found.names.name, n),
        written=np.array(found.written, dtype=object),
        has_name=has_name,
        kind=kind,
        kind_mask=mask,
        activity=Evidence(found.activities.code, found.activities.evidence),
        profession=silent,
        name_activity=silent,
    )


def features_of(
    frame: pd.DataFrame, bulletin: dict[str, object], **kinds: tuple[str, ...]
) -> pd.DataFrame:
    """Features of one bulletin's candidates, indexed by their position in the register."""
    found = search(frame, [bulletin])
    declared = declared_of(found, {0: kinds["kind"]} if kinds else None)
    features = compare(
        found.pairs, found.places, declared, found.pool, found.activities.naf
    ).frame()
    assert len(features) == len(found.pairs)
    return features.set_index(found.pairs["establishment"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": ""}, "no label"),
        ({"doc": ""}, "no doc"),
        ({"unit": "miles"}, "unit 'miles', expected one of"),
        ({"group": "divers"}, "group 'divers', expected one of"),
        ({"function": None}, "no function computes siege"),
        ({"name": "size"}, "two features have one name"),
        ({"label": "effectif"}, "two features have one label"),
    ],
)
def test_an_incomplete_feature_is_refused(change: dict[str, Any], told: str) -> None:
    others = [f for f in FEATURES.values() if f.name != "siege"]
    with pytest.raises(ValueError, match=told):
        table_of([*others, replace(FEATURES["siege"], **change)], computed=True)


def test_every_feature_has_a_column_a_meaning_and_a_value() -> None:
    frame = register({"denomination": "GALANT", "numero": "3", **STREET}, {"denomination": "LION"})
    features = features_of(frame, {"names": ["GALANT LION"], "evidence": {"10.71C": 1.0}})
    assert list(features.columns) == [*FEATURE_NAMES, "distance_m", "radius_m"]

    assert np.isfinite(features[list(FEATURE_NAMES)].to_numpy()).all()
    for name in set(FEATURE_NAMES) - UNBOUNDED:
        assert features[name].between(0, 1).all(), name


def test_the_right_name_is_nearer_than_another() -> None:
    frame = register({"denomination": "ACIERIES OURDAL"}, {"denomination": "ACIERIES GALANT"})
    features = features_of(frame, {"names": ["ACIERIES OURDLA"]})
    for name in ("both", "both", "characters", "token_set", "best_name"):
        assert features.loc[0, name] > features.loc[1, name], name
    assert not features["same_name"].any()


def test_equal_names_are_told() -> None:
    frame = register({"denomination": "SARL OURDAL"}, {"denomination": "OURDAL METAL"})
    features = features_of(frame, {"names": ["OURDAL"]})
    assert features["same_name"].tolist() == [1.0, 0.0]


def test_street_and_number_are_compared_where_both_are_known() -> None:
    frame = register(
        {"denomination": "A GALANT", "numero": "3", **STREET},
        {"denomination": "B GALANT", "numero": "9", **STREET},
        {"denomination": "C GALANT", "numero": "", **STREET},
        {"denomination": "D GALANT", "numero": "3", "type_voie": "RUE", "nom_voie": "DU LION"},
    )
    bulletin = {"names": ["GALANT"], "voie_id": int(frame["voie_id"][0]), "numero": 3}
    features = features_of(frame, bulletin)
    assert features.loc[[0, 1, 2, 3], "street"].tolist() == [1, 1, 1, 0]
    assert features.loc[[0, 1, 2, 3], "number"].tolist() == [1, 0, 0, 0]
    assert features.loc[[0, 1, 2, 3], "number_differs"].tolist() == [0, 1, 0, 0]
    assert features.loc[1, "number_gap"] == pytest.approx(np.log1p(6))


def test_a_number_without_its_street_and_a_street_the_register_does_not_know_are_told() -> None:
    other = {"denomination": "GALANT", "numero": "3", "type_voie": "RUE", "nom_voie": "DU PORT"}
    frame = register({**GALANT, "numero": "3", **STREET}, other, {**GALANT, "numero": "4"})
    features = features_of(frame, {"names": ["GALANT"], "nom_voie": "DES PINS", "numero": 3})
    assert features["number_alone"].sort_index().tolist() == [0, 1, 0]
    assert features["street_unknown"].sort_index().tolist() == [0, 0, 1]


def test_a_kind_of_place_that_only_the_register_names_is_told() -> None:
    frame = register(
        {"denomination": "MAIRIE DU LION"}, {"denomination": "MAIRIE DU LION MATERNELLE"}
    )
    features = features_of(frame, {"names": ["MAIRIE DU LION"]}).sort_index()
    assert features["kind_more"].tolist() == [0, 1]
    assert features["kind_shared"].tolist() == [1, 1]


def test_the_first_registered_of_each_unit_is_told_where_there_are_several() -> None:
    def of_unit(siren: str, nic: str, **rest: str) -> dict[str, object]:
        return {"siren": siren, "siret": f"{siren}{nic}", "denomination": "GALANT", **rest}

    frame = register(
        of_unit("900000002", "00034"),
        of_unit("900000001", "00012"),
        of_unit("900000002", "00018"),
        of_unit("900000003", "00019"),
        of_unit("900000003", "00001", code_commune="96004"),
        of_unit("900000002", "00026"),
    )
    features = features_of(frame, {"names": ["GALANT"]}).sort_index()
    # The fifth is no candidate, so the fourth is the only one of its unit.
    assert features["eldest"].to_dict() == {0: 0, 1: 0, 2: 1, 3: 0, 5: 0}


def test_candidates_of_another_bulletin_are_no_others_of_the_unit() -> None:
    found = search(register(GALANT), [{"names": ["GALANT"]}, {"names": ["GALANT"]}])
    features = compare(
        found.pairs, found.places, declared_of(found), found.pool, found.activities.naf
    ).frame()
    assert features["eldest"].tolist() == [0, 0]


def test_distance_is_metres_against_both_uncertainties() -> None:
    frame = register(
        {"denomination": "A GALANT", "x": 0.0, "y": 0.0, "uncertainty_m": 10.0},
        {"denomination": "B GALANT", "x": 300.0, "y": 400.0, "uncertainty_m": 10.0},
        {"denomination": "C GALANT"},
    )
    bulletin = {"names": ["GALANT"], "x": 0.0, "y": 50.0, "radius": 60.0, "numero": 1}
    features = features_of(frame, bulletin)
    assert features.loc[0, "distance_m"] == pytest.approx(50.0)
    assert features.loc[0, "radius_m"] == pytest.approx(70.0)
    assert features.loc[[0, 1], "within"].tolist() == [1, 0]
    assert features.loc[1, "ratio"] == 3.0
    assert features.loc[2, "distance_known"] == 0
    assert np.isnan(features.loc[2, "distance_m"])
    assert features.loc[2, "distance"] == 0


def test_declared_commune_neighbour_and_elsewhere_are_told() -> None:
    frame = register(
        *({"denomination": "ZYGOMAR", "code_commune": c} for c in ("96001", "96002", "96005"))
    )
    features = features_of(frame, {"names": ["ZYGOMAR"]})
    assert features["inside"].to_dict() == {0: 1, 1: 0, 2: 0}
    assert features["neighbour"].to_dict() == {0: 0, 1: 1, 2: 0}


@pytest.mark.parametrize(("by_code", "expected"), [(True, [0, 1, 1]), (False, [0, 0, 0])])
def test_outside_a_commune_given_by_its_code_is_told(by_code: bool, expected: list[int]) -> None:
    frame = register(
        *({"denomination": "ZYGOMAR", "code_commune": c} for c in ("96001", "96002", "96005"))
    )
    features = features_of(frame, {"names": ["ZYGOMAR"], "by_code": by_code})
    assert features["outside_code"].sort_index().tolist() == expected


def test_a_generic_employer_speaks_for_its_activities_and_against_others() -> None:
    frame = register(
        {"denomination": "COLLEGE", "naf": "85.31Z"}, {"denomination": "FOUR", "naf": "10.71C"}
    )
    bulletin = {"evidence": {"85.31Z": 2.0}}
    features = features_of(frame, bulletin, kind=("85.31Z",))
    assert features["kind_activity"].to_dict() == {0: 1, 1: 0}
    assert features["kind_contradicts"].to_dict() == {0: 0, 1: 1}
    assert (features["generic_name"] == 1).all()
    assert (features["name_missing"] == 0).all()
    assert features.loc[0, "activity"] == 2.0
    assert features.loc[0, "activity_generic"] == 2.0


def test_a_bulletin_without_name_is_told_apart_from_a_generic_one() -> None:
    frame = register({"denomination": "COLLEGE", "naf": "85.31Z"})
    features = features_of(frame, {"evidence": {"85.31Z": 2.0}})
    assert features["name_missing"].tolist() == [1]
    assert features["generic_name"].tolist() == [0]
    assert features["both"].tolist() == [0]


def test_a_name_borne_once_in_the_commune_outweighs_one_borne_by_many() -> None:
    twins = [{"denomination": "GALANT"} for _ in range(3)]
    frame = register(*twins, {"denomination": "GALANT", "code_commune": "96002"})
    features = features_of(frame, {"names": ["GALANT"]})
    assert features.loc[3, "rare_local"] == pytest.approx(1.0)
    assert features.loc[0, "rare_local"] == pytest.approx(1 / (1 + np.log(3)))
    assert features["rare_match"].nunique() == 1


def test_the_town_in_the_employers_name_is_told_from_another() -> None:
    frame = register(
        {"denomination": "GALANT"}, {"denomination": "GALANT", "code_commune": "96002"}
    )
    found = search(frame, [{"names": ["GALANT"], "towns": "GALANT 96002"}])
    declared = declared_of(found)
    features = compare(
        found.pairs, found.places, declared, found.pool, found.activities.naf
    ).frame()
    features = features.set_index(found.pairs["establishment"])
    assert features["town_named"].to_dict() == {0: 0.0, 1: 1.0}
    assert features["town_other"].to_dict() == {0: 1.0, 1: 0.0}


@pytest.mark.parametrize(
    ("at_home", "home", "excluded"),
    [(1, [1, 0], [0, 0]), (-1, [0, 0], [1, 0]), (0, [0, 0], [0, 0])],
)
def test_residence_counts_when_the_bulletin_says_where_work_is(
    at_home: int, home: list[int], excluded: list[int]
) -> None:
    frame = register(
        {"denomination": "GALANT"}, {"denomination": "GALANT", "code_commune": "96002"}
    )
    bulletin = {"names": ["GALANT"], "home": "96001", "at_home": at_home}
    features = features_of(frame, bulletin).sort_index()
    assert features["home"].tolist() == home
    assert features["home_excluded"].tolist() == excluded


def test_an_office_counts_in_the_declared_commune_only() -> None:
    mairie = {"siren": "219600015", "naf": "84.11Z", "denomination": "MAIRIE"}
    frame = register(mairie, {**mairie, "siren": "219600023", "code_commune": "96002"})
    features = features_of(frame, {"names": ["MAIRIE"], "commune": "96001"}).sort_index()
    assert features["office"].tolist() == [1, 0]


def test_features_of_a_bulletin_do_not_depend_on_the_others() -> None:
    frame = register(
        {"denomination": "A GALANT", "numero": "3", "naf": "10.71C", **STREET},
        {"denomination": "B GALANT", "numero": "9", "naf": "85.31Z", **STREET},
        {"denomination": "LION", "code_commune": "96002"},
    )
    bulletins: list[dict[str, object]] = [
        {"names": ["GALANT"], "numero": 3, "nom_voie": "DES PINS"},
        {"names": ["LION", "GALANT B"], "evidence": {"85.31Z": 1.0}},
        {"evidence": {"10.71C": 1.0}},
    ]
    found = search(frame, bulletins)
    declared = declared_of(found)
    together = compare(
        found.pairs, found.places, declared, found.pool, found.activities.naf
    ).frame()
    for i, bulletin in enumerate(bulletins):
        alone = features_of(frame, bulletin)
        mine = (found.pairs["row"] == i).to_numpy()
        pd.testing.assert_frame_equal(
            together[mine].set_index(found.pairs.loc[mine, "establishment"]).sort_index(),
            alone.sort_index(),
        )


def test_no_pair_has_no_features() -> None:
    frame = register({"numero": "3"})
    found = search(frame, [{"names": ["ZZYGO"], "commune": "96005"}])
    assert not len(found.pairs)
    features = compare(
        found.pairs, found.places, declared_of(found), found.pool, found.activities.naf
    ).frame()
    assert list(features.columns) == [*FEATURE_NAMES, "distance_m", "radius_m"]
    assert not len(features)
