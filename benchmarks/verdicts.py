"""What errors of clerks cost when a model learns from their verdicts; prints one JSON line.

Bulletins with a known truth stand for settled ones: some verdicts are put on another of the
eight candidates shown, or on none, at random. Three models learn from the same bulletins (the
truth, the verdicts as if they were true, the verdicts with errors allowed for) and are measured
against the truth on others.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.evaluation import evaluate, read_truth
from geomatch.linkage.matcher import Matcher
from geomatch.store.reader import Store
from geomatch.training.train import in_share, train
from geomatch.training.verdicts import TRUST

_KEPT = ("n", "top1", "coverage_95", "coding_rate", "precision", "calibration_error")


def mistaken(truth: pd.DataFrame, candidates: pd.DataFrame, error: float) -> pd.DataFrame:
    """The truth as clerks who err would tell it."""
    draw = np.random.default_rng(20_180_122)
    shown = candidates[candidates["rank"] <= 8].groupby("id")["siret"].agg(list)
    told = truth.copy()
    for i in np.flatnonzero(draw.random(len(truth)) < error):
        siret = truth["siret"].iloc[i]
        others = [s for s in [*shown.get(truth["id"].iloc[i], []), ""] if s != siret]
        told.loc[told.index[i], "siret"] = others[draw.integers(len(others))] if others else ""
    return told


def main() -> None:
    """Train three times and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--error", type=float, default=0.095)
    parser.add_argument("--share", type=float, default=0.3, help="learned from, and measured on")
    asked = parser.parse_args()
    start = time.process_time()
    store, config = Store.open(asked.store), Config()
    frame = read_bulletins(asked.bench / "rp_dev.csv", config.bulletins)
    truth = read_truth(asked.bench / "rp_dev_truth.csv")
    learned = in_share(frame["id"].tolist(), asked.share)
    rest = ~in_share(frame["id"].tolist(), 1.0 - asked.share)
    frame, others = frame[learned].reset_index(drop=True), frame[rest].reset_index(drop=True)
    candidates = Matcher.open(asked.store, config).match_bulletins(frame).candidates
    own = truth[truth["id"].isin(frame["id"])].reset_index(drop=True)
    told = mistaken(own, candidates, asked.error)
    outcomes = {
        "truth": own,
        "verdicts as true": told,
        "verdicts, errors allowed for": told.assign(**{TRUST: 1.0 - asked.error}),
    }
    found: dict[str, object] = {}
    for name, outcome in outcomes.items():
        model = train(frame, outcome, store, config, {})
        result = Matcher(store, config, model).match_bulletins(others)
        measured = truth[truth["id"].isin(others["id"])]
        told_of = evaluate(result.decisions, result.candidates, measured).as_dict()
        found[name] = {k: told_of[k] for k in _KEPT}
    cpu = round(time.process_time() - start, 1)
    print(json.dumps({"error": asked.error, "learned_from": len(frame), "cpu_s": cpu, **found}))


if __name__ == "__main__":
    main()
