"""Registers that really lack establishments: does a code keep its word, and how much is coded?

A share of the establishments, chosen by a hash of the SIRET, is left out of Sirene's files; a store
is built of the rest, and the development sets are matched with it. Whose establishment was left
out is right with none. Two models are learned on the whole register, each from a half of both
sets, and judge the other half; all bulletins of a file have their say. One JSON line a set and
share. `possible` is the coverage on the whole register times the share of the bulletins with an
establishment that still have it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from learn import SETS, chosen, joined_sets
from numpy.typing import NDArray

from gazetteer.build import BuildOptions, build
from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.evaluation import read_truth
from geomatch.evaluation.measures import Curve
from geomatch.linkage.matcher import Matcher
from geomatch.linkage.model import Model
from geomatch.store.reader import Store
from geomatch.training.train import count_words, cross_evidence, fit, in_share

SHARES = (0.0, 0.25, 0.5, 0.85)
PARTS = 2
#: Other than what copies of the sample are thinned by while a model is learned.
_SALT = b"thin register"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--store", type=Path, default=Path("build/store"), help="the whole one")
    asked = parser.parse_args()
    frame, truth = joined_sets(asked.bench, Store.open(asked.store))
    models = learned(frame, truth, asked.store)
    whole: dict[str, dict[str, float]] = {}
    for share in SHARES:
        with tempfile.TemporaryDirectory(prefix="thin-") as folder:
            store = asked.store if not share else thinned_store(asked.data, Path(folder), share)
            for name in SETS:
                told = measured(asked.bench, name, store, models, share)
                whole.setdefault(name, told)
                left = told["present"] / whole[name]["present"]
                told["possible"] = round(whole[name]["coverage_95"] * left, 4)
                print(json.dumps({"set": name, "left_out": share, **told}), flush=True)


def is_left_out(siret: list[str], share: float) -> NDArray[np.bool_]:
    """Establishments that a thinned register lacks."""
    drawn = [
        int.from_bytes(hashlib.sha256(_SALT + s.encode()).digest()[:8], "big") / 2**64
        for s in siret
    ]
    return np.array(drawn) < share


def thinned_store(data: Path, folder: Path, share: float) -> Path:
    """A store of Sirene's files without some of their establishments."""
    sirene = folder / "sirene"
    sirene.mkdir()
    for file in (data / "sirene").glob("*.parquet"):
        table = pq.read_table(file)
        if "siret" in table.column_names:
            kept = ~is_left_out(table.column("siret").to_pylist(), share)
            table = table.filter(pa.array(kept))
        pq.write_table(table, sirene / file.name)
    build(
        BuildOptions(
            ban=(data / "ban",), sirene=sirene, cog=data / "reference", out=folder / "store"
        )
    )
    return folder / "store"


def learned(frame: pd.DataFrame, truth: pd.DataFrame, store: Path) -> list[Model]:
    """Models that have not seen a part of the bulletins each, in the order of the parts."""
    sample = cross_evidence(frame, truth, Store.open(store), Config())
    models = []
    for part in range(PARTS):
        rest = ~in_part(sample.truth["id"].tolist(), part)
        own = ~in_part(frame["id"].tolist(), part)
        words = count_words(frame[own].reset_index(drop=True), truth[own].reset_index(drop=True))
        models.append(replace(fit(chosen(sample, rest)), **words))
    return models


def in_part(ids: list[str], part: int) -> NDArray[np.bool_]:
    below, above = (in_share(ids, (part + k) / PARTS) for k in (0, 1))
    return above & ~below


def measured(
    bench: Path, name: str, store: Path, models: list[Model], share: float
) -> dict[str, float]:
    """What the models answer to the parts they have not seen, and whether rightly."""
    frame = read_bulletins(bench / f"{name}.csv")
    truth = read_truth(bench / f"{name}_truth.csv").set_index("id")
    matcher = Matcher.open(store, Config())
    told = []
    for part, model in enumerate(models):
        made = matcher.with_model(model).match_bulletins(frame).decisions
        told.append(made[in_part(made["id"].tolist(), part)])
    decided = pd.concat(told)
    decided = decided[decided["id"].isin(truth.index)]
    true = truth.loc[decided["id"], "siret"].to_numpy(object)
    known = Store.open(store)
    register = {s for d in known.departements for s in known.establishments(d)["siret"]}
    present = np.array([s != "" and s in register for s in true])
    right = present & (decided["siret"].to_numpy(object) == true)
    auto = (decided["decision"] == "auto").to_numpy()
    curve = Curve.of(decided["probability"], pd.Series(right), n=len(decided))
    figures = {
        "n": len(decided),
        "present": present.mean(),
        "coded": auto.mean(),
        "precision": right[auto].mean(),
        "expected": decided["probability"].to_numpy()[auto].mean(),
        "coverage_95": curve.coverage(0.95),
    }
    return {k: round(float(v), 4) for k, v in figures.items()}


if __name__ == "__main__":
    main()
