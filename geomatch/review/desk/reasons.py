"""Why a candidate is on the list, in words: name, street, circle, activity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

#: A reason in French, and whether it speaks for the candidate.
Reason = tuple[str, bool]

_NAMES: tuple[tuple[float, Reason], ...] = (
    (0.97, ("même nom", True)),
    (0.75, ("nom très proche", True)),
    (0.4, ("nom en partie semblable", True)),
    (-math.inf, ("autre nom", False)),
)
_SAME_STREET, _SAME_NUMBER = ("même rue", True), ("même rue et même numéro", True)
_INSIDE, _OUTSIDE = ("dans le cercle", True), ("hors du cercle", False)
_SAME_ACTIVITY, _OTHER_ACTIVITY = ("activité qui concorde", True), ("autre activité", False)


def reasons(row: Mapping[Any, Any], *, is_placed: bool = True) -> list[Reason]:
    """What speaks for and against a candidate, most telling first, its activity left aside.

    `row` has the columns of CANDIDATES, and as far as the run has them the features
    ``street``, ``street_text``, ``number``, ``name_missing`` and ``generic_name``. A row that
    a search found (``found``) was compared with nothing. Of a place that is not known better than
    its commune (not `is_placed`), the circle tells nothing.
    """
    if row.get("found"):
        return []
    told = (_name(row), _street(row), _circle(row) if is_placed else None)
    return [reason for reason in told if reason is not None]


def number_of(row: Mapping[Any, Any], column: str) -> float:
    """A number of a row, NaN when it is null or not there."""
    value = row.get(column)
    return math.nan if value is None or pd.isna(value) else float(value)


def _name(row: Mapping[Any, Any]) -> Reason | None:
    if number_of(row, "name_missing") > 0.5 or number_of(row, "generic_name") > 0.5:
        return None  # the form names nobody: there is nothing to compare
    score = number_of(row, "name_score")
    return next((reason for least, reason in _NAMES if score >= least), None)


def _street(row: Mapping[Any, Any]) -> Reason | None:
    if number_of(row, "street") > 0.5 or number_of(row, "street_text") > 0.9:
        return _SAME_NUMBER if number_of(row, "number") > 0.5 else _SAME_STREET
    return None


def _circle(row: Mapping[Any, Any]) -> Reason | None:
    distance, radius = number_of(row, "distance_m"), number_of(row, "radius_m")
    if math.isnan(distance) or math.isnan(radius):
        return None
    return _INSIDE if distance <= radius else _OUTSIDE


def activity_reason(row: Mapping[Any, Any]) -> Reason | None:
    """Whether what it does is what the form says; None when nobody can tell."""
    score = number_of(row, "activity_score")
    if score >= 0.65:
        return _SAME_ACTIVITY
    return _OTHER_ACTIVITY if score <= 0.35 else None
