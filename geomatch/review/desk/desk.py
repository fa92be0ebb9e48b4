"""What the reviewer's page can do, without the web: give cards, take verdicts, search."""

from __future__ import annotations

import math
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
from geomatch.core.errors import DataError, GeomatchError
from geomatch.core.memory import seldom_collected
from geomatch.core.paths import Location, join
from geomatch.core.wording import metres
from geomatch.review.desk.cards import Card
from geomatch.review.desk.clerk_card import candidates_html
from geomatch.review.desk.day import day_html
from geomatch.review.desk.dossier import Dossier
from geomatch.review.desk.form import bulletin_html, group_html, question
from geomatch.review.desk.journal import (
    AUDIT_JOURNAL,
    JOURNAL,
    SKIP,
    UNDO,
    VERDICT,
    Act,
    Journal,
    verdicts_by_clerk,
)
from geomatch.review.desk.maps import SIZE, MapRequest, Maps
from geomatch.review.desk.mirror import MirroredJournal
from geomatch.review.desk.options import AS_IT_IS, ReviewOptions
from geomatch.review.desk.pace import Pace
from geomatch.review.desk.queue import Filters, Queue
from geomatch.review.desk.register import siret_problem
from geomatch.review.desk.run import ReviewRun
from geomatch.review.desk.search import MOST_AROUND_M, MOST_FOUND, Finder, distances
from geomatch.review.desk.weighing import weighing_html
from geomatch.review.desk.wording import register_title
from geomatch.runs.results import open_run

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
    acts it can take back, the latest last; `size` are the pixels of its map.
    """

    id: str
    who: str = "gestionnaire"
    filters: Filters = field(default_factory=Filters)
    seen: float = 0.0
    done: list[Act] = field(default_factory=list)
    size: tuple[int, int] = SIZE


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
        self.queue = Queue(
            run.cards,
            {id: list(of) for id, of in told.items()},
            answers={
                id: {who: act.siret or "" for who, act in of.items()} for id, of in told.items()
            },
        )
        self._take_up(journal.acts)

    @classmethod
    @seldom_collected()
    def open(
        cls, run_dir: Path, options: ReviewOptions = AS_IT_IS, *, mirror: Location | None = None
    ) -> Desk:
        """The desk of a result folder; see :class:`ReviewRun` and :class:`Journal`.

        `mirror` is the folder in an S3 store that `run_dir` is a copy of.
        """
        if options.audit:
            run, name = ReviewRun.for_audit(run_dir, options.store), AUDIT_JOURNAL
        else:
            run = ReviewRun.read(run_dir, options.store, double=options.double)
            name = JOURNAL
        file = run_dir / name
        journal = Journal(file) if mirror is None else MirroredJournal(file, join(mirror, name))
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

    def enter(self, session: Session, name: str) -> None:
        """Take a clerk's name; refused when it is empty or somebody at the desk goes by it.

        Who comes back under a name can take back what was done under it: before the server was
        started, or at a screen that is silent by now, whose card is free again.
        """
        asked = " ".join(name.split())[:MOST_NAME]
        if not asked:
            raise RefusedError("Il faut un nom : il est inscrit au journal avec vos choix.", 422)
        now = time.monotonic()
        with self._lock:
            others = [
                s for s in self._sessions.values() if s is not session and _is_same(s.who, asked)
            ]
            if any(s.seen > now - _GONE_S for s in others):
                raise RefusedError(
                    f"Quelqu'un reprend déjà sous le nom « {asked} ». Choisissez-en un autre ; si "
                    "c'était vous sur un autre écran, il est libre après une minute sans activité.",
                    409,
                )
            if asked != session.who:
                session.done = []
            session.who, session.seen = asked, now
            self._sessions[session.id] = session
            self.queue.call(session.id, asked)
            for gone in others:
                self.queue.release(gone.id)
                session.done = gone.done + session.done
                del self._sessions[gone.id]
            session.done = self._orphans.pop(asked, []) + session.done

    def leave(self, session: Session) -> None:
        """Give back what a session has and forget it."""
        with self._lock:
            self.queue.release(session.id)
            if self._sessions.pop(session.id, None) is not None and session.done:
                self._orphans[session.who] = self._orphans.get(session.who, []) + session.done

    def pause(self, session: Session) -> dict[str, Any]:
        """Give back the card before a clerk, who stays known; returns how far the work is."""
        with self._lock:
            self.queue.release(session.id)
            return {"card": None, "paused": True, "progress": self._progress(session)}

    def day(self, session: Session) -> dict[str, Any]:
        """What this clerk did of late, as HTML, and the notes of all."""
        with self._lock:
            acts = list(self.journal.acts)
            mine = {a.batch for a in session.done}
        return {"day": day_html(acts, session.who, mine, self.run)}

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
        card = None
        if shown.number is not None:
            card = self._card(self.run.cards[shown.number], shown.ids, session)
        return {"card": card, "progress": shown.progress, "who": session.who}

    def _card(self, card: Card, ids: Sequence[str], session: Session) -> dict[str, Any]:
        """The card as prepared ahead, or made now; and its map where that is drawn already."""
        made = self._ahead.pop((card.number, tuple(ids)), None) or self._make(card, ids)
        return {**made, "map": self.maps.ready(card.number, MapRequest(size=session.size))}

    def _make(self, card: Card, ids: Sequence[str]) -> dict[str, Any]:
        dossier = self.run.dossier(ids)
        return {
            "number": card.number,
            "ids": list(ids),
            "question": question(dossier),
            "departement": card.departement,
            "bulletin": bulletin_html(dossier, self.run.known),
            "group": group_html(dossier, self.run.known),
            "candidates": candidates_html(dossier, self.run.known),
            "sirets": dossier.candidates["siret"].tolist(),
        }

    def _progress(self, session: Session) -> dict[str, Any]:
        cards, left = self.queue.left(session.filters, session.id)
        every = self.queue.left(Filters(), session.id)[0]
        return {
            "total": len(self.run.ids),
            "cards_unfiltered": every,
            "cards_held": self.queue.held_by_others(session.id, session.filters, time.monotonic()),
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
                self.maps.told(number, MapRequest(size=session.size))
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

    def weigh(self, number: int) -> dict[str, Any]:
        """What weighed between the first two candidates of a card; refused in a blind check."""
        card = self._known_card(number)
        if self.run.blind or self.run.folder is None:
            raise RefusedError("Un contrôle à l'aveugle ne montre pas ce qui a pesé.", 422)
        try:
            found = open_run(self.run.folder).explain(card.ids[0])
        except GeomatchError as error:
            raise RefusedError(
                "Ce qui a pesé n'est plus connu : le modèle de ce passage a changé, ou "
                "l'identifiant du bulletin n'est pas unique.",
                422,
            ) from error
        return {"weighing": weighing_html(found)}

    # ------------------------------------------------------------------ acts

    def settle(
        self,
        session: Session,
        number: int,
        siret: str | None,
        *,
        note: str = "",
        without: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Write a verdict on a card, some of its bulletins left out; returns what comes next."""
        chosen = (
            self.run.register_rows([siret], number) if siret and self._is_card(number) else None
        )
        if siret is not None and (chosen is None or chosen.empty):
            raise RefusedError("Ce SIRET n'est pas au répertoire.", 422)
        with self._lock:
            ids = [i for i in self._claimed(session, number) if i not in set(without)]
            if not ids:
                raise RefusedError("Cochez au moins un bulletin.", 422)
            self._write(session, VERDICT, ids, siret=siret, note=note)
            self.queue.settle(ids, session.who, siret or "")
            shown = self._following(session)
        name = "aucun établissement" if chosen is None else register_title(chosen.iloc[0])[0]
        return {**self._told(session, shown), "did": f"{_bulletins(len(ids))} → {name}"}

    def skip(self, session: Session, number: int, *, note: str = "") -> dict[str, Any]:
        """Put a card after all others; returns what comes next."""
        with self._lock:
            ids = self._claimed(session, number)
            self._write(session, SKIP, ids, siret=None, note=note)
            self.queue.postpone(ids)
            shown = self._following(session)
        return {**self._told(session, shown), "did": f"{_bulletins(len(ids))} → plus tard"}

    def undo(self, session: Session, batch: str = "") -> dict[str, Any]:
        """Take back this clerk's last act, or that of a `batch`, and show its card again."""
        with self._lock:
            if not session.done:
                raise RefusedError("Rien à annuler.", 409)
            last = batch or session.done[-1].batch
            ids = tuple(a.id for a in session.done if a.batch == last)
            if not ids:
                raise RefusedError("Ce choix n'est plus à vous, ou déjà annulé.", 409)
            self._write(session, UNDO, ids, siret=None, note="")
            session.done = [a for a in session.done if a.batch != last]
            self.queue.reopen(ids, session.who)
            number, now = self.queue.card_of(ids[0]), time.monotonic()
            if number is None or not self.queue.claim(number, session.id, now):
                number = self.queue.take(session.id, session.filters, now)
            shown = self._seen(session, number)
        return {**self._told(session, shown), "did": f"{_bulletins(len(ids))} → à reprendre"}

    def _claimed(self, session: Session, number: int) -> tuple[str, ...]:
        self.queue.call(session.id, session.who)
        if not self._is_card(number) or not self.queue.claim(number, session.id, time.monotonic()):
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

    def search(self, session: Session, number: int, typed: Typed) -> dict[str, Any]:
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
            told = self._found(session, number, found, typed.point)
            far = distances(found, place)
            within = float(far[-1]) if len(far) == MOST_FOUND else MOST_AROUND_M
            return {**told, "within": metres(math.ceil(within / 10) * 10)}
        return self._found(session, number, found, typed.point)

    def look_up(self, session: Session, number: int, siret: str) -> dict[str, Any]:
        """The establishment a typed SIRET is, as a list of one; refused with what is wrong."""
        self._known_card(number)
        digits = "".join(siret.split())
        problem = siret_problem(digits)
        if problem:
            raise RefusedError(problem, 422)
        rows = self.run.register_rows([digits], number)
        if rows.empty:
            raise RefusedError("Ce SIRET est bien formé, mais il n'est pas au répertoire.", 422)
        return self._found(session, number, rows, None)

    def _found(
        self,
        session: Session,
        number: int,
        rows: pd.DataFrame,
        point: tuple[float, float] | None,
    ) -> dict[str, Any]:
        place = self.maps.place(number, point)
        shown = self.maps.placed(rows, place)
        written = self.run.dossier(self.run.cards[number].ids[:1]).written
        sirets = shown["siret"].tolist()
        return {
            "candidates": candidates_html(
                Dossier(written, place, shown), self.run.known, is_search=True
            ),
            "sirets": sirets,
            "map": self.maps.told(number, MapRequest(tuple(sirets), None, point, session.size)),
        }

    def _known_card(self, number: int) -> Card:
        if not self._is_card(number):
            raise RefusedError("Cette fiche n'existe pas.", 404)
        return self.run.cards[number]

    def _is_card(self, number: int) -> bool:
        return 0 <= number < len(self.run.cards)


def _is_same(one: str, other: str) -> bool:
    """Whether two names are one, capitals aside."""
    return one.casefold() == other.casefold()


def _bulletins(n: int) -> str:
    return f"{n} bulletins" if n > 1 else "1 bulletin"


__all__ = ["Desk", "RefusedError", "Session", "Typed"]
