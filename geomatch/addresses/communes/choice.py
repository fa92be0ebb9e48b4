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
    "area": 3.0,  # a département or region stands where a town is asked for
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
    "usual": 0.0,
}
POSTCODE_COST = {"same": 0.0, "departement": 3.5, "cedex": 0.5, "other": 8.0}
DEPARTEMENT_COST = 6.0
HOME_GAIN = {"home": 3.0, "near": 1.5, "departement": 1.0, "other": -3.5}
#: Weight of size: exponent of the number of addresses and establishments.
SIZE_EXPONENT = 0.6
#: What a commune nobody thought of weighs.
_UNKNOWN = -9.0


class Evidence(NamedTuple):
    """What is written of one candidate commune; where the respondent lives is not in it."""

    code: str
    name: str
    slips: int
    postcode: str
    departement_agrees: bool
    size: float
    #: logarithms: how likely it is before anything was written, and what the writing costs
    prior: float
    cost: float

    @classmethod
    def of(
        cls,
        code: str,
        name: str,
        origin: str,
        slips: int,
        postcode: str,
        departement_agrees: bool,
        size: float,
    ) -> Evidence:
        """With its weight."""
        cost = NAME_COST[name] + ORIGIN_COST.get(origin, 0.0)
        if slips:
            cost += SLIP_COST[0] + SLIP_COST[1] * (slips - 1)
        if postcode:
            cost += POSTCODE_COST[postcode]
        if not departement_agrees:
            cost += DEPARTEMENT_COST
        prior = SIZE_EXPONENT * math.log1p(size)
        return cls(code, name, slips, postcode, departement_agrees, size, prior, cost)


class Choice(NamedTuple):
    """The likeliest commune, how it stands to that of residence, and its share in [0, 1]."""

    evidence: Evidence
    home: str
    share: float


def choose(candidates: Iterable[tuple[Evidence, str]]) -> Choice | None:
    """The likeliest of candidates, told with how each stands to the commune of residence.

    That is one of :data:`HOME_GAIN`, "" when it is not known. None when there is no candidate.
    """
    best: dict[str, tuple[float, Evidence, str]] = {}
    for evidence, home in candidates:
        gain = HOME_GAIN[home] if home else 0.0
        # how well the commune explains what is written
        weight, known = evidence.prior + gain - evidence.cost, best.get(evidence.code)
        if known is None or weight > known[0]:
            best[evidence.code] = weight, evidence, home
    if not best:
        return None
    ranked = sorted(best.values(), key=lambda found: (-found[0], found[1].code))
    top, likeliest, home = ranked[0]
    rest = sum(math.exp(w - top) for w, _, _ in ranked) + math.exp(min(_UNKNOWN - top, 50.0))
    return Choice(likeliest, home, 1.0 / rest)
