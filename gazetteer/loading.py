"""How official files get into a build: one loader per reference source.

A loader reads the checked files of its role into the build's database, and returns what it adds
to the store: pairs of a table and its rows. :mod:`gazetteer.references` says which loader each
source has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import duckdb
import pandas as pd

from gazetteer.accounts import Account
from gazetteer.engine import frame
from gazetteer.files import Source
from gazetteer.options import BuildOptions
from gazetteer.reading import reading, select, table_of
from geomatch.core.schema import Table


class Stage(IntEnum):
    """When a source is loaded: each stage may use the SQL tables of those before it."""

    COMMUNES = 1
    #: needs the communes in force and their history; files are cut up by département
    ADDRESSES = 2
    #: needs ``communes``, ``commune_history``, ``commune_names``, ``commune_postcodes``
    REGISTER = 3
    #: needs the register joined (:attr:`Loading.register`)
    LABELS = 4


@dataclass
class Loading:
    """What a loader works with: the build's database, its options and its files."""

    con: duckdb.DuckDBPyConnection
    options: BuildOptions
    sources: list[Source]
    #: the joined register, in SQL; ``""`` before the stage LABELS
    register: str = ""
    #: what became of the rows of each file; loaders add to it
    accounts: list[Account] = field(default_factory=list)

    def of(self, *roles: str) -> list[Source]:
        """The files of these roles, in the order given to the build."""
        return [s for s in self.sources if s.role in roles]


Added = Iterable[tuple[Table, pd.DataFrame]]
Loader = Callable[[Loading], Added]


def into_sql(role: str, name: str) -> Loader:
    """Loader: all columns of a source with one small file, as the SQL table `name`."""

    def load(loading: Loading) -> Added:
        for source in loading.of(role):
            table_of(loading.con, source, name)
        return ()

    return load


def into_store(role: str, table: Table) -> Loader:
    """Loader: the table's columns of all files of a role, as a table of the store.

    Columns are text, and have the names of the layout; equal rows count once.
    """

    def load(loading: Loading) -> Added:
        rows = [_distinct(loading.con, source, table.names) for source in loading.of(role)]
        return [(table, pd.concat(rows, ignore_index=True) if rows else table.empty())]

    return load


def _distinct(
    con: duckdb.DuckDBPyConnection, source: Source, columns: Sequence[str]
) -> pd.DataFrame:
    with reading(source):
        return frame(con, f"SELECT DISTINCT * FROM ({select(source, *columns)}) ORDER BY ALL")
