"""Learn the shipped model from both development sets, and measure what transfers.

Evidence of words is crosswise (``cross_evidence``). ``--measure`` learns weights and calibration
from some of the bulletins and judges the others: in parts, and with one source of the real pairs
left out at a time, which tells about a file that nobody learned from. One JSON line each.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.evaluation import read_truth
from geomatch.evaluation.measures import Curve
from geomatch.linkage import collective, decisions
from geomatch.linkage.model import SHIPPED, Model
from geomatch.store.reader import Store
from geomatch.training.train import (
    Sample,
    count_words,
    cross_evidence,
    fit,
    in_share,
    is_right,
    model_card,
)
from geomatch.training.verdicts import naf_of

Flags = NDArray[np.bool_]
SETS = ("rp_dev", "real_dev")
#: Sources of the real pairs with fewer bulletins are not left out by themselves.
LEAST_SOURCE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    parser.add_argument("--out", type=Path, default=None, help="model folder to write")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--parts", type=int, default=5)
    asked = parser.parse_args()
    store, config = Store.open(asked.store), Config()
    frame, truth = joined_sets(asked.bench, store)
    sample = cross_evidence(frame, truth, store, config)
    if asked.out or not asked.measure:
        model = replace(
            fit(sample),
            **count_words(frame, truth),
            trained_on={"sets": list(SETS), "bulletins": len(frame)},
        )
        out = asked.out or SHIPPED
        model.save(out)
        told = {f"{s} (training set)": measured(sample, model, sample.truth["set"] == s)
                for s in SETS}  # fmt: skip
        (out / "model_card.md").write_text(model_card({**model.trained_on, **told}, model))
        print(json.dumps(told), flush=True)
    if asked.measure:
        for line in crosswise(sample, asked.parts):
            print(json.dumps(line), flush=True)


def joined_sets(bench: Path, store: Store) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bulletins of both sets and their outcomes, in one order, with ``set`` and ``source``."""
    frames, truths = [], []
    for name in SETS:
        frame, truth = (
            read_bulletins(bench / f"{name}.csv"),
            read_truth(bench / f"{name}_truth.csv"),
        )
        truth = truth.rename(columns=str.lower)
        kept = truth[["id", "siret", "naf", "kind"]].assign(
            set=name, source=truth.get("source", "")
        )
        frames.append(frame[frame["id"].isin(truth["id"])])
        truths.append(kept.set_index("id").loc[frames[-1]["id"]].reset_index())
    outcome = pd.concat(truths, ignore_index=True)
    unknown = (outcome["naf"] == "") & (outcome["siret"] != "")
    nafs = naf_of(outcome.loc[unknown, "siret"].tolist(), store)
    outcome.loc[unknown, "naf"] = [nafs.get(s, "") for s in outcome.loc[unknown, "siret"]]
    return pd.concat(frames, ignore_index=True), outcome


def crosswise(sample: Sample, parts: int) -> Iterator[dict[str, object]]:
    """Measures of models that did not learn from what they judge."""
    ids, name = sample.truth["id"].tolist(), sample.truth["set"].to_numpy(object)
    answers = []
    for part in range(parts):
        below, above = (in_share(ids, (part + k) / parts) for k in (0, 1))
        held = above & ~below
        answers.append(judged(sample, fit(chosen(sample, ~held)), held))
    all_of = pd.concat(answers)
    for s in SETS:
        yield {"measured": f"crosswise in {parts}", "set": s, **told_of(all_of[all_of["set"] == s])}
    source = sample.truth["source"].str.replace(r" \(.*\)$", "", regex=True).to_numpy(object)
    names, counts = np.unique(source[name == "real_dev"].astype(str), return_counts=True)
    left = []
    for one in names[counts >= LEAST_SOURCE]:
        held = (source == one) & (name == "real_dev")
        left.append(judged(sample, fit(chosen(sample, ~held)), held))
        yield {"measured": "source left out", "source": one, **told_of(left[-1])}
    yield {"measured": "source left out", "source": "all of these", **told_of(pd.concat(left))}


def chosen(sample: Sample, kept: Flags) -> Sample:
    """The sample of some bulletins."""
    row = sample.pairs["row"].to_numpy(np.int64)
    mine, number = kept[row], np.cumsum(kept) - 1
    pairs = sample.pairs[mine].assign(row=number[row[mine]])
    return Sample(
        pairs.reset_index(drop=True),
        sample.features[mine].reset_index(drop=True),
        *(t[kept].reset_index(drop=True) for t in (
            sample.flags, sample.naf_texts, sample.truth, sample.group)),
    )  # fmt: skip


def judged(sample: Sample, model: Model, held: Flags) -> pd.DataFrame:
    """What a model answers to some bulletins, all of which have their say, and whether rightly."""
    right = is_right(sample)
    score = model.ranking.score(sample.features)
    size = sample.features["size"].to_numpy(np.float64)
    group = sample.group.to_numpy(object)
    told = collective.chances(sample.pairs, score, size, group, model.collective)
    pairs = sample.pairs.assign(**told)
    row = pairs["row"].to_numpy(np.int64)
    order = np.lexsort((pairs["siret_number"], -pairs["score"], row))
    pairs, right, row = pairs.iloc[order].reset_index(drop=True), right[order], row[order]
    features = sample.features.iloc[order].reset_index(drop=True)
    echoes = decisions.best_echoes(pairs, features, sample.flags)
    first = echoes["first"]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    near = np.bincount(row[right & (rank < 20)], minlength=len(held)) > 0
    answers = sample.truth[["id", "siret", "kind", "set", "source"]].assign(
        probability=np.where(first >= 0, model.siret.probability(echoes), 0.0),
        right=np.append(right, False)[first],
        near=near,
    )
    answers["auto"] = answers["probability"] >= model.thresholds["0.95"]
    return answers[held]


def measured(sample: Sample, model: Model, held: pd.Series) -> dict[str, object]:
    """:func:`told_of` what a model answers to some bulletins."""
    return told_of(judged(sample, model, held.to_numpy(bool)))


def told_of(answers: pd.DataFrame) -> dict[str, object]:
    """The measures of some answers; ``coded_<kind>`` is the share coded at an asked 0.95."""
    known = answers["siret"] != ""
    curve = Curve.of(answers["probability"], answers["right"], n=len(answers))
    auto = answers["auto"]
    out: dict[str, float] = {
        "n": len(answers),
        "top1": answers.loc[known, "right"].mean(),
        "recall_20": answers.loc[known, "near"].mean(),
        **{f"coverage_{round(100 * p)}": curve.coverage(p) for p in (0.95, 0.98)},
        "coded_at_95": auto.mean(),
        "precision_at_95": answers.loc[auto, "right"].mean() if auto.any() else float("nan"),
        "calibration_error": calibration_error(answers),
    }
    for kind in ("absent", "closed", "junk"):
        if (of_kind := answers["kind"] == kind).any():
            out[f"coded_{kind}"] = auto[of_kind].mean()
    private = answers["source"].str.endswith("(privé)")
    for whose, mine in (("private", private), ("public", ~private)):
        if private.any() and (mine & known).any():
            out[f"top1_{whose}"] = answers.loc[mine & known, "right"].mean()
    return {k: round(float(v), 4) for k, v in out.items()}


def calibration_error(answers: pd.DataFrame, bins: int = 10) -> float:
    """Mean gap of probability and share right over bins of like mass."""
    ordered = answers.sort_values("probability", kind="stable")
    bin_of = np.arange(len(ordered)) * bins // max(len(ordered), 1)
    means = ordered[["probability", "right"]].astype(float).groupby(bin_of).mean()
    return float((means["probability"] - means["right"]).abs().mean())


if __name__ == "__main__":
    main()
