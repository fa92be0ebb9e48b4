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
from geomatch.core.config import Config, DecisionOptions
from geomatch.evaluation import read_truth
from geomatch.evaluation.measures import Curve
from geomatch.linkage import decisions
from geomatch.linkage.model import LEVELS, SHIPPED, Model
from geomatch.linkage.settling import chances, settle
from geomatch.review.desk.register import Register
from geomatch.store.reader import Store
from geomatch.training.train import (
    Sample,
    coded_of,
    count_words,
    cross_evidence,
    fit,
    in_share,
    model_card,
)

Flags = NDArray[np.bool_]
SETS = ("rp_dev", "real_dev")
#: Sources of the real pairs with fewer bulletins are not left out by themselves.
LEAST_SOURCE = 150
#: Precisions asked for, the usual one first, and parts of the register that are taken out.
ASKED = 0.95
PRECISIONS = (ASKED, 0.90, 0.98)
THINNED = (0.25, 0.5, 0.85)


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
    asked = sorted(set(outcome["siret"]) - {""})
    known = Register(store).rows(asked, []).set_index("siret")["naf"]
    # what a thinned store lacks is not in the register
    outcome.loc[~outcome["siret"].isin(known.index), "siret"] = ""
    unknown = (outcome["naf"] == "") & (outcome["siret"] != "")
    outcome.loc[unknown, "naf"] = outcome.loc[unknown, "siret"].map(known)
    return pd.concat(frames, ignore_index=True), outcome


def crosswise(sample: Sample, parts: int) -> Iterator[dict[str, object]]:
    """Measures of models that did not learn from what they judge."""
    ids, name = sample.truth["id"].tolist(), sample.truth["set"].to_numpy(object)
    answers: dict[tuple[float, float], list[pd.DataFrame]] = {}
    for part in range(parts):
        below, above = (in_share(ids, (part + k) / parts) for k in (0, 1))
        held = above & ~below
        model = fit(chosen(sample, ~held))
        for asked, rate in [(p, 0.0) for p in PRECISIONS] + [(ASKED, r) for r in THINNED]:
            answers.setdefault((asked, rate), []).append(judged(sample, model, held, rate, asked))
    for (asked, rate), told in answers.items():
        all_of = pd.concat(told)
        for s in SETS:
            yield {"measured": f"crosswise in {parts}", "set": s, "asked": asked, "thinned": rate,
                   **told_of(all_of[all_of["set"] == s])}  # fmt: skip
    source = source_of(sample.truth)
    at_asked = pd.concat(answers[ASKED, 0.0]).reset_index(drop=True)
    for one, n in source_of(at_asked).value_counts().items():
        if one and n >= LEAST_SOURCE:
            mine = source_of(at_asked) == one
            yield {"measured": "source, learned from", "source": one, **told_of(at_asked[mine])}
    names, counts = np.unique(source[name == "real_dev"].to_numpy(str), return_counts=True)
    left = []
    for one in names[counts >= LEAST_SOURCE]:
        held = ((source == one) & (name == "real_dev")).to_numpy(bool)
        left.append(judged(sample, fit(chosen(sample, ~held)), held))
        yield {"measured": "source left out", "source": one, **told_of(left[-1])}
    yield {"measured": "source left out", "source": "all of these", **told_of(pd.concat(left))}


def source_of(truth: pd.DataFrame) -> pd.Series:
    """Who wrote each bulletin, without saying whether their employers are private."""
    return truth["source"].str.replace(r" \(.*\)$", "", regex=True)


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


def judged(
    sample: Sample, model: Model, held: Flags, rate: float = 0.0, asked: float = ASKED
) -> pd.DataFrame:
    """What a model answers to some bulletins, each set a file of its own, and whether rightly.

    All bulletins have their say. With a `rate`, in a register that lacks so many establishments.
    For each level ``p_<level>``, ``right_<level>`` and ``auto_<level>``, coded at what is `asked`.
    """
    copy = coded_of(sample).copy(rate, model.ranking, model.collective)
    known = decisions.assess(copy.leading, sample.flags, model)
    parts = []
    for name in SETS:
        mine = np.flatnonzero(held & (sample.truth["set"] == name).to_numpy())
        rows = known.take(mine)
        found = settle(rows, model, DecisionOptions(precision=asked))
        present, chance = chances(rows, found.level, model)
        told = sample.truth.iloc[mine][["id", "kind", "set", "source"]].assign(
            present=copy.present[mine], p_present=present, near=copy.near[mine]
        )
        for level in LEVELS:
            is_auto = (chance[level] >= found.thresholds[level]) & (rows["doubt"] != "abroad")
            told[f"p_{level}"], told[f"auto_{level}"] = chance[level], is_auto
            told[f"right_{level}"] = copy.right[level][mine]
        parts.append(told)
    return pd.concat(parts, ignore_index=True)


def measured(sample: Sample, model: Model, held: pd.Series) -> dict[str, object]:
    """:func:`told_of` what a model answers to some bulletins."""
    return told_of(judged(sample, model, held.to_numpy(bool)))


def told_of(answers: pd.DataFrame) -> dict[str, object]:
    """The measures of some answers; ``coded_<kind>`` is the share coded at what was asked."""
    known = answers["present"]
    out: dict[str, float] = {
        "n": len(answers),
        "top1": answers.loc[known, "right_siret"].mean(),
        "recall_20": answers.loc[known, "near"].mean(),
        "present": known.mean(),
        "present_expected": answers["p_present"].mean(),
    }
    for level in LEVELS:
        chance, right, auto = (answers[f"{c}_{level}"] for c in ("p", "right", "auto"))
        end = "" if level == "siret" else f"_{level}"
        curve = Curve.of(chance, right, n=len(answers))
        out |= {f"coverage_{round(100 * p)}{end}": curve.coverage(p) for p in (0.95, 0.98)}
        out[f"coded{end}"] = auto.mean()
        out[f"precision{end}"] = right[auto].mean()
        out[f"expected{end}"] = chance[auto].mean()
        out[f"calibration_error{end}"] = calibration_error(chance, right)
    auto = answers["auto_siret"]
    for kind in ("absent", "closed", "junk"):
        if (of_kind := answers["kind"] == kind).any():
            out[f"coded_{kind}"] = auto[of_kind].mean()
    private = answers["source"].str.endswith("(privé)")
    for whose, mine in (("private", private), ("public", ~private)):
        if private.any() and (mine & known).any():
            out[f"top1_{whose}"] = answers.loc[mine & known, "right_siret"].mean()
    return {k: round(float(v), 4) for k, v in out.items()}


def calibration_error(probability: pd.Series, right: pd.Series, bins: int = 10) -> float:
    """Mean gap of probability and share right over bins of like mass."""
    order = np.argsort(probability.to_numpy(), kind="stable")
    table = pd.DataFrame({"probability": probability, "right": right}).astype(float)
    means = table.iloc[order].groupby(np.arange(len(order)) * bins // max(len(order), 1)).mean()
    return float((means["probability"] - means["right"]).abs().mean())


if __name__ == "__main__":
    main()
