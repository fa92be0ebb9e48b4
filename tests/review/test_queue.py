from __future__ import annotations

import math

import pandas as pd
import pytest

from geomatch.core.errors import ConfigError
from geomatch.core.schema import BULLETINS, CANDIDATES, DECISIONS
from geomatch.review.desk.cards import Card, make_cards
from geomatch.review.desk.queue import Filters, Queue

ALL = Filters()


def cards(n: int, **changes: str) -> list[Card]:
    told = {"departement": "96", "type": "tie", **changes}
    return [
        Card(i, (f"B{i}",), 1.0, told["departement"], told["type"], i / max(n, 1)) for i in range(n)
    ]


# ------------------------------------------------------------------ cards
def declared(**columns: list[str]) -> list[Card]:
    n = len(next(iter(columns.values())))
    ids = [f"B{i}" for i in range(n)]
    written = {"raison_sociale": ["GARAGE"] * n, "nom_voie": ["DU PUITS"] * n, "commune": ["X"] * n}
    bulletins = BULLETINS.conform(pd.DataFrame({"id": ids, **written, **columns}))
    decided = {"id": ids, "code_commune": "96001", "siret": "1", "probability": 0.5}
    decisions = DECISIONS.conform(pd.DataFrame({**decided, **columns}))
    chances = CANDIDATES.conform(pd.DataFrame({"id": ids, "rank": 1, "probability": 0.5}))
    return make_cards(decisions, bulletins, chances)


def test_kinds_follow_one_another_among_cards_that_settle_about_as_much() -> None:
    n = 24
    types = ["tie", "home", "low_probability"] * (n // 3)
    many = ["GARAGE"] * 4 + [f"NOM {i}" for i in range(n - 4)]
    made = declared(raison_sociale=many, type=["tie"] * 4 + types[4:])
    assert len(made[0].ids) == 4
    order = [card.type for card in made[1:]]
    assert order == sorted(order)
    assert [card.number for card in made] == [*range(len(made))]


@pytest.mark.parametrize(
    ("columns", "together"),
    [
        ({"raison_sociale": ["Garage Ney", "GARAGE  NEY"]}, True),
        ({"raison_sociale": ["GARAGE NEY", "GARAGE FOCH"]}, False),
        ({"nom_voie": ["DE L ÉGLISE", "de l'eglise"]}, True),
        ({"nom_voie": ["DU PUITS", "DU MOULIN"]}, False),
        ({"commune": ["X", "Y"]}, False),
        ({"code_commune": ["96001", "96002"]}, False),
        ({"siret": ["1", "2"]}, False),
        ({"activite": ["MECANIQUE", "VENTE"]}, True),
        ({"nom_voie": ["", ""], "activite": ["ECOLE", "ecole"]}, True),
        ({"nom_voie": ["", ""], "activite": ["ECOLE", "CANTINE"]}, False),
        ({"raison_sociale": ["", ""]}, False),
        ({"commune": ["", ""]}, False),
    ],
)
def test_identical_declarations_share_a_card(columns: dict[str, list[str]], together: bool) -> None:
    assert len(declared(**columns)) == (1 if together else 2)


def test_the_card_that_settles_most_comes_first() -> None:
    made = declared(raison_sociale=["A", "B", "B", "B", "C"])
    assert [c.ids for c in made] == [("B1", "B2", "B3"), ("B0",), ("B4",)]
    assert [c.gain for c in made] == [1.5, 0.5, 0.5]
    assert [c.number for c in made] == [0, 1, 2]


# ------------------------------------------------------------------ the queue
def test_two_sessions_never_have_the_same_card() -> None:
    queue = Queue(cards(3))
    assert [queue.take(s, ALL, 0.0) for s in "abcd"] == [0, 1, 2, None]


def test_a_bulletin_without_candidates_comes_last_and_promises_nothing() -> None:
    ids = ["B0", "B1"]
    bulletins = BULLETINS.conform(pd.DataFrame({"id": ids}))
    decisions = DECISIONS.conform(pd.DataFrame({"id": ids, "probability": [math.nan, 0.4]}))
    candidates = CANDIDATES.conform(pd.DataFrame({"id": ["B1"], "rank": 1, "probability": 0.4}))
    made = make_cards(decisions, bulletins, candidates)
    assert [(c.ids, c.gain, c.probability) for c in made] == [
        (("B1",), 0.4, 0.4),
        (("B0",), 0.0, 0.0),
    ]


def test_a_session_gets_its_own_card_again_until_it_is_done() -> None:
    queue = Queue(cards(3))
    assert [queue.take("a", ALL, t) for t in (0.0, 1.0, 1e6)] == [0, 0, 0]
    assert queue.take("a", ALL, 1e6, keep=False) == 0
    queue.settle(["B0"])
    assert queue.take("a", ALL, 1e6) == 1


def test_a_card_left_alone_too_long_goes_to_another() -> None:
    queue = Queue(cards(2), lease_s=10.0)
    assert queue.take("a", ALL, 0.0) == 0
    assert queue.take("b", ALL, 9.0) == 1
    assert queue.take("c", ALL, 11.0) == 0
    assert not queue.claim(0, "a", 12.0)
    assert queue.claim(0, "c", 12.0)


def test_acting_renews_a_lease() -> None:
    queue = Queue(cards(1), lease_s=10.0)
    queue.take("a", ALL, 0.0)
    assert queue.claim(0, "a", 9.0)
    assert queue.take("b", ALL, 15.0) is None


def test_a_settled_card_cannot_be_claimed_until_it_is_reopened() -> None:
    queue = Queue(cards(2))
    queue.settle(["B0"])
    assert not queue.claim(0, "a", 0.0)
    queue.reopen(["B0"])
    assert queue.take("a", ALL, 0.0) == 0


def test_skipped_cards_come_last_in_the_order_they_were_skipped() -> None:
    queue = Queue(cards(4))
    queue.postpone(["B1"])
    queue.postpone(["B0"])
    order = []
    while (number := queue.take("a", ALL, 0.0)) is not None:
        order.append(number)
        queue.settle(queue.remaining(number))
    assert order == [2, 3, 1, 0]


def test_a_card_settled_in_part_shows_the_rest() -> None:
    queue = Queue([Card(0, ("B0", "B1", "B2"), 3.0, "96", "tie", 0.5)], {"B1": ["Anne"]})
    assert queue.remaining(0) == ("B0", "B2")
    queue.settle(["B0"])
    assert queue.take("a", ALL, 0.0) == 0
    queue.settle(["B2"])
    assert queue.take("a", ALL, 0.0) is None


def test_filters_let_through_what_they_name() -> None:
    queue = Queue(cards(10))
    assert queue.left(Filters.from_query({"pmin": "0.35", "pmax": "0,6"})) == (3, 3)
    assert queue.left(Filters.from_query({"departement": "35, 96"})) == (10, 10)
    assert queue.left(Filters.from_query({"type": "home"})) == (0, 0)
    assert queue.left(Filters.from_query({"other": "?"})) == (10, 10)


@pytest.mark.parametrize("value", ["much", "1.5", "-1", "nan"])
def test_a_bound_that_is_no_share_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        Filters.from_query({"pmin": value})
