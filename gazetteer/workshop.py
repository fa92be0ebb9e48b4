"""Where a build works, and how much it may take, as each of its processes needs to know it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from gazetteer.engine import engine, file_named, listed
from gazetteer.journal import Journal
from gazetteer.naf import define_macros

#: Share of the build's memory that the databases of its processes have together.
_DATABASES = 0.5


@dataclass(frozen=True)
class Workshop:
    """The folders of a build and its bounds; everything in it can be pickled.

    `work` is for what is needed on the way, `root` the store to be. `megabytes` bounds the
    memory of all processes together, about.
    """

    folder: Path
    megabytes: float
    workers: int = 1
    departements: tuple[str, ...] | None = None

    @property
    def work(self) -> Path:
        """For what is needed on the way."""
        return self.folder / "work"

    @property
    def root(self) -> Path:
        """The store to be."""
        return self.folder / "store"

    @property
    def journal(self) -> Journal:
        """Finished jobs."""
        return Journal(self.folder / "done")

    @contextmanager
    def engine(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database of one job, gone afterwards; its memory is one process's share."""
        with TemporaryDirectory(dir=self.work, prefix="engine-") as folder:
            limit = f"{self.megabytes * _DATABASES / self.workers:.3f}MB"
            with engine(Path(folder), memory_limit=limit, threads=1) as con:
                define_macros(con)
                yield con

    def ban_parts(self, departement: str) -> str:
        """The BAN rows of a département, in SQL."""
        files = file_named(self.work / "ban", f"/*/departement={departement}/*.parquet")
        return f"read_parquet({files}, hive_partitioning=false)"

    def register(self, departement: str = "*") -> str:
        """The joined register of a département, or of all, in SQL."""
        files = file_named(self.work / "register", f"/departement={departement}/*.parquet")
        return f"read_parquet({files}, hive_partitioning=false)"

    def kept(self, column: str = "departement") -> str:
        """A condition in SQL: the département is one of those asked for."""
        return "true" if self.departements is None else f"{column} IN {listed(self.departements)}"
