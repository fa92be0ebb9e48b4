"""From checked cards to what is guaranteed: fixed-sequence tests over growing sets.

The sets of a :class:`~geomatch.audit.design.Design` are tested from the core on, each at the
full level, until one fails; the last that passed is certified. Their order was fixed before any
card was seen, so the choice of the threshold costs nothing and the whole holds with the
confidence asked for (Maurer, Hothorn & Lehmacher 1995; Angelopoulos, Bates, Candès, Jordan & Lei
2021, "Learn then test"). The tests are exact for finite sets (:mod:`geomatch.audit.bounds`).

What is guaranteed is the precision of the codes that are *delivered*: the machine's, of the
answers from a threshold on, without those that the audit found wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geomatch.audit.bounds import Stratum, least_too_many, most_wrong, p_value
from geomatch.audit.clerks import ERROR_SHARE
from geomatch.audit.design import Design, allotted, alpha_of

Flags = NDArray[np.bool_]
#: Numbers of further cards whose worth is told.
FURTHER = (100, 200, 300, 500, 1000)


@dataclass(frozen=True)
class Cards:
    """The cards of a sample, as checked; one item a card.

    Attributes
    ----------
    position : int array, of the answer in the order of probability
    is_right : the verdict is the machine's answer, at the level of the audit
    is_settled : there is a verdict; a card without one counts as wrong, which is the safe side
    unseen : largest probability that the check takes a wrong answer for a right one
    """

    position: NDArray[np.int64]
    is_right: Flags
    is_settled: Flags
    unseen: float = 0.0

    def within(self, design: Design, size: int) -> list[Stratum]:
        """The strata of a set: the core's part of it, and the rest's where it has one."""
        bounds = [(0, min(size, design.core)), (design.core, size)]
        return [self._stratum(low, high) for low, high in bounds if high > low]

    def n_corrected(self, size: int) -> int:
        """Answers of a set that were found wrong and are given no more."""
        mine = self.position < size
        return int((mine & self.is_settled & ~self.is_right).sum())

    def _stratum(self, low: int, high: int) -> Stratum:
        mine = (self.position >= low) & (self.position < high)
        return Stratum(high - low, int(mine.sum()), int((mine & ~self.is_right).sum()))


@dataclass(frozen=True)
class Tested:
    """One set: `size` answers from `threshold` on, with `drawn` cards of which `wrong` were wrong.

    `estimate` is the share of right answers estimated from the cards, weighted by the inverse of
    their chance to be drawn; `at_least` its one-sided lower bound after correction, for this set
    alone; `p_value` that of "what is delivered falls short of the precision asked for".
    """

    size: int
    threshold: float
    drawn: int
    wrong: int
    estimate: float
    at_least: float
    p_value: float


@dataclass(frozen=True)
class Certificate:
    """What was tested, in order, and which set is certified (None: no set).

    `alpha` is the level of each test; `further` tells the coding rate that more cards would
    probably certify, by their number.
    """

    design: Design
    tested: tuple[Tested, ...]
    certified: Tested | None
    alpha: float
    unseen: float
    n_open: int
    further: tuple[tuple[int, float], ...] = ()

    @property
    def coding_rate(self) -> float:
        """Share of the run's bulletins that the certified set answers, 0 without one."""
        return self.certified.size / self.design.n_bulletins if self.certified else 0.0

    def with_further(self, further: tuple[tuple[int, float], ...]) -> Certificate:
        """The same, with what more cards would buy."""
        return replace(self, further=further)


def certify(design: Design, cards: Cards, draw: int) -> Certificate:
    """Test the sets of a design in their order, on the cards of all draws up to number `draw`."""
    alpha = level(draw, cards.unseen)
    tested: list[Tested] = []
    certified = None
    for size, threshold in zip(design.sizes, design.thresholds, strict=True):
        tested.append(_tested(design, cards, size, threshold, alpha))
        if tested[-1].p_value > alpha:
            break
        certified = tested[-1]
    n_open = int((~cards.is_settled).sum())
    return Certificate(design, tuple(tested), certified, alpha, cards.unseen, n_open)


def level(draw: int, unseen: float) -> float:
    """Level of each test: less than :func:`alpha_of` where the clerks' errors were bounded too."""
    return alpha_of(draw) * (1.0 - ERROR_SHARE if unseen else 1.0)


def passing(design: Design, cards: Cards, draw: int) -> int:
    """Size of the set that :func:`certify` certifies, 0 for none, without bounds and estimates."""
    alpha = level(draw, cards.unseen)
    best = 0
    for size in design.sizes:
        if _p_value(design, cards, size) > alpha:
            break
        best = size
    return best


def _p_value(design: Design, cards: Cards, size: int) -> float:
    too_many = least_too_many(size, design.precision, cards.n_corrected(size))
    return p_value(cards.within(design, size), too_many, cards.unseen)


def _tested(design: Design, cards: Cards, size: int, threshold: float, alpha: float) -> Tested:
    strata = cards.within(design, size)
    corrected = cards.n_corrected(size)
    most = most_wrong(strata, alpha, cards.unseen)
    left = size - corrected
    wrong = sum(s.size * s.wrong / s.drawn for s in strata if s.drawn)
    return Tested(
        size=size,
        threshold=threshold,
        drawn=sum(s.drawn for s in strata),
        wrong=sum(s.wrong for s in strata),
        estimate=1.0 - wrong / size if all(s.drawn for s in strata) else float("nan"),
        at_least=1.0 - (most - corrected) / left if left else 0.0,
        p_value=_p_value(design, cards, size),
    )


def worth_of_more(
    design: Design, cards: Cards, probability: NDArray[np.float64], draw: int
) -> tuple[tuple[int, float], ...]:
    """Coding rate that further cards would certify if they were wrong as often as is expected.

    Parameters
    ----------
    probability : array (n,)
        Of the answers in their order, recalibrated: how often further cards will be right.

    Returns
    -------
    tuple of (further cards, coding rate)
    """
    expected = np.append(0.0, np.cumsum(1.0 - probability))
    held = [int((cards.position < design.core).sum()), int((cards.position >= design.core).sum())]
    out = []
    for more in FURTHER:
        new = allotted(design, sum(held) + more, held, draw + 1)
        if not sum(new):
            break
        size = _probably_certified(design, cards, expected, new, draw + 1)
        out.append((sum(new), size / design.n_bulletins))
    return tuple(out)


def _probably_certified(
    design: Design,
    cards: Cards,
    expected: NDArray[np.float64],
    new: Sequence[int],
    draw: int,
) -> int:
    best = 0
    for size in design.sizes:
        strata, corrected = [], cards.n_corrected(size)
        bounds = [(0, min(size, design.core)), (design.core, size)]
        whole = (design.core, design.target - design.core)
        for stratum, (low, high), more, of in zip(
            cards.within(design, size), bounds, new, whole, strict=False
        ):
            drawn = min(round(more * (high - low) / of), stratum.size - stratum.drawn)
            wrong = round(drawn * (expected[high] - expected[low]) / (high - low))
            corrected += wrong
            strata.append(Stratum(stratum.size, stratum.drawn + drawn, stratum.wrong + wrong))
        too_many = least_too_many(size, design.precision, corrected)
        if p_value(strata, too_many, cards.unseen) > level(draw, cards.unseen):
            break
        best = size
    return best
