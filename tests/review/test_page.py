"""The page of several bulletins and the notebook view: self-contained, inert, complete."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace

import pandas as pd
import pytest

from geomatch.core.decision_types import decision_types
from geomatch.core.errors import DataError
from geomatch.core.wording import chance
from geomatch.review import Stories, bulletin_page, show_bulletin, tell_stories
from geomatch.review.desk.wording import people, siret_text
from geomatch.review.web.screen import desk_html
from geomatch.store.reader import Store

Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


class Seen(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def seen(html: str) -> Seen:
    parser = Seen()
    parser.feed(html)
    return parser


def assert_inert(html: str) -> None:
    page = seen(html)
    assert not {"script", "img", "iframe", "link", "object", "base", "a"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {n for n in names if n.startswith("on")}
    assert not {"href", "src", "srcset", "action", "xlink:href"} & names
    assert not re.search(r"url\(|@import", html)
    outside = {v for n, v in page.attributes if "//" in v and n != "xmlns"}
    assert not outside


def test_page_needs_nothing_and_runs_nothing(stories: Stories) -> None:
    html = bulletin_page(stories, title="<Essai> & co", intro='"<b>"')
    assert_inert(html)
    assert "default-src &#x27;none&#x27;" in html
    assert "<script>" not in html


def test_hostile_text_is_shown_as_text(stories: Stories) -> None:
    words = " ".join(seen(bulletin_page(stories)).words)
    assert words.count('<script>alert("x")</script>') >= 3


def test_everything_a_clerk_needs_is_there(stories: Stories) -> None:
    words = " ".join(seen(bulletin_page(stories)).words)
    for expected in (
        "Codé automatiquement",
        "À reprendre par un gestionnaire",
        "Pas d'établissement",
        "Nom et adresse concordent.",
        "Chez un particulier.",
        "0012 R DU PUITS",
        "numéro trouvé",
        "99\u00a0%",
        "Aucun candidat.",
        "et 4 autres, moins probables",
    ):
        assert expected in words, expected


def test_stories_keep_the_order_asked_for(frames: Frames, store: Store) -> None:
    told = tell_stories(*frames, store, ids=["B3", "B1"])
    assert [s.decision["id"] for s in told] == ["B3", "B1"]
    assert len(told.one("B1").candidates) == 12
    with pytest.raises(DataError, match="B2"):
        told.one("B2")


def test_unknown_bulletins_and_missing_columns_are_refused(frames: Frames, store: Store) -> None:
    bulletins, decisions, candidates = frames
    with pytest.raises(DataError, match="'B9'"):
        tell_stories(bulletins, decisions, candidates, store, ids=["B1", "B9"])
    with pytest.raises(DataError, match="geocode_level"):
        tell_stories(
            bulletins, decisions.drop(columns="geocode_level"), candidates, store, ids=["B1"]
        )


def test_notebook_view(frames: Frames, store: Store) -> None:
    bulletins, decisions, candidates = frames
    run = SimpleNamespace(
        decisions=decisions,
        candidates=candidates,
        prepared=SimpleNamespace(bulletins=bulletins),
    )
    view = show_bulletin(run, store, "B2")
    assert_inert(view._repr_html_())
    assert view.map._repr_svg_().startswith("<svg")
    by_path = show_bulletin(run, store.path, "B2")
    assert by_path._repr_html_() == view._repr_html_()


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.5, "50\u00a0%"),
        (0.003, "< 1\u00a0%"),
        (0.0, "0\u00a0%"),
        (0.994, "99,4\u00a0%"),
        (0.9999, "99,9\u00a0%"),
        (1.0, "100\u00a0%"),
        (float("nan"), "–"),
    ],
)
def test_percent(share: float, expected: str) -> None:
    assert chance(share) == expected


def test_the_filter_offers_every_type_that_a_card_can_have() -> None:
    offered = dict(re.findall(r'<option value="(\w+)">([^<]*)</option>', unescape(desk_html())))
    assert offered == {t.code: t.label for t in decision_types().values() if t.code != "sure"}


def test_codes_in_words() -> None:
    assert siret_text("00012345600017") == "000 123 456 00017"
    assert siret_text("?") == "?"
    assert people("12") == "20 à 49"
    assert people("77") == "77"
