"""Rows of a file that cannot be used as they stand: which line, and why.

Such a row is matched all the same, with what could be read of it: a file of results has a row for
each bulletin. The list is for who mends the file, or refuses it (``match --strict``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

from geomatch.bulletins.files import open_source
from geomatch.core.paths import Location

#: Between several reasons of one row.
BETWEEN = "; "


def reasons_of(problems: Iterable[str]) -> dict[str, int]:
    """How many rows have each reason, the most frequent first."""
    found = Counter(reason for told in problems if told for reason in told.split(BETWEEN))
    return dict(found.most_common())


def rejects(source: Location, bulletins: pd.DataFrame, *, keep_text: bool = False) -> pa.Table:
    """Rows that have a problem.

    Parameters
    ----------
    source : path
        File that the bulletins were read from.
    bulletins : DataFrame
        Of :func:`~geomatch.bulletins.read_bulletins`; ``source_row`` and ``probleme`` are read.
    keep_text : bool
        Whether to tell what stands there. It is confidential.

    Returns
    -------
    Table
        ``line`` (of the file, from 1 with its header; of a Parquet file the row, from 1),
        ``source_row`` (from 0), ``reason`` in French, and ``text`` if asked (empty for Parquet).
    """
    is_bad = (bulletins["probleme"] != "").to_numpy()
    row = bulletins["source_row"].to_numpy(np.int64)[is_bad]
    reason = pa.array(bulletins["probleme"][is_bad].tolist(), pa.string())
    told = {"line": pa.array([], pa.int64()), "source_row": pa.array(row), "reason": reason}
    texts: list[str] = []
    if len(row):
        opened = open_source(source)
        first, after = opened.lines()
        told["line"] = pa.array(first[row])
        texts = opened.texts(first[row].tolist(), after[row].tolist()) if keep_text else []
    if keep_text:
        told["text"] = pa.array(texts, pa.string())
    return pa.table(told)
