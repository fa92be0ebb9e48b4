"""Cards: bulletins that say the same are settled together, the card that settles most first."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geomatch.core.territories import departement_of
from geomatch.core.text import normalise
from geomatch.review.desk.wording import written_address, written_town

#: Columns of the bulletins that declarations are told from.
_DECLARED = (
    "id", "raison_sociale", "adresse", "numero", "rep", "type_voie", "nom_voie", "complement",
    "code_postal", "commune", "departement", "pays", "code_commune_declaree", "activite",
    "profession",
)  # fmt: skip


#: Gains below are alike: nobody of the list is likely.
_LEAST_GAIN = 0.125


@dataclass(frozen=True)
class Card:
    """Bulletins that say the same and are settled together.

    `number` is its place in the order, `gain` the bulletins it is expected to code: how many
    they are times the chance that the right establishment is among those shown. `seen` clerks have
    settled it before: a card that 1 has seen is shown to a second one, and what two of an audit
    have answered otherwise to a third one.
    """

    number: int
    ids: tuple[str, ...]
    gain: float
    departement: str
    type: str
    probability: float
    seen: int = 0

    @property
    def is_check(self) -> bool:
        """Whether other clerks have settled it before."""
        return self.seen > 0


def make_cards(
    decisions: pd.DataFrame, bulletins: pd.DataFrame, candidates: pd.DataFrame
) -> list[Card]:
    """Cards of the bulletins to review, those that settle most first.

    Parameters
    ----------
    decisions, bulletins : DataFrame
        Rows of the bulletins to review, of DECISIONS and BULLETINS.
    candidates : DataFrame
        ``id`` and ``probability`` of the candidates that are shown.

    Returns
    -------
    list of Card
        Gains are compared to within a factor of two, and types follow one another among equals:
        who looks for the same thing in twenty cards is quicker than who changes at each.
        Declarations are identical when employer, address and town are, once normalised, the
        place was understood alike and the same establishment came first. Without an address
        the activity has to be the same too: a school is not another one of the same town.
        Without an employer or a town a bulletin stands alone.
    """
    chance = candidates.groupby("id", sort=False)["probability"].sum().clip(0.0, 1.0)
    ids, communes, sirets, types = (
        decisions[c].tolist() for c in ("id", "code_commune", "siret", "type")
    )
    gains = decisions["id"].map(chance).fillna(0.0).tolist()
    probability = decisions["probability"].fillna(0.0).tolist()
    keys = _declarations(bulletins)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, id in enumerate(ids):
        groups.setdefault((*keys[id], communes[i], sirets[i]), []).append(i)
    found = [(sum(gains[i] for i in rows), rows) for rows in groups.values()]
    # of cards that settle about as much, those that ask the same thing follow one another
    found.sort(key=lambda one: (-_about(one[0]), types[one[1][0]], -one[0]))
    return [
        Card(
            number,
            tuple(ids[i] for i in rows),
            gain,
            departement_of(communes[rows[0]]),
            types[rows[0]],
            probability[rows[0]],
        )
        for number, (gain, rows) in enumerate(found)
    ]


def _about(gain: float) -> int:
    """A gain to within a factor of two: 1, 2 to 3, 4 to 7 …; below 1 the half of it."""
    return math.floor(math.log2(max(gain, _LEAST_GAIN)))


def single_cards(ids: Sequence[str], decisions: pd.DataFrame) -> list[Card]:
    """A card for each bulletin in the order given, which tells nothing of what was decided.

    `decisions` is indexed by bulletin.
    """
    where = decisions["code_commune"].to_dict()
    return [
        Card(number, (id,), 0.0, departement_of(where[id]), "", 0.0)
        for number, id in enumerate(ids)
    ]


def shuffled(candidates: pd.DataFrame, id: str) -> pd.DataFrame:
    """Candidates in an order that tells nothing, the same whenever the card is shown."""
    order = np.random.default_rng(zlib.crc32(id.encode())).permutation(len(candidates))
    return candidates.iloc[order].assign(rank=range(1, len(order) + 1)).reset_index(drop=True)


def _declarations(bulletins: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """What each bulletin declares, as compared."""
    keys: dict[str, tuple[str, ...]] = {}
    for values in zip(*(bulletins[c].tolist() for c in _DECLARED), strict=True):
        written = dict(zip(_DECLARED, values, strict=True))
        employer = normalise(written["raison_sociale"])
        address = normalise(written_address(written))
        town = normalise(f"{written_town(written)} {written['code_commune_declaree']}")
        activity = "" if address else normalise(f"{written['activite']} {written['profession']}")
        alone = "" if employer and town else written["id"]
        keys[written["id"]] = (employer, address, town, activity, alone)
    return keys


def with_checks(cards: Sequence[Card], share: float) -> list[Card]:
    """The cards, and after them a copy of those of a sample, for a second clerk.

    The sample is `share` of the cards, the same on every machine and at every start: it hangs
    on the first bulletin's identifier alone.
    """
    drawn = [c for c in cards if zlib.crc32(c.ids[0].encode()) % 10_000 < share * 10_000]
    copies = (replace(card, number=len(cards) + i, seen=1) for i, card in enumerate(drawn))
    return [*cards, *copies]


def with_thirds(cards: Sequence[Card]) -> list[Card]:
    """The cards, and after them a copy of those that two clerks see, for where they differ."""
    double = [c for c in cards if c.seen == 1]
    return [*cards, *(replace(c, number=len(cards) + i, seen=2) for i, c in enumerate(double))]
