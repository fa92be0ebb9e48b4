from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from hypothesis import given
from hypothesis import strategies as st

from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.core.errors import ConfigError, DataError
from geomatch.evaluation import read_truth
from geomatch.linkage.activities import stems
from geomatch.linkage.calibration_features import CALIBRATION_FEATURES
from geomatch.linkage.decisions import NAF_FEATURES
from geomatch.linkage.model import LEVELS, Model
from geomatch.linkage.ranking import FEATURE_NAMES, WEIGHT_BOUNDS
from geomatch.store.reader import Store
from geomatch.training.fitting import fit_choice, fit_logistic, fit_offset
from geomatch.training.train import (
    LEAST_WORD_COUNT,
    count_words,
    draw,
    in_share,
    train,
    train_files,
)

ids = st.lists(st.text(max_size=8), unique=True, max_size=50)


@pytest.fixture(scope="module")
def model(chain: Chain) -> Model:
    return Model.load(chain.model)


# ------------------------------------------------------------------ the model folder
def test_a_model_is_a_small_folder_that_a_person_can_read(chain: Chain) -> None:
    names = {p.name for p in chain.model.iterdir()}
    assert names == {"model.json", "activity_words.csv", "profession_words.csv", "model_card.md"}
    content = json.loads((chain.model / "model.json").read_text(encoding="utf-8"))
    assert set(content["ranking"]["weights"]) == set(FEATURE_NAMES)
    assert list(content["given"]) == list(LEVELS)
    for calibrator in (content["presence"], *content["given"].values()):
        assert set(calibrator["trees"]["columns"]) <= set(CALIBRATION_FEATURES)
    assert set(content["naf"]["weights"]) == set(NAF_FEATURES)
    card = (chain.model / "model_card.md").read_text(encoding="utf-8")
    assert "Not for" in card
    for name in FEATURE_NAMES:
        assert name in card


def test_a_trained_model_is_finite_and_its_thresholds_rise(model: Model) -> None:
    for linear in (model.ranking, model.naf):
        assert np.isfinite([*linear.weights.values(), linear.intercept]).all()
    for thresholds in (model.thresholds, model.naf_thresholds):
        values = [thresholds[p] for p in sorted(thresholds, key=float)]
        assert values == sorted(values)
    for name, (least, most) in WEIGHT_BOUNDS.items():
        assert least <= model.collective[name] <= most


def test_training_again_gives_the_same_files(chain: Chain, tmp_path: Path) -> None:
    files = chain.files
    train_files(files.bulletins, files.truth, chain.store, tmp_path / "again", Config())
    for name in ("model.json", "activity_words.csv", "profession_words.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (chain.model / name).read_bytes()


def test_what_the_card_says_was_measured(chain: Chain) -> None:
    card = chain.card
    assert card["bulletins"] == card["n"] == 400
    assert card["measured_on"] == "training set"
    assert card["top1"] > 0.75
    assert str(card["n"]) in (chain.model / "model_card.md").read_text(encoding="utf-8")


# ------------------------------------------------------------------ words
def test_words_of_a_single_bulletin_are_not_kept(chain: Chain, model: Model) -> None:
    for words in (model.activity_words, model.profession_words):
        assert (words["n"] >= LEAST_WORD_COUNT).all()
    bulletins = pd.DataFrame({"activite": ["ZZYGO PAIN", "PAIN"], "profession": ["UNIQUE", ""]})
    truth = pd.DataFrame({"naf": ["10.71C", "10.71C"]})
    words = count_words(bulletins, truth)
    assert words["activity_words"]["mot"].tolist() == ["PAIN"]
    assert not len(words["profession_words"])


def test_no_name_of_an_employer_reaches_the_model(chain: Chain, model: Model) -> None:
    bulletins = read_bulletins(chain.files.bulletins)
    said = {w for text in (*bulletins["activite"], *bulletins["profession"]) for w in text.split()}
    names = {w for text in bulletins["raison_sociale"] for w in text.split() if len(w) > 4} - said
    kept = {*model.activity_words["mot"], *model.profession_words["mot"]}
    assert names
    assert not {*stems(" ".join(names))} & kept - {*stems(" ".join(said))}


# ------------------------------------------------------------------ shares
@given(ids, st.floats(0.01, 1), st.randoms(use_true_random=False))
def test_a_share_is_the_same_identifiers_in_any_order(
    identifiers: list[str], share: float, random: object
) -> None:
    first = {i for i, kept in zip(identifiers, in_share(identifiers, share), strict=True) if kept}
    mixed = list(identifiers)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    again = {i for i, kept in zip(mixed, in_share(mixed, share), strict=True) if kept}
    assert first == again


@given(ids, st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_larger_share_holds_the_smaller(identifiers: list[str], one: float, other: float) -> None:
    small, large = in_share(identifiers, min(one, other)), in_share(identifiers, max(one, other))
    assert not (small & ~large).any()
    assert in_share(identifiers, 1.0).all()


def test_a_share_is_about_that_part() -> None:
    kept = in_share([str(i) for i in range(20_000)], 0.3)
    assert kept.mean() == pytest.approx(0.3, abs=0.02)


@given(ids, st.integers(1, 30), st.randoms(use_true_random=False))
def test_a_draw_is_as_many_as_asked_and_the_same_in_any_order(
    identifiers: list[str], most: int, random: object
) -> None:
    def kept(listed: list[str]) -> set[str]:
        return {i for i, is_kept in zip(listed, draw(listed, most), strict=True) if is_kept}

    mixed = list(identifiers)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert kept(identifiers) == kept(mixed)
    assert draw(identifiers, most).sum() == min(most, len(identifiers))


def test_of_many_bulletins_all_teach_words_and_some_the_weights(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geomatch.training.train.MOST_LEARNED", 250)
    monkeypatch.setattr("geomatch.training.train.MOST_MEASURED", 120)
    files, out = chain.files, tmp_path / "m"
    card = train_files(files.bulletins, files.truth, chain.store, out, Config())
    assert (card["bulletins"], card["weights_from"], card["n"]) == (400, 250, 120)
    assert "- weights_from: 250" in (out / "model_card.md").read_text(encoding="utf-8")
    for name in ("activity_words.csv", "profession_words.csv"):
        assert (out / name).read_bytes() == (chain.model / name).read_bytes()
    assert Model.load(out).ranking != Model.load(chain.model).ranking
    assert "weights_from" not in chain.card


# ------------------------------------------------------------------ refusals
def test_too_few_known_outcomes_are_refused(chain: Chain) -> None:
    bulletins = read_bulletins(chain.files.bulletins)
    truth = read_truth(chain.files.truth).head(50)
    with pytest.raises(DataError, match="50 of 400"):
        train(bulletins, truth, Store.open(chain.store), Config(), {})


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(chain: Chain, tmp_path: Path, share: float) -> None:
    files = chain.files
    with pytest.raises(ConfigError, match="--share"):
        train_files(
            files.bulletins, files.truth, chain.store, tmp_path / "m", Config(), share=share
        )
    assert not (tmp_path / "m").exists()


# ------------------------------------------------------------------ fits
def choices(n: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Bulletins of three candidates; the right one has the larger ``good``, ``noise`` is none."""
    rng = np.random.default_rng(5)
    row = np.repeat(np.arange(n), 3)
    features = pd.DataFrame({"good": rng.random(3 * n), "noise": rng.random(3 * n), "flat": 1.0})
    best = features.groupby(row)["good"].idxmax().to_numpy()
    right = np.zeros(3 * n, dtype=bool)
    right[best[features["good"].to_numpy()[best] > 0.5]] = True
    return features, row, right


def test_a_choice_is_learned_from_what_tells_rivals_apart() -> None:
    features, row, right = choices(400)
    linear = fit_choice(features, row, right)
    assert linear.weights["good"] > 3 * abs(linear.weights["noise"])
    assert linear.weights["flat"] == 0.0
    score = linear.score(features)
    chosen = pd.Series(score).groupby(row).idxmax().to_numpy()
    found = np.isin(np.flatnonzero(right), chosen).mean()
    assert found > 0.95


def test_the_order_of_the_pairs_changes_no_weight() -> None:
    features, row, right = choices(60)
    order = np.random.default_rng(1).permutation(len(row))
    one = fit_choice(features, row, right)
    other = fit_choice(features.iloc[order].reset_index(drop=True), row[order], right[order])
    for name in features:
        assert one.weights[name] == pytest.approx(other.weights[name], rel=1e-2, abs=1e-2)


def test_a_prior_stays_where_the_sample_says_nothing_and_yields_where_it_does() -> None:
    features, row, right = choices(400)
    prior = {"flat": -3.0, "good": -3.0}
    linear = fit_choice(features, row, right, prior=prior)
    assert linear.weights["flat"] == -3.0
    assert linear.weights["good"] == pytest.approx(
        fit_choice(features, row, right).weights["good"], rel=0.3
    )


def test_one_more_feature_weighs_what_it_is_worth() -> None:
    _, row, right = choices(300)
    nothing = np.zeros(len(row))
    extra = pd.DataFrame({"helps": right, "hinders": ~right, "forbidden": ~right}, dtype=float)
    bounds = {"helps": (0.0, 3.0), "hinders": (-3.0, 0.0), "forbidden": (0.0, 3.0)}
    fitted = fit_offset(nothing, extra, row, right, bounds)
    assert fitted["helps"] > 1.0
    assert fitted["hinders"] < -1.0
    assert fitted["forbidden"] == 0.0


def test_the_order_of_pairs_changes_no_weight() -> None:
    features, row, right = choices(300)
    score, bounds = np.zeros(len(row)), dict.fromkeys(features, (-3.0, 3.0))
    straight = fit_offset(score, features, row, right, bounds)
    mixed = np.random.default_rng(4).permutation(len(row))
    again = fit_offset(score, features.iloc[mixed], row[mixed], right[mixed], bounds)
    assert again == pytest.approx(straight, abs=1e-3)
    assert any(abs(w) > 0.1 for w in straight.values())


def test_a_fitted_curve_gives_rising_probabilities_near_the_shares() -> None:
    rng = np.random.default_rng(2)
    score = rng.normal(size=5_000)
    truth = rng.random(5_000) < 1 / (1 + np.exp(-2 * score))
    frame = pd.DataFrame({"score": score})
    linear = fit_logistic(frame, truth, ["score"])
    probability = linear.probability(frame)
    assert ((probability >= 0) & (probability <= 1)).all()
    order = np.argsort(score)
    assert (np.diff(probability[order]) >= 0).all()
    for low in (0.1, 0.5, 0.8):
        near = np.abs(probability - low) < 0.05
        assert truth[near].mean() == pytest.approx(probability[near].mean(), abs=0.06)
