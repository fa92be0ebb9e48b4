from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from official_files import Country, write

from gazetteer.engine import engine
from gazetteer.naf import define_macros


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country(tmp_path)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with engine(tmp_path / "engine", memory_limit="500MB", threads=1) as connection:
        define_macros(connection)
        yield connection


@pytest.fixture
def written() -> Callable[..., Path]:
    return write
