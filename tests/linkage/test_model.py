from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomatch.core.errors import ConfigError
from geomatch.linkage import collective
from geomatch.linkage.calibration_features import CALIBRATION_FEATURES
from geomatch.linkage.decisions import NAF_FEATURES
from geomatch.linkage.model import (
    SHIPPED,
    Linear,
    Model,
    model_hash,
    precision_thresholds,
    threshold_for,
)
from geomatch.linkage.ranking import FEATURE_NAMES
from geomatch.training.train import UNTRAINED

shares = st.floats(0, 1)
THRESHOLDS = {"0.8": 0.3, "0.95": 0.7, "0.99": 0.95}


def trained() -> Model:
    words = pd.DataFrame({"mot": ["NA", "PAIN"], "naf": ["10.71C", "10.71C"], "n": [3, 40]})
    weights = {"seen": 0.3, "missed": -0.5}
    return replace(
        UNTRAINED, activity_words=words, collective=weights, trained_on={"bulletins": 12}
    )


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    model = trained()
    model.save(tmp_path / "m")
    back = Model.load(tmp_path / "m")
    pd.testing.assert_frame_equal(back.activity_words, model.activity_words, check_dtype=False)
    assert not len(back.profession_words)
    assert back.ranking == model.ranking
    assert back.collective == model.collective
    assert back.thresholds == model.thresholds
    assert back.trained_on == model.trained_on
    back.save(tmp_path / "again")
    for file in (tmp_path / "m").iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_a_model_is_a_linear_score_and_its_logistic() -> None:
    linear = Linear({"a": 2.0, "b": -1.0}, 0.5)
    frame = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 3.0], "c": [9.0, 9.0]})
    np.testing.assert_allclose(linear.score(frame), [0.5, -0.5])
    np.testing.assert_allclose(linear.probability(frame), 1 / (1 + np.exp([-0.5, 0.5])))
    with pytest.raises(KeyError):
        linear.score(frame[["a"]])


def test_a_score_of_any_size_gives_a_probability() -> None:
    frame = pd.DataFrame({"a": [-1e4, 1e4]})
    np.testing.assert_allclose(Linear({"a": 1.0}, 0.0).probability(frame), [0.0, 1.0])


@given(shares, shares)
def test_a_higher_precision_never_has_a_lower_threshold(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert threshold_for(THRESHOLDS, low) <= threshold_for(THRESHOLDS, high)


def test_thresholds_are_met_at_the_measured_precisions_and_between() -> None:
    for precision, threshold in THRESHOLDS.items():
        assert threshold_for(THRESHOLDS, float(precision)) == threshold
    assert threshold_for(THRESHOLDS, 0.97) == pytest.approx(0.825)
    assert threshold_for(THRESHOLDS, 0.5) == 0.3
    assert threshold_for(THRESHOLDS, 0.995) > 1


@given(
    st.lists(st.tuples(shares, st.booleans()), max_size=30),
    st.lists(st.floats(0.5, 1), min_size=1, max_size=5),
)
def test_a_threshold_keeps_the_precision_it_was_measured_for(
    outcomes: list[tuple[float, bool]], targets: list[float]
) -> None:
    probability = np.array([p for p, _ in outcomes])
    right = np.array([r for _, r in outcomes], dtype=bool)
    thresholds = precision_thresholds(probability, right, targets)
    for target in targets:
        threshold = thresholds[str(target)]
        strict, lenient = (_largest(probability, right, target, slack) for slack in (0, 1))
        if not lenient:
            assert threshold > 1
            continue
        kept = int((probability >= threshold).sum())
        assert kept <= (strict if 2 * strict >= lenient else lenient)
    lowest = thresholds[str(min(targets))]
    strict, lenient = (_largest(probability, right, min(targets), slack) for slack in (0, 1))
    if lenient:
        expected = strict if 2 * strict >= lenient else lenient
        assert (probability >= lowest).sum() == expected


def _largest(probability: np.ndarray, right: np.ndarray, target: float, slack: int) -> int:
    """Most answers kept by one bound whose precision is at most `slack` errors short."""
    sizes = [0]
    for p in probability:
        kept = right[probability >= p]
        error = np.sqrt(target * (1 - target) / len(kept))
        if kept.mean() >= target - slack * error:
            sizes.append(len(kept))
    return max(sizes)


def test_a_bound_that_only_chance_makes_strict_is_not_believed() -> None:
    # 4 right ones on top, then one wrong, then 95 right: at 0.995 chance alone decides
    probability = np.linspace(0.99, 0.5, 100)
    right = np.ones(100, dtype=bool)
    right[4] = False
    thresholds = precision_thresholds(probability, right, [0.995, 0.5])
    assert thresholds["0.995"] == thresholds["0.5"] == 0.5


def test_equal_probabilities_are_kept_together_or_not_at_all() -> None:
    probability, right = np.full(4, 0.9), np.array([True, False, False, False])
    assert precision_thresholds(probability, right, [0.9])["0.9"] > 1
    assert precision_thresholds(probability, right, [0.25])["0.25"] == 0.9


@given(st.lists(st.tuples(shares, st.booleans()), max_size=30))
def test_thresholds_grow_with_the_target(outcomes: list[tuple[float, bool]]) -> None:
    probability = np.array([p for p, _ in outcomes])
    right = np.array([r for _, r in outcomes], dtype=bool)
    targets = [0.8, 0.9, 0.95, 0.99]
    thresholds = precision_thresholds(probability, right, targets)
    assert sorted(thresholds.values()) == [thresholds[str(t)] for t in targets]


# ------------------------------------------------------------------ what cannot be read
def unsealed(folder: Path) -> dict[str, Any]:
    """The content of a model's JSON without its sum, for what is changed on purpose."""
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    content.pop("sum", None)
    return content


def test_an_absent_model_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not readable"):
        Model.load(tmp_path / "absent")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"format_version": 99},
        {"format_version": None},
    ],
)
def test_a_model_of_another_format_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    trained().save(tmp_path)
    file = tmp_path / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(ConfigError, match="train it again"):
        Model.load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"3", b'{"format": "geomatch-model"}']
)
def test_a_damaged_model_is_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    trained().save(tmp_path)
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ConfigError):
        Model.load(tmp_path)


@pytest.mark.parametrize("key", ["ranking", "thresholds", "naf"])
def test_a_model_that_lacks_a_part_is_a_configuration_error(tmp_path: Path, key: str) -> None:
    trained().save(tmp_path)
    content = unsealed(tmp_path)
    del content[key]
    (tmp_path / "model.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError):
        Model.load(tmp_path)


def test_the_word_table_of_a_model_must_be_there_and_of_numbers(tmp_path: Path) -> None:
    trained().save(tmp_path)
    file = tmp_path / "activity_words.csv"
    file.write_text("mot;naf;n\nPAIN;10.71C;many\n")
    with pytest.raises(ConfigError):
        Model.load(tmp_path)
    file.unlink()
    with pytest.raises(ConfigError):
        Model.load(tmp_path)


@pytest.mark.parametrize("value", [None, "x", [], {}, {"a": None}, {"a": "b"}])
@pytest.mark.parametrize(
    "key",
    ["ranking", "presence", "given", "file_share", "collective", "thresholds", "naf_thresholds"],
)
def test_a_part_of_a_model_that_is_no_number_where_one_is_needed_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    trained().save(tmp_path)
    content = unsealed(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({**content, key: value}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"not complete .*geomatch train"):
        Model.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"size": None}, "no weight for size"), ({"gone": 1.0}, "a weight for the unknown gone")],
)
def test_a_model_of_other_features_is_refused(
    tmp_path: Path, change: dict[str, float | None], told: str
) -> None:
    weights = {**trained().ranking.weights, **change}
    kept = {n: w for n, w in weights.items() if w is not None}
    replace(trained(), ranking=Linear(kept, 0.0)).save(tmp_path)
    with pytest.raises(ConfigError, match=f"other features: {told}.*train it again"):
        Model.load(tmp_path)


def test_a_weight_of_something_else_that_a_file_says_is_refused(tmp_path: Path) -> None:
    replace(trained(), collective={"seen": 0.3, "gone": 1.0}).save(tmp_path)
    with pytest.raises(ConfigError, match="other weights than seen, missed"):
        Model.load(tmp_path)


def test_word_tables_of_other_columns_are_refused(tmp_path: Path) -> None:
    trained().save(tmp_path)
    (tmp_path / "activity_words.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected columns mot, naf, n"):
        Model.load(tmp_path)


def test_the_hash_tells_models_apart(tmp_path: Path) -> None:
    trained().save(tmp_path / "a")
    trained().save(tmp_path / "b")
    assert model_hash(tmp_path / "a") == model_hash(tmp_path / "b")
    replace(trained(), thresholds={"0.9": 0.5}).save(tmp_path / "b")
    assert model_hash(tmp_path / "a") != model_hash(tmp_path / "b")


# ------------------------------------------------------------------ the model that is shipped
@pytest.mark.skipif(not SHIPPED.is_dir(), reason="no model is shipped yet")
def test_the_shipped_model_knows_the_features_of_today() -> None:
    model = Model.load()
    assert set(model.ranking.weights) == set(FEATURE_NAMES)
    assert set(model.collective) == set(collective.FEATURES)
    for calibrator in (model.presence, *model.given.values()):
        assert calibrator.columns <= set(CALIBRATION_FEATURES)
    assert set(model.naf.weights) <= set(NAF_FEATURES)
    assert all(0 <= float(p) <= 1 for p in model.thresholds)
    assert (model.activity_words["n"] >= 2).all()
    assert (model.profession_words["n"] >= 2).all()


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="no model is shipped yet")
def test_the_shipped_files_are_small_and_have_a_card() -> None:
    assert (SHIPPED / "model_card.md").is_file()
    assert all(f.stat().st_size < 1024 * 1024 for f in SHIPPED.rglob("*") if f.is_file())
