"""Decisions of a finished run against the precision asked for: one JSON line a run.

``python benchmarks/decisions.py RUN TRUTH [--held-back 0.5] [--bulletins FILE]``: with
``--held-back`` only bulletins that a model learned from that share has not seen. RUN is a
folder of ``geomatch match``; other precisions are read off its probabilities.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from finished import arguments, unseen

from geomatch.evaluation import Measure, evaluate, read_truth, share
from geomatch.evaluation.measures import Curve, calibration, calibration_error
from geomatch.linkage.model import Model, threshold_for
from geomatch.runs.results import read_candidates, read_decisions, read_run

TARGETS = (0.90, 0.95, 0.98)
#: NAF divisions of public services, and first digits of a public body's SIREN.
PUBLIC_NAF, PUBLIC_SIREN = ("84", "85", "86"), ("1", "2")
LEAST_BULLETINS = 200
DRAWS = 50


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--bulletins", type=Path)
    asked = parser.parse_args()
    frame, truth = known(asked)
    path = read_run(asked.run)["model"]["path"]
    model = Model.load("" if path == "shipped" else path)
    got = evaluate(frame, None, truth).as_dict()
    out = {
        "run": asked.run.name,
        "n": len(frame),
        "without_truth": round(float((frame["truth"] == "").mean()), 4),
        "at": {str(t): at(frame, threshold_for(model.thresholds, t)) for t in TARGETS},
        "calibration_error": round(got["calibration_error"], 4),
        "naf": naf(frame),
        "twins": twins(frame, asked.run),
        "strata": {c: strata(frame, c) for c in stratifications(frame)},
    }
    print(json.dumps(out, ensure_ascii=False))


def known(asked: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decisions with ``truth``, ``true_naf``, ``is_right`` and strata, and the truth."""
    truth = read_truth(asked.truth)
    frame = read_decisions(asked.run)
    frame = unseen(frame[frame["id"].isin(truth["id"])], asked.held_back)
    told = truth.set_index("id").loc[frame["id"]]
    siret, code = frame["siret"].fillna(""), frame["naf"].fillna("")
    is_public = code.str[:2].isin(PUBLIC_NAF) | siret.str[:1].isin(PUBLIC_SIREN)
    frame = frame.assign(
        truth=told["siret"].to_numpy(),
        true_naf=told["naf"].to_numpy(),
        departement=frame["code_commune"].fillna("").str[:2],
        sector=np.where(is_public, "public", "private"),
    )
    frame["is_right"] = (siret == frame["truth"]) & (frame["truth"] != "")
    if asked.bulletins:
        raw = pd.read_csv(asked.bulletins, sep=";", dtype=str, encoding="latin-1")
        frame["TYPCOL"] = raw.set_index("CABBI")["TYPCOL"].loc[frame["id"]].to_numpy()
    return frame.reset_index(drop=True), truth[truth["id"].isin(frame["id"])]


def at(frame: pd.DataFrame, threshold: float) -> dict[str, object]:
    coded = frame["probability"] >= threshold
    absent = frame["truth"] == ""
    return {
        "threshold": round(threshold, 4),
        "precision": told(share(int(frame["is_right"][coded].sum()), int(coded.sum()))),
        "coding_rate": told(share(int(coded.sum()), len(frame))),
        "coded_without_truth": told(share(int((coded & absent).sum()), int(absent.sum()))),
    }


def naf(frame: pd.DataFrame) -> dict[str, object]:
    coded, is_known = frame["naf_decision"] == "auto", frame["true_naf"] != ""
    right = (frame["naf"] == frame["true_naf"]) & is_known
    if not is_known.any():
        return {}
    n_both = int((coded & is_known).sum())
    return {
        "coding_rate": told(share(int(coded.sum()), len(frame))),
        "precision": told(share(int((right & coded).sum()), int(coded.sum()))),
        "precision_known": told(share(int((right & coded).sum()), n_both)),
    }


def twins(frame: pd.DataFrame, run: Path) -> dict[str, object]:
    """Bulletins without a truth among those whose best candidate could not fit better."""
    columns = ["id", "rank", "both", "street", "street_text", "number"]
    pairs = read_candidates(run, columns)
    best = pairs[pairs["rank"] == 1].set_index("id").reindex(frame["id"]).reset_index()
    named = (best["both"] >= 0.95) & (frame["decision"] == "auto")
    absent = frame["truth"] == ""
    kinds = {
        "name": named,
        "name_street": named & ((best["street"] == 1) | (best["street_text"] >= 0.9)),
        "name_street_number": named & (best["number"] == 1),
    }
    return {k: told(share(int((absent & f).sum()), int(f.sum()))) for k, f in kinds.items()}


def stratifications(frame: pd.DataFrame) -> list[str]:
    names = ("TYPCOL", "geocode_level", "sector", "departement")
    return [n for n in names if n in frame.columns]


def strata(frame: pd.DataFrame, column: str) -> dict[str, object]:
    """Calibration error by value, and what chance alone gives a perfectly calibrated one."""
    rng = np.random.default_rng(0)
    out: dict[str, object] = {}
    for value, rows in frame.groupby(column):
        if len(rows) < LEAST_BULLETINS:
            continue
        p = rows["probability"].to_numpy()
        drawn = [error(p, rng.random(len(p)) < p) for _ in range(DRAWS)]
        out[str(value)] = {
            "n": len(rows),
            "calibration_error": round(error(p, rows["is_right"].to_numpy()), 4),
            "by_chance_95": round(float(np.quantile(drawn, 0.95)), 4),
            "told_less_seen": round(float(p.mean() - rows["is_right"].mean()), 4),
        }
    return out


def error(probability: np.ndarray, is_right: np.ndarray) -> float:
    curve = Curve.of(probability, is_right, n=len(probability))
    return calibration_error(calibration(curve)).value


def told(measure: Measure) -> list[float] | None:
    """Value, low, high; None for a measure of nothing."""
    if not measure.n:
        return None
    return [round(v, 4) for v in (measure.value, measure.low, measure.high)]


if __name__ == "__main__":
    main()
