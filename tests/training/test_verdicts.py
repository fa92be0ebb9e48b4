"""Learning from what clerks settled, their errors allowed for."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from chains import Chain
from commands import Commands

from geomatch.core.errors import ConfigError, DataError
from geomatch.evaluation import read_truth
from geomatch.review.desk.agreement import PUBLISHED_ERROR
from geomatch.review.desk.journal import Act, Journal
from geomatch.store.reader import Store
from geomatch.training import fitting
from geomatch.training.fitting import believed, fit_choice, fit_logistic
from geomatch.training.verdicts import TRUST, coded_bulletins, settled_bulletins

ONE, OTHER = "1" * 14, "2" * 14


def act(id: str, siret: str | None, who: str = "Anne", what: str = "verdict") -> Act:
    return Act(id, what, siret, who, "2030-01-01T00:00:00+00:00", "0", "", "a")


# ------------------------------------------------------------------ the table
@pytest.mark.parametrize(
    ("acts", "siret", "trust"),
    [
        ([act("B", ONE)], ONE, 0.9),
        ([act("B", None)], "", 0.9),
        ([act("B", ONE), act("B", OTHER)], OTHER, 0.9),
        ([act("B", ONE), act("B", ONE, "Bruno")], ONE, 0.81 / 0.815),
        ([act("B", ONE), act("B", OTHER, "Bruno")], None, 0),
        ([act("B", ONE), act("B", None, "Bruno")], None, 0),
        ([act("B", ONE), act("B", None, what="undo")], None, 0),
        ([act("B", None, what="skip")], None, 0),
    ],
)
def test_a_verdict_is_trusted_as_far_as_clerks_agree(
    acts: list[Act], siret: str | None, trust: float
) -> None:
    table = settled_bulletins(acts, {ONE: "01.11Z", OTHER: "47.11D"}, 0.1)
    assert table["siret"].tolist() == ([] if siret is None else [siret])
    if siret is not None:
        assert table[TRUST].tolist() == pytest.approx([trust])
        assert table["naf"].tolist() == [{ONE: "01.11Z", OTHER: "47.11D", "": ""}[siret]]


@pytest.fixture
def journal(chain: Chain, tmp_path: Path) -> Path:
    """Verdicts on every bulletin of the demo, one in ten of them wrong."""
    truth = read_truth(chain.files.truth)
    draw = np.random.default_rng(5)
    wrong = draw.random(len(truth)) < 0.1
    told = np.where(wrong, draw.permutation(truth["siret"].to_numpy(object)), truth["siret"])
    file = tmp_path / "verdicts.jsonl"
    opened = Journal(file)
    opened.append([act(i, s or None) for i, s in zip(truth["id"], told, strict=True)])
    opened.close()
    return file


def test_a_truth_goes_before_a_verdict(chain: Chain, journal: Path, tmp_path: Path) -> None:
    truth = read_truth(chain.files.truth).head(50)
    file = tmp_path / "truth.csv"
    truth.to_csv(file, sep=";", index=False)
    store = Store.open(chain.store)
    told, source = coded_bulletins(file, journal, store)
    assert told["id"].is_unique
    assert told[TRUST].head(50).tolist() == [1.0] * 50
    assert told["siret"].head(50).tolist() == truth["siret"].tolist()
    assert told[TRUST].iloc[50:].unique() == pytest.approx([1 - PUBLISHED_ERROR])
    assert (told.loc[told["siret"] != "", "naf"] != "").all()
    assert source["verdicts"] == len(told) - 50
    only, nothing = coded_bulletins(file, None, store)
    assert (len(only), nothing) == (50, {})


def test_what_cannot_be_learned_from_is_refused(chain: Chain, tmp_path: Path) -> None:
    store = Store.open(chain.store)
    with pytest.raises(ConfigError, match="--verdicts"):
        coded_bulletins(None, None, store)
    with pytest.raises(DataError, match="does not exist"):
        coded_bulletins(None, tmp_path, store)
    (tmp_path / "verdicts.jsonl").touch()
    with pytest.raises(DataError, match="no verdict"):
        coded_bulletins(None, tmp_path, store)


# ------------------------------------------------------------------ the fits
@pytest.mark.parametrize(
    ("said", "chance", "trust", "expected"),
    [
        (True, 0.3, 1.0, 1.0),
        (False, 0.9, 1.0, 0.0),
        (True, 0.5, 0.9, 0.45 / 0.475),
        (False, 0.5, 0.9, 0.05 / 0.525),
        (False, 0.99, 0.9, 0.099 / (0.099 + 0.0095)),
        (True, 0.0, 0.9, 0.0),
    ],
)
def test_what_a_clerk_says_is_weighed_against_what_was_likely(
    said: bool, chance: float, trust: float, expected: float
) -> None:
    told = believed(np.array([said]), np.array([chance]), np.array([trust]))
    assert told[0] == pytest.approx(expected)


def choices(n: int, error: float) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Choices among five by a known logit (weights 3 and -1), some put on another at random."""
    draw = np.random.default_rng(7)
    features = draw.normal(size=(n, 5, 2))
    score = features @ [3.0, -1.0] + draw.gumbel(size=(n, 5))
    best = score.argmax(1)
    moved = draw.random(n) < error
    best = np.where(moved, (best + draw.integers(1, 5, n)) % 5, best)
    right = np.arange(5) == best[:, None]
    frame = pd.DataFrame(features.reshape(-1, 2), columns=["a", "b"])
    return frame, np.repeat(np.arange(n), 5), right.ravel()


def test_errors_of_clerks_do_not_flatten_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    # The ridge pulls weights learned with errors allowed for harder than others: little of it here.
    monkeypatch.setattr(fitting, "RIDGE", 0.01)
    features, row, right = choices(6_000, 0.15)
    naive = fit_choice(features, row, right).weights
    trust = np.full(len(row), 0.85)
    allowed = fit_choice(features, row, right, trust=trust).weights
    clean = fit_choice(*choices(6_000, 0.0)).weights
    assert abs(allowed["a"] - clean["a"]) < 0.35
    assert clean["a"] - naive["a"] > 1.0
    full = fit_choice(features, row, right, trust=np.ones(len(row))).weights
    assert full == pytest.approx(naive)


def test_a_chance_counts_as_part_of_a_right_row() -> None:
    draw = np.random.default_rng(9)
    frame = pd.DataFrame({"x": draw.normal(size=4_000)})
    chance = 1 / (1 + np.exp(-2 * frame["x"].to_numpy()))
    drawn = draw.random(4_000) < chance
    soft, hard = (fit_logistic(frame, right, ["x"]) for right in (chance, drawn))
    assert soft.weights["x"] == pytest.approx(2.0, abs=0.05)
    assert hard.weights["x"] == pytest.approx(2.0, abs=0.25)
    assert fit_logistic(frame, drawn.astype(float), ["x"]) == hard


# ------------------------------------------------------------------ the command
def test_train_learns_from_a_journal_alone(
    commands: Commands, chain: Chain, journal: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(chain.out, tmp_path / "run"))
    shutil.copy(journal, run / "verdicts.jsonl")
    model = tmp_path / "model"
    bulletins, store = chain.files.bulletins, chain.store
    ran = commands("train", bulletins, "--verdicts", run, "--store", store, "--out", model)
    assert ran.code == 0
    card = json.loads(ran.out)
    assert card["verdicts"] == card["bulletins"] == len(read_truth(chain.files.truth))
    assert card["clerk_error"] == pytest.approx(PUBLISHED_ERROR, abs=1e-4)
    assert "truth_file" not in card
    assert "clerk_error" in (model / "model_card.md").read_text(encoding="utf-8")
    again = commands(
        "match", bulletins, "--store", store, "--out", tmp_path / "again", "--model", model
    )
    assert again.code == 0
    decided = pd.read_parquet(tmp_path / "again" / "decisions.parquet").set_index("id")
    truth = read_truth(chain.files.truth).set_index("id")["siret"]
    top1 = (decided["siret"] == truth.reindex(decided.index))[truth.reindex(decided.index) != ""]
    assert top1.mean() > 0.75


def test_train_on_nothing_is_a_usage_error(
    commands: Commands, chain: Chain, tmp_path: Path
) -> None:
    ran = commands(
        "train", chain.files.bulletins, "--store", chain.store, "--out", tmp_path / "model"
    )
    assert ran.code == 2
    assert "--truth" in ran.err
