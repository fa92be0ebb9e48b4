from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from registers import register, write_store

from geomatch import Matcher
from geomatch.bulletins import read_bulletins
from geomatch.core.config import CandidateOptions, Config, DecisionOptions
from geomatch.core.errors import ConfigError, LayoutError, StoreError
from geomatch.core.schema import BULLETINS, CANDIDATES, DECISIONS
from geomatch.evaluation import evaluate, read_truth
from geomatch.linkage.matcher import Result
from geomatch.linkage.model import Model
from geomatch.linkage.ranking import FEATURE_NAMES
from geomatch.linkage.results import KEPT_CANDIDATES
from geomatch.names.similar import WrittenNames, similar_names
from geomatch.store.reader import Store
from geomatch.training.train import UNTRAINED


@pytest.fixture(scope="module")
def matcher(chain: Chain) -> Matcher:
    return Matcher.open(chain.store, chain.config)


@pytest.fixture(scope="module")
def bulletins(chain: Chain) -> pd.DataFrame:
    return read_bulletins(chain.files.bulletins)


@pytest.fixture(scope="module")
def result(matcher: Matcher, bulletins: pd.DataFrame) -> Result:
    return matcher.match_bulletins(bulletins)


# ------------------------------------------------------------------ what comes out
def test_every_bulletin_is_decided_once_in_the_order_it_came(
    result: Result, bulletins: pd.DataFrame
) -> None:
    assert list(result.decisions.columns) == DECISIONS.names
    assert result.decisions["id"].tolist() == bulletins["id"].tolist()
    assert result.decisions["decision"].isin(["auto", "review", "none"]).all()
    assert result.decisions["naf_decision"].isin(["auto", "review", "none"]).all()


def test_candidates_are_ranked_from_one_and_at_most_twenty(result: Result) -> None:
    table = result.candidates
    assert list(table.columns[: len(CANDIDATES.names)]) == CANDIDATES.names
    # Those that the contract names already are not told twice.
    assert set(FEATURE_NAMES) - {"distance_m", "radius_m"} <= set(table.columns)
    by_bulletin = table.groupby("id", sort=False)
    assert (by_bulletin.size() <= KEPT_CANDIDATES).all()
    assert (by_bulletin["rank"].apply(list).map(lambda r: r == list(range(1, len(r) + 1)))).all()
    assert by_bulletin["siret"].apply(lambda s: s.is_unique).all()


def test_scores_and_probabilities_are_shares(result: Result) -> None:
    for table, columns in (
        (result.decisions, ["probability", "margin", "naf_probability", "geocode_score"]),
        (result.candidates, ["probability", "name_score", "activity_score", "address_score"]),
    ):
        for column in columns:
            assert table[column].between(0, 1).all(), column


def test_the_best_echo_is_the_first_candidate_with_the_decision_s_probability(
    result: Result,
) -> None:
    first = result.candidates[result.candidates["rank"] == 1].set_index("id")
    decided = result.decisions.set_index("id")
    decided = decided[decided["siret"] != ""]
    same = first.loc[decided.index]
    assert (same["siret"] == decided["siret"]).all()
    np.testing.assert_allclose(same["probability"], decided["probability"])
    assert (decided["siren"] == decided["siret"].str[:9]).all()


def test_what_is_coded_has_a_siret_and_none_has_not(result: Result) -> None:
    siret = result.decisions["siret"]
    assert (siret[result.decisions["decision"] == "auto"].str.fullmatch(r"\d{14}")).all()
    assert (siret[result.decisions["decision"] == "none"] == "").all()
    naf = result.decisions["naf"]
    assert (naf[result.decisions["naf_decision"] == "auto"] != "").all()


def test_most_of_the_fictional_bulletins_are_matched_rightly(result: Result, chain: Chain) -> None:
    measured = evaluate(result.decisions, result.candidates, read_truth(chain.files.truth))
    figures = measured.as_dict()
    assert figures["top1"] > 0.75
    assert figures["recall_20"] > 0.85
    assert figures["precision"] > 0.9


# ------------------------------------------------------------------ same in, same out
def test_the_order_of_the_bulletins_changes_no_decision(
    matcher: Matcher, bulletins: pd.DataFrame, result: Result
) -> None:
    order = np.random.default_rng(3).permutation(len(bulletins))
    again = matcher.match_bulletins(bulletins.iloc[order].reset_index(drop=True))
    back = again.decisions.iloc[np.argsort(order)].reset_index(drop=True)
    _assert_same(back, result.decisions)
    keys = ["id", "rank"]
    _assert_same(
        again.candidates.sort_values(keys, ignore_index=True),
        result.candidates.sort_values(keys, ignore_index=True),
    )


def test_a_bulletin_alone_is_decided_as_among_others_that_have_no_say(
    matcher: Matcher, bulletins: pd.DataFrame
) -> None:
    config = replace(matcher.config, decisions=DecisionOptions(collective=False))
    matcher = Matcher(matcher.store, config, matcher.model)
    result = matcher.match_bulletins(bulletins)
    for row in (0, 7, 123):
        alone = matcher.match_bulletins(bulletins.iloc[[row]].reset_index(drop=True))
        _assert_same(alone.decisions, result.decisions.iloc[[row]].reset_index(drop=True))


def test_written_names_stand_in_the_order_of_their_bulletins(
    matcher: Matcher, bulletins: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[np.ndarray] = []

    def noted(row: np.ndarray, *rest: Any) -> WrittenNames:
        rows.append(row)
        return similar_names(row, *rest)

    monkeypatch.setattr("geomatch.linkage.matcher.similar_names", noted)
    matcher.match_bulletins(bulletins.sample(frac=1, random_state=5))
    assert sum(map(len, rows)) > 100
    assert all((np.diff(row) >= 0).all() for row in rows)


def test_the_order_of_the_register_changes_no_decision(tmp_path: Path) -> None:
    rows = [
        {"siret": f"9000000{i:02d}00011", "siren": f"9000000{i:02d}", "denomination": name,
         "numero": str(i + 1), "type_voie": "RUE", "nom_voie": "DES PINS", "naf": "10.71C"}
        for i, name in enumerate(["GALANT", "GALANT", "CREPIN", "GALAND", "", "LION"])
    ]  # fmt: skip
    asked = pd.DataFrame(
        {
            "id": list("abcd"),
            "raison_sociale": ["GALANT", "GALAN", "", "CREPIN"],
            "adresse": ["2 rue des Pins", "", "5 rue des Pins", "rue des Pins"],
            "commune": ["VALBRUNE"] * 4,
        }
    )
    results = []
    for name, ordered in (("one", rows), ("other", rows[::-1])):
        write_store(tmp_path / name, register(*ordered))
        matcher = _untrained(tmp_path / name)
        results.append(matcher.match(asked))
    _assert_same(results[0].decisions, results[1].decisions)
    _assert_same(results[0].candidates, results[1].candidates)


def test_identical_bulletins_get_identical_decisions(
    matcher: Matcher, bulletins: pd.DataFrame
) -> None:
    twice = pd.concat([bulletins.head(20)] * 2, ignore_index=True)
    decisions = matcher.match_bulletins(twice).decisions
    _assert_same(
        decisions.iloc[:20].reset_index(drop=True), decisions.iloc[20:].reset_index(drop=True)
    )


# ------------------------------------------------------------------ little or nothing in
def test_no_bulletin_gives_empty_tables_of_the_same_columns(
    matcher: Matcher, result: Result
) -> None:
    nothing = matcher.match_bulletins(BULLETINS.empty())
    assert list(nothing.decisions.columns) == list(result.decisions.columns)
    assert list(nothing.candidates.columns) == list(result.candidates.columns)
    assert len(nothing.decisions) == len(nothing.candidates) == 0


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"commune": "NULLE PART"},
        {"departement": "75"},
        {"departement": "96"},
        {"code_commune_residence": "96001", "lieu_travail": "2"},
        {"pays": "BELGIQUE", "raison_sociale": "GALANT"},
        {"raison_sociale": "***", "activite": "???", "adresse": "///"},
        {"raison_sociale": "A" * 5_000, "commune": "B" * 5_000},
        {"raison_sociale": "(((", "nom_voie": ")))", "numero": "0000"},
        {"raison_sociale": "\u0000\u202e日本", "commune": "\ufeff"},
    ],
)
def test_a_bulletin_that_says_little_is_decided_all_the_same(
    matcher: Matcher, row: dict[str, str]
) -> None:
    frame = BULLETINS.conform(pd.DataFrame([{"id": "1", **row}]))
    decisions = matcher.match_bulletins(frame).decisions
    assert decisions["id"].tolist() == ["1"]
    assert decisions["decision"].isin(["review", "none"]).all()


def test_a_bulletin_of_a_departement_the_store_has_not_finds_nobody(matcher: Matcher) -> None:
    frame = BULLETINS.conform(
        pd.DataFrame([{"id": "1", "raison_sociale": "GALANT", "departement": "75"}])
    )
    result = matcher.match_bulletins(frame)
    assert result.decisions["type"].tolist() == ["outside_store"]
    assert result.decisions["decision"].tolist() == ["review"]
    assert not len(result.candidates)


def test_a_code_that_is_no_departement_is_not_outside_the_store(matcher: Matcher) -> None:
    frame = BULLETINS.conform(
        pd.DataFrame([{"id": "1", "raison_sociale": "GALANT", "departement": "00"}])
    )
    assert matcher.match_bulletins(frame).decisions["type"].tolist() == ["no_candidate"]


def test_a_store_without_establishments_finds_nobody(tmp_path: Path) -> None:
    write_store(tmp_path / "store", register({"denomination": "X"}).iloc[:0])
    frame = BULLETINS.conform(
        pd.DataFrame([{"id": "1", "raison_sociale": "GALANT", "commune": "VALBRUNE"}])
    )
    result = _untrained(tmp_path / "store").match_bulletins(frame)
    assert result.decisions["decision"].tolist() == ["none"]


def test_no_text_of_a_bulletin_reaches_a_log_or_the_screen(
    chain: Chain, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "ZYGOMARINE"
    fields = ("raison_sociale", "adresse", "nom_voie", "commune", "activite", "profession", "pays")
    frame = BULLETINS.conform(pd.DataFrame([{"id": "1", **dict.fromkeys(fields, secret)}]))
    Matcher.open(chain.store, chain.config).match_bulletins(frame)
    assert secret not in caplog.text
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------ frames and options
def test_a_frame_in_either_layout_is_matched(chain: Chain, matcher: Matcher) -> None:
    census = pd.read_csv(
        chain.files.bulletins, sep=";", encoding="latin-1", dtype=str, keep_default_na=False
    ).head(5)
    before = census.copy()
    result = matcher.match(census)
    assert result.decisions["id"].tolist() == census["CABBI"].tolist()
    pd.testing.assert_frame_equal(census, before)
    free = matcher.match(pd.DataFrame({"id": [1], "nom": ["GALANT"], "adresse": ["RUE"]}))
    assert free.decisions["id"].tolist() == ["1"]


def test_a_frame_of_another_layout_is_refused(matcher: Matcher) -> None:
    with pytest.raises(LayoutError):
        matcher.match(pd.DataFrame({"a": [1], "b": [2]}))


def test_progress_goes_from_nothing_to_all(matcher: Matcher, bulletins: pd.DataFrame) -> None:
    told: list[tuple[str, float]] = []
    matcher.match_bulletins(bulletins.head(3), lambda step, share: told.append((step, share)))
    shares = [s for _, s in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(step for step, _ in told)


def test_fewer_candidates_are_kept_when_so_asked(chain: Chain, bulletins: pd.DataFrame) -> None:
    config = Config(model=chain.config.model, candidates=CandidateOptions(kept=3))
    result = Matcher.open(chain.store, config).match_bulletins(bulletins.head(30))
    assert result.candidates.groupby("id").size().max() == 3


def test_what_cannot_be_opened_is_told(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Matcher.open(tmp_path, chain.config)
    with pytest.raises(ConfigError):
        Matcher.open(chain.store, Config(model=str(tmp_path)))


def test_another_model_keeps_what_is_loaded(matcher: Matcher, bulletins: pd.DataFrame) -> None:
    other = matcher.with_model(UNTRAINED)
    assert other.resources is matcher.resources
    assert other.model is UNTRAINED
    some = bulletins.head(10)
    assert (
        other.match_bulletins(some).candidates["siret"].tolist()
        != matcher.match_bulletins(some).candidates["siret"].tolist()
    )


def test_a_matcher_can_be_made_with_a_model_in_hand(chain: Chain) -> None:
    matcher = Matcher(Store.open(chain.store), Config(), Model.load(chain.model))
    assert matcher.match_bulletins(BULLETINS.empty()).decisions.empty


def _untrained(store: Path) -> Matcher:
    return Matcher(Store.open(store), Config(), UNTRAINED)


def _assert_same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=False, rtol=1e-4, atol=1e-5)
