"""Learn the shipped model of activity texts (``make model``).

``python benchmarks/learn_activities.py --store STORE [--texts FILE]``

Reads the store's labels and words of names, and the coded texts of ``--texts`` (``text;naf``), of
which only words and pairs in several texts are kept, as counts. Writes
``geomatch/activities/models/default``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd

from geomatch.activities import learn, shipped
from geomatch.store.reader import Store

#: Words of register names seen less often with a code.
LEAST_NAMES = 3


def knowledge(store: Store) -> dict[str, pd.DataFrame]:
    """Counts of the store's labels and names, as they are shipped."""
    counts = shipped.store_counts(store)
    names = counts["register"]
    return {**counts, "register": names[names["n"] >= LEAST_NAMES]}


def coded_texts(path: Path, nafs: list[str]) -> tuple[list[str], list[str]]:
    """Texts and their codes, written as the nomenclature's are."""
    frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    dotted = {naf.replace(".", ""): naf for naf in nafs}
    codes = [dotted.get(c.replace(".", ""), "") for c in frame["naf"]]
    return frame["text"].tolist(), codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", required=True)
    parser.add_argument("--texts", type=Path, default=Path("../shared/bench/activity_dev.csv"))
    parser.add_argument("--out", type=Path, default=shipped.SHIPPED)
    asked = parser.parse_args()
    known = knowledge(Store.open(asked.store))
    nafs = sorted(set(known["labels"]["naf"]))
    texts, codes = coded_texts(asked.texts, nafs)
    weights = learn.learned(known, nafs, texts, codes)
    declared = learn.declared_tables(texts, codes)
    trained_on = {"texts": len(texts), "labels": len(nafs)}
    shipped.save(asked.out, {**known, **declared}, weights, trained_on)
    print(json.dumps({"written": str(asked.out), **trained_on, "sources": weights.sources}))


if __name__ == "__main__":
    main()
