"""Which card comes next: the one that settles most, to one clerk at a time."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from geomatch.core.errors import ConfigError
from geomatch.review.desk.cards import Card

#: A card that nobody did anything with for so long is given to somebody else, seconds.
LEASE_S = 15 * 60.0
#: Filters whose counts are kept.
MOST_TALLIES = 64


@dataclass(frozen=True)
class Filters:
    """What a clerk wants to see; empty sets and (0, 1) are everything."""

    departements: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    least: float = 0.0
    most: float = 1.0

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Filters:
        """Out of ``departement=35,22&type=tie&pmin=0.2&pmax=0.9``; other keys are left aside.

        Raises :class:`ConfigError` when a bound is no number between 0 and 1.
        """
        return cls(
            _codes(query.get("departement", "").upper()),
            _codes(query.get("type", "")),
            _share(query, "pmin", 0.0),
            _share(query, "pmax", 1.0),
        )

    def let(self, card: Card) -> bool:
        """Whether a card is wanted."""
        return (
            (not self.departements or card.departement in self.departements)
            and (not self.types or card.type in self.types)
            and self.least <= card.probability <= self.most
        )


def _codes(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _share(query: Mapping[str, str], name: str, default: float) -> float:
    written = query.get(name, "").strip().replace(",", ".")
    try:
        value = float(written) if written else default
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ConfigError(f"filter {name} is no number between 0 and 1")
    return value


@dataclass
class _Lease:
    session: str
    until: float


@dataclass
class _Tally:
    """Open cards that filters let through, checks left out, and the bulletins on them."""

    cards: int = 0
    bulletins: int = 0


@dataclass
class Queue:
    """Cards still open, and who has which before them. Not safe without a lock around it.

    A card that is a check is open once a clerk has settled its bulletins, to every other clerk,
    and closed by the second verdict. A card for a third opinion is open while two clerks' verdicts
    differ, to any other. Both come first, so that agreement is known early, and look like any card,
    so that nobody takes more care of them.

    `clerks` are those whose verdict on a bulletin is in force, by bulletin, in the order they gave
    it, and `answers` what they chose (``""``: none); times are seconds of any one clock.
    """

    cards: Sequence[Card]
    clerks: dict[str, list[str]] = field(default_factory=dict)
    lease_s: float = LEASE_S
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    _open: list[int] = field(default_factory=list)
    _checks: list[int] = field(default_factory=list)
    _later: list[int] = field(default_factory=list)
    _leases: dict[int, _Lease] = field(default_factory=dict)
    _numbers_of: dict[str, list[int]] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)
    _wanting: dict[int, int] = field(default_factory=dict)
    _tallies: dict[Filters, _Tally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for card in self.cards:
            for id in card.ids:
                self._numbers_of.setdefault(id, []).append(card.number)
            wanting = len(self.remaining(card.number))
            if wanting:
                self._line(card.number).append(card.number)
                self._wanting[card.number] = wanting
        self._settled = {i for i in self._numbers_of if self.is_settled(i)}

    def call(self, session: str, who: str) -> None:
        """A session's clerk goes by this name."""
        self._names[session] = who

    def remaining(self, number: int) -> tuple[str, ...]:
        """Bulletins of a card that want a verdict: the first, the second, or one that decides."""
        seen = self.cards[number].seen
        return tuple(
            i
            for i in self.cards[number].ids
            if len(self.clerks.get(i, ())) == seen and (seen < 2 or self.is_disputed(i))
        )

    def is_disputed(self, id: str) -> bool:
        """Whether verdicts on a bulletin differ."""
        return len({*self.answers.get(id, {}).values()}) > 1

    def is_settled(self, id: str) -> bool:
        """Whether a verdict on a bulletin is in force."""
        return bool(self.clerks.get(id))

    def card_of(self, id: str) -> int | None:
        """Number of the open card a bulletin is on, else of its first; None when on none."""
        numbers = self._numbers_of.get(id, [])
        return next((n for n in numbers if id in self.remaining(n)), next(iter(numbers), None))

    def take(self, session: str, filters: Filters, now: float, *, keep: bool = True) -> int | None:
        """Lease the next card to a session; None when no card is left for it.

        With `keep` a session that already has an open card which the filters let through gets
        that one again. Cards that were skipped come after all others.
        """
        held = self.held_by(session, now)
        if keep and held is not None and filters.let(self.cards[held]) and self.remaining(held):
            return self._lease(held, session, now)
        self.release(session)
        for number in self._upcoming(session, filters, now):
            return self._lease(number, session, now)
        return None

    def upcoming(self, session: str, filters: Filters, now: float, most: int) -> list[int]:
        """The cards that would be given to a session next, without giving them."""
        found = self._upcoming(session, filters, now)
        return [number for number, _ in zip(found, range(most), strict=False)]

    def _upcoming(self, session: str, filters: Filters, now: float) -> Iterable[int]:
        for number in (*self._checks, *self._open, *self._later):
            lease = self._leases.get(number)
            is_free = lease is None or lease.until <= now
            if is_free and filters.let(self.cards[number]) and self._is_for(number, session):
                yield number

    def _is_for(self, number: int, session: str) -> bool:
        """Whether a card may be this session's: nobody checks what they settled themselves."""
        card = self.cards[number]
        who = self._names.get(session, "")
        return not card.is_check or not any(who in self.clerks.get(i, ()) for i in card.ids)

    def held_by(self, session: str, now: float) -> int | None:
        """The card a session has before it."""
        for number, lease in self._leases.items():
            if lease.session == session and lease.until > now:
                return number if self._is_for(number, session) else None
        return None

    def held_by_others(self, session: str, filters: Filters, now: float) -> int:
        """Cards that filters let through and another session has before it."""
        return sum(
            lease.session != session and lease.until > now and filters.let(self.cards[number])
            for number, lease in self._leases.items()
        )

    def claim(self, number: int, session: str, now: float) -> bool:
        """Whether a session may act on a card: it has it, or nobody has. Renews the lease."""
        lease = self._leases.get(number)
        if lease is not None and lease.until > now and lease.session != session:
            return False
        if not self.remaining(number) or not self._is_for(number, session):
            return False
        self.release(session)
        self._lease(number, session, now)
        return True

    def _lease(self, number: int, session: str, now: float) -> int:
        self._leases[number] = _Lease(session, now + self.lease_s)
        return number

    def release(self, session: str) -> None:
        """Give back whatever a session has."""
        for number in [n for n, lease in self._leases.items() if lease.session == session]:
            del self._leases[number]

    def settle(self, ids: Collection[str], who: str = "", answer: str = "") -> None:
        """A clerk's verdict on these bulletins is in force: a SIRET, or ``""`` for none."""
        for id in ids:
            self.clerks.setdefault(id, []).append(who)
            self.answers.setdefault(id, {})[who] = answer
        self._sort_out(ids)

    def reopen(self, ids: Collection[str], who: str = "") -> None:
        """This clerk's verdict is none any more, and the cards are no longer skipped."""
        for id in ids:
            if who in self.clerks.get(id, ()):
                self.clerks[id].remove(who)
                self.answers.get(id, {}).pop(who, None)
        self._later = [n for n in self._later if n not in set(self._numbers(ids))]
        self._sort_out(ids)

    def postpone(self, ids: Collection[str]) -> None:
        """Put the open cards of these bulletins after all others."""
        for number in (n for n in self._numbers(ids) if self.remaining(n)):
            self._drop(number)
            self._later.append(number)
            self._leases.pop(number, None)

    def left(self, filters: Filters, session: str = "") -> tuple[int, int]:
        """Open cards that are wanted and may be this session's, and the bulletins on them.

        Counted once for each filter, then kept up: a campaign has more cards than can be
        looked through at every key.
        """
        tally = self._tallies.get(filters)
        if tally is None:
            while len(self._tallies) >= MOST_TALLIES:
                del self._tallies[next(iter(self._tallies))]
            counts = [n for c, n in self._wanting.items() if self._is_counted(c, filters)]
            tally = self._tallies[filters] = _Tally(len(counts), sum(counts))
        late = (n for n in self._later if self.cards[n].is_check)
        checks = [
            len(self.remaining(n))
            for n in (*self._checks, *late)
            if filters.let(self.cards[n]) and self._is_for(n, session)
        ]
        return tally.cards + len(checks), tally.bulletins + sum(checks)

    @property
    def n_settled(self) -> int:
        """Bulletins with a verdict in force."""
        return len(self._settled)

    def _is_counted(self, number: int, filters: Filters) -> bool:
        return not self.cards[number].is_check and filters.let(self.cards[number])

    def _sort_out(self, ids: Collection[str]) -> None:
        """Open and close the cards of bulletins whose verdicts changed, and keep the counts."""
        known = {i for i in ids if i in self._numbers_of}
        self._settled -= known
        self._settled |= {i for i in known if self.is_settled(i)}
        for number in self._numbers(ids):
            wanting = len(self.remaining(number))
            self._count(number, wanting)
            if not wanting:
                self._drop(number)
                self._leases.pop(number, None)
            elif number not in self._later and not _holds(self._line(number), number):
                bisect.insort(self._line(number), number)

    def _count(self, number: int, wanting: int) -> None:
        before = self._wanting.pop(number, 0)
        if wanting:
            self._wanting[number] = wanting
        for filters, tally in self._tallies.items():
            if self._is_counted(number, filters):
                tally.cards += bool(wanting) - bool(before)
                tally.bulletins += wanting - before

    def _numbers(self, ids: Collection[str]) -> list[int]:
        return sorted({n for i in ids for n in self._numbers_of.get(i, ())})

    def _line(self, number: int) -> list[int]:
        return self._checks if self.cards[number].is_check else self._open

    def _drop(self, number: int) -> None:
        line = self._line(number)
        if _holds(line, number):
            del line[bisect.bisect_left(line, number)]
        if number in self._later:
            self._later.remove(number)


def _holds(line: Sequence[int], number: int) -> bool:
    """Whether a sorted list has a number."""
    at = bisect.bisect_left(line, number)
    return at < len(line) and line[at] == number
