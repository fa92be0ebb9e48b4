"""Coded bulletins as they would be in a register that lacks some of its establishments.

How probable it is that an establishment is in the register must not be learned as one share that is
taken for granted. So calibration also sees copies of the candidate lists from which a part of the
establishments was taken out, the true one as often as its rivals.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Rows
from geomatch.linkage import collective, comparison
from geomatch.linkage.calibration_features import best_candidates
from geomatch.linkage.model import LEVELS, Linear
from geomatch.linkage.results import KEPT_CANDIDATES

#: Shares of the establishments taken out of the copies.
RATES = (0.0, 0.25, 0.5, 0.85)


@dataclass(frozen=True)
class Copy:
    """What is known of the bulletins of one copy, and what is true of them.

    Attributes
    ----------
    leading : see :func:`geomatch.linkage.calibration_features.best_candidates`
    present : whether each bulletin's establishment is in the copy's register
    right : by level, whether the best candidate is right; never where it is absent
    near : whether the establishment is among the first twenty candidates
    """

    leading: Rows
    present: NDArray[np.bool_]
    right: Mapping[str, NDArray[np.bool_]]
    near: NDArray[np.bool_]


@dataclass(frozen=True)
class Coded:
    """Pairs and features of coded bulletins, aligned, and the outcome of each bulletin."""

    pairs: pd.DataFrame
    features: pd.DataFrame
    flags: pd.DataFrame
    truth: NDArray[np.object_]
    group: NDArray[np.object_]

    def copy(self, rate: float, ranking: Linear, weights: Mapping[str, float]) -> Copy:
        """The bulletins in a register without `rate` of its establishments, ranked again."""
        kept = ~taken_out(self.pairs["siret"].to_numpy(object), rate)
        pairs = self.pairs[kept].reset_index(drop=True)
        features = self.features[kept].reset_index(drop=True)
        row = pairs["row"].to_numpy(np.int64)
        if rate > 0.0:
            number, siren = (pairs[c].to_numpy(np.int64) for c in ("siret_number", "siren"))
            features = features.assign(
                **comparison.beside_rivals(row, features),
                eldest=comparison.eldest_of_unit(row, number, siren),
            )
        size = features["size"].to_numpy(np.float64)
        own = ranking.score(features)
        pairs = pairs.assign(**collective.chances(pairs, own, size, self.group, weights))
        order = np.lexsort((pairs["siret_number"], -pairs["score"], row))
        pairs, features = (t.iloc[order].reset_index(drop=True) for t in (pairs, features))
        known = best_candidates(pairs, features, self.flags)
        truth = np.where(taken_out(self.truth, rate), "", self.truth)
        row, siret = pairs["row"].to_numpy(np.int64), pairs["siret"].to_numpy(object)
        rank = np.arange(len(row)) - np.searchsorted(row, row)
        is_true = (siret == truth[row]) & (rank < KEPT_CANDIDATES)
        near = np.bincount(row[is_true], minlength=len(truth)) > 0
        return Copy(known, truth != "", self._right(pairs, known["first"], truth), near)

    def _right(
        self, pairs: pd.DataFrame, first: NDArray[np.int64], truth: NDArray[np.object_]
    ) -> dict[str, NDArray[np.bool_]]:
        siret, commune = (
            np.append(pairs[c].to_numpy(object), "")[first] for c in ("siret", "code_commune")
        )
        is_siret = (siret == truth) & (truth != "")
        number, at = pd.factorize(np.concatenate([_sirens(siret), _sirens(truth)]))[0], len(siret)
        is_siren = (number[:at] == number[at:]) & (truth != "") & (first >= 0)
        place = dict(zip(self.pairs["siret"], self.pairs["code_commune"], strict=True))
        true_commune = np.array([place.get(t, "") for t in truth], dtype=object)
        is_site = is_siret | (is_siren & (commune == true_commune))
        right = {"siret": is_siret, "site": is_site, "siren": is_siren}
        return {level: np.asarray(right[level], bool) for level in LEVELS}


def taken_out(siret: NDArray[np.object_], rate: float) -> NDArray[np.bool_]:
    """Which establishments a register lacks that lacks `rate` of them, by a hash of the SIRET."""
    code, distinct = pd.factorize(siret)
    hashed = np.array([zlib.crc32(f"{rate} {s}".encode()) % 10_000 for s in distinct], np.int64)
    return np.asarray(hashed[code] < rate * 10_000, bool) if len(distinct) else np.zeros(0, bool)


def _sirens(siret: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([s[:9] for s in siret], dtype=object)
