"""French wording that all screens share: numbers, shares, intervals, distances, feature values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

#: Shown where there is nothing to tell.
NOTHING = "–"


def decimal(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """``0.8734`` → ``0,873``, with a sign if `signed`."""
    sign = "+" if signed else ""
    return f"{value:{sign}.{digits}f}".replace(".", ",")


def integer(value: int) -> str:
    """``20 000`` with a narrow no-break space."""
    return f"{value:,}".replace(",", "\u202f")


def percent(share: float, digits: int = 1) -> str:
    """``0.8123`` → ``81,2 %``, or a dash when there is nothing to tell."""
    return NOTHING if math.isnan(share) else f"{decimal(100 * share, digits)} %"


def interval(low: float, high: float) -> str:
    """Two shares → ``80,6 – 81,8``, in per cent."""
    return f"{decimal(100 * low, 1)} – {decimal(100 * high, 1)}"


def chance(share: float) -> str:
    """``0.873`` → ``87 %``; ``–`` when unknown. Never 100 % for what is not certain."""
    if math.isnan(share):
        return NOTHING
    if 0 < share < 0.005:
        return "< 1\u00a0%"
    shown = min(99.9, 100 * share) if share < 1 else 100.0
    return f"{decimal(shown, 0 if shown < 99 or shown == 100 else 1)}\u00a0%"


def metres(value: float) -> str:
    """A distance as clerks read it: ``35 m``, ``1,2 km``; ``–`` when unknown."""
    if math.isnan(value):
        return NOTHING
    if value < 995:
        return f"{value:.0f}\u00a0m"
    return f"{decimal(value / 1000, 1)}\u00a0km"


#: Unit of a ranking feature → how a value is told. Several features are logarithms, which
#: nobody reads.
UNITS: Mapping[str, Callable[[float], str]] = {
    "oui_non": lambda v: "oui" if v >= 0.5 else "non",
    "part": lambda v: percent(v, 0),
    "nombre": lambda v: decimal(v, 2),
    "compte": lambda v: f"{math.exp(v):.0f}",
    "effectif": lambda v: f"{math.exp(v):.0f}",
    "ecart": lambda v: f"{math.expm1(v):.0f}",
    "metres": lambda v: f"{50.0 * math.expm1(v):.0f} m",
}
#: Groups of ranking features, as explanations list them.
GROUPS = ("nom", "adresse", "distance", "commune", "activité", "taille", "rivaux", "collègues")
