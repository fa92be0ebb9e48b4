"""What each group of features, each source of candidates and the collective pass brings.

``python benchmarks/ablation.py --store STORE``: learns from one half of rp_dev without the
part, measures on the other half and on real_dev, which is never learned from; one JSON line a
variant.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from geomatch.bulletins import read_bulletins
from geomatch.core.config import Config
from geomatch.evaluation import read_truth
from geomatch.evaluation.measures import Curve
from geomatch.linkage import decisions, ranking
from geomatch.linkage.blocking import BY_ACTIVITY, BY_NAME, BY_RADIUS, BY_STREET
from geomatch.linkage.calibration_features import bulletin_flags
from geomatch.linkage.matcher import Matcher
from geomatch.linkage.settling import chances
from geomatch.store.reader import Store
from geomatch.training import train

GROUPS: dict[str, tuple[str, ...]] = {
    "names, letter by letter": ("characters", "contained", "token_set", "best_characters"),
    "rarity of names": ("shared", "shared_outside", "rare_match", "rare_local", "inside_match"),
    "kinds of place": ("kind_shared", "kind_differs", "kind_written_only", "kind_more"),
    "towns in names": ("town_named", "town_other"),
    "commune": ("inside", "neighbour", "choice_of_communes", "inside_match", "shared_outside"),
    "residence": ("home", "home_excluded"),
    "street and number": ("street", "street_text", "number", "number_differs", "number_gap",
                          "number_alone", "street_unknown", "best_street", "best_number",
                          "street_generic"),
    "distance": ("distance", "distance_known", "within", "ratio"),
    "activity and occupation": ("activity", "profession", "name_activity", "best_activity",
                                "activity_generic"),
    "headcount": ("size", "size_unknown", "best_size", "size_generic"),
    "office of the authority": ("office",),
    "eldest of the unit": ("eldest",),
    "beside the best": ("best_name", "best_characters", "best_activity", "best_size",
                        "best_street", "best_number"),
}  # fmt: skip
SOURCES = {"name": BY_NAME, "radius": BY_RADIUS, "street": BY_STREET, "activity": BY_ACTIVITY}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--store", type=Path, default=Path("build/store"))
    asked = parser.parse_args()
    store = Store.open(asked.store)
    coded = sample("rp_dev", asked.bench, store)
    half = train.in_share(coded.truth["id"].tolist(), 0.5)
    learned, rest = part_of(coded, half), part_of(coded, ~half)
    real = real_sample("real_dev", asked.bench, store)
    tell("all", learned, rest, real)
    for group, without in GROUPS.items():
        names = [n for n in ranking.FEATURE_NAMES if n not in without]
        tell(f"without {group}", learned, rest, real, names)
    for source, bit in SOURCES.items():
        sets = [only_sources(s, ~bit) for s in (learned, rest, real)]
        tell(f"without candidates by {source}", *sets)
    alone = [replace(s, group=pd.Series(np.arange(len(s.group)))) for s in (learned, rest, real)]
    tell("without the collective pass", *alone)


def sample(name: str, bench: Path, store: Store) -> train.Sample:
    frame, truth = read(name, bench)
    return train.cross_evidence(frame, truth, store, Config())


def real_sample(name: str, bench: Path, store: Store) -> train.Sample:
    """Bulletins as the shipped words understand them."""
    frame, truth = read(name, bench)
    matcher = Matcher.open(store.path)
    prepared = matcher.prepare(frame)
    pairs, features = matcher.pairs(prepared)
    level = prepared.geocodes["geocode_level"]
    flags = bulletin_flags(
        prepared.told, prepared.kinds, level, is_abroad=prepared.is_abroad
    ).frame()
    texts = matcher.naf_of_texts(prepared).frame()
    group = pd.Series(prepared.departement, dtype=object)
    return train.Sample(pairs.frame(), features.frame(), flags, texts, truth, group)


def read(name: str, bench: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    frame = read_bulletins(bench / f"{name}.csv")
    truth = read_truth(bench / f"{name}_truth.csv").set_index("id")
    return frame, truth.loc[frame["id"]].reset_index()


def part_of(sample: train.Sample, rows: np.ndarray) -> train.Sample:
    position = np.cumsum(rows) - 1
    row = sample.pairs["row"].to_numpy()
    kept = rows[row]
    pairs = sample.pairs[kept].assign(row=position[row[kept]]).reset_index(drop=True)
    aligned = {
        name: getattr(sample, name)[rows].reset_index(drop=True)
        for name in ("flags", "naf_texts", "truth", "group")
    }
    features = sample.features[kept].reset_index(drop=True)
    return replace(sample, pairs=pairs, features=features, **aligned)


def only_sources(sample: train.Sample, bits: int) -> train.Sample:
    kept = (sample.pairs["source"].to_numpy() & bits) > 0
    pairs, features = sample.pairs[kept], sample.features[kept]
    return replace(
        sample, pairs=pairs.reset_index(drop=True), features=features.reset_index(drop=True)
    )


def tell(
    variant: str,
    learned: train.Sample,
    rest: train.Sample,
    real: train.Sample,
    names: Sequence[str] = ranking.FEATURE_NAMES,
) -> None:
    model = train.fit(learned, names)
    figures = {"rp_dev": measured(model, rest), "real_dev": measured(model, real)}
    print(json.dumps({"variant": variant, **figures}), flush=True)


def measured(model: train.Model, sample: train.Sample) -> dict[str, float]:
    copy = train.coded_of(sample).copy(0.0, model.ranking, model.collective)
    known = decisions.assess(copy.leading, sample.flags, model)
    _, chance = chances(known, model.file_share.usual, model)
    top = copy.right["siret"]
    truth = sample.truth["siret"].to_numpy(object)
    among = copy.near
    curve = Curve.of(chance["siret"], top, n=len(top))
    n = max(int((truth != "").sum()), 1)
    return {
        "top1": round(float(top.sum() / n), 4),
        "recall_20": round(float(among.sum() / n), 4),
        "coverage_95": round(float(curve.coverage(0.95)), 4),
    }


if __name__ == "__main__":
    main()
