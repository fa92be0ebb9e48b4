"""Two addresses of one line: the door that is found, or where both streets meet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.streets.index import StreetIndex
from geomatch.arrays.rows import Rows

Ints = NDArray[np.int64]

#: Levels of a geocode, the most precise first.
_LEVELS = ("housenumber", "interpolated", "street", "locality", "commune", "none")
_STREET = 2
#: Doors of two streets that meet are no farther apart, in metres; nor is the corner from them.
_MEETING_M, _CORNER_M = 150.0, 40.0


def settle(streets: StreetIndex, found: Rows, rows: Ints, second: Rows) -> None:
    """Write into `found` what the second addresses of some of its rows add.

    A door answers before a street, a street before a commune, and of equals the first. Where
    both are streets without a door and they meet, the answer is the corner, at level
    ``interpolated``.

    Parameters
    ----------
    streets : StreetIndex
    found : Rows of GEOCODES
    rows : positions in `found`
    second : Rows of GEOCODES, aligned with `rows`
    """
    rank = {level: i for i, level in enumerate(_LEVELS)}
    for at, row in enumerate(rows.tolist()):
        one, other = (rank[r["geocode_level"][i]] for r, i in ((found, row), (second, at)))
        if one == other == _STREET and _corner(streets, found, row, second, at):
            continue
        if other < one and other <= _STREET:
            for column in found:
                found[column][row] = second[column][at]


def _corner(streets: StreetIndex, found: Rows, row: int, second: Rows, at: int) -> bool:
    """Place the row where its two streets meet; whether they do."""
    a = _doors(streets, str(found["code_commune"][row]), str(found["libelle_voie"][row]))
    b = _doors(streets, str(second["code_commune"][at]), str(second["libelle_voie"][at]))
    if not len(a) or not len(b):
        return False
    x, y = streets.addresses.x, streets.addresses.y
    apart = np.hypot(x[a][:, None] - x[b][None, :], y[a][:, None] - y[b][None, :])
    i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
    if apart[i, j] > _MEETING_M:
        return False
    found["x"][row], found["y"][row] = (float((v[a[i]] + v[b[j]]) / 2) for v in (x, y))
    found["uncertainty_m"][row] = max(_CORNER_M, float(apart[i, j]))
    found["geocode_level"][row] = "interpolated"
    found["geocode_score"][row] = min(found["geocode_score"][row], second["geocode_score"][at])
    return True


def _doors(streets: StreetIndex, commune: str, name: str) -> Ints:
    """Addresses on the streets of a commune that bear a name as the gazetteer writes it."""
    known = streets.of_communes([streets.commune_code[commune]])
    named = known[streets.told(known)["nom_voie"] == name]
    parts = [np.arange(streets.first[s], streets.first[s] + streets.count[s]) for s in named]
    return np.concatenate(parts) if parts else np.array([], dtype=np.int64)
