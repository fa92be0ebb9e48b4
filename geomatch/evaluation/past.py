"""Earlier codings of the same bulletins: MCA, clerks, final."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geomatch.evaluation.measures import Measure, share
from geomatch.evaluation.outcomes import Flags, Outcomes, Text
from geomatch.schema import text_array

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


def agreement(siret: Text, is_auto: Flags, other: Text) -> dict[str, Measure]:
    """How far best echoes and automatic codes agree with an earlier coding."""
    is_coded = given(other)
    is_same = is_coded & (siret == other).astype(bool)
    n_coded, n_both = int(is_coded.sum()), int((is_coded & is_auto).sum())
    return {
        "coding_rate": share(n_coded, len(other)),
        "agreement": share(int(is_same.sum()), n_coded),
        "agreement_auto": share(int((is_same & is_auto).sum()), n_both),
    }


def agreements(
    outcomes: Outcomes, chosen: Flags, past: Mapping[str, Text]
) -> dict[str, dict[str, Measure]]:
    """:func:`agreement` with each earlier coding, and the ``precision`` it had itself."""
    siret, truth = outcomes.siret[chosen], outcomes.truth[chosen]
    out = {}
    for name, codes in past.items():
        other = codes[chosen]
        is_coded = given(other)
        if is_coded.any():
            n_right = int((is_coded & (other == truth).astype(bool)).sum())
            found = agreement(siret, outcomes.is_auto[chosen], other)
            out[name] = found | {"precision": share(n_right, int(is_coded.sum()))}
    return out


def given(values: Text) -> Flags:
    """Which are not empty."""
    flags: Flags = (values != "").astype(bool)
    return flags


def who_was_right(
    outcomes: Outcomes, chosen: Flags, past: Mapping[str, Text]
) -> dict[str, dict[str, dict[str, int]]]:
    """Cross table of each earlier coding and the run; see :class:`Metrics`."""
    siret, truth = outcomes.siret[chosen], outcomes.truth[chosen]
    is_right = given(truth) & (siret == truth).astype(bool)
    scopes = {"auto": outcomes.is_auto[chosen], "all": np.ones(len(siret), dtype=bool)}
    out = {}
    for name, codes in past.items():
        other = codes[chosen]
        if not given(other).any():
            continue
        other_right = given(other) & (other == truth).astype(bool)
        is_same = (siret == other).astype(bool)
        kinds = {
            "agree_right": is_same & is_right,
            "agree_wrong": is_same & ~is_right,
            "run_right": ~is_same & is_right,
            "other_right": ~is_same & other_right,
            "both_wrong": ~is_same & ~is_right & ~other_right,
        }
        out[name] = {
            scope: {k: int((f & within & given(other)).sum()) for k, f in kinds.items()}
            for scope, within in scopes.items()
        }
    return out
