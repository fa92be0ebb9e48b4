"""What clerks said of a card, settled: one verdict, and how often clerks may be wrong together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geomatch.audit.bounds import share_below

#: Share of a test's level that the bound on the clerks' errors takes.
ERROR_SHARE = 0.05

#: A clerk's verdict: who, and the establishment chosen (None: none of the register).
Said = tuple[str, str | None]


@dataclass(frozen=True)
class Settled:
    """Verdicts after arbitration.

    Attributes
    ----------
    verdicts : establishment of each settled card, None for none of the register
    disputed : cards on which two clerks differ and no third one has spoken
    n_double, n_differing : cards with two verdicts, and those on which they differ
    """

    verdicts: Mapping[str, str | None]
    disputed: tuple[str, ...]
    n_double: int
    n_differing: int

    def unseen(self, risk: float) -> float:
        """Largest probability that both clerks take the same wrong answer for right, in [0, 1].

        Two clerks who err independently on a share ``e`` of the cards differ on ``2 e (1 - e)`` of
        them, if no two errors are alike, and share a given error on at most ``e²``. The share on
        which they differ is taken at its upper bound (of this `risk`). 0 for one clerk,
        who is believed.
        """
        if not self.n_double:
            return 0.0
        differing = min(share_below(self.n_differing, self.n_double, risk), 0.5)
        return ((1.0 - math.sqrt(1.0 - 2.0 * differing)) / 2.0) ** 2


def settle(said: Mapping[str, Sequence[Said]], clerks: int) -> Settled:
    """The verdict on each card: the only one, that of two who agree, else the third clerk's.

    Parameters
    ----------
    said
        By card, the verdicts in force in the order they were given, one a clerk.
    clerks
        Who have to see each card: 1 or 2. With 2, a card that one has seen is not settled.
    """
    verdicts: dict[str, str | None] = {}
    disputed, double, differing = [], 0, 0
    for id, told in said.items():
        chosen = [siret for _, siret in told]
        if clerks > 1 and len(chosen) > 1:
            double += 1
            differing += chosen[0] != chosen[1]
        if len(chosen) < clerks:
            continue
        if clerks == 1 or chosen[0] == chosen[1]:
            verdicts[id] = chosen[0]
        elif len(chosen) > 2:
            verdicts[id] = chosen[2]
        else:
            disputed.append(id)
    return Settled(verdicts, tuple(sorted(disputed)), double, differing)
