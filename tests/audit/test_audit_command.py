"""``geomatch audit`` and ``certify`` on a run whose truth is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain
from commands import Commands

from geomatch.audit.sample import SAMPLE, AuditOptions, audit, first_sample, read_sample
from geomatch.core.errors import ConfigError, DataError
from geomatch.evaluation import read_truth
from geomatch.review.desk.certificate import certify_run

PRECISION = 0.9
SIZE = 60


@pytest.fixture
def run_dir(chain: Chain, tmp_path: Path) -> Path:
    return Path(shutil.copytree(chain.out, tmp_path / "run"))


@pytest.fixture
def truth(chain: Chain) -> pd.DataFrame:
    return read_truth(chain.files.truth)[["id", "siret"]]


def verdicts(truth: pd.DataFrame, ids: list[str], file: Path) -> Path:
    truth[truth["id"].isin(ids)].to_csv(file, sep=";", index=False)
    return file


def test_drawn_checked_and_certified(
    run_dir: Path, truth: pd.DataFrame, commands: Commands, tmp_path: Path
) -> None:
    ran = commands("audit", run_dir, "--size", SIZE, "--precision", PRECISION)
    assert (ran.code, json.loads(ran.out)["cards"]) == (0, SIZE)
    assert "geomatch certify" in ran.err
    ids = read_sample(run_dir).ids
    assert len(set(ids)) == SIZE
    file = verdicts(truth, ids, tmp_path / "v.csv")
    ran = commands("certify", run_dir, "--verdicts", file, "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert (told["cards"], told["cards_open"], told["precision"]) == (SIZE, 0, PRECISION)
    assert told["certified"]
    decisions = pd.read_parquet(run_dir / "decisions.parquet").merge(
        truth.rename(columns={"siret": "true"}), on="id"
    )
    is_answer = decisions["siret"].notna() & (decisions["siret"] != "")
    coded = decisions[is_answer & (decisions["probability"] >= told["threshold"])]
    assert len(coded) == told["n_coded"]
    assert (coded["siret"] == coded["true"]).mean() >= PRECISION
    assert json.loads((run_dir / "certificate.json").read_text("utf-8")) == told
    ran = commands("certify", run_dir, "--verdicts", file)
    assert (run_dir / "certificate.txt").read_text("utf-8") == told["statement"] + "\n"
    said = " ".join(ran.out.split())
    assert "Garanti, avec une confiance de 95 %" in said
    assert "Taux de codage" in said


def test_wrong_answers_are_not_certified_and_none_counts_as_wrong(
    run_dir: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    ids = audit(run_dir, AuditOptions(SIZE, PRECISION)).ids
    file = verdicts(truth.assign(siret=""), ids, tmp_path / "v.csv")
    told = certify_run(run_dir, [file])
    assert not told["certified"]
    assert told["threshold"] is None
    assert "rien" in told["statement"]


def test_two_clerks_and_a_third_where_they_differ(
    run_dir: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    sample = audit(run_dir, AuditOptions(SIZE, PRECISION, clerks=2))
    one = verdicts(truth, sample.ids, tmp_path / "1.csv")
    with_error = truth.assign(siret=truth["siret"].mask(truth["id"] == sample.ids[0], ""))
    other = verdicts(with_error, sample.ids, tmp_path / "2.csv")
    told = certify_run(run_dir, [one, other])
    assert (told["cards_differing"], told["cards_open"]) == (1, 1)
    assert 0.0 < told["unseen_error"] < 0.05
    third = verdicts(truth, sample.ids[:1], tmp_path / "3.csv")
    assert certify_run(run_dir, [one, other, third])["cards_open"] == 0
    assert certify_run(run_dir, [one])["cards_open"] == SIZE


@pytest.mark.parametrize("level", ["site", "siren"])
def test_other_levels_ask_for_less(
    run_dir: Path, truth: pd.DataFrame, tmp_path: Path, level: str
) -> None:
    decisions = pd.read_parquet(run_dir / "decisions.parquet")
    column = f"{level}_probability"
    decisions[column] = decisions[column].fillna(decisions["probability"])
    decisions.to_parquet(run_dir / "decisions.parquet")
    sample = audit(run_dir, AuditOptions(SIZE, PRECISION, level))
    file = verdicts(truth, sample.ids, tmp_path / "v.csv")
    wrong = {t["wrong"] for t in certify_run(run_dir, [file])["tested"]}
    machine = decisions.set_index("id")["siret"].reindex(sample.ids).tolist()
    true = truth.set_index("id")["siret"].reindex(sample.ids).tolist()
    assert max(wrong) <= sum(a != b for a, b in zip(machine, true, strict=True))


def test_a_larger_size_draws_more_and_keeps_what_was_drawn(run_dir: Path) -> None:
    before = audit(run_dir, AuditOptions(SIZE, PRECISION))
    after = audit(run_dir, AuditOptions(SIZE + 40, PRECISION))
    assert after.ids[:SIZE] == before.ids
    assert len(set(after.ids)) == SIZE + 40
    assert after.draws == 2
    assert read_sample(run_dir) == after


def test_the_draw_hangs_on_the_seed_alone(run_dir: Path) -> None:
    def ids(seed: int | None) -> list[str]:
        return first_sample(run_dir, AuditOptions(SIZE, PRECISION, seed=seed)).ids

    assert ids(None) == ids(None)
    assert ids(1) == ids(1) != ids(2)


@pytest.mark.parametrize(
    "options",
    [
        AuditOptions(SIZE, PRECISION),
        AuditOptions(SIZE + 10, PRECISION, level="siren"),
        AuditOptions(SIZE + 10, 0.8),
        AuditOptions(SIZE + 10, PRECISION, clerks=2),
    ],
)
def test_another_question_wants_another_sample(run_dir: Path, options: AuditOptions) -> None:
    audit(run_dir, AuditOptions(SIZE, PRECISION))
    with pytest.raises(ConfigError, match="sample"):
        audit(run_dir, options)


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"precision": 1.0}, {"level": "naf"}, {"clerks": 3}]
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"--{next(iter(wrong))}"):
        AuditOptions(**wrong)  # type: ignore[arg-type]


def test_a_sample_of_other_decisions_or_no_sample_is_refused(
    run_dir: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="geomatch audit"):
        certify_run(run_dir)
    sample = audit(run_dir, AuditOptions(SIZE, PRECISION))
    stranger = next(i for i in truth["id"] if i not in sample.ids)
    with pytest.raises(DataError, match="not in the sample"):
        certify_run(run_dir, [verdicts(truth, [stranger], tmp_path / "v.csv")])
    decisions = pd.read_parquet(run_dir / "decisions.parquet")
    decisions.iloc[::-1].to_parquet(run_dir / "decisions.parquet")
    with pytest.raises(DataError, match="changed"):
        certify_run(run_dir)
    (run_dir / SAMPLE).write_text("{}")
    with pytest.raises(DataError, match="not readable"):
        certify_run(run_dir)
