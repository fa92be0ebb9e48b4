"""What a match gives: the contract's two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geomatch.arrays.rows import Ordered, Rows
from geomatch.core.schema import CANDIDATES, DECISIONS
from geomatch.linkage import collective

if TYPE_CHECKING:
    from geomatch.linkage.prepared import Prepared

#: Candidates of a bulletin kept for the reader.
KEPT_CANDIDATES = 20


def kept_candidates(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of the first twenty pairs of each bulletin; `row` is sorted."""
    return np.flatnonzero(_rank(row) <= KEPT_CANDIDATES)


def decision_table(
    prepared: Prepared,
    siret_of_pair: NDArray[np.object_],
    first: NDArray[np.int64],
    decided: Rows,
    nafs: Rows,
) -> Rows:
    """One row a bulletin (DECISIONS); `first` is the best pair's position, -1 for none."""
    siret = np.full(len(first), "", dtype=object)
    if len(siret_of_pair):
        siret = np.where(first >= 0, siret_of_pair[np.maximum(first, 0)], "")
    siret = np.where(decided["decision"] == "none", "", siret)
    place, asked = prepared.geocodes["code_commune"], prepared.communes["code_commune"]
    columns = {
        "id": prepared.told["id"],
        "siret": siret,
        "siren": np.array([s[:9] for s in siret], dtype=object),
    }
    for table in (decided, nafs, prepared.geocodes):
        columns |= {c: table[c] for c in table}
    columns["code_commune"] = np.where(place != "", place, asked)
    columns["code_pays"] = prepared.communes["code_pays"]
    return Rows({c: _rounded(columns[c]) for c in DECISIONS.columns})


def candidate_table(
    prepared: Prepared,
    pairs: Rows,
    features: Ordered,
    decided: Rows,
    kept: NDArray[np.int64],
) -> Rows:
    """The pairs `kept`, as readers get them: CANDIDATES, then the features."""
    rank = _rank(pairs["row"])[kept]
    pairs, shown = pairs.take(kept), features.take(kept)
    row = pairs["row"]
    probability = pairs["chance"].copy()
    # The best echo shows the probability the decision was taken on.
    probability[rank == 1] = decided["probability"][row[rank == 1]]
    activity = (shown["activity"] + shown["profession"]).astype(np.float64)
    address = np.maximum(shown["street"], shown["street_text"]).astype(np.float64)
    similar = np.maximum(shown["both"], shown["token_set"] * shown["characters"])
    columns = {c: pairs[c] for c in pairs} | {
        "id": prepared.told["id"][row],
        "rank": rank,
        "probability": probability,
        "name_score": similar.astype(np.float64),
        "activity_score": 1.0 / (1.0 + np.exp(-activity)),
        "distance_m": shown["distance_m"],
        "radius_m": shown["radius_m"],
        "address_score": 0.7 * address + 0.3 * shown["number"].astype(np.float64),
    }
    table = {c: _rounded(columns[c]) for c in CANDIDATES.columns}
    table |= {c: shown[c] for c in shown if c not in table}
    table |= {c: pairs[c].astype(np.float32) for c in collective.FEATURES}
    return Rows({**table, "source": pairs["source"]})


def _rounded(values: NDArray) -> NDArray:
    """Six decimals: the last bits of a sum depend on how a file was cut, results must not."""
    return values.round(6) if values.dtype == np.float64 else values


def _rank(row: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.arange(len(row)) - np.searchsorted(row, row) + 1
