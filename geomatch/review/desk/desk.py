"""What the reviewer's page can do, without the web: give cards, take verdicts, search."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from geomatch import __version__
from geomatch.core.decision_types import type_label
from geomatch.core.errors import DataError
from geomatch.core.memory import seldom_collected
from geomatch.core.paths import Location, join
from geomatch.review.desk.cards import Card
from geomatch.review.desk.clerk_card import Dossier, Known, bulletin_html, candidates_html
from geomatch.review.desk.journal import (
    JOURNAL,
    SKIP,
    UNDO,
    VERDICT,
    Act,
    Journal,
    verdicts_by_clerk,
)
from geomatch.review.desk.maps import MapRequest, Maps
from geomatch.review.desk.mirror import MirroredJournal
from geomatch.review.desk.options import AS_IT_IS, ReviewOptions
from geomatch.review.desk.pace import Pace
from geomatch.review.desk.queue import Filters, Queue
from geomatch.review.desk.register import siret_problem
from geomatch.review.desk.run import ReviewRun
from geomatch.review.desk.search import Finder

#: Longest note and name of a clerk kept, characters.
MOST_NOTE, MOST_NAME = 500, 60
#: A session silent for so long has left its name, and what it did, to who comes back, seconds.
_GONE_S = 60.0
#: Cards kept that were made before anybody had them.
_MOST_AHEAD = 50


class RefusedError(Exception):
    """The desk refuses what a clerk asks; the message is French and quotes no bulletin."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Session:
    """A clerk at a screen. `id` is secret to nobody, unlike the cookie that leads to it.

    `seen` is when it last asked for something, seconds of the monotonic clock; `done` are the
    acts it can take back, the latest last.
    """

    id: str
    who: str = "gestionnaire"
    filters: Filters = field(default_factory=Filters)
    seen: float = 0.0
    done: list[Act] = field(default_factory=list)


@dataclass(frozen=True)
class Typed:
    """What a clerk searches by: words, where, and the point put on the map (metres)."""

    name: str = ""
    street: str = ""
    departement: str = ""
    point: tuple[float, float] | None = None


@dataclass(frozen=True)
class _Shown:
    """What was true of the queue at one moment; the rest of an answer needs no lock."""

    number: int | None
    ids: tuple[str, ...]
    progress: dict[str, Any]


class Desk:
    """Cards, verdicts and searches over one run. Safe to use from several threads.

    Parameters
    ----------
    run : ReviewRun
        The bulletins to review with all that is known of them.
    journal : Journal
        Opened for writing; its acts are taken up again.
    background : str
        Of the maps; see :mod:`geomatch.review.map.background`.
    """

    def __init__(self, run: ReviewRun, journal: Journal, *, background: str = "") -> None:
        self.run = run
        self.journal = journal
        self.finder = Finder(run.register)
        self.pace = Pace()
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self.maps = Maps(run, background)
        self._preparing = threading.Semaphore(1)
        self._ahead: dict[tuple[int, tuple[str, ...]], dict[str, Any]] = {}
        self._orphans: dict[str, list[Act]] = {}
        strange = {a.id for a in journal.acts} - run.every_id
        if strange:
            raise DataError(
                f"the journal {journal.file} names {len(strange)} bulletin(s) that this run "
                "does not have; it belongs to another run: move it away"
            )
        told = verdicts_by_clerk(journal.acts)
        self.queue = Queue(run.cards, {id: list(clerks) for id, clerks in told.items()})
        self._take_up(journal.acts)

    @classmethod
    @seldom_collected()
    def open(
        cls, run_dir: Path, options: ReviewOptions = AS_IT_IS, *, mirror: Location | None = None
    ) -> Desk:
        """The desk of a result folder; see :class:`ReviewRun` and :class:`Journal`.

        `mirror` is the folder in an S3 store that `run_dir` is a copy of.
        """
        run = ReviewRun.read(run_dir, options.store, double=options.double)
        file = run_dir / JOURNAL
        journal = Journal(file) if mirror is None else MirroredJournal(file, join(mirror, JOURNAL))
        try:
            return cls(run, journal, background=options.background)
        except DataError:
            journal.close()
            raise

    def _take_up(self, acts: Sequence[Act]) -> None:
        """Skips and what each clerk can undo, as they were when the journal was left."""
        last = {act.id: act for act in acts}
        self.queue.postpone([i for i, act in last.items() if act.act == SKIP])
        of_clerk = {(act.id, act.who): act for act in acts}
        for act in acts:
            if act.act != UNDO and of_clerk[act.id, act.who] is act:
                self._orphans.setdefault(act.who, []).append(act)
            self.pace.note(act)

    # ------------------------------------------------------------------ sessions

    def enter(self, session: Session, name: str) -> bool:
        """Take a clerk's name; whether somebody else at the desk goes by it.

        Who comes back under a name can take back what was done under it: before the server was
        started, or at a screen that is silent by now, whose card is free again.
        """
        asked = " ".join(name.split())[:MOST_NAME] or session.who
        now = time.monotonic()
        with self._lock:
            if asked != session.who:
                session.done = []
            session.who, session.seen = asked, now
            self._sessions[session.id] = session
            self.queue.call(session.id, asked)
            others = [s for s in self._sessions.values() if s is not session and s.who == asked]
            present = [s for s in others if s.seen > now - _GONE_S]
            if not present:
                for gone in others:
                    self.queue.release(gone.id)
                    session.done = gone.done + session.done
                    del self._sessions[gone.id]
                session.done = self._orphans.pop(asked, []) + session.done
            return bool(present)

    def leave(self, session: Session) -> None:
        """Give back what a session has and forget it."""
        with self._lock:
            self.queue.release(session.id)
            if self._sessions.pop(session.id, None) is not None and session.done:
                self._orphans[session.who] = self._orphans.get(session.who, []) + session.done

    # ------------------------------------------------------------------ cards

    def next_card(self, session: Session) -> dict[str, Any]:
        """The card before this clerk, or the next one, with progress; ``card`` may be None."""
        with self._lock:
            shown = self._following(session, keep=True)
        return self._told(session, shown)

    def _following(self, session: Session, *, keep: bool = False) -> _Shown:
        now = time.monotonic()
        return self._seen(session, self.queue.take(session.id, session.filters, now, keep=keep))

    def _seen(self, session: Session, number: int | None) -> _Shown:
        session.seen = time.monotonic()
        ids = () if number is None else self.queue.remaining(number)
        return _Shown(number, ids, self._progress(session))

    def _told(self, session: Session, shown: _Shown) -> dict[str, Any]:
        card = None if shown.number is None else self._card(self.run.cards[shown.number], shown.ids)
        return {"card": card, "progress": shown.progress, "who": session.who}

    def _card(self, card: Card, ids: Sequence[str]) -> dict[str, Any]:
        """The card as prepared ahead, or made now; and its map where that is drawn already."""
        made = self._ahead.pop((card.number, tuple(ids)), None) or self._make(card, ids)
        return {**made, "map": self.maps.ready(card.number)}

    def _make(self, card: Card, ids: Sequence[str]) -> dict[str, Any]:
        dossier = self.run.dossier(ids)
        return {
            "number": card.number,
            "ids": list(ids),
            "type": type_label(card.type),
            "reason": dossier.decision["reason"],
            "departement": card.departement,
            "bulletin": bulletin_html(dossier, self._known),
            "candidates": candidates_html(dossier, self._known),
            "sirets": dossier.candidates["siret"].tolist(),
        }

    @property
    def _known(self) -> Known:
        return self.run.known

    def _progress(self, session: Session) -> dict[str, Any]:
        cards, left = self.queue.left(session.filters, session.id)
        return {
            "total": len(self.run.ids),
            "settled": self.queue.n_settled,
            "cards_left": cards,
            "bulletins_left": left,
            **self.pace.told(session.who, left),
            "can_undo": bool(session.done),
        }

    def prepare_later(self, session: Session) -> None:
        """Do ahead in the background what this clerk asks next, for one clerk at a time."""
        if self._preparing.acquire(blocking=False):
            threading.Thread(target=self._prepare, args=(session,), daemon=True).start()

    def _prepare(self, session: Session) -> None:
        """The next cards and their maps, the first search."""
        try:
            with self._lock:
                numbers = self.queue.upcoming(session.id, session.filters, time.monotonic(), 2)
                ids = {number: self.queue.remaining(number) for number in numbers}
            for number in numbers:
                if (number, ids[number]) not in self._ahead:
                    made = self._make(self.run.cards[number], ids[number])
                    self._ahead[number, ids[number]] = made
                self.maps.told(number)
            while len(self._ahead) > _MOST_AHEAD:
                self._ahead.pop(next(iter(self._ahead)), None)
            self.run.register.warm()
            for number in numbers:
                self.finder.warm(self.run.search_departement(self.run.cards[number]))
        finally:
            self._preparing.release()

    def draw(self, number: int, view: MapRequest) -> dict[str, Any]:
        """The map of a card: its ``svg`` and ``window``."""
        self._known_card(number)
        return self.maps.told(number, view)

    # ------------------------------------------------------------------ acts

    def settle(
        self, session: Session, number: int, siret: str | None, *, note: str, alone: bool
    ) -> dict[str, Any]:
        """Write a verdict on a card, or on its first bulletin `alone`; returns what comes next."""
        if siret is not None and not self._exists(siret, number):
            raise RefusedError("Ce SIRET n'est pas au répertoire.", 422)
        with self._lock:
            ids = self._claimed(session, number)
            ids = ids[:1] if alone else ids
            self._write(session, VERDICT, ids, siret=siret, note=note)
            self.queue.settle(ids, session.who)
            shown = self._following(session)
        return self._told(session, shown)

    def skip(self, session: Session, number: int, *, note: str) -> dict[str, Any]:
        """Put a card after all others; returns what comes next."""
        with self._lock:
            ids = self._claimed(session, number)
            self._write(session, SKIP, ids, siret=None, note=note)
            self.queue.postpone(ids)
            shown = self._following(session)
        return self._told(session, shown)

    def undo(self, session: Session) -> dict[str, Any]:
        """Take back this clerk's last act and show its card again."""
        with self._lock:
            if not session.done:
                raise RefusedError("Rien à annuler.", 409)
            last = session.done[-1].batch
            ids = tuple(a.id for a in session.done if a.batch == last)
            self._write(session, UNDO, ids, siret=None, note="")
            session.done = [a for a in session.done if a.batch != last]
            self.queue.reopen(ids, session.who)
            number, now = self.queue.card_of(ids[0]), time.monotonic()
            if number is None or not self.queue.claim(number, session.id, now):
                number = self.queue.take(session.id, session.filters, now)
            shown = self._seen(session, number)
        return self._told(session, shown)

    def _claimed(self, session: Session, number: int) -> tuple[str, ...]:
        is_known = 0 <= number < len(self.run.cards)
        self.queue.call(session.id, session.who)
        if not is_known or not self.queue.claim(number, session.id, time.monotonic()):
            raise RefusedError("Cette fiche est déjà réglée ou chez un autre gestionnaire.", 409)
        return self.queue.remaining(number)

    def _write(
        self, session: Session, act: str, ids: Sequence[str], *, siret: str | None, note: str
    ) -> None:
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        batch = secrets.token_hex(8)
        text = " ".join(note.split())[:MOST_NOTE]
        acts = [Act(i, act, siret, session.who, when, __version__, text, batch) for i in ids]
        self.journal.append(acts)
        for one in acts:
            self.pace.note(one)
        if act != UNDO:
            # an act on a bulletin that was skipped before takes the skip's place
            session.done = [a for a in session.done if a.id not in set(ids)] + acts

    # ------------------------------------------------------------------ search

    def search(self, number: int, typed: Typed) -> dict[str, Any]:
        """Candidates that answer to what was typed and where the point was put.

        Without a word typed, who is around the point and is named like the declared employer.
        """
        card = self._known_card(number)
        place = self.maps.place(number, typed.point)
        where = typed.departement.strip().upper() or self.run.search_departement(card)
        if where not in self.run.store.departements:
            raise RefusedError("Ce département n'est pas dans la base de référence.", 422)
        if typed.name or typed.street or typed.point is None:
            found = self.finder.search(typed.name, typed.street, departement=where, place=place)
        else:
            employer = str(self.run.bulletins.loc[card.ids[0], "raison_sociale"])
            found = self.finder.around(employer, departement=where, place=place)
        return self._found(number, found, typed.point)

    def look_up(self, number: int, siret: str) -> dict[str, Any]:
        """The establishment a typed SIRET is, as a list of one; refused with what is wrong."""
        self._known_card(number)
        digits = "".join(siret.split())
        problem = siret_problem(digits)
        if problem:
            raise RefusedError(problem, 422)
        rows = self.run.register_rows([digits], number)
        if rows.empty:
            raise RefusedError("Ce SIRET est bien formé, mais il n'est pas au répertoire.", 422)
        return self._found(number, rows, None)

    def _found(
        self, number: int, rows: pd.DataFrame, point: tuple[float, float] | None
    ) -> dict[str, Any]:
        place = self.maps.place(number, point)
        shown = self.maps.placed(rows, place)
        written = self.run.dossier(self.run.cards[number].ids[:1]).written
        sirets = shown["siret"].tolist()
        return {
            "candidates": candidates_html(Dossier(written, place, shown), self._known),
            "sirets": sirets,
            "map": self.maps.told(number, MapRequest(tuple(sirets), None, point)),
        }

    def _known_card(self, number: int) -> Card:
        if not 0 <= number < len(self.run.cards):
            raise RefusedError("Cette fiche n'existe pas.", 404)
        return self.run.cards[number]

    def _exists(self, siret: str, number: int) -> bool:
        is_known = 0 <= number < len(self.run.cards)
        return is_known and not self.run.register_rows([siret], number).empty


__all__ = ["Desk", "RefusedError", "Session", "Typed"]
