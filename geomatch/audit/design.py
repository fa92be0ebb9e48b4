"""What to draw: which answers may be certified, and where the cards are worth most.

Answers stand in the order of the machine's probability. The *target* is what the machine would
code at the precision asked for: the largest set of which it expects that precision. On a file
that it did not learn from it may be too sure of itself, so most cards go into a *core*, the top
of that order, and the others are spread over the rest of the target. The core is the set with
the largest expected gain (its size times the chance that it passes the test) if the machine's
expected errors are to be multiplied by one of :data:`TOO_SURE`. These factors serve to plan: a bad
guess costs cards, never the guarantee.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import hypergeom

from geomatch.audit.bounds import least_too_many
from geomatch.core.errors import ConfigError

#: How many times more errors than the machine expects; all are taken for equally likely.
TOO_SURE = (1.0, 2.0, 3.0, 4.0)
#: Share of the cards that the core gets at most.
CORE_CARDS = 0.75
#: Risk that a false precision is certified, over all draws of one audit.
RISK = 0.05
#: What the first draw spends of the risk that is left; a further one as much of the remainder.
SPENT = 0.8
#: Sets tested after the core, by growing size, as shares of the target.
_STEP = 0.02


@dataclass(frozen=True)
class Design:
    """Sets of answers to certify, all of them the first ones in the order of probability.

    Attributes
    ----------
    precision : asked for, in (0, 1)
    sizes : answers of each set, growing; the first is the core, the last the target
    thresholds : least probability of each set
    n_bulletins : of the run: what coding rates are shares of
    """

    precision: float
    sizes: tuple[int, ...]
    thresholds: tuple[float, ...]
    n_bulletins: int

    @property
    def core(self) -> int:
        """Answers that most cards are about."""
        return self.sizes[0]

    @property
    def target(self) -> int:
        """Answers that the largest set has."""
        return self.sizes[-1]


def alpha_of(draw: int) -> float:
    """Level of the test after draw number `draw` (1, 2 …): together at most :data:`RISK`.

    The first draw spends most of it, for most audits have one; further ones are bought at a
    price, as in trials that are looked at more than once (Lan & DeMets 1983, Biometrika 70).
    """
    return RISK * SPENT * (1.0 - SPENT) ** (draw - 1)


def in_order(probability: NDArray[np.float64], tie: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions by falling probability; `tie` orders those of one probability."""
    return np.lexsort((tie, -probability))


def make_design(
    probability: NDArray[np.float64], cards: int, *, precision: float, n_bulletins: int
) -> Design:
    """The sets to certify with a number of cards.

    Parameters
    ----------
    probability : array (n,)
        Falling; of the answers of a run, as the machine states them.
    cards
        Of the first draw.
    n_bulletins
        Of the run, those without an answer included.

    Raises
    ------
    ConfigError
        When the machine expects the precision of no set, or the cards are too few for any.
    """
    ends = np.flatnonzero(np.append(np.diff(probability) != 0, True)[: len(probability)]) + 1
    expected = np.cumsum(1.0 - probability)
    promised = ends[expected[ends - 1] <= (1.0 - precision) * ends] if len(ends) else ends
    if not len(promised):
        raise ConfigError(
            f"no set of answers is expected to be right at {precision}; ask for a lower "
            "--precision, or learn a model on coded bulletins of this kind first"
        )
    target = int(promised.max())
    core = _core(ends[ends <= target], expected, cards, precision)
    shares = np.arange(0.0, 1.0, _STEP) * target
    asked = np.append(np.append(core, shares[shares > core]), target)
    sizes = np.unique(ends[np.searchsorted(ends, asked)])
    thresholds = tuple(float(probability[s - 1]) for s in sizes)
    return Design(precision, tuple(int(s) for s in sizes), thresholds, n_bulletins)


def _core(
    ends: NDArray[np.int64], expected: NDArray[np.float64], cards: int, precision: float
) -> int:
    shares = np.arange(_STEP, 1.0 + _STEP / 2, _STEP) * ends[-1]
    sizes = np.unique(ends[np.searchsorted(ends, np.minimum(shares, ends[-1]))])
    gains = [size * _chance(int(size), float(expected[size - 1]), cards, precision)
             for size in sizes]  # fmt: skip
    best = int(np.argmax(gains))
    if gains[best] <= 0:
        least = int(np.ceil(np.log(alpha_of(1)) / np.log(precision)))
        raise ConfigError(
            f"{cards} cards cannot certify {precision}: some {round(least / CORE_CARDS)} are "
            "needed at the very least; give a larger --size or a lower --precision"
        )
    return int(sizes[best])


def _chance(size: int, expected: float, cards: int, precision: float) -> float:
    """Mean chance over :data:`TOO_SURE` that a core passes; 0 when it cannot."""
    found = core_cards(size, cards, precision, 1)
    if found is None:
        return 0.0
    drawn, most = found
    wrong = np.minimum(np.round(np.array(TOO_SURE) * expected), size).astype(np.int64)
    return float(np.mean(hypergeom.cdf(most, size, wrong, drawn)))


def core_cards(size: int, cards: int, precision: float, draw: int) -> tuple[int, int] | None:
    """Cards for the core out of `cards`, and the errors among them that it may have to pass.

    The largest useful number up to :data:`CORE_CARDS` of them: with one card less, one error
    less would be allowed, so that cards between two such numbers buy nothing. None when no
    number will do.
    """
    top, alpha = min(int(CORE_CARDS * cards), size), alpha_of(draw)

    def passes(errors: int, drawn: int) -> bool:
        too_many = min(least_too_many(size, precision, errors), size)
        return bool(hypergeom.cdf(errors, size, too_many, drawn) <= alpha)

    errors = -1
    while errors + 1 < top and passes(errors + 1, top):
        errors += 1
    if errors < 0:
        return None
    low, high = max(errors, 1), top
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(errors, middle) else (middle + 1, high)
    return low, errors


def allotted(design: Design, cards: int, before: Sequence[int], draw: int) -> tuple[int, int]:
    """New cards for the core and for the rest of the target.

    Parameters
    ----------
    cards
        In all, those of earlier draws included.
    before
        Cards that the core and the rest have already.
    """
    rest = design.target - design.core
    found = core_cards(design.core, cards, design.precision, draw)
    core = min(max(found[0] if found else int(CORE_CARDS * cards), before[0]), design.core)
    others = min(max(cards - core, before[1]), rest)
    core = min(max(cards - others, before[0]), design.core)
    return core - before[0], others - before[1]
