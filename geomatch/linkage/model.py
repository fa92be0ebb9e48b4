"""The trained part: weights, calibration, thresholds and words, as files a person can read.

A model is a folder::

    model.json            features with weights, calibration, thresholds, what it was trained on
    activity_words.csv    mot;naf;n   words of activity texts of coded bulletins
    profession_words.csv  mot;naf;n   the same for occupations
    model_card.md         for people
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from geomatch.arrays.rows import Columns
from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location
from geomatch.linkage.calibration_features import CALIBRATION_FEATURES
from geomatch.linkage.calibrator import Calibrator
from geomatch.linkage.collective import FEATURES
from geomatch.linkage.file_share import FileShare
from geomatch.linkage.model_checks import check, sealed
from geomatch.linkage.ranking import check_learned

MODEL_FORMAT = "geomatch-model"
MODEL_FORMAT_VERSION = 3
SHIPPED = Path(__file__).parent / "models" / "default"
#: A threshold that keeps less than this of what chance would allow is not believed.
_STRICT_SHARE = 0.5
_WORDS = ("activity_words", "profession_words")
#: Levels of an answer about an establishment, the most precise first.
LEVELS = ("siret", "site", "siren")
_THRESHOLDS_OF = {"siret": "thresholds", "site": "site_thresholds", "siren": "siren_thresholds",
                  "naf": "naf_thresholds"}  # fmt: skip
_THRESHOLDS = tuple(_THRESHOLDS_OF.values())


@dataclass(frozen=True)
class Linear:
    """A logistic model: one weight a feature, on the feature's own scale."""

    weights: Mapping[str, float]
    intercept: float
    #: (probability, share right) points that straighten the curve; none: as it comes
    curve: Sequence[tuple[float, float]] = ()

    def score(self, table: Columns) -> NDArray[np.float64]:
        """Log-odds of each row; raises KeyError when a feature is not in the table."""
        total = np.full(len(table), self.intercept)
        for name, weight in self.weights.items():
            total += weight * np.asarray(table[name], np.float64)
        return total

    def probability(self, table: Columns) -> NDArray[np.float64]:
        """Probability of each row."""
        chance: NDArray[np.float64] = expit(self.score(table))
        if self.curve:
            points, shares = zip(*self.curve, strict=True)
            chance = np.interp(chance, points, shares)
        return chance


@dataclass(frozen=True)
class Model:
    """Everything learned.

    ``ranking`` scores pairs, ``collective`` weighs what other bulletins say (by name of
    :data:`geomatch.linkage.collective.FEATURES`). ``presence`` tells how probably a bulletin's
    establishment is in the store, ``given`` how probably the best candidate is right if so, at
    each level; ``file_share`` moves presence to a file's own level. ``naf`` turns what is
    known into the probability of the activity. Thresholds give, for a precision asked for (as
    text, ``"0.95"``), the least probability that kept it where the model learned; larger files
    find their own (:mod:`geomatch.linkage.settling`).
    """

    ranking: Linear
    presence: Calibrator
    given: Mapping[str, Calibrator]
    naf: Linear
    thresholds: Mapping[str, float]
    site_thresholds: Mapping[str, float]
    siren_thresholds: Mapping[str, float]
    naf_thresholds: Mapping[str, float]
    file_share: FileShare = field(default_factory=lambda: FileShare())
    collective: Mapping[str, float] = field(default_factory=dict)
    trained_on: Mapping[str, Any] = field(default_factory=dict)
    activity_words: pd.DataFrame = field(default_factory=lambda: no_words())
    profession_words: pd.DataFrame = field(default_factory=lambda: no_words())

    @classmethod
    def load(cls, path: Location = "") -> Model:
        """Read a model folder; ``""`` is the one that is shipped.

        Raises :class:`ConfigError` when it is not there, not readable, of another version,
        damaged, or has numbers that no model has (:mod:`geomatch.linkage.model_checks`).
        """
        folder = paths.location(path) if path else SHIPPED
        try:
            content = json.loads(paths.read_bytes(paths.join(folder, "model.json")))
            files = {n: paths.read_bytes(paths.join(folder, f"{n}.csv")) for n in _WORDS}
            words = {n: _read_words(f) for n, f in files.items()}
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"model {folder} is not readable: {error}; expected the folder written by "
                "'geomatch train'"
            ) from error
        content = content if isinstance(content, dict) else {}
        got = (content.get("format"), content.get("format_version"))
        if got != (MODEL_FORMAT, MODEL_FORMAT_VERSION):
            raise ConfigError(
                f"model {folder} has format {got}, expected "
                f"{(MODEL_FORMAT, MODEL_FORMAT_VERSION)}; train it again with 'geomatch train'"
            )
        try:
            check(content, {f"{n}.csv": f for n, f in files.items()})
            parts: dict[str, Any] = {n: _linear(content[n]) for n in ("ranking", "naf")}
            parts |= {n: _thresholds(content[n]) for n in _THRESHOLDS}
            parts["presence"] = _calibrator(content["presence"])
            parts["given"] = {n: _calibrator(content["given"][n]) for n in LEVELS}
            parts["file_share"] = FileShare.from_dict(content["file_share"])
            check_learned(parts["ranking"].weights)
            if set(content["collective"]) != set(FEATURES):
                raise ValueError(f"collective has other weights than {', '.join(FEATURES)}")
            collective = _weights(content["collective"])
            trained_on = dict(content["trained_on"])
            return cls(**parts, **words, collective=collective, trained_on=trained_on)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                f"model {folder} is not complete ({error}); train it again with 'geomatch train'"
            ) from error

    def thresholds_of(self, level: str) -> Mapping[str, float]:
        """Learned thresholds of one of :data:`LEVELS` or of the NAF."""
        found: Mapping[str, float] = getattr(self, _THRESHOLDS_OF[level])
        return found

    def save(self, path: Location) -> None:
        """Write the folder, ``model.json`` last."""
        folder = paths.location(path)
        files = {n: getattr(self, n).to_csv(sep=";", index=False).encode() for n in _WORDS}
        for name, words in files.items():
            paths.write_bytes(paths.join(folder, f"{name}.csv"), words)
        content = {
            "format": MODEL_FORMAT,
            "format_version": MODEL_FORMAT_VERSION,
            "trained_on": dict(self.trained_on),
            **{n: asdict(getattr(self, n)) for n in ("ranking", "naf")},
            "collective": dict(self.collective),
            **{n: dict(getattr(self, n)) for n in _THRESHOLDS},
            "file_share": self.file_share.as_dict(),
            "presence": self.presence.as_dict(),
            "given": {level: one.as_dict() for level, one in self.given.items()},
        }
        content = sealed(_rounded(content), {f"{n}.csv": f for n, f in files.items()})
        text = _json(content)
        paths.write_bytes(paths.join(folder, "model.json"), f"{text}\n".encode())


def _calibrator(content: Mapping[str, Any]) -> Calibrator:
    found = Calibrator.from_dict(content)
    if strange := sorted(found.columns - {*CALIBRATION_FEATURES}):
        raise ValueError(f"calibrated with the unknown {', '.join(strange)}")
    return found


def threshold_for(thresholds: Mapping[str, float], precision: float) -> float:
    """Least probability that keeps a precision, between the precisions that were measured.

    Above the highest one measured, nothing is sure enough: 1.01.
    """
    asked = sorted((float(p), t) for p, t in thresholds.items())
    points, values = zip(*asked, strict=True)
    if precision > points[-1]:
        return 1.01
    return float(np.interp(precision, points, values))


def precision_thresholds(
    probability: NDArray[np.float64],
    is_right: NDArray[np.bool_] | NDArray[np.float64],
    targets: Sequence[float],
) -> dict[str, float]:
    """Threshold for each target on a calibration set; 1.01 where no share of it reaches one.

    The largest share is kept whose precision reaches the target. Where that is less than half of
    what falls short by no more than its standard error, the latter is kept: near the top, where
    half of the bulletins are within a thousandth of one another, a handful of them would
    otherwise decide between coding a tenth and coding a half. Thresholds grow with targets.
    """
    order = np.argsort(-probability, kind="stable")
    right = np.cumsum(is_right[order], dtype=np.float64) / np.arange(1, len(order) + 1)
    # A threshold keeps all of one probability or none.
    is_last = np.append(np.diff(probability[order]) != 0, True)[: len(order)]
    kept = np.arange(1, len(order) + 1)
    out: dict[str, float] = {}
    least = 0.0
    for target in sorted(targets):
        error = np.sqrt(target * (1.0 - target) / kept)
        strict, lenient = (
            int(kept[(right >= target - slack) & is_last].max(initial=0)) for slack in (0.0, error)
        )
        share = strict if strict >= _STRICT_SHARE * lenient else lenient
        least = max(least, float(probability[order[share - 1]]) if share else 1.01)
        out[str(target)] = least
    return out


def model_hash(path: Location = "") -> str:
    """SHA-256 over the files of a model folder, for run.json."""
    folder = paths.location(path) if path else SHIPPED
    digest = hashlib.sha256()
    names = [n for n in paths.files_of(folder) if "/" not in n]
    for ending in (".json", ".csv"):
        for name in (n for n in names if n.endswith(ending)):
            digest.update(name.encode())
            digest.update(paths.read_bytes(paths.join(folder, name)))
    return digest.hexdigest()


def no_words() -> pd.DataFrame:
    """An empty table of words."""
    return pd.DataFrame({"mot": [], "naf": [], "n": []}).astype({"n": "int64"})


def _linear(content: Mapping[str, Any]) -> Linear:
    curve = tuple((float(p), float(share)) for p, share in content["curve"])
    return Linear(_weights(content["weights"]), float(content["intercept"]), curve)


def _weights(content: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(weight) for name, weight in content.items()}


def _thresholds(content: Mapping[str, Any]) -> dict[str, float]:
    if not content:
        raise ValueError("no thresholds")
    return {str(float(precision)): float(least) for precision, least in content.items()}


def _read_words(content: bytes) -> pd.DataFrame:
    types = {"mot": str, "naf": str, "n": "int64"}
    words = pd.read_csv(io.BytesIO(content), sep=";", dtype=types, na_filter=False)
    if list(words.columns) != list(types):
        raise ValueError(f"expected columns {', '.join(types)} in {' and '.join(_WORDS)}")
    return words


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value


def _json(content: Mapping[str, Any]) -> str:
    """One line a value, but lists of plain values on one line: trees have thousands of nodes."""
    lists: list[str] = []

    def marked(value: Any) -> Any:
        if isinstance(value, list) and not any(isinstance(v, list | dict) for v in value):
            lists.append(json.dumps(value, ensure_ascii=False))
            return f"@{len(lists) - 1}@"
        if isinstance(value, dict):
            return {k: marked(v) for k, v in value.items()}
        return [marked(v) for v in value] if isinstance(value, list) else value

    text = json.dumps(marked(content), ensure_ascii=False, indent=1)
    return re.sub(r'"@(\d+)@"', lambda found: lists[int(found[1])], text)
