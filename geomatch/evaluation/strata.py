"""Strata that no column holds as such: département of work, section of the NAF."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.schema import text_array
from geomatch.tables import load_table
from geomatch.territories import departement_of

DEPARTEMENT = "departement_travail"
SECTION = "section_naf"
#: Always told when a report or JSON is asked for, as far as they are known and vary.
STANDARD = (SECTION, DEPARTEMENT, "mode_collecte", "geocode_level", "type", "classe_mca")
#: What screens call a stratification.
TITLES = {
    SECTION: "section de la NAF",
    DEPARTEMENT: "département de travail",
    "mode_collecte": "mode de collecte",
    "geocode_level": "précision du lieu trouvé",
    "type": "type de bulletin",
    "classe_mca": "classe de MCA",
}
#: A stratification keeps this many values, the most frequent; the rest is put together.
MAX_VALUES = 40
OTHERS = "(autres)"
EMPTY = "(vide)"


def departements(communes: Iterable[str]) -> NDArray[np.object_]:
    """Département of each commune code, ``""`` for none."""
    return np.array([departement_of(c) for c in communes], dtype=object)


def sections(nafs: Iterable[str]) -> NDArray[np.object_]:
    """``84.11Z`` or ``8411Z`` → ``O Administration publique``; ``""`` when there is none."""
    names = _section_of_division()
    return np.array([names.get(naf[:2], "") for naf in nafs], dtype=object)


@cache
def _section_of_division() -> dict[str, str]:
    return {
        f"{division:02d}": f"{letter} {label}"
        for letter, first, last, label in load_table("naf_sections")
        for division in range(int(first), int(last) + 1)
    }


def groups(values: pd.Series) -> tuple[NDArray[np.int64], list[str]]:
    """Group of each bulletin and the groups' names, the most frequent first."""
    texts = text_array(values)
    names = np.array([str(v) if v != "" else EMPTY for v in texts], dtype=object)
    counts = pd.Series(names, dtype=object).value_counts()
    ordered = sorted(counts.index, key=lambda v: (-counts[v], v))
    kept = ordered[:MAX_VALUES]
    code = {v: i for i, v in enumerate(kept)}
    codes = np.array([code.get(v, len(kept)) for v in names], dtype=np.int64)
    return codes, kept + ([OTHERS] if len(ordered) > MAX_VALUES else [])
