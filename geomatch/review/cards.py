"""Cards: bulletins that say the same are settled together, the card that settles most first."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from geomatch.review.wording import written_address, written_town
from geomatch.territories import departement_of
from geomatch.text import normalise


@dataclass(frozen=True)
class Card:
    """Bulletins that say the same and are settled together.

    `number` is its place in the order, `gain` the bulletins it is expected to code: how many
    they are times the chance that the right establishment is among those shown. A card that
    `is_check` shows a second clerk what a first one has settled.
    """

    number: int
    ids: tuple[str, ...]
    gain: float
    departement: str
    type: str
    probability: float
    is_check: bool = False


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


def with_checks(cards: Sequence[Card], share: float) -> list[Card]:
    """The cards, and after them a copy of those of a sample, for a second clerk.

    The sample is `share` of the cards, the same on every machine and at every start: it hangs
    on the first bulletin's identifier alone.
    """
    drawn = [c for c in cards if zlib.crc32(c.ids[0].encode()) % 10_000 < share * 10_000]
    copies = (replace(card, number=len(cards) + i, is_check=True) for i, card in enumerate(drawn))
    return [*cards, *copies]
