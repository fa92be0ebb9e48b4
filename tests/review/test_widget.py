"""The desk in a notebook: the same acts as the page's, answered by the kernel."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chains import Chain

from geomatch.core.errors import ConfigError
from geomatch.review import verdicts
from geomatch.review.desk.desk import Desk
from geomatch.review.desk.journal import JOURNAL, read_journal
from geomatch.review.notebook.widget import ReviewWidget, close_reviews, review
from geomatch.review.web.screen import ASSETS, asset, desk_html


@pytest.fixture
def run_dir(chain: Chain, tmp_path: Path) -> Iterator[Path]:
    yield Path(shutil.copytree(chain.out, tmp_path / "run"))
    close_reviews()


class Screen:
    """What the front end would send and get."""

    def __init__(self, widget: ReviewWidget) -> None:
        self.widget, self.answers = widget, []
        widget.send = lambda content, buffers=None: self.answers.append(content)

    def ask(self, name: object, body: object = None, number: object = "1") -> dict[str, Any]:
        message = {"number": number, "name": name, "body": body}
        self.widget._handle_custom_msg(message, None)
        answer: dict[str, Any] = self.answers[-1]
        assert answer["number"] == number
        return answer


@pytest.fixture
def screen(run_dir: Path) -> Screen:
    return Screen(review(run_dir))


def test_choose_and_undo_reach_the_journal(screen: Screen, run_dir: Path) -> None:
    card = screen.ask("enter", {"name": "Anne"})["answer"]["card"]
    told = screen.ask("verdict", {"number": card["number"], "siret": card["sirets"][0]})["answer"]
    assert told["card"]["number"] != card["number"]
    assert screen.ask("undo", {})["answer"]["card"]["ids"] == card["ids"]
    n = len(card["ids"])
    assert [a.act for a in read_journal(run_dir / JOURNAL)] == ["verdict"] * n + ["undo"] * n
    assert verdicts(run_dir)["who"].unique().tolist() == ["Anne"]


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [("nothing", {}, 404), ("card", None, 400), ("card", [], 400), (None, {}, 404),
     ("verdict", {"number": 10**9, "siret": None}, 409), ("map", {"number": -1}, 404)],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    screen: Screen, name: object, body: object, status: int
) -> None:
    told = screen.ask(name, body)
    assert told["status"] == status
    assert told["error"]


def test_a_message_that_is_no_act_is_refused(screen: Screen) -> None:
    screen.widget._handle_custom_msg("?", None)
    assert screen.answers[-1]["status"] == 400


def test_two_cells_share_the_journal_but_never_a_card(screen: Screen, run_dir: Path) -> None:
    other = Screen(review(run_dir))
    one = screen.ask("enter", {"name": "Anne"})["answer"]["card"]
    two = other.ask("enter", {"name": "Bruno"})["answer"]["card"]
    assert one["number"] != two["number"]


def test_a_closed_widget_gives_its_card_back(screen: Screen, run_dir: Path) -> None:
    one = screen.ask("enter", {"name": "Anne"})["answer"]["card"]
    screen.widget.close()
    other = Screen(review(run_dir))
    assert other.ask("enter", {"name": "Bruno"})["answer"]["card"]["number"] == one["number"]


def test_a_page_and_a_notebook_never_write_one_journal_at_once(
    screen: Screen, run_dir: Path
) -> None:
    with pytest.raises(ConfigError, match="in use"):
        Desk.open(run_dir)
    close_reviews()
    Desk.open(run_dir).journal.close()


@pytest.mark.parametrize("filters", [{"pmin": "2"}, {"departments": "35"}])
def test_filters_that_make_no_sense_are_refused(run_dir: Path, filters: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="filter"):
        review(run_dir, filters=filters)


def test_page_and_notebook_have_one_front_end(screen: Screen) -> None:
    state = screen.widget.get_state()
    assert asset("desk.js").decode() in state["_esm"]
    assert asset("desk.css").decode() == state["_style"]
    assert desk_html() == state["_desk"]
    assert {name for name, _ in ASSETS.values()} >= {"desk.js", "desk.css"}
    for text in (state["_esm"], state["_style"], state["_desk"]):
        assert "http://" not in text
        assert "https://" not in text
