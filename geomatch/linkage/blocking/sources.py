"""What every source of candidates gives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows

#: Sources, as bits.
BY_NAME, BY_RADIUS, BY_STREET, BY_ACTIVITY = 1, 2, 4, 8
#: Pairs looked at together: what is made of them is to stay in the processor's cache.
_MOST_PAIRS = 200_000


def found(
    row: NDArray[np.int64],
    establishment: NDArray[np.int64],
    source: int | NDArray[np.int64],
    names: NDArray[np.int64] | None = None,
) -> Rows:
    """What a source found, with the pairs of names compared; None: there are none."""
    n = len(row)
    return Rows(
        {
            "row": row,
            "establishment": establishment,
            "source": np.broadcast_to(np.asarray(source, np.int64), n),
            "names": np.full(n, -1) if names is None else names,
        }
    )


def chunks(cumulative: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of groups whose expansions stay within memory."""
    if not len(cumulative):
        return []
    cuts = [0]
    while cuts[-1] < len(cumulative):
        base = cumulative[cuts[-1] - 1] if cuts[-1] else 0
        nxt = int(np.searchsorted(cumulative, base + _MOST_PAIRS, side="right"))
        cuts.append(min(max(nxt, cuts[-1] + 1), len(cumulative)))
    return list(pairwise(cuts))
