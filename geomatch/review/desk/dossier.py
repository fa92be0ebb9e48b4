"""What a card is made of: a bulletin's texts, its decision, its candidates, and what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geomatch.review.map.atlas import Atlas

#: Levels of a place that is known better than its commune.
_PLACED = frozenset({"housenumber", "interpolated", "street", "locality", "moved"})
#: Levels at which the address was found as one: what was written there is no name of a site.
_STREETS = frozenset({"housenumber", "interpolated", "street"})


@dataclass(frozen=True)
class Known:
    """What every card is made with: streets and towns, labels of NAF codes."""

    atlas: Atlas
    naf_labels: Mapping[str, str]

    def naf(self, code: str) -> str:
        """A NAF code in words, the code after it; the code alone when it has no label."""
        return f"{self.naf_labels[code]} ({code})" if code in self.naf_labels else code


@dataclass(frozen=True)
class Dossier:
    """A card's bulletins as written, the decision on the first, and its candidates by rank.

    A card that `is_blind` tells nothing of what was decided, and no score.
    """

    written: Sequence[Mapping[str, Any]]
    decision: Mapping[str, Any]
    candidates: pd.DataFrame
    is_blind: bool = False

    @property
    def is_placed(self) -> bool:
        """Whether the place of work is known better than its commune."""
        return str(self.decision["geocode_level"]) in _PLACED

    @property
    def is_on_a_street(self) -> bool:
        """Whether the written address was found as a street."""
        return str(self.decision["geocode_level"]) in _STREETS


def is_in_town(code_commune: str, town: str, atlas: Atlas) -> bool:
    """Whether a commune is the town, or an arrondissement of a town that is told as a whole."""
    return code_commune == town or (bool(town) and atlas.city_of(code_commune) == town)
