"""A bulletin in a notebook cell."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geomatch.review.atlas import Atlas
from geomatch.review.map import neighbourhood_svg
from geomatch.review.page import STYLE, bulletin_card
from geomatch.review.stories import MatchResult, Stories, run_frames, tell_stories
from geomatch.review.svg import element
from geomatch.store import Store


@dataclass(frozen=True)
class BulletinView:
    """Shows one bulletin as the value of a notebook cell: the card, or its map alone as SVG."""

    stories: Stories
    id: str

    def _repr_html_(self) -> str:
        card = bulletin_card(self.stories.one(self.id), self.stories)
        return element("style", STYLE) + card

    @property
    def map(self) -> MapView:
        """The map alone."""
        story = self.stories.one(self.id)
        return MapView(neighbourhood_svg(self.stories.atlas, story.decision, story.candidates))


@dataclass(frozen=True)
class MapView:
    """A drawing as the value of a notebook cell."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def show_bulletin(
    run: MatchResult | str | Path, store: Store | Atlas | str | Path, id: str
) -> BulletinView:
    """One bulletin of a run, to be shown in a notebook.

    Parameters
    ----------
    run : Result of :meth:`geomatch.Matcher.match`, or the folder ``geomatch match --out`` made
    store : Store, Atlas or path
        The reference store of the run; an Atlas keeps what it has read for the next bulletin.
    id : str
        The bulletin's identifier.

    Raises
    ------
    DataError
        When the run has no such bulletin, or its files are not readable.
    """
    opened = Store.open(store) if isinstance(store, str | Path) else store
    stories = tell_stories(*run_frames(run, ids=[id]), opened, ids=[id])
    return BulletinView(stories, id)
