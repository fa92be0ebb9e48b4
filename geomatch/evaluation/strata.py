"""Strata that no column holds as such: département of work, section of the NAF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.core.decision_types import type_label
from geomatch.core.schema import text_array
from geomatch.core.tables import load_table
from geomatch.core.wording import COLLECTED, DECISIONS, LEVELS

DEPARTEMENT = "departement_travail"
SECTION = "section_naf"
#: Always told when a report or JSON is asked for, as far as they are known and vary.
STANDARD = (SECTION, DEPARTEMENT, "mode_collecte", "geocode_level", "type", "classe_mca")
#: Stratifications whose values are codes, and what screens call a code.
_LABELS: Mapping[str, Callable[[str], str]] = {
    "type": type_label,
    "geocode_level": lambda code: LEVELS[code].title if code in LEVELS else code,
    "mode_collecte": lambda code: COLLECTED.get(code, code),
    "decision": lambda code: DECISIONS[code].title if code in DECISIONS else code,
    "naf_decision": lambda code: DECISIONS[code].title if code in DECISIONS else code,
}
#: A stratification keeps this many values, the most frequent; the rest is put together.
MAX_VALUES = 40
OTHERS = "(autres)"
EMPTY = "(vide)"


def value_label(column: str, value: str) -> str:
    """What screens call a value of a stratification; :data:`EMPTY` and the like stay."""
    return _LABELS.get(column, str)(value)


def sections(nafs: NDArray[np.object_]) -> NDArray[np.object_]:
    """``84.11Z`` or ``8411Z`` → ``O Administration publique``; ``""`` when there is none."""
    names = _section_of_division()
    at, distinct = pd.factorize(nafs)
    return np.array([names.get(naf[:2], "") for naf in distinct], dtype=object)[at]


@cache
def _section_of_division() -> dict[str, str]:
    return {
        f"{division:02d}": f"{letter} {label}"
        for letter, first, last, label in load_table("naf_sections")
        for division in range(int(first), int(last) + 1)
    }


def groups(values: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Group of each bulletin and the groups' names, the most frequent first."""
    at, distinct = pd.factorize(text_array(values))
    # Values of several types may go by one name: 1 and "1".
    names = [str(v) if v != "" else EMPTY for v in distinct]
    count: Counter[str] = Counter()
    for name, n in zip(names, np.bincount(at, minlength=len(names)).tolist(), strict=True):
        count[name] += n
    ordered = sorted(count, key=lambda v: (-count[v], v))
    kept = ordered[:MAX_VALUES]
    code = {v: i for i, v in enumerate(kept)}
    code_of = np.array([code.get(v, len(kept)) for v in names], dtype=np.int64)
    return code_of[at], kept + ([OTHERS] if len(ordered) > MAX_VALUES else [])
