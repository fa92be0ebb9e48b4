"""Every claim of a reason holds of the bulletin's best candidate, as candidates.parquet has it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import pytest
from chains import Chain

from geomatch.core.decision_types import decision_types
from geomatch.core.wording import FACTS, FIRST_ECHO, NOTHING_CLEAR
from geomatch.linkage.facts import AGAINST, BITS, FOR
from geomatch.runs.results import open_run

Row = pd.Series


def named(row: Row) -> bool:
    return not (row["name_missing"] or row["generic_name"] or row["unnamed"])


#: Fact → what the columns of the first candidate must say, told again from their meaning.
CLAIMS: dict[str, Callable[[Row], bool]] = {
    "same_name": lambda r: named(r) and r["same_name"] == 1,
    "close_name": lambda r: named(r) and r["name_score"] > 0.79,
    "name_in_part": lambda r: named(r) and 0.49 < r["name_score"] < 0.81,
    "office": lambda r: r["office"] == 1,
    "same_number": lambda r: r["number"] == 1,
    "same_street": lambda r: r["street"] == 1 or r["street_text"] > 0.84,
    "near": lambda r: r["distance_m"] <= r["radius_m"],
    "kind_activity": lambda r: r["kind_activity"] == 1,
    "activity": lambda r: r["activity_score"] > 0.72,
    "seen": lambda r: r["seen"] > 0,
    "in_commune": lambda r: r["inside"] == 1,
    "no_rival": lambda r: r["second"] < 0.051,
    "other_name": lambda r: named(r) and r["name_score"] < 0.51 and r["same_name"] == 0,
    "no_name": lambda r: bool(r["name_missing"] or r["generic_name"]),
    "unnamed": lambda r: r["unnamed"] == 1,
    "other_street": lambda r: r["street_differs"] == 1,
    "other_number": lambda r: r["number_differs"] == 1,
    "no_street": lambda r: r["street_missing"] == 1,
    "other_activity": lambda r: r["activity_score"] < 0.28 or r["kind_contradicts"] == 1,
}


@pytest.fixture(scope="module")
def told(chain: Chain) -> pd.DataFrame:
    run = open_run(chain.out)
    candidates = run.candidates
    first = candidates[candidates["rank"] == 1].set_index("id")
    second = candidates[candidates["rank"] == 2].set_index("id")["given_present"]
    decisions = run.decisions.set_index("id")[["decision", "type", "reason", "facts"]]
    told = first.assign(**{c: decisions[c].reindex(first.index) for c in decisions})
    return told.assign(second=second.reindex(told.index).fillna(0.0))


def claims_of(reason: str) -> list[str]:
    """Facts that a sentence names."""
    said = reason.split(FIRST_ECHO)[-1].strip().removesuffix(".").replace(", malgré : ", ", ")
    by_words = {words: name for name, words in FACTS.items()}
    parts = [p[:1].lower() + p[1:] for p in said.split(", ")]
    return [by_words[p] for p in parts if p in by_words]


def test_each_fact_has_words_and_a_check() -> None:
    assert set(FACTS) == set(CLAIMS) == {*FOR, *AGAINST} == set(BITS)
    assert len(set(BITS.values())) == len(BITS)


def test_no_reason_says_what_is_not_so(told: pd.DataFrame) -> None:
    n_claims = 0
    for _, row in told.iterrows():
        for claim in claims_of(row["reason"]):
            n_claims += 1
            assert CLAIMS[claim](row), (claim, row["reason"])
    assert n_claims > len(told)


def test_automatic_codes_have_reasons_of_their_own(told: pd.DataFrame) -> None:
    auto = told[told["decision"] == "auto"]
    assert auto["reason"].nunique() > 5
    general = {decision_types()["sure"].reason, NOTHING_CLEAR}
    assert not auto["reason"].isin(general).all()
    poor = auto[auto["name_score"] < 0.1]
    assert not poor["reason"].str.contains(r"^(?:Même nom|Nom très proche|Nom semblable)").any()


def test_reasons_are_short_sentences(told: pd.DataFrame) -> None:
    for reason in told["reason"]:
        assert re.match(r"^[A-ZÀÉÊ]", reason)
        assert reason.endswith(".")
        assert len(reason) < 260
