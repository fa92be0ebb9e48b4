from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from geomatch.core.errors import ConfigError
from geomatch.linkage.model import SHIPPED, Model
from geomatch.linkage.model_checks import GREATEST, check
from geomatch.training.train import UNTRAINED

NAN, INFINITE = float("nan"), float("inf")
CURVE = [[0.0, 0.1], [0.5, 0.4], [1.0, 0.9]]


def rewritten(folder: Path, change: dict[str, Any]) -> Path:
    """A saved model of which parts, named as ``naf.curve``, were changed by hand, without a sum."""
    UNTRAINED.save(folder)
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    del content["sum"]
    for where, value in change.items():
        *upto, last = where.split(".")
        part = content
        for name in upto:
            part = part[name]
        part[last] = value
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ranking.intercept": NAN}, "ranking.intercept is nan"),
        ({"ranking.weights.size": INFINITE}, "ranking.weights.size is inf"),
        ({"collective.seen": -INFINITE}, "collective.seen is -inf"),
        ({"ranking.weights.size": 2 * GREATEST}, "at most"),
        ({"ranking.weights.size": 10**400}, "at most"),
        ({"naf.curve": [[0.0, 0.1], [1.0, 9.0]]}, "naf.curve leaves the range"),
        ({"naf.curve": [[0.0, -0.1], [1.0, 0.9]]}, "naf.curve leaves the range"),
        ({"naf.curve": [[0.0, NAN], [1.0, 0.9]]}, "expected a finite number"),
        ({"naf.curve": [[0.0, 0.5], [1.0, 0.4]]}, "naf.curve falls"),
        ({"naf.curve": [[0.6, 0.5], [0.5, 0.6]]}, "naf.curve falls"),
        ({"naf.curve": [[0.6], [0.5, 0.6]]}, "not complete"),
        ({"thresholds": {"0.9": 0.5, "0.95": 0.4}}, "falls with the precision"),
        ({"thresholds": {"0.9": -0.5}}, "thresholds leaves the range"),
        ({"naf_thresholds": {"0.9": 1.5}}, "naf_thresholds leaves the range"),
        ({"naf_thresholds": {"9": 0.5}}, "naf_thresholds leaves the range"),
        ({"thresholds": {"1.5": 0.5}}, "thresholds leaves the range"),
    ],
)
def test_a_model_with_numbers_that_no_model_has_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    folder = rewritten(tmp_path, change)
    with pytest.raises(ConfigError, match=f"{told}.*geomatch train"):
        Model.load(folder)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"naf.curve": CURVE},
        {"naf.curve": [[0.0, 0.0], [0.0, 0.2], [1.0, 1.0]]},
        {"thresholds": {"0.8": 0.0, "0.9": 0.5, "0.99": 1.01}},
        {"ranking.weights.size": -25},
        {"trained_on": {"bulletins": 25_000_000}},
    ],
)
def test_a_sound_model_of_an_earlier_version_has_no_sum_and_is_read(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    Model.load(rewritten(tmp_path, change))


def test_a_flipped_bit_in_a_model_is_found_or_changes_nothing(tmp_path: Path) -> None:
    UNTRAINED.save(tmp_path)
    files = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    sound = Model.load(tmp_path)
    rng = random.Random(25)
    refused = 0
    for _ in range(150):
        name = rng.choice(sorted(files))
        content = bytearray(files[name])
        at = rng.randrange(8 * len(content))
        content[at // 8] ^= 1 << at % 8
        (tmp_path / name).write_bytes(content)
        try:
            found = Model.load(tmp_path)
        except ConfigError:
            refused += 1
        else:  # a space for a line break, say
            assert found.ranking == sound.ranking
            assert found.naf == sound.naf
            assert found.thresholds == sound.thresholds
            assert found.activity_words.equals(sound.activity_words)
        (tmp_path / name).write_bytes(files[name])
    assert refused > 100


def test_words_of_another_model_are_refused(tmp_path: Path) -> None:
    UNTRAINED.save(tmp_path)
    (tmp_path / "activity_words.csv").write_text("mot;naf;n\nPAIN;10.71C;3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="damaged or edited"):
        Model.load(tmp_path)


def test_the_shipped_model_is_sound() -> None:
    content = json.loads((SHIPPED / "model.json").read_bytes())
    check(content, {f.name: f.read_bytes() for f in SHIPPED.glob("*.csv")})
