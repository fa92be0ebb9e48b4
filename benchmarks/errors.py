"""Wrong first candidates of a finished run by kind: one JSON line, no bulletin's text.

``python benchmarks/errors.py RUN TRUTH [--held-back 0.5]``. The kinds are tried in their order;
the first that fits names the error.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from finished import arguments, unseen

from geomatch.evaluation import read_truth

_FEATURES = ["both", "street", "number", "inside", "size", "name_missing", "generic_name"]
#: Names that agree to this are equally good.
_SAME = 0.02


def main() -> None:
    asked = arguments(__doc__).parse_args()
    truth = unseen(read_truth(asked.truth), asked.held_back)
    truth = truth[truth["siret"] != ""].set_index("id")
    kinds = errors(asked.run, truth)
    told = kinds.value_counts()
    shares = {k: [int(n), round(float(n / len(truth)), 4)] for k, n in told.items()}
    print(json.dumps({"run": asked.run.name, "n": len(truth), "wrong": len(kinds), **shares}))


def errors(run: Path, truth: pd.DataFrame) -> pd.Series:
    """Kind of each wrong first candidate."""
    columns = ["id", "rank", "siret", *_FEATURES]
    pairs = pd.read_parquet(run / "candidates.parquet", columns=columns)
    pairs = pairs[pairs["id"].isin(truth.index)]
    first = pairs[pairs["rank"] == 1].set_index("id").reindex(truth.index)
    right = pairs[pairs["siret"].to_numpy() == truth["siret"].loc[pairs["id"]].to_numpy()]
    right = right.drop_duplicates("id").set_index("id").reindex(truth.index)
    wrong = (first["siret"] != truth["siret"]).to_numpy()
    first, right, true = first[wrong], right[wrong], truth[wrong]
    unit = first["siret"].str[:9].to_numpy() == true["siret"].str[:9].to_numpy()
    listed = right["rank"].notna().to_numpy()
    vague = ((first["name_missing"] > 0) | (first["generic_name"] > 0)).to_numpy()
    gap = (right["both"] - first["both"]).to_numpy()
    same_name = np.abs(gap) < _SAME
    same_place = np.ones(len(first), dtype=bool)
    for column in ("street", "number", "inside"):
        same_place &= (right[column] == first[column]).to_numpy()
    conditions = {
        "no candidate at all": first["siret"].isna().to_numpy(),
        "not listed, generic or no name": ~listed & vague,
        "not listed, right unit first": ~listed & unit,
        "not listed": ~listed,
        "alike by name and place, same unit": same_name & same_place & unit,
        "alike by name and place, other unit": same_name & same_place,
        "commune: first outside, right one inside": (
            (right["inside"] > first["inside"]).to_numpy()
        ),
        "right one better named, same unit": (gap > 0) & unit,
        "right one better named": gap > 0,
        "right one worse named, same unit": (gap < 0) & unit,
        "right one worse named": gap < 0,
    }
    names = np.select(list(conditions.values()), list(conditions), default="other place")
    return pd.Series(names, index=first.index)


if __name__ == "__main__":
    main()
