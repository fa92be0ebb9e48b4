"""Activity texts coded crosswise, by source and against time: one JSON line each.

``python benchmarks/activities.py --store STORE [--texts FILE] [--shipped]``. FILE (``text;naf``) is
parted into ten folds; words, weights and calibration of each are learned on the others. With
``--shipped`` the shipped model codes the file instead, which says nothing of texts it learned from.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from learn_activities import coded_texts, knowledge
from numpy.typing import NDArray

from geomatch.activities import learn, shipped
from geomatch.activities.counts import LEVELS, Nomenclature, level_shares
from geomatch.activities.model import calibration_inputs, line_of
from geomatch.evaluation.measures import Curve, calibration, calibration_error
from geomatch.store.reader import Store

N_FOLDS = 10
PRECISION = 0.90
#: Sources left out together, for the ablation.
WITHOUT: tuple[tuple[str, ...], ...] = (
    (), ("labels",), ("register",), ("lexicon", "leading"), ("leading",), ("declared", "pairs"),
    ("pairs",), ("lexicon", "leading", "declared", "pairs"),
)  # fmt: skip
N_TIMED = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True)
    parser.add_argument("--texts", type=Path, default=Path("../shared/bench/activity_dev.csv"))
    parser.add_argument("--shipped", action="store_true")
    asked = parser.parse_args()
    store = Store.open(asked.store)
    known = knowledge(store)
    nafs = sorted(set(known["labels"]["naf"]))
    texts, codes = coded_texts(asked.texts, nafs)
    if asked.shipped:
        tell("shipped", of_shipped(texts, codes))
    else:
        tried = learn.crosswise(known, nafs, texts, codes, learn.folds_of(texts, N_FOLDS))
        for without in WITHOUT:
            channels = {s: c for s, c in tried.channels.items() if s not in without}
            part = replace(tried, channels=channels)
            tell("without " + " ".join(without) if without else "all", of_folds(part))
    tell("speed", speed(texts))


def tell(name: str, found: dict[str, float]) -> None:
    """One line."""
    print(json.dumps({"benchmark": "activities", "run": name, **found}), flush=True)


def of_folds(tried: learn.Crosswise) -> dict[str, float]:
    """Figures of texts by weights and lines learned on the other folds."""
    chance = learn.tried_out(tried)
    sure = np.zeros((len(chance), len(LEVELS)))
    for fold in np.unique(tried.folds):
        here = tried.folds == fold
        lines = learn.level_lines(chance, tried, ~here)
        for i, level in enumerate(LEVELS):
            share, _ = learn.best_of_level(chance, tried, level)
            sure[here, i] = line_of(calibration_inputs(share, tried.known), lines[level])[here]
    return figures(chance, sure, tried.truth, tried.nomenclature)


def of_shipped(texts: Sequence[str], codes: Sequence[str]) -> dict[str, float]:
    """Figures of the shipped model."""
    model = shipped.open_model()
    truth = model.nomenclature.positions(codes)
    told = np.flatnonzero(truth >= 0)
    coded = model.code([texts[i] for i in told])
    return figures(coded.probability, coded.sure, truth[told], model.nomenclature)


def figures(
    chance: NDArray[np.float32],
    sure: NDArray[np.float64],
    truth: NDArray[np.int64],
    nomenclature: Nomenclature,
) -> dict[str, float]:
    """Right first, among ten, by level; calibration; share coded at a precision."""
    order = np.argsort(-chance, axis=1, kind="stable")
    out: dict[str, float] = {"n": len(truth)}
    out["top1"] = float((order[:, 0] == truth).mean())
    out["top10"] = float((order[:, :10] == truth[:, None]).any(axis=1).mean())
    for i, level in enumerate(LEVELS):
        shares = level_shares(chance, nomenclature, level)
        is_right = shares.argmax(axis=1) == nomenclature.groups(level)[truth]
        out[level] = float(is_right.mean())
        curve = Curve.of(sure[:, i], is_right, n=len(truth))
        out[f"{level}_ece"] = calibration_error(calibration(curve)).value
        out[f"{level}_at_{PRECISION}"] = kept_at(sure[:, i], is_right)
        told = sure[:, i] >= PRECISION
        out[f"{level}_sure"] = float(told.mean())
        out[f"{level}_sure_right"] = float(is_right[told].mean()) if told.any() else float("nan")
    return {k: round(v, 4) for k, v in out.items()}


def kept_at(sure: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """Largest share of texts, surest first, of which :data:`PRECISION` are right."""
    right = np.cumsum(is_right[np.argsort(-sure, kind="stable")])
    n = np.arange(1, len(right) + 1)
    return float(n[right >= PRECISION * n].max(initial=0)) / len(right)


def speed(texts: Sequence[str]) -> dict[str, float]:
    """Texts a CPU second, every one of them new.

    ``numbered`` are the texts with a number behind each, ``mixed`` begin as one text and end as
    another: no clause of theirs was read before.
    """
    model = shipped.open_model()
    model.code(texts[:10])
    drawn = random.Random(0)
    halves = [text.split(" ") for text in texts]
    many = {"numbered": [f"{texts[i % len(texts)]} {i}" for i in range(N_TIMED)], "mixed": []}
    for _ in range(N_TIMED):
        first, last = drawn.choice(halves), drawn.choice(halves)
        begin = first[: drawn.randint(0, len(first))]
        many["mixed"].append(" ".join([*begin, *last[drawn.randint(0, len(last)) :]]))
    found: dict[str, float] = {"texts": N_TIMED}
    for kind, asked in many.items():
        begun = time.process_time()
        model.code(asked)
        found[f"{kind}_per_cpu_second"] = round(N_TIMED / (time.process_time() - begun))
    return found


if __name__ == "__main__":
    main()
