"""A sample of cards goes to two clerks, and how far they agree is told."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from chains import Chain
from commands import Commands

from geomatch.core.errors import ConfigError
from geomatch.review.desk.agreement import DIVISION, SIRET, agreement
from geomatch.review.desk.cards import Card, with_checks
from geomatch.review.desk.desk import Desk, Session
from geomatch.review.desk.journal import (
    JOURNAL,
    Act,
    latest_verdicts,
    read_journal,
    verdicts_by_clerk,
)
from geomatch.review.desk.options import ReviewOptions
from geomatch.review.desk.queue import Filters, Queue

ALL = Filters()


def act(id: str, siret: str | None, who: str, what: str = "verdict") -> Act:
    return Act(id, what, siret, who, "2030-01-01T00:00:00+00:00", "0", "", "a")


# ------------------------------------------------------------------ the queue
@pytest.fixture
def queue() -> Queue:
    cards = [Card(i, (f"B{i}",), 1.0, "96", "tie", 0.5) for i in range(3)]
    made = Queue(with_checks(cards, 1.0))
    for session, who in (("a", "Anne"), ("b", "Bruno"), ("a2", "Anne")):
        made.call(session, who)
    return made


def test_a_check_goes_to_another_clerk_only_and_first(queue: Queue) -> None:
    assert queue.take("a", ALL, 0.0) == 0
    queue.settle(["B0"], "Anne")
    assert queue.take("a", ALL, 0.0) == 1
    assert queue.take("a2", ALL, 0.0) == 2
    assert queue.take("b", ALL, 0.0) == 3
    assert not queue.claim(3, "a", 0.0)
    queue.settle(["B0"], "Bruno")
    assert queue.take("b", ALL, 0.0) is None
    assert queue.is_settled("B0")


def test_taking_a_second_verdict_back_opens_the_check_again(queue: Queue) -> None:
    queue.settle(["B0"], "Anne")
    queue.settle(["B0"], "Bruno")
    queue.reopen(["B0"], "Bruno")
    assert queue.card_of("B0") == 3
    assert queue.take("b", ALL, 0.0) == 3
    queue.reopen(["B0"], "Anne")
    assert queue.card_of("B0") == 0
    assert queue.take("b", ALL, 0.0, keep=True) == 0


def test_a_skipped_check_comes_last(queue: Queue) -> None:
    queue.settle(["B0"], "Anne")
    queue.postpone(["B0"])
    assert queue.upcoming("b", ALL, 0.0, 5) == [1, 2, 3]


def test_the_sample_is_a_share_and_always_the_same() -> None:
    cards = [Card(i, (f"B{i}",), 1.0, "96", "tie", 0.5) for i in range(2_000)]
    made = with_checks(cards, 0.1)
    assert [c.number for c in made] == list(range(len(made)))
    assert 150 < sum(c.is_check for c in made) < 250
    assert made == with_checks(cards, 0.1)
    assert with_checks(cards, 0.0) == cards


# ------------------------------------------------------------------ the journal
def test_of_two_clerks_the_later_wins_and_each_undoes_their_own() -> None:
    acts = [act("B1", "1", "Anne"), act("B1", "2", "Bruno")]
    assert latest_verdicts(acts)["B1"].siret == "2"
    acts.append(act("B1", None, "Bruno", "undo"))
    assert latest_verdicts(acts)["B1"].siret == "1"
    acts.append(act("B1", None, "Anne", "undo"))
    assert latest_verdicts(acts) == {}


NAF = {"1" * 14: "47.11D", "2" * 14: "47.11F", "1" * 13 + "2": "47.11D", "3" * 14: "01.11Z"}


@pytest.mark.parametrize(
    ("one", "other", "same_siret", "same_division"),
    [
        ("1" * 14, "1" * 14, True, True),
        ("1" * 14, "2" * 14, False, True),
        ("1" * 14, "3" * 14, False, False),
        (None, None, True, True),
        (None, "1" * 14, False, False),
    ],
)
def test_agreement_by_level(
    one: str | None, other: str | None, same_siret: bool, same_division: bool
) -> None:
    found = agreement([act("B1", one, "A"), act("B1", other, "B"), act("B2", one, "A")], NAF)
    assert found.n == 1
    assert found.levels[SIRET].value == same_siret
    assert found.levels[DIVISION].value == same_division
    assert found.disputed == (() if same_siret else ("B1",))


def test_error_of_a_clerk_is_the_published_one_until_enough_was_coded_twice() -> None:
    assert agreement([], {}).clerk_error() == pytest.approx(0.095)
    acts = [
        act(f"B{i}", "1" * 14 if who == "A" or i % 4 else "2" * 14, who)
        for i in range(2_000)
        for who in "AB"
    ]
    error = agreement(acts, NAF).clerk_error()
    assert error == pytest.approx(1 - math.sqrt(0.75), abs=0.005)


# ------------------------------------------------------------------ the whole
@pytest.fixture
def desk(chain: Chain, tmp_path: Path) -> Iterator[Desk]:
    run_dir = Path(shutil.copytree(chain.out, tmp_path / "run"))
    made = Desk.open(run_dir, ReviewOptions(double=1.0))
    yield made
    made.journal.close()


def test_two_clerks_settle_everything_twice_and_agreement_is_told(
    desk: Desk, commands: Commands
) -> None:
    sessions = {name: Session(name) for name in ("Anne", "Bruno")}
    for name, session in sessions.items():
        desk.enter(session, name)
    for name, session in sessions.items():
        while card := desk.next_card(session)["card"]:
            first = card["sirets"][0] if card["sirets"] and name == "Anne" else None
            desk.settle(session, card["number"], first, note="")
    acts = read_journal(desk.journal.file)
    told = verdicts_by_clerk(acts)
    assert set(told) == set(desk.run.ids)
    # Bruno checks all of Anne's; Anne then has all of his before her if she comes back
    assert all(set(of) == {"Anne", "Bruno"} for of in told.values())
    run_dir = desk.journal.file.parent
    ran = commands("review", run_dir, "--agreement")
    assert ran.code == 0
    assert str(len(told)) in ran.out
    assert "division" in ran.out
    assert (run_dir / JOURNAL).stat().st_size > 0


@pytest.mark.parametrize("options", [{"double": 1.5}, {"double": -0.1}, {"background": "osm"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        ReviewOptions(**options)  # type: ignore[arg-type]
