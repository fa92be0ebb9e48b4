from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain

from geomatch.core.errors import DataError
from geomatch.core.schema import CANDIDATES
from geomatch.review.desk.run import ReviewRun
from geomatch.runs.results import read_candidates, read_decisions, read_run, results_of


def test_run_json_is_read_as_it_was_written(chain: Chain) -> None:
    assert read_run(chain.out)["input"]["bulletins"] == 400


def test_rows_are_chosen_by_values_and_rank(chain: Chain) -> None:
    every = pd.read_parquet(chain.out / "candidates.parquet")
    ids = every["id"].unique()[3:9].tolist()
    chosen = read_candidates(chain.out, where={"id": ids}, most=2)
    by_hand = every[every["id"].isin(ids) & (every["rank"] <= 2)].reset_index(drop=True)
    pd.testing.assert_frame_equal(chosen, by_hand)
    siret = every["siret"].iloc[0]
    both = read_candidates(chain.out, ["id", "siret"], where={"siret": [siret], "id": ids})
    assert (
        both.to_numpy().tolist()
        == by_hand.loc[by_hand["siret"] == siret, ["id", "siret"]].to_numpy().tolist()
    )
    assert not len(read_candidates(chain.out, where={"id": []}))
    assert len(read_decisions(chain.out)) == 400
    assert set(read_decisions(chain.out, where={"decision": ["auto"]})["decision"]) == {"auto"}


def test_columns_that_are_asked_for_are_there_and_others_may_be(chain: Chain) -> None:
    columns = ["siret", "id"]
    found = read_candidates(chain.out, columns, if_there=["street", "not there"])
    assert list(found) == ["siret", "id", "street"]
    with pytest.raises(DataError, match=r"column\(s\) not there, nor there missing"):
        read_candidates(chain.out, ["id", "not there", "nor there"])


def test_a_folder_whose_name_looks_like_a_partition_is_one_folder(
    chain: Chain, tmp_path: Path
) -> None:
    copy = shutil.copytree(chain.out, tmp_path / "id=1" / "annee=2025")
    pd.testing.assert_frame_equal(read_decisions(copy), read_decisions(chain.out))
    pd.testing.assert_frame_equal(read_candidates(copy), read_candidates(chain.out))
    assert list(read_decisions(copy, ["decision"])) == ["decision"]


def test_nothing_at_a_place_is_told(tmp_path: Path) -> None:
    for read in (read_run, read_decisions, read_candidates):
        with pytest.raises(DataError, match="expected the folder written by 'geomatch match'"):
            read(tmp_path / "absent")


def test_review_reads_what_is_to_review_and_the_candidates_it_shows(
    chain: Chain, tmp_path: Path
) -> None:
    run = ReviewRun.read(chain.out)
    decisions, candidates = (
        pd.read_parquet(chain.out / f"{name}.parquet") for name in ("decisions", "candidates")
    )
    asked = decisions.loc[decisions["decision"] == "review", "id"]
    assert 0 < len(asked) < len(decisions)
    assert run.decisions["id"].tolist() == asked.tolist()
    assert set(run.bulletins["id"]) == set(asked)
    assert run.every_id == set(decisions["id"])
    shown = candidates[candidates["id"].isin(asked) & (candidates["rank"] <= 8)]
    told = run.candidates.sort_values(["id", "rank"]).reset_index(drop=True)
    by_hand = shown.sort_values(["id", "rank"]).reset_index(drop=True)
    for column in ("id", "rank", "siret", "probability", "name_missing"):
        assert told[column].tolist() == by_hand[column].tolist(), column
    features = run.dossier([asked.iloc[0]]).candidates
    assert {"street", "number", "denomination"} <= set(features)
    # the contract's columns are enough
    copy = shutil.copytree(chain.out, tmp_path / "copy")
    candidates[list(CANDIDATES.columns)].to_parquet(copy / "candidates.parquet")
    bare = ReviewRun.read(copy).candidates
    assert bare["siret"].tolist() == run.candidates["siret"].tolist()


def test_a_folder_on_this_machine_is_read_where_it_is(chain: Chain) -> None:
    with results_of(chain.out) as folder:
        assert folder == chain.out
