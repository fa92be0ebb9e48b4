"""What a match gives: the contract's two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.schema import CANDIDATES, DECISIONS

if TYPE_CHECKING:
    from geomatch.prepared import Prepared

#: Candidates of a bulletin kept for the reader.
KEPT_CANDIDATES = 20


def kept_candidates(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of the first twenty pairs of each bulletin; `row` is sorted."""
    return np.flatnonzero(_rank(row) <= KEPT_CANDIDATES)


def decision_table(
    prepared: Prepared,
    siret_of_pair: pd.Series,
    first: NDArray[np.int64],
    decided: pd.DataFrame,
    nafs: pd.DataFrame,
) -> pd.DataFrame:
    """One row a bulletin (DECISIONS); `first` is the best pair's position, -1 for none."""
    siret = np.full(len(first), "", dtype=object)
    if len(siret_of_pair):
        sirets = siret_of_pair.to_numpy(object)
        siret = np.where(first >= 0, sirets[np.maximum(first, 0)], "")
    siret = np.where(decided["decision"].to_numpy() == "none", "", siret)
    place = prepared.geocodes["code_commune"].to_numpy(object)
    table = pd.concat(
        [
            prepared.bulletins[["id"]],
            decided,
            nafs[["naf", "naf_probability", "naf_decision"]],
            prepared.geocodes.drop(columns="code_commune"),
        ],
        axis=1,
    ).assign(
        siret=siret,
        siren=[s[:9] for s in siret],
        code_commune=np.where(place != "", place, prepared.communes["code_commune"]),
    )
    return _rounded(DECISIONS.conform(table))


def candidate_table(
    prepared: Prepared,
    pairs: pd.DataFrame,
    features: pd.DataFrame,
    decided: pd.DataFrame,
    kept: NDArray[np.int64],
) -> pd.DataFrame:
    """The pairs `kept`, as readers get them: CANDIDATES, then the features."""
    rank = _rank(pairs["row"].to_numpy(np.int64))[kept]
    pairs = pairs.iloc[kept].reset_index(drop=True)
    features = features.iloc[kept].reset_index(drop=True)
    row = pairs["row"].to_numpy(np.int64)
    probability = pairs["chance"].to_numpy(np.float64).copy()
    # The best echo shows the probability the decision was taken on.
    probability[rank == 1] = decided["probability"].to_numpy()[row[rank == 1]]
    activity = (features["activity"] + features["profession"]).to_numpy(np.float64)
    address = np.maximum(features["street"], features["street_text"]).to_numpy(np.float64)
    table = _rounded(
        CANDIDATES.conform(
            pairs.assign(
                id=prepared.bulletins["id"].to_numpy(object)[row],
                rank=rank,
                probability=probability,
                name_score=np.maximum(
                    features["both"], features["token_set"] * features["characters"]
                ),
                activity_score=1.0 / (1.0 + np.exp(-activity)),
                distance_m=features["distance_m"],
                radius_m=features["radius_m"],
                address_score=0.7 * address + 0.3 * features["number"].to_numpy(np.float64),
            )
        )
    )
    extra = features.drop(columns=["distance_m", "radius_m"]).assign(
        seen=pairs["seen"].astype("float32"), source=pairs["source"]
    )
    return pd.concat([table, extra], axis=1)


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Six decimals: the last bits of a sum depend on how a file was cut, results must not."""
    floats = table.select_dtypes("float64").columns
    return table.assign(**{c: table[c].round(6) for c in floats})


def _rank(row: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.arange(len(row)) - np.searchsorted(row, row) + 1
