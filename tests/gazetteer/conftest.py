from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from official_files import Country, write

from gazetteer.build import BuildOptions, build
from gazetteer.engine import engine
from gazetteer.naf import define_macros


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country(tmp_path)


@pytest.fixture(scope="session")
def _built_once(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("built")
    build(Country(root).write())
    return root


@pytest.fixture
def built(_built_once: Path, tmp_path: Path, country: Country) -> BuildOptions:
    """The country written and built: the options that did it, on a copy of one's own."""
    shutil.copytree(_built_once, tmp_path, dirs_exist_ok=True)
    return country.options()


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with engine(tmp_path / "engine", memory_limit="500MB", threads=1) as connection:
        define_macros(connection)
        yield connection


@pytest.fixture
def written() -> Callable[..., Path]:
    return write
