"""The ladder of answers: the establishment, else its site, its unit, its activity.

Where the SIRET is in doubt, more may be sure: which unit it is in this commune (*site*), which unit
(*siren*), or at least its activity (*naf*). Each level has a probability of its own, and the
answer is at the most precise level that reaches the precision asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows

#: Levels of an answer, the most precise first; "none" where no level is sure.
LEVELS = ("siret", "site", "siren", "naf")


def answers(
    probability: Mapping[str, NDArray[np.float64]], is_sure: Mapping[str, NDArray[np.bool_]]
) -> Rows:
    """``answer_level`` and ``answer_probability`` of each bulletin.

    Parameters
    ----------
    probability, is_sure : arrays by level of :data:`LEVELS`, one value a bulletin
        That the answer of the level is right; whether that reaches the precision asked for.

    Returns
    -------
    Rows ``answer_level`` (one of LEVELS, or "none") and ``answer_probability`` there, NaN for
    "none".
    """
    sure = [is_sure[level] for level in LEVELS]
    level = np.select(sure, LEVELS, default="none").astype(object)
    chance = np.select(sure, [probability[name] for name in LEVELS], default=np.nan)
    return Rows({"answer_level": level, "answer_probability": chance})
