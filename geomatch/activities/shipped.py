"""The shipped model of activity texts, as files a person can read, and that of a store.

::

    models/default/weights.json    weight of each source, line of each level, what it learned from
    models/default/<source>.csv    mot;naf;n   how often a stem was seen with a code

Every word of the official labels is among the words of ``labels.csv``, so its codes are those of
the nomenclature; its empty word has each of them once.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from geomatch.activities.learn import label_table
from geomatch.activities.model import SMOOTHING, ActivityModel, Weights
from geomatch.activities.words import stems
from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.core.schema import STORE_NAF, STORE_NAF_WORDS
from geomatch.store.reader import Store

FORMAT = "geomatch-activities"
FORMAT_VERSION = 1
SHIPPED = Path(__file__).parent / "models" / "default"


def open_model(store: Store | None = None) -> ActivityModel:
    """The shipped model; with a store its codes, its labels, and the words of its register."""
    counts, weights, _ = load(SHIPPED)
    if store is not None:
        counts = {**counts, **store_counts(store)}
    labels = counts["labels"]
    return ActivityModel(sorted(set(labels["naf"])), counts, weights)


def store_counts(store: Store) -> dict[str, pd.DataFrame]:
    """Words of a store's labels and of the names of its register, with their codes."""
    labels = store.country(STORE_NAF)
    words = store.country(STORE_NAF_WORDS)
    return {"labels": label_table(labels), "register": register_table(words)}


def register_table(words: pd.DataFrame) -> pd.DataFrame:
    """Words of register names (STORE_NAF_WORDS) cut to stems."""
    words = words.assign(mot=stems(pa.array(words["mot"].tolist(), pa.string())).to_pylist())
    words = words[words["mot"] != ""]
    return words.groupby(["mot", "naf"], as_index=False)["n"].sum()


def load(
    folder: Location,
) -> tuple[dict[str, pd.DataFrame], Weights, dict[str, Any]]:
    """Counts by source, weights, and what was said of the learning.

    Raises :class:`ConfigError` when the folder is not there, or of another version.
    """
    folder = paths.location(folder)
    try:
        content = json.loads(paths.read_bytes(paths.join(folder, "weights.json")))
        got = (content.get("format"), content.get("format_version"))
        if got != (FORMAT, FORMAT_VERSION):
            raise ValueError(f"format {got}, expected {(FORMAT, FORMAT_VERSION)}")
        counts = {
            s: _read(paths.read_bytes(paths.join(folder, f"{s}.csv"))) for s in content["counts"]
        }
        weights = Weights(dict(content["sources"]), dict(content["levels"]))
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"model of activities {folder} is not readable: {error}; learn it again with "
            "benchmarks/learn_activities.py"
        ) from error
    return counts, weights, content["trained_on"]


def _read(content: bytes) -> pd.DataFrame:
    types = {"mot": "str", "naf": "str", "n": "float64"}
    return pd.read_csv(io.BytesIO(content), sep=";", dtype=types, keep_default_na=False)


def save(
    folder: Location,
    counts: Mapping[str, pd.DataFrame],
    weights: Weights,
    trained_on: Mapping[str, Any],
) -> None:
    """Write a model, ``weights.json`` last."""
    folder = paths.location(folder)
    for source in SMOOTHING:
        table = counts[source].sort_values(["mot", "naf"])
        table = table[["mot", "naf", "n"]].to_csv(sep=";", index=False, float_format="%g")
        paths.write_bytes(paths.join(folder, f"{source}.csv"), table.encode("utf-8"))
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "trained_on": dict(trained_on),
        "counts": list(SMOOTHING),
        "sources": {s: round(w, 4) for s, w in weights.sources.items()},
        "levels": {s: [round(x, 4) for x in line] for s, line in weights.levels.items()},
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    paths.write_bytes(paths.join(folder, "weights.json"), f"{text}\n".encode())
