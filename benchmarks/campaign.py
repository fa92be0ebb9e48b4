"""A whole campaign: what it costs, from ten thousand bulletins to all and for one département.

``python benchmarks/campaign.py --country FOLDER --store STORE`` with a folder that
``python -m benchmarks.country`` wrote and the store built of it. Prints one JSON line:

* ``runs``: `geomatch match` in processes of its own, for one département and for the first
  bulletins of the file (which is in no order of places): seconds, CPU seconds, bulletins a
  second, peak memory of all processes, share of right first candidates;
* ``open``: seconds to open a matcher and load one département, milliseconds of one bulletin then;
* ``slowest``: bulletins matched one by one, so that time is each one's own; of the slowest, how
  many owe it to which phase (the one that takes the most above its median), and each phase's
  milliseconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measured import measured
from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.addresses.parse.rules import RulesParser
from geomatch.bulletins import standardise
from geomatch.core.config import Config
from geomatch.linkage import blocking, decisions, ranking
from geomatch.linkage import matcher as matching
from geomatch.linkage.matcher import Matcher
from geomatch.names.coverage import Coverage

#: Phase → the functions whose time it is: owner and name. None calls another.
PHASES: dict[str, tuple[tuple[Any, str], ...]] = {
    "parse": ((RulesParser, "parse"),),
    "commune": ((CommuneIndex, "resolve"),),
    "geocode": ((Geocoder, "geocode"),),
    "words": ((Coverage, "__init__"),),
    "names": ((matching, "similar_names"), (blocking, "by_name")),
    "places": ((blocking, "by_place"),),
    "activity": ((blocking, "by_activity"),),
    "features": ((ranking, "compare"),),
    "decisions": ((decisions, "assess"), (decisions, "decide_naf"), (matching, "decided_of")),
}


def read(file: Path, n: int | None = None) -> pd.DataFrame:
    """Bulletins, or their truth, as text."""
    options = {"sep": ";", "dtype": str, "encoding": "latin-1", "keep_default_na": False}
    return pd.read_csv(file, nrows=n, **options)  # type: ignore[call-overload, no-any-return]


def of_departement(bulletins: pd.DataFrame, departement: str) -> pd.DataFrame:
    """Bulletins that say they are of a département: by its code, or at home there."""
    at_home = (bulletins["ILT_X"] == "1") & bulletins["DEPCOM_CODE"].str.startswith(departement)
    return bulletins[(bulletins["DLT_X"] == departement) | at_home]


def run(bulletins: pd.DataFrame, truth: pd.DataFrame, store: Path, workers: int) -> dict[str, Any]:
    """One `geomatch match` of some bulletins, measured."""
    with TemporaryDirectory() as folder:
        file, out = Path(folder, "bulletins.csv"), Path(folder, "run")
        bulletins.to_csv(file, sep=";", index=False, encoding="latin-1")
        command = [sys.executable, "-m", "geomatch.cli", "match", str(file), "--store", str(store)]
        report = measured([*command, "--out", str(out), "--workers", str(workers)])
        if report["exit_code"]:
            raise SystemExit(f"geomatch match ended with {report['exit_code']}")
        found = pd.read_parquet(out / "decisions.parquet", columns=["siret", "decision"])
        n_parts = json.loads((out / "run.json").read_text())["partitions"]
    right = truth["SIRET"].loc[bulletins.index]
    known = (right != "").to_numpy()
    same = (found["siret"].fillna("") == right.to_numpy()).to_numpy()
    return {
        "bulletins": len(bulletins),
        "workers": workers,
        "partitions": n_parts,
        **{k: v for k, v in report.items() if k != "exit_code"},
        "per_second": round(len(bulletins) / report["seconds"], 1),
        "per_cpu_second": round(len(bulletins) / report["cpu_seconds"], 1),
        "top1": round(float(same[known].mean()), 4),
        "coded": round(float((found["decision"] == "auto").mean()), 4),
    }


def opened(bulletins: pd.DataFrame, store: Path) -> tuple[Matcher, dict[str, Any]]:
    """A matcher with one département loaded, and what that and one bulletin more take."""
    begun, cpu = time.perf_counter(), time.process_time()
    matcher = Matcher.open(store, Config())
    matcher.match(bulletins.iloc[:1])
    figures = {
        "seconds_with_one_departement": round(time.perf_counter() - begun, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
    }
    taken, used = [], []
    for i in range(1, min(60, len(bulletins))):
        begun, cpu = time.perf_counter(), time.process_time()
        matcher.match(bulletins.iloc[[i]])
        taken.append(time.perf_counter() - begun)
        used.append(time.process_time() - cpu)
    figures |= {
        "ms_one_bulletin_median": round(1e3 * float(np.median(taken)), 1),
        "cpu_ms_one_bulletin_median": round(1e3 * float(np.median(used)), 1),
    }
    return matcher, figures


def slowest(matcher: Matcher, bulletins: pd.DataFrame, share: float = 0.1) -> dict[str, Any]:
    """The slowest bulletins of a sample: CPU milliseconds of each phase, and which is to blame."""
    table = standardise(bulletins, matcher.config.bulletins)
    times = np.zeros((len(table), len(PHASES) + 1))
    with _timed() as spent:
        for i in range(len(table)):
            spent.clear()
            begun = time.process_time()
            matcher.match_bulletins(table.iloc[[i]].reset_index(drop=True))
            whole = time.process_time() - begun
            own = [spent[phase] for phase in PHASES]
            times[i] = [*own, whole - sum(own)]
    names = [*PHASES, "rest"]
    total, median = times.sum(axis=1), np.median(times, axis=0)
    worst = np.argsort(-total)[: max(1, round(share * len(table)))]
    cause = Counter(names[c] for c in (times[worst] - median).argmax(axis=1))
    return {
        "sample": len(table),
        "slowest": len(worst),
        "ms_all": round(1e3 * total.mean(), 1),
        "ms_slowest": round(1e3 * total[worst].mean(), 1),
        "ms_slowest_by_phase": _by_name(names, 1e3 * times[worst].mean(axis=0)),
        "ms_median_by_phase": _by_name(names, 1e3 * median),
        "cause": dict(cause.most_common()),
    }


def _by_name(names: Sequence[str], values: np.ndarray) -> dict[str, float]:
    return {name: round(float(v), 2) for name, v in zip(names, values, strict=True)}


@contextmanager
def _timed() -> Iterator[defaultdict[str, float]]:
    """CPU seconds spent in each phase since the last ``clear``."""
    spent: defaultdict[str, float] = defaultdict(float)
    with ExitStack() as stack:
        for phase, functions in PHASES.items():
            for owner, name in functions:
                timed = _timer(getattr(owner, name), phase, spent)
                stack.enter_context(patch.object(owner, name, timed))
        yield spent


def _timer(
    function: Callable[..., Any], phase: str, spent: defaultdict[str, float]
) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        begun = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[phase] += time.process_time() - begun

    return timed


def main() -> None:
    parser = argparse.ArgumentParser(description="What a whole campaign costs.")
    parser.add_argument("--country", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--sizes", default="10000,100000,all", help="bulletins of each run")
    parser.add_argument("--departement", default="44", help="the one that is run alone")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sample", type=int, default=20_000, help="bulletins timed one by one")
    asked = parser.parse_args()
    bulletins, truth = (read(asked.country / f"{n}.csv") for n in ("bulletins", "truth"))
    report: dict[str, Any] = {"departement": asked.departement}
    alone = of_departement(bulletins, asked.departement)
    parts = [alone, *(_first(bulletins, size) for size in asked.sizes.split(",") if size)]
    report["runs"] = []
    for part in parts:
        report["runs"].append(run(part, truth, asked.store, asked.workers))
        print(json.dumps(report["runs"][-1]), file=sys.stderr)
    matcher, report["open"] = opened(alone, asked.store)
    report["slowest"] = slowest(matcher, alone.iloc[: asked.sample])
    print(json.dumps(report))


def _first(bulletins: pd.DataFrame, size: str) -> pd.DataFrame:
    return bulletins if size == "all" else bulletins.iloc[: int(size)]


if __name__ == "__main__":
    main()
