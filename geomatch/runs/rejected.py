"""The list of rows that a run's input has and that cannot be used as they stand."""

from __future__ import annotations

import logging
from typing import Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geomatch.bulletins.rejects import reasons_of, rejects
from geomatch.core import paths
from geomatch.core.errors import DataError
from geomatch.core.paths import Location
from geomatch.core.wording import rejected_rows

log = logging.getLogger(__name__)

#: Beside the results, when there is a row to tell of.
REJECTS = "rejects.parquet"


class Asked(Protocol):
    """What of a run's options matters here."""

    @property
    def strict(self) -> bool:
        """Whether such a row ends the run."""

    @property
    def keep_text(self) -> bool:
        """Whether to write what stands there."""


def write_rejects(out: Location, source: Location, bulletins: pd.DataFrame, asked: Asked) -> None:
    """Write :data:`REJECTS` beside the results and tell of it, if there is such a row.

    Raises :class:`DataError` after it was written when no such row is allowed.
    """
    reasons = reasons_of(bulletins["probleme"])
    file = paths.join(out, REJECTS)
    if not reasons:
        paths.remove(file)
        return
    found = rejects(source, bulletins, keep_text=asked.keep_text)
    save_rejects(found, out)
    told = rejected_rows(found.num_rows, reasons)
    if asked.strict:
        raise DataError(
            f"{told} ({file}) ; rien n'a été apparié : corrigez le fichier, ou relancez sans "
            "--strict"
        )
    log.warning("%s: %s", told, file)


def save_rejects(found: pa.Table, out: Location) -> None:
    """Write the list."""
    with paths.writing(paths.join(out, REJECTS)) as partial:
        pq.write_table(found, partial, compression="zstd")


def read_rejects(out: Location) -> pa.Table | None:
    """The list of a run; None when it has none."""
    if not paths.is_file(paths.join(out, REJECTS)):
        return None
    with paths.reading(paths.join(out, REJECTS)) as local:
        return pq.read_table(local)
