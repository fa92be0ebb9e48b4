"""Everything that is known of some bulletins, brought together for showing them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd

from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.core.errors import DataError
from geomatch.core.schema import BULLETINS, CANDIDATES, DECISIONS, STORE_ESTABLISHMENTS, STORE_NAF
from geomatch.core.territories import departement_of
from geomatch.review.map.atlas import Atlas
from geomatch.runs.results import read_candidates, read_decisions, read_run
from geomatch.store.reader import Store

#: Candidates of a bulletin that are told of.
MOST_CANDIDATES = 20


class _Prepared(Protocol):
    @property
    def bulletins(self) -> pd.DataFrame: ...


class MatchResult(Protocol):
    """What :meth:`geomatch.Matcher.match` returns, as far as it is looked at here."""

    @property
    def decisions(self) -> pd.DataFrame:
        """One row a bulletin."""

    @property
    def candidates(self) -> pd.DataFrame:
        """Up to twenty rows a bulletin."""

    @property
    def prepared(self) -> _Prepared:
        """What was understood; its ``bulletins`` are the texts as written."""


@dataclass(frozen=True)
class Story:
    """One bulletin: `written` and `decision` are rows, `candidates` has its candidates by rank
    with the columns of CANDIDATES and those of the register's establishments."""

    written: Mapping[str, Any]
    decision: Mapping[str, Any]
    candidates: pd.DataFrame


@dataclass(frozen=True)
class Stories:
    """Some bulletins with all that is needed to show them."""

    stories: tuple[Story, ...]
    atlas: Atlas
    naf_labels: Mapping[str, str]

    def __iter__(self) -> Iterator[Story]:
        return iter(self.stories)

    def one(self, id: str) -> Story:
        """The story of one bulletin; :class:`DataError` when it is not among these."""
        for story in self.stories:
            if story.decision["id"] == id:
                return story
        raise DataError(f"bulletin '{id}' is not in this run; check the identifier")


def tell_stories(
    bulletins: pd.DataFrame,
    decisions: pd.DataFrame,
    candidates: pd.DataFrame,
    store: Store | Atlas,
    *,
    ids: Sequence[str],
) -> Stories:
    """Bring together what is known of the bulletins `ids`, in this order.

    Parameters
    ----------
    bulletins, decisions, candidates : DataFrame
        Tables of :data:`geomatch.core.schema.BULLETINS`, DECISIONS and CANDIDATES; other bulletins
        in them are left aside, nulls count as empty.
    store : Store or Atlas
        The reference store of the run.

    Raises
    ------
    DataError
        When a table lacks a column, or an identifier of `ids` has no decision.
    """
    atlas = store if isinstance(store, Atlas) else Atlas(store)
    decided = _kept(decisions, DECISIONS, ids, "decisions")
    written = _kept(bulletins, BULLETINS, ids, "bulletins")
    found = _kept(candidates, CANDIDATES, ids, "candidates")
    unknown = [i for i in ids if i not in set(decided["id"])]
    if unknown:
        raise DataError(
            f"{len(unknown)} bulletin(s) asked for have no decision in this run, the first is "
            f"'{unknown[0]}'; check the identifiers"
        )
    found = found[found["rank"] <= MOST_CANDIDATES]
    register = _register(atlas.store, found["siret"], decided["code_commune"])
    told = told_by_register(found, register, "left").sort_values(["id", "rank"])
    texts = [c for c, (kind, _) in STORE_ESTABLISHMENTS.columns.items() if kind == "text"]
    told = told.assign(**{c: told[c].fillna("") for c in texts})
    labels = atlas.store.country(STORE_NAF)
    return Stories(
        tuple(
            Story(
                written=_row(written, one),
                decision=_row(decided, one),
                candidates=told[told["id"] == one].reset_index(drop=True),
            )
            for one in ids
        ),
        atlas,
        dict(zip(labels["naf"], labels["libelle"], strict=True)),
    )


def read_stories(run_dir: str | Path, store: Store | Atlas, *, ids: Sequence[str]) -> Stories:
    """:func:`tell_stories` from the files of a run and the bulletins file that run.json names.

    Raises :class:`DataError` when a file of the run is missing or not readable.
    """
    return tell_stories(*run_frames(run_dir, ids=ids), store, ids=ids)


def run_frames(
    run: MatchResult | str | Path, *, ids: Sequence[str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Bulletins, decisions and candidates of a run, in memory or in its folder.

    `ids` says which rows of a folder's decisions and candidates to read, None all of them.
    """
    if not isinstance(run, str | Path):
        return run.prepared.bulletins, run.decisions, run.candidates
    folder = Path(run)
    description = read_run(folder)
    options = Config.from_dict(description["options"], source="run.json").bulletins
    where = None if ids is None else {"id": ids}
    return (
        read_bulletins(description["input"]["path"], options, only=ids),
        read_decisions(folder, where=where),
        read_candidates(folder, where=where),
    )


def _kept(frame: pd.DataFrame, table: Any, ids: Sequence[str], what: str) -> pd.DataFrame:
    table.require(frame, what)
    return table.conform(frame[frame["id"].isin(ids)])


def _row(frame: pd.DataFrame, id: str) -> Mapping[str, Any]:
    rows = frame[frame["id"] == id].to_dict("records")
    return {str(key): value for key, value in rows[0].items()} if rows else {"id": id}


def _register(store: Store, sirets: pd.Series, near: pd.Series) -> pd.DataFrame:
    """Register rows of these SIRETs, looked for first in the départements of work."""
    wanted = set(sirets)
    first = dict.fromkeys(departement_of(code) for code in near if code)
    parts = []
    for departement in dict.fromkeys((*first, *store.departements)):
        if not wanted:
            break
        part = store.departement(STORE_ESTABLISHMENTS, departement)
        part = part[part["siret"].isin(wanted)]
        wanted -= set(part["siret"])
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else STORE_ESTABLISHMENTS.empty()


def told_by_register(
    candidates: pd.DataFrame, register: pd.DataFrame, how: Literal["left", "inner"]
) -> pd.DataFrame:
    """Candidates with all columns of the register; of those that both have, the register's."""
    own = [c for c in candidates.columns if c == "siret" or c not in register.columns]
    return candidates[own].merge(register, on="siret", how=how)
