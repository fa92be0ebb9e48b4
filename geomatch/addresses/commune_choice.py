"""Which commune is meant: evidence of name, postcode, département and home, added up.

Every candidate gets a sum of logarithms: how likely what was written would be, were it the one,
and how likely it is before anything was written (the number of its addresses and
establishments). Their shares, plus one for a commune nobody thought of, are the score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: How a written name meets an official one, and what that costs.
NAME_COST: Mapping[str, float] = {
    "name": 0.0,
    "short": 0.5,  # articles and blanks apart
    "cut": 2.5,  # the official name goes on
    "more": 4.0,  # more is written than the official name
    "fuzzy": 0.0,  # one to three slips: see SLIP_COST
    "postcode": 9.0,  # another name altogether, in the commune's postcode
    "none": 0.0,  # no name is written
}
#: First slip in a name, and each further one.
SLIP_COST = (5.0, 3.5)
#: Former names, and names of places in a commune.
ORIGIN_COST: Mapping[str, float] = {
    "cog": 0.0,
    "arrondissement": 0.0,
    "deleguee": 0.3,
    "ancienne": 0.7,
    "laposte": 0.3,
    "ligne5": 1.0,
}
POSTCODE_COST = {"same": 0.0, "departement": 3.5, "cedex": 0.5, "other": 8.0}
DEPARTEMENT_COST = 6.0
HOME_GAIN = {"home": 3.0, "near": 1.5, "departement": 1.0, "other": -3.5}
#: Weight of size: exponent of the number of addresses and establishments.
SIZE_EXPONENT = 0.6
#: What a commune nobody thought of weighs.
_UNKNOWN = -9.0


class Evidence(NamedTuple):
    """What is known of one candidate commune."""

    code: str
    name: str
    slips: int
    origin: str
    postcode: str
    departement_agrees: bool
    home: str
    size: float

    @property
    def log_weight(self) -> float:
        """Logarithm of how well the commune explains what is written."""
        cost = NAME_COST[self.name] + ORIGIN_COST.get(self.origin, 0.0)
        if self.slips:
            cost += SLIP_COST[0] + SLIP_COST[1] * (self.slips - 1)
        if self.postcode:
            cost += POSTCODE_COST[self.postcode]
        if not self.departement_agrees:
            cost += DEPARTEMENT_COST
        gain = HOME_GAIN[self.home] if self.home else 0.0
        return SIZE_EXPONENT * math.log1p(self.size) + gain - cost


def choose(candidates: Iterable[Evidence]) -> tuple[Evidence, float] | None:
    """The likeliest candidate and its share in [0, 1]; None when there is none."""
    best: dict[str, tuple[float, Evidence]] = {}
    for candidate in candidates:
        weight, known = candidate.log_weight, best.get(candidate.code)
        if known is None or weight > known[0]:
            best[candidate.code] = weight, candidate
    if not best:
        return None
    ranked = sorted(best.values(), key=lambda found: (-found[0], found[1].code))
    top, likeliest = ranked[0]
    rest = sum(math.exp(w - top) for w, _ in ranked) + math.exp(min(_UNKNOWN - top, 50.0))
    return likeliest, 1.0 / rest
