"""The blind check at the desk: what its cards do not tell, and where its verdicts go."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from chains import Chain

from geomatch.audit.sample import AuditOptions, audit
from geomatch.core.errors import ConfigError
from geomatch.evaluation import read_truth
from geomatch.review.desk.certificate import certify_run
from geomatch.review.desk.desk import Desk, RefusedError, Session
from geomatch.review.desk.journal import AUDIT_JOURNAL, JOURNAL, read_journal
from geomatch.review.desk.options import ReviewOptions

BLIND = ReviewOptions(audit=True)
SIZE = 40


@pytest.fixture
def run_dir(chain: Chain, tmp_path: Path) -> Path:
    return Path(shutil.copytree(chain.out, tmp_path / "run"))


def settled(desk: Desk, name: str, truth: dict[str, str]) -> list[dict]:
    """Every card settled by one clerk who knows the truth; the cards."""
    session, seen = Session(name), []
    desk.enter(session, name)
    told = desk.next_card(session)
    while told["card"]:
        card = told["card"]
        seen.append(card)
        siret = truth.get(card["ids"][0]) or None
        told = desk.settle(session, card["number"], siret)
    desk.leave(session)
    return seen


def test_a_blind_check_goes_from_the_sample_to_the_certificate(chain: Chain, run_dir: Path) -> None:
    sample = audit(run_dir, AuditOptions(SIZE, 0.9))
    truth = dict(read_truth(chain.files.truth)[["id", "siret"]].itertuples(index=False))
    decisions = pd.read_parquet(run_dir / "decisions.parquet").set_index("id")
    desk = Desk.open(run_dir, BLIND)
    with pytest.raises(RefusedError, match="aveugle"):
        desk.weigh(0)
    cards = settled(desk, "Anne", truth)
    desk.journal.close()
    assert [card["ids"] for card in cards] == [[id] for id in sample.ids]
    answer = [decisions.at[card["ids"][0], "siret"] for card in cards]
    first = [card["sirets"][:1] == [a] for card, a in zip(cards, answer, strict=True)]
    there = [a in card["sirets"] for card, a in zip(cards, answer, strict=True)]
    assert all(there)
    assert 0 < sum(first) < 0.5 * len(cards)
    for card in cards:
        assert "score" not in card["candidates"]
        assert {card["question"]} == {"Contrôle : quel établissement ?"}
        naf = decisions.at[card["ids"][0], "naf"]
        assert naf is None or naf not in card["bulletin"]
    assert not (run_dir / JOURNAL).exists()
    assert len(read_journal(run_dir / AUDIT_JOURNAL)) == SIZE
    told = certify_run(run_dir)
    assert (told["cards"], told["cards_open"]) == (SIZE, 0)


def test_the_order_of_candidates_is_the_same_whenever_a_card_is_shown(run_dir: Path) -> None:
    audit(run_dir, AuditOptions(SIZE, 0.9))
    orders = []
    for _ in range(2):
        desk = Desk.open(run_dir, BLIND)
        orders.append(
            [desk.run.dossier(c.ids).candidates["siret"].tolist() for c in desk.run.cards]
        )
        desk.journal.close()
    assert orders[0] == orders[1]


def test_two_clerks_see_every_card_of_a_sample_drawn_for_two(chain: Chain, run_dir: Path) -> None:
    audit(run_dir, AuditOptions(SIZE, 0.9, clerks=2))
    truth = dict(read_truth(chain.files.truth)[["id", "siret"]].itertuples(index=False))
    desk = Desk.open(run_dir, BLIND)
    assert len(settled(desk, "Anne", truth)) == SIZE
    assert len(settled(desk, "Bruno", truth)) == SIZE
    desk.journal.close()
    assert certify_run(run_dir)["cards_open"] == 0


def test_a_third_clerk_decides_where_two_differ_and_sees_nothing_else(
    chain: Chain, run_dir: Path
) -> None:
    audit(run_dir, AuditOptions(SIZE, 0.9, clerks=2))
    truth = dict(read_truth(chain.files.truth)[["id", "siret"]].itertuples(index=False))
    desk = Desk.open(run_dir, BLIND)
    ids = [card["ids"][0] for card in settled(desk, "Anne", truth)]
    differing = {i for i in ids[::5] if truth.get(i)}
    settled(desk, "Bruno", truth | dict.fromkeys(differing, ""))
    assert settled(desk, "Anne", truth) == []
    assert certify_run(run_dir)["cards_open"] == len(differing) > 0
    desk.journal.close()
    desk = Desk.open(run_dir, BLIND)
    third = settled(desk, "Chantal", truth)
    assert {card["ids"][0] for card in third} == differing
    assert {card["question"] for card in third} == {"Contrôle : quel établissement ?"}
    assert settled(desk, "Denis", truth) == []
    desk.journal.close()
    told = certify_run(run_dir)
    assert (told["cards_open"], told["cards_differing"]) == (0, len(differing))


def test_without_a_sample_it_says_how_to_draw_one(run_dir: Path) -> None:
    with pytest.raises(ConfigError, match="geomatch audit"):
        Desk.open(run_dir, BLIND)
    with pytest.raises(ConfigError, match="--clerks 2"):
        ReviewOptions(audit=True, double=0.1)
