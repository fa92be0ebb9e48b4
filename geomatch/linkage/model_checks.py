"""Whether the numbers of a model's file can be those of a model, and are those that were saved.

A model decides what is coded without anybody looking: a file with a number that is none, a curve
that leaves [0, 1] or a byte that changed is refused before anything is matched (decision 0087).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

#: In ``model.json``: what its other parts and the files beside it sum up to.
SUM = "sum"
#: No weight, bound or leaf that was learned on features of the scales in use comes near this.
GREATEST = 1e6
#: A threshold above every probability: nothing is sure enough.
NEVER = 1.01


def sealed(content: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """The content of ``model.json`` with its sum.

    Parameters
    ----------
    content : what will be written as JSON
    files : content of the files beside it, by name
    """
    return {**content, SUM: _sum(content, files)}


def check(content: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Raise ValueError when a model that was read cannot be used.

    Its sum is compared where it has one (a model of an earlier version has none); every number
    must be finite and of a learned size; curves and thresholds must lie in their range and not
    fall.
    """
    if SUM in content and content[SUM] != _sum(content, files):
        raise ValueError("its files are not those that were saved together: damaged or edited")
    learned = {name: part for name, part in content.items() if name != "trained_on"}
    for where, value in _numbers(learned, ""):
        if not math.isfinite(value):
            raise ValueError(f"{where} is {value}, expected a finite number")
        if abs(value) > GREATEST:
            raise ValueError(f"{where} is {value:g}, expected at most {GREATEST:g}")
    for where, value in _parts(content, ""):
        if where.endswith("curve"):
            _check_curve(where, value)
        elif where.endswith("thresholds"):
            _check_thresholds(where, value)


def _sum(content: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    told = {name: value for name, value in content.items() if name != SUM}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    return digest.hexdigest()


def _parts(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every value of the content with its place, such as ``siret.curve``."""
    if where:
        yield where, value
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _parts(part, f"{where}.{name}" if where else str(name))


def _numbers(value: Any, where: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _numbers(part, f"{where}.{name}" if where else str(name))
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from _numbers(part, f"{where}[{i}]")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # a whole number of JSON may be too large for a float
        is_huge = isinstance(value, int) and abs(value) > GREATEST
        yield where, 2 * GREATEST if is_huge else float(value)


def _check_curve(where: str, points: Sequence[Sequence[float]]) -> None:
    """(probability, share right) points: probabilities rise, shares do not fall, all in [0, 1]."""
    pairs = [(float(p), float(share)) for p, share in points]
    if any(not (0.0 <= p <= 1.0 and 0.0 <= share <= 1.0) for p, share in pairs):
        raise ValueError(f"{where} leaves the range from 0 to 1")
    if any(b[0] < a[0] or b[1] < a[1] for a, b in pairwise(pairs)):
        raise ValueError(f"{where} falls, expected one that rises")


def _check_thresholds(where: str, thresholds: Mapping[str, float]) -> None:
    """Least probability by precision asked for: in range, and no less for a higher precision."""
    pairs = sorted((float(precision), float(least)) for precision, least in thresholds.items())
    if any(not (0.0 < p <= 1.0 and 0.0 <= least <= NEVER) for p, least in pairs):
        raise ValueError(f"{where} leaves the range from 0 to 1")
    if any(b[1] < a[1] for a, b in pairwise(pairs)):
        raise ValueError(f"{where} falls with the precision asked for, expected one that rises")
