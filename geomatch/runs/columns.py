"""What each column of a result file means: written into the files, and into docs/results.md."""

from __future__ import annotations

from collections.abc import Mapping

from geomatch.core.schema import CANDIDATES, DECISIONS, Table
from geomatch.linkage.blocking import PAIRS
from geomatch.linkage.ranking import COLLECTIVE, FEATURES

#: Key of a column's description in the Arrow schema that a Parquet file bears.
DESCRIPTION = b"description"
#: ``candidates.parquet`` → columns behind those of the table → meaning.
FURTHER: Mapping[str, str] = {f.name: f.doc for f in (*FEATURES.values(), *COLLECTIVE.values())} | {
    "source": PAIRS.columns["source"][1]
}


def meanings(table: Table) -> dict[str, str]:
    """Column → meaning, of the results that a table describes."""
    told = {name: meaning for name, (_, meaning) in table.columns.items()}
    return {**FURTHER, **told} if table is CANDIDATES else told


#: Result files and their tables.
FILES: Mapping[str, Table] = {"decisions.parquet": DECISIONS, "candidates.parquet": CANDIDATES}
