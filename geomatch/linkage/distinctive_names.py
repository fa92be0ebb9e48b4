"""Features of what distinguishes a name: agreement on words that are neither trade nor place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geomatch.linkage.comparison import Comparison

#: Distinctive words weigh so much at least (idf); names that share less of theirs are other names.
_SOME = 1.0
_OTHER = 0.25


def agreement(c: Comparison) -> dict[str, NDArray]:
    """What the two names share, and do not, of words that are neither trade nor place.

    Words of the candidate's own street and commune count as those of a place.
    """
    declared, pool = c.declared, c.pool
    written, known = (np.asarray(c.pairs[n], np.int64) for n in ("written", "known"))
    code = np.where(known >= 0, pool.street_text_code[c.est], -1)
    streets, street = np.unique(code, return_inverse=True)
    named = street.ravel(), pool.street_names[streets]
    found = declared.distinctive.agreement(written, known, named, pool.commune[c.est])
    compared = (written >= 0) & (known >= 0)
    rest = np.where(compared, found.written - found.explained, declared.own_weight[c.row])
    is_told, is_known = found.written > _SOME, found.known > _SOME
    cover = found.explained / np.maximum(found.written, _SOME)
    cover_known = np.minimum(found.shared / np.maximum(found.known, _SOME), 1.0)
    return {
        "own_shared": found.shared,
        "own_written": np.log1p(np.maximum(rest, 0.0)),
        "own_both": np.where(is_told & is_known, cover * cover_known, 0.0),
        "own_differs": is_told & is_known & (cover < _OTHER) & (cover_known < _OTHER),
        "own_unknown": compared & ~is_known & is_told,
        "own_nothing": compared & ~is_known & ~is_told,
    }


def other_at_door(c: Comparison) -> NDArray:
    """Same street and number, and another distinctive name."""
    return np.asarray(c["own_differs"] & (c["number"] > 0))
