"""A bulletin in a notebook cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from geomatch.core.decision_types import type_label
from geomatch.core.schema import STORE_COMMUNES
from geomatch.evaluation.overview import CommuneMap, commune_map
from geomatch.review.desk.journal import JOURNAL, Act, read_journal
from geomatch.review.desk.stories import MatchResult, Stories, run_frames, tell_stories
from geomatch.review.map.atlas import Atlas
from geomatch.review.map.drawing import neighbourhood_svg
from geomatch.review.map.svg import element
from geomatch.review.web.page import STYLE, bulletin_card
from geomatch.runs.results import read_decisions, read_run
from geomatch.store.reader import Store

#: Colours of the kinds of doubt on a map, most frequent kind first (Okabe and Ito, 2008).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8a8a90")
_OTHERS = "autres motifs"


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


def ambiguous_map(run_dir: str | Path, *, store: str | Path | None = None) -> CommuneMap:
    """What a run leaves to clerks, by commune of work and kind of doubt.

    `store` None is the one that run.json names. Raises :class:`DataError` when the run or the
    store is not readable.
    """
    folder = Path(run_dir)
    decisions = read_decisions(folder)
    left = decisions[decisions["decision"] == "review"]
    kinds = left["type"].fillna("").map(type_label)
    common = kinds.value_counts().index[: len(_COLOURS) - 1]
    kinds = kinds.where(kinds.isin(common), _OTHERS)
    colours: Mapping[str, str] = dict(zip([*common, _OTHERS], _COLOURS, strict=False))
    opened = Store.open(store if store is not None else read_run(folder)["store"]["path"])
    return commune_map(left["code_commune"], kinds, opened.country(STORE_COMMUNES), colours)


def verdicts(run_dir: str | Path) -> pd.DataFrame:
    """The journal of a run as a table, one row an act, first to last; see :class:`Act`."""
    acts = read_journal(Path(run_dir) / JOURNAL)
    return pd.DataFrame([vars(a) for a in acts], columns=[f.name for f in fields(Act)])
