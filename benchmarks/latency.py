"""One bulletin at a time, as a library call, `explain` or the clerk's page asks for it.

``python benchmarks/latency.py BULLETINS --store STORE [--departement 44] [--sample 60]`` opens a
matcher, loads one département with its first bulletin, and matches others of it one by one, in
this process. Prints one JSON line: seconds and CPU seconds of opening and loading, median, 95 %
and least milliseconds and CPU milliseconds of one bulletin, the reading of its row included.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.campaign import of_departement, read
from geomatch.core.config import Config
from geomatch.linkage.matcher import Matcher


def measured(bulletins: pd.DataFrame, store: Path) -> dict[str, float]:
    """Opening with the first bulletin, then each of the others alone."""
    begun, cpu = time.perf_counter(), time.process_time()
    matcher = Matcher.open(store, Config())
    matcher.match(bulletins.iloc[:1])
    figures = {
        "open_seconds": round(time.perf_counter() - begun, 3),
        "open_cpu_seconds": round(time.process_time() - cpu, 3),
    }
    taken = np.array([_one(matcher, bulletins.iloc[[i]]) for i in range(1, len(bulletins))])
    for unit, values in zip(("ms", "cpu_ms"), 1e3 * taken.T, strict=True):
        for name, share in (("median", 0.5), ("95", 0.95), ("least", 0.0)):
            figures[f"{unit}_{name}"] = round(float(np.quantile(values, share)), 1)
    return figures


def _one(matcher: Matcher, bulletin: pd.DataFrame) -> tuple[float, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    matcher.match(bulletin)
    return time.perf_counter() - begun, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description="What one bulletin costs.")
    parser.add_argument("bulletins", type=Path, help="a file in the census layout")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--departement", default="44")
    parser.add_argument("--sample", type=int, default=60)
    asked = parser.parse_args()
    bulletins = of_departement(read(asked.bulletins), asked.departement).iloc[: asked.sample + 1]
    report = {"departement": asked.departement, "bulletins": len(bulletins) - 1}
    print(json.dumps(report | measured(bulletins, asked.store)))


if __name__ == "__main__":
    main()
