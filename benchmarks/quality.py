"""Quality and speed on the shared development sets: one JSON line a set.

The shipped model learned from rp_dev and real_dev. So rp_dev is measured crosswise: of ``--parts``
parts each is judged by a model that learned from the others of rp_dev; it codes the whole file,
for colleagues have their say. real_dev is measured with the shipped model, which has seen it: these
figures only show whether a change breaks something. ``benchmarks/learn.py --measure`` gives those
of real pairs that were not learned from. ``--model`` asks for another model on both; of rp_dev its
half of ``geomatch train --share 0.5`` is left out.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gazetteer.build import BuildOptions, build
from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config, DecisionOptions
from geomatch.evaluation import evaluate, read_truth
from geomatch.linkage.matcher import Matcher
from geomatch.training.train import in_share, train

KEPT = ("n", "n_with_truth", "top1", "recall_20", "coding_rate", "precision", "coverage_90",
        "coverage_95", "coverage_98", "calibration_error")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    parser.add_argument("--model", default="")
    parser.add_argument("--sets", default="rp_dev,real_dev")
    parser.add_argument("--parts", type=int, default=2, help="parts that rp_dev is cut in")
    parser.add_argument("--alone", action="store_true", help="without the collective pass")
    asked = parser.parse_args()
    begun = time.perf_counter()
    build(
        BuildOptions(
            ban=(asked.data / "ban",),
            sirene=asked.data / "sirene",
            cog=asked.data / "reference",
            out=asked.store,
        )
    )
    print(json.dumps({"build_s": round(time.perf_counter() - begun, 1), "peak_gb": peak_gb()}))
    for name in asked.sets.split(","):
        print(json.dumps({"set": name, **measure(name, asked)}), flush=True)


def measure(name: str, asked: argparse.Namespace) -> dict[str, object]:
    frame = read_bulletins(asked.bench / f"{name}.csv")
    truth = read_truth(asked.bench / f"{name}_truth.csv")
    decided, found, wall, cpu = [], [], 0.0, 0.0
    for matcher, bulletins, judged in chosen(name, frame, truth, asked):
        begun = time.perf_counter(), time.process_time()
        result = matcher.match_bulletins(bulletins)
        wall += (time.perf_counter() - begun[0]) / len(bulletins)
        cpu += (time.process_time() - begun[1]) / len(bulletins)
        ids = set(bulletins["id"][judged])
        for tables, table in ((decided, result.decisions), (found, result.candidates)):
            tables.append(table[table["id"].isin(ids)])
    made = pd.concat(decided, ignore_index=True)
    candidates = pd.concat(found, ignore_index=True)
    truth = truth[truth["id"].isin(made["id"])]
    measures = evaluate(made, candidates, truth).as_dict()
    levels = made["geocode_level"].value_counts(normalize=True).round(3)
    return {
        **{k: rounded(measures[k]) for k in KEPT},
        "naf": {k: rounded(v) for k, v in measures.get("naf", {}).get("5", {}).items()
                if k in ("top1", "coding_rate", "precision", "coverage_95")}
        if isinstance(measures.get("naf"), dict) else None,
        "geocode_levels": levels.to_dict(),
        "by_source": by_source(candidates, truth),
        "bulletins_per_s": round(len(decided) / wall),
        "bulletins_per_cpu_s": round(len(decided) / cpu),
        "peak_gb": peak_gb(),
    }  # fmt: skip


def chosen(
    name: str, frame: pd.DataFrame, truth: pd.DataFrame, asked: argparse.Namespace
) -> Iterator[tuple[Matcher, pd.DataFrame, NDArray[np.bool_]]]:
    """Matchers, the bulletins they code, and which of these their model has not learned from."""
    options = DecisionOptions(collective=not asked.alone)
    config = Config(model=asked.model, decisions=options)
    matcher = Matcher.open(asked.store, config)
    ids = frame["id"].tolist()
    if name != "rp_dev":
        yield matcher, frame, np.ones(len(frame), dtype=bool)
        return
    if asked.model:
        rest = frame[~in_share(ids, 0.5)].reset_index(drop=True)
        yield matcher, rest, np.ones(len(rest), dtype=bool)
        return
    for part in range(asked.parts):
        below, above = (in_share(ids, (part + k) / asked.parts) for k in (0, 1))
        judged = above & ~below
        learned = frame[~judged].reset_index(drop=True)
        model = train(learned, truth, matcher.store, config, {})
        yield matcher.with_model(model), frame, judged


def by_source(candidates: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Share of right establishments that each source of candidates had found."""
    right = candidates.merge(truth[["id", "siret"]], on=["id", "siret"])
    n = max(int((truth["siret"] != "").sum()), 1)
    names = {1: "name", 2: "radius", 4: "street", 8: "activity"}
    return {k: round(float(((right["source"] & b) > 0).sum() / n), 3) for b, k in names.items()}


def rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def peak_gb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


if __name__ == "__main__":
    main()
