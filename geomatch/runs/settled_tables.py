"""Result tables of a run settled as one file, block by block.

Partitions are matched apart; what hangs on the whole file (:mod:`geomatch.linkage.settling`) is
settled from a few columns of all of them, and the other columns follow while they are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc as ipc
from numpy.typing import NDArray

from geomatch.arrays.arrow import texts
from geomatch.arrays.rows import Rows
from geomatch.core.config import DecisionOptions
from geomatch.linkage.model import Model
from geomatch.linkage.settling import ASSESSED, Bounds, Settlement, settle, settled
from geomatch.runs.ordered_merge import ORDER

_TEXTS = ("siret", "doubt", "naf", "naf_decision")
#: What :func:`~geomatch.linkage.settling.settled` looks at beside ASSESSED.
_NEEDED = (*ASSESSED, "siret", "naf", "naf_probability", "naf_decision")
#: What a file is settled by.
_SETTLED_BY = (*ASSESSED, "naf_probability", "naf_decision")
#: Numbers that some bulletins lack once they are settled.
OPTIONAL = frozenset({"answer_probability"})


@dataclass(frozen=True)
class Settled:
    """A settled file: what changes the tables of its partitions.

    ``order`` are the places of the bulletins in the input, sorted, and ``present`` the probability
    of each that its establishment is in the store.
    """

    settlement: Settlement
    model: Model
    options: DecisionOptions
    order: NDArray[np.int64] = field(repr=False)
    present: NDArray[np.float64] = field(repr=False)

    @classmethod
    def of(
        cls,
        tables: Sequence[pa.Table],
        model: Model,
        options: DecisionOptions,
        bounds: Bounds | None = None,
    ) -> Settled:
        """Of tables of decisions, which hold :data:`ASSESSED` and the place of each row."""
        rows = rows_of(pa.concat_tables([t.select([*_SETTLED_BY, ORDER]) for t in tables]))
        settlement = settle(rows, model, options, bounds)
        order = np.argsort(rows[ORDER], kind="stable")
        present = model.file_share.moved(rows["presence"], settlement.level)
        return cls(settlement, model, options, rows[ORDER][order], present[order])

    @classmethod
    def of_files(cls, files: Sequence[Path], model: Model, options: DecisionOptions) -> Settled:
        """Of the files of decisions of all partitions."""
        return cls.of([read_columns(f, (*_SETTLED_BY, ORDER)) for f in files], model, options)

    def decisions(self, table: pa.Table) -> pa.Table:
        """Decisions as the file settles them."""
        found = settled(rows_of(table), self.settlement, self.model, self.options)
        for name, values in found.items():
            at = table.schema.get_field_index(name)
            kind = table.schema.field(at).type
            column = pa.array(values, kind, from_pandas=True)
            table = table.set_column(at, pa.field(name, kind), column)
        return table

    def candidates(self, table: pa.Table) -> pa.Table:
        """Candidates with the probability that the file makes of each."""
        of_bulletin = self.present[np.searchsorted(self.order, table.column(ORDER).to_numpy())]
        probability = np.round(table.column("given_present").to_numpy() * of_bulletin, 6)
        at = table.schema.get_field_index("probability")
        return table.set_column(at, table.schema.field(at), pa.array(probability))

    def described(self) -> dict[str, Any]:
        """What run.json tells of it."""
        return described(self.settlement)


def described(settlement: Settlement) -> dict[str, Any]:
    """A settlement as run.json tells it: share of absent, and of each level what was coded."""
    levels: dict[str, dict[str, Any]] = {}
    for name, share in settlement.expected.items():
        told = {"expected_precision": share.value, "low": share.low, "high": share.high}
        levels[name] = {"coded": share.n, **{k: _number(v) for k, v in told.items()}}
        if name in settlement.thresholds:
            levels[name]["threshold"] = round(settlement.thresholds[name], 6)
    return {
        "absent_share": _number(settlement.absent_share),
        "file_level": round(settlement.level, 6),
        "is_own_level": settlement.is_own,
        "decided": dict(settlement.counts),
        "levels": levels,
        "unusual": {name: round(share, 4) for name, share in settlement.unusual.items()},
    }


def _number(value: float) -> float | None:
    return round(value, 6) if value == value else None


def rows_of(table: pa.Table) -> Rows:
    """Those columns of a table of decisions that settling looks at, as arrays."""
    names = [c for c in (*_NEEDED, ORDER) if c in table.column_names]
    columns = {c: texts(table.column(c)) if c in _TEXTS else _numbers(table.column(c))
               for c in names}  # fmt: skip
    return Rows(columns, table.num_rows)


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.to_numpy())


def read_columns(file: Path, names: Sequence[str]) -> pa.Table:
    """Some columns of a partition's file."""
    with pa.memory_map(str(file)) as content:
        schema = ipc.open_file(content).schema
        content.seek(0)
        only = ipc.IpcReadOptions(included_fields=[schema.get_field_index(n) for n in names])
        table = ipc.open_file(content, options=only).read_all()
    return (
        table.select(list(names))
        .replace_schema_metadata(None)
        .cast(pa.schema([(f.name, f.type) for f in table.select(list(names)).schema]))
    )


def with_best_sirets(decisions: pa.Table, candidates: pa.Table, order: str = ORDER) -> pa.Table:
    """Decisions with the SIRET of every best candidate, also where the answer was "none".

    Both tables have a column `order` that tells the bulletin.
    """
    first = candidates.filter(pc.equal(candidates.column("rank"), 1))
    at = pc.index_in(decisions.column(order), first.column(order).combine_chunks())
    siret = pc.take(first.column("siret").combine_chunks(), at.combine_chunks())
    place = decisions.schema.get_field_index("siret")
    return decisions.set_column(place, "siret", siret.cast(pa.string()))
