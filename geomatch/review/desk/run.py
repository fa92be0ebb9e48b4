"""A run's bulletins to review, loaded once and looked up by identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geomatch.audit.sample import read_sample
from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.core.errors import DataError
from geomatch.core.paths import Location
from geomatch.core.schema import BULLETINS, CANDIDATES, DECISIONS, STORE_NAF
from geomatch.core.territories import departement_of
from geomatch.review.desk.cards import (
    Card,
    make_cards,
    shuffled,
    single_cards,
    with_checks,
    with_thirds,
)
from geomatch.review.desk.dossier import Dossier, Known
from geomatch.review.desk.register import Register
from geomatch.review.desk.stories import told_by_register
from geomatch.review.map.atlas import Atlas
from geomatch.runs.keys import bulletin_keys, decisions_of, places_of
from geomatch.runs.results import read_candidates, read_decisions, read_run
from geomatch.store.reader import Store

#: Candidates of a card: as many as there are keys.
MOST_SHOWN = 8
#: What the reasons are told from, besides the contract's columns.
_FEATURES = ("street", "street_text", "number", "name_missing", "generic_name")


@dataclass(frozen=True)
class ReviewRun:
    """Decisions to review, their bulletins and candidates, and the store they came from.

    Attributes
    ----------
    decisions, bulletins : DataFrame indexed by bulletin; their ``id``, like that of the
        candidates, is the bulletin's key (:mod:`geomatch.runs.keys`)
    candidates : DataFrame sorted by bulletin and rank, at most eight a bulletin; as the file has
        them, for of a campaign they are millions
    every_id : keys of all bulletins of the run, those that are not to review too
    double : share of the cards that a second clerk settles too
    blind : bulletins of an audit in the order they are shown; none in a review
    folder : the result folder, None for one that is only in memory
    """

    decisions: pd.DataFrame
    bulletins: pd.DataFrame
    candidates: pd.DataFrame
    store: Store
    every_id: frozenset[str]
    double: float = 0.0
    blind: tuple[str, ...] = ()
    folder: Path | None = None

    @classmethod
    def read(
        cls, run_dir: Path, store: Location | None = None, *, double: float = 0.0
    ) -> ReviewRun:
        """Read a folder that ``geomatch match`` made; `store` None is that of its run.json.

        Raises :class:`DataError`, see :meth:`for_audit`.
        """
        return cls._read(run_dir, store, double=double, blind=())

    @classmethod
    def for_audit(cls, run_dir: Path, store: Location | None = None) -> ReviewRun:
        """Read the sample of a run that ``geomatch audit`` drew, to be checked blindly.

        Raises
        ------
        DataError
            When a file is missing or not readable, or a bulletin is not in the file that
            run.json names.
        ConfigError
            When no sample was drawn.
        """
        sample = read_sample(run_dir)
        double = 1.0 if sample.clerks > 1 else 0.0
        return cls._read(run_dir, store, double=double, blind=tuple(sample.ids))

    @classmethod
    def _read(
        cls, run_dir: Path, store: Location | None, *, double: float, blind: tuple[str, ...]
    ) -> ReviewRun:
        description = read_run(run_dir)
        opened = Store.open(store if store is not None else description["store"]["path"])
        every = read_decisions(run_dir, ["id", "decision", "siret"])
        rows, has_candidates = places_of(run_dir, every)
        written = every["id"].fillna("").to_numpy(object)
        keys = bulletin_keys(written, rows)
        if blind:
            doubtful = np.flatnonzero(np.isin(written, list(blind)))
            decisions = read_decisions(run_dir, where={"id": list(blind)})
        else:
            doubtful = np.flatnonzero(every["decision"] == "review")
            decisions = read_decisions(run_dir, where={"decision": ["review"]})
        DECISIONS.require(decisions, "decisions.parquet")
        decisions = (
            DECISIONS.conform(decisions).assign(id=keys[doubtful]).set_index("id", drop=False)
        )
        ids = sorted({*written[doubtful]})
        candidates = read_candidates(
            run_dir, CANDIDATES.names, where={"id": ids}, most=MOST_SHOWN, if_there=_FEATURES
        )
        at = decisions_of(written, has_candidates, candidates)
        candidates = candidates.assign(id=keys[at])[np.isin(at, doubtful)]
        candidates = candidates.sort_values(["id", "rank"], kind="stable", ignore_index=True)
        options = Config.from_dict(description["options"], source="run.json").bulletins
        source = description["input"]["path"]
        bulletins = BULLETINS.conform(read_bulletins(source, options, only=ids))
        key_of = dict(zip(rows[doubtful].tolist(), keys[doubtful], strict=True))
        bulletins = bulletins.assign(id=bulletins["source_row"].map(key_of))
        bulletins = bulletins[bulletins["id"].notna()].set_index("id", drop=False)
        missing = len(decisions) - len(bulletins)
        if missing:
            raise DataError(
                f"{missing} bulletin(s) to review are not in {description['input']['path']}; "
                "the file changed since the run: match it again"
            )
        every_id = frozenset(keys)
        return cls(decisions, bulletins, candidates, opened, every_id, double, blind, run_dir)

    @cached_property
    def cards(self) -> list[Card]:
        """What is to be settled, in order of gain, then what is to be settled again."""
        if self.blind:
            once = single_cards(
                [i for i in self.blind if i in self.decisions.index], self.decisions
            )
        else:
            once = make_cards(self.decisions, self.bulletins, self.candidates)
        twice = with_checks(once, self.double)
        return with_thirds(twice) if self.blind else twice

    @cached_property
    def ids(self) -> frozenset[str]:
        """Bulletins to review."""
        return frozenset(self.decisions.index)

    @cached_property
    def atlas(self) -> Atlas:
        """Streets and addresses, for the maps."""
        return Atlas(self.store)

    @cached_property
    def known(self) -> Known:
        """Towns and labels, for the cards."""
        labels = self.store.country(STORE_NAF)
        return Known(self.atlas, dict(zip(labels["naf"], labels["libelle"], strict=True)))

    @cached_property
    def register(self) -> Register:
        """Establishments by SIRET."""
        return Register(self.store)

    def dossier(self, ids: Sequence[str]) -> Dossier:
        """All that a card of these bulletins shows; the first speaks for the others."""
        decision: Mapping[str, Any] = self.decisions.loc[ids[0]].to_dict()
        written = [self.bulletins.loc[i].to_dict() for i in ids]
        candidates = self._candidates_of(ids[0])
        near = self._near(decision["code_commune"], written[0]["code_commune_residence"])
        register = self.register.rows(candidates["siret"].tolist(), near)
        told = told_by_register(candidates, register, "inner")
        if not self.blind:
            return Dossier(written, decision, told)
        return Dossier(written, decision, shuffled(told, ids[0]), is_blind=True)

    def register_rows(self, sirets: Sequence[str], number: int) -> pd.DataFrame:
        """Register rows of SIRETs, looked for first where card `number` is."""
        return self.register.rows(sirets, self._near(self._commune(self.cards[number])))

    def search_departement(self, card: Card) -> str:
        """Where a search starts: the card's département, else where its first person lives."""
        if card.departement in self.store.departements:
            return card.departement
        home = self.bulletins.loc[card.ids[0], "code_commune_residence"]
        near = self._near(home)
        return near[0] if near else self.store.departements[0]

    def _commune(self, card: Card) -> str:
        return str(self.decisions.loc[card.ids[0], "code_commune"])

    def _near(self, *communes: str) -> list[str]:
        found = [departement_of(c) for c in communes if c]
        return [d for d in dict.fromkeys(found) if d in self.store.departements]

    @cached_property
    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        ids = self.candidates["id"].to_numpy(object)
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1])) if len(ids) else np.array([0])
        return ids[starts] if len(ids) else ids, np.append(starts, len(ids))

    @cached_property
    def _position(self) -> dict[str, int]:
        return {str(id): i for i, id in enumerate(self._bounds[0])}

    def _candidates_of(self, id: str) -> pd.DataFrame:
        at = self._position.get(id)
        low, high = (0, 0) if at is None else map(int, self._bounds[1][at : at + 2])
        mine = self.candidates.iloc[low:high]
        return CANDIDATES.conform(mine).assign(**mine.drop(columns=CANDIDATES.names))
