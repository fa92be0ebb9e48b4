"""Which card comes next: the one that settles most, to one clerk at a time."""

from __future__ import annotations

import bisect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from geomatch.errors import ConfigError
from geomatch.review.wording import written_address, written_town
from geomatch.territories import departement_of
from geomatch.text import normalise

#: A card that nobody did anything with for so long is given to somebody else, seconds.
LEASE_S = 15 * 60.0


@dataclass(frozen=True)
class Card:
    """Bulletins that say the same and are settled together.

    `number` is its place in the order, `gain` the bulletins it is expected to code: how many
    they are times the chance that the right establishment is among those shown.
    """

    number: int
    ids: tuple[str, ...]
    gain: float
    departement: str
    type: str
    probability: float


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


def make_cards(
    decisions: pd.DataFrame, bulletins: pd.DataFrame, candidates: pd.DataFrame
) -> list[Card]:
    """Cards of the bulletins to review, the one that settles most first.

    Parameters
    ----------
    decisions, bulletins : DataFrame
        Rows of the bulletins to review, of DECISIONS and BULLETINS.
    candidates : DataFrame
        ``id`` and ``probability`` of the candidates that are shown.

    Returns
    -------
    list of Card
        Declarations are identical when employer, address and town are, once normalised, the
        place was understood alike and the same establishment came first. Without an address
        the activity has to be the same too: a school is not another one of the same town.
        Without an employer or a town a bulletin stands alone.
    """
    chance = candidates.groupby("id")["probability"].sum().clip(0.0, 1.0)
    keys = _declarations(bulletins)
    groups: dict[tuple[str, ...], list[dict]] = {}
    for row in decisions.to_dict("records"):
        key = (*keys[row["id"]], row["code_commune"], row["siret"])
        groups.setdefault(key, []).append(row)
    found = []
    for rows in groups.values():
        ids = tuple(str(r["id"]) for r in rows)
        gain = sum(float(chance.get(i, 0.0)) for i in ids)
        found.append((gain, ids, rows[0]))
    found.sort(key=lambda one: -one[0])
    return [
        Card(
            number,
            ids,
            gain,
            departement_of(str(row["code_commune"])),
            str(row["type"]),
            float(row["probability"]) if pd.notna(row["probability"]) else 0.0,
        )
        for number, (gain, ids, row) in enumerate(found)
    ]


def _declarations(bulletins: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """What each bulletin declares, as compared."""
    keys: dict[str, tuple[str, ...]] = {}
    for row in bulletins.to_dict("records"):
        written = {str(k): v for k, v in row.items()}
        employer = normalise(written["raison_sociale"])
        address = normalise(written_address(written))
        town = normalise(f"{written_town(written)} {written['code_commune_declaree']}")
        activity = "" if address else normalise(f"{written['activite']} {written['profession']}")
        alone = "" if employer and town else str(written["id"])
        keys[str(written["id"])] = (employer, address, town, activity, alone)
    return keys


@dataclass
class _Lease:
    session: str
    until: float


@dataclass
class Queue:
    """Cards still open, and who has which before them. Not safe without a lock around it.

    `settled` are the bulletins that have a verdict; times are seconds of any one clock.
    """

    cards: list[Card]
    settled: set[str] = field(default_factory=set)
    lease_s: float = LEASE_S
    _open: list[int] = field(default_factory=list)
    _later: list[int] = field(default_factory=list)
    _leases: dict[int, _Lease] = field(default_factory=dict)
    _card_of: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._open = [c.number for c in self.cards if self.remaining(c.number)]
        self._card_of = {i: c.number for c in self.cards for i in c.ids}

    def remaining(self, number: int) -> tuple[str, ...]:
        """Bulletins of a card that have no verdict yet."""
        return tuple(i for i in self.cards[number].ids if i not in self.settled)

    def card_of(self, id: str) -> int | None:
        """Number of the card a bulletin is on; None when it is on none."""
        return self._card_of.get(id)

    def take(self, session: str, filters: Filters, now: float, *, keep: bool = True) -> int | None:
        """Lease the next card to a session; None when no card is left for it.

        With `keep` a session that already has an open card which the filters let through gets
        that one again. Cards that were skipped come after all others.
        """
        held = self.held_by(session, now)
        if keep and held is not None and filters.let(self.cards[held]) and self.remaining(held):
            return self._lease(held, session, now)
        self.release(session)
        for number in self._upcoming(filters, now):
            return self._lease(number, session, now)
        return None

    def upcoming(self, filters: Filters, now: float, most: int) -> list[int]:
        """The cards that would be given next, without giving them."""
        found = self._upcoming(filters, now)
        return [number for number, _ in zip(found, range(most), strict=False)]

    def _upcoming(self, filters: Filters, now: float) -> Iterable[int]:
        for number in (*self._open, *self._later):
            lease = self._leases.get(number)
            is_free = lease is None or lease.until <= now
            if is_free and filters.let(self.cards[number]):
                yield number

    def held_by(self, session: str, now: float) -> int | None:
        """The card a session has before it."""
        for number, lease in self._leases.items():
            if lease.session == session and lease.until > now:
                return number
        return None

    def claim(self, number: int, session: str, now: float) -> bool:
        """Whether a session may act on a card: it has it, or nobody has. Renews the lease."""
        lease = self._leases.get(number)
        if lease is not None and lease.until > now and lease.session != session:
            return False
        if not self.remaining(number):
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

    def settle(self, ids: Collection[str]) -> None:
        """These bulletins have a verdict now."""
        self.settled.update(ids)
        for number in self._numbers(ids):
            if not self.remaining(number):
                self._drop(number)
                self._leases.pop(number, None)

    def reopen(self, ids: Collection[str]) -> None:
        """These bulletins have no verdict any more, and their cards are no longer skipped."""
        self.settled.difference_update(ids)
        for number in self._numbers(ids):
            self._drop(number)
            bisect.insort(self._open, number)

    def postpone(self, ids: Collection[str]) -> None:
        """Put the cards of these bulletins after all others."""
        for number in self._numbers(ids):
            self._drop(number)
            self._later.append(number)
            self._leases.pop(number, None)

    def open_cards(self, filters: Filters) -> list[int]:
        """Numbers of the cards that are still open and wanted."""
        return [n for n in (*self._open, *self._later) if filters.let(self.cards[n])]

    def _numbers(self, ids: Collection[str]) -> list[int]:
        return sorted({self._card_of[i] for i in ids if i in self._card_of})

    def _drop(self, number: int) -> None:
        at = bisect.bisect_left(self._open, number)
        if at < len(self._open) and self._open[at] == number:
            del self._open[at]
        if number in self._later:
            self._later.remove(number)
