"""Earlier codings of the same bulletins: MCA, clerks, final."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geomatch.core.schema import text_array
from geomatch.evaluation.measures import Measure, share
from geomatch.evaluation.outcomes import Flags, Text

#: Earlier coding → column of the bulletins that holds it; of ``mca_c`` only the rows that MCA
#: was sure of (class C), which are what it coded without a clerk.
PAST_CODINGS = {
    "mca": "siret_mca",
    "mca_c": "siret_mca",
    "gestionnaire": "siret_gestionnaire",
    "final": "siret_final",
}
MCA_CLASS, MCA_CODED = "classe_mca", "C"


def past_codings(bulletins: pd.DataFrame) -> dict[str, Text]:
    """Earlier codings that the bulletins hold, one SIRET (or ``""``) a bulletin."""
    out = {n: text_array(bulletins[c]) for n, c in PAST_CODINGS.items() if c in bulletins.columns}
    if "mca_c" in out:
        classes = text_array(bulletins[MCA_CLASS]) if MCA_CLASS in bulletins.columns else ""
        out["mca_c"] = np.where(classes == MCA_CODED, out["mca_c"], "").astype(object)
    return out


@dataclass(frozen=True)
class Past:
    """How an earlier coding of each bulletin stands to the run and to the truth.

    Attributes
    ----------
    is_coded
        Whether it coded the bulletin.
    is_same, is_right
        Whether its SIRET is the run's best candidate, and the true one.
    """

    is_coded: Flags
    is_same: Flags
    is_right: Flags

    @classmethod
    def of(cls, siret: Text, other: Text, truth: Text | None = None) -> Past:
        """Of best candidates and the earlier coding; without a truth nothing is right."""
        is_coded = (other != "").astype(bool)
        nothing = np.zeros(len(other), dtype=bool)
        return cls(
            is_coded,
            is_coded & (siret == other).astype(bool),
            nothing if truth is None else is_coded & (other == truth).astype(bool),
        )


def agreement(past: Past, is_auto: Flags) -> dict[str, Measure]:
    """How far best candidates and automatic codes agree with an earlier coding."""
    n_coded, n_both = int(past.is_coded.sum()), int((past.is_coded & is_auto).sum())
    return {
        "coding_rate": share(n_coded, len(is_auto)),
        "agreement": share(int(past.is_same.sum()), n_coded),
        "agreement_auto": share(int((past.is_same & is_auto).sum()), n_both),
    }


def who_was_right(past: Past, is_right: Flags, is_auto: Flags) -> dict[str, dict[str, int]]:
    """Cross table of an earlier coding and the run; see :class:`Metrics`."""
    differ = past.is_coded & ~past.is_same
    kinds = {
        "agree_right": past.is_same & is_right,
        "agree_wrong": past.is_same & ~is_right,
        "run_right": differ & is_right,
        "other_right": differ & past.is_right,
        "both_wrong": differ & ~is_right & ~past.is_right,
    }
    scopes = {"auto": is_auto, "all": np.ones(len(differ), dtype=bool)}
    return {
        scope: {kind: int((flags & within).sum()) for kind, flags in kinds.items()}
        for scope, within in scopes.items()
    }
