"""Establishments as they are searched: a département with the fringe of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from geomatch.addresses import CommuneIndex
from geomatch.core.schema import NAMES, STORE_ESTABLISHMENTS
from geomatch.core.territories import departement_of
from geomatch.linkage.pool import Pool
from geomatch.store import array_files
from geomatch.store.reader import Store, pool_path

#: What matching needs of an establishment, and of its names.
_COLUMNS = ("siret", "code_commune", "naf", "tranche_effectifs", "is_siege", "voie_id",
            "x", "y", "uncertainty_m", "numero_norm", "voie_norm")  # fmt: skip
_NAME_COLUMNS = ("row", "name")


def write_pool(store: Store, communes: CommuneIndex, departement: str) -> int:
    """Write the pool of a département whose establishments are written; how many are in it."""
    pool = pool_of(store, communes, departement)
    array_files.write(pool_path(store.path, departement), pool)
    return len(pool)


def pool_of(store: Store, communes: CommuneIndex, departement: str) -> Pool:
    """Establishments of a département and of the neighbouring communes across its border."""
    beside = [
        _Register.of_communes(store, other, near)
        for other, near in _fringe(communes, departement).items()
        if store.has(STORE_ESTABLISHMENTS, other)
    ]
    return _joined([_Register.read(store, departement), *beside])


def _fringe(communes: CommuneIndex, departement: str) -> dict[str, list[str]]:
    """For each other département, its communes that those of a département touch."""
    own = [c for c in communes.labels if departement_of(c) == departement]
    near = {n for c in own for n in communes.neighbours(c)}
    fringe: dict[str, list[str]] = {}
    for theirs, commune in sorted((departement_of(n), n) for n in near):
        if theirs != departement:
            fringe.setdefault(theirs, []).append(commune)
    return fringe


@dataclass(frozen=True)
class _Register:
    """Establishments and their names as the store has them; ``row`` of names points into them."""

    departement: str
    establishments: pa.Table
    names: pa.Table

    @classmethod
    def read(cls, store: Store, departement: str) -> Self:
        return cls(
            departement,
            store.arrow(STORE_ESTABLISHMENTS, departement, _COLUMNS),
            store.arrow(NAMES, departement, _NAME_COLUMNS),
        )

    @classmethod
    def of_communes(cls, store: Store, departement: str, communes: Sequence[str]) -> Self:
        """Those of some communes, renumbered."""
        wanted = pa.array(communes, pa.string())
        rows, at = store.rows_of(
            STORE_ESTABLISHMENTS, departement, _COLUMNS, "code_commune", wanted
        )
        names, _ = store.rows_of(NAMES, departement, _NAME_COLUMNS, "row", pa.array(at))
        row = np.searchsorted(at, names.column("row").to_numpy())
        return cls(departement, rows, names.set_column(0, "row", pa.array(row)))


def _joined(parts: Sequence[_Register]) -> Pool:
    """Establishments of all parts (with their département) and names, one after the other."""
    sizes = [len(p.establishments) for p in parts]
    label = np.repeat(np.arange(len(parts), dtype=np.int32), sizes)
    labels = pa.DictionaryArray.from_arrays(label, [p.departement for p in parts])
    rows = pa.concat_tables([p.establishments for p in parts]).combine_chunks()
    shift = np.cumsum([0, *sizes[:-1]])
    names = pa.concat_tables([p.names for p in parts]).combine_chunks()
    row = names.column("row").to_numpy() + np.repeat(shift, [len(p.names) for p in parts])
    return Pool(rows.append_column("departement", labels), names.set_column(0, "row", [row]))
