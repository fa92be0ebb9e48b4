from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from official_files import Country, write

from gazetteer.build import BuildOptions, build
from gazetteer.cog import read_cog
from gazetteer.engine import engine
from gazetteer.inputs import find_sources
from gazetteer.loading import Loading, Stage
from gazetteer.naf import define_macros
from gazetteer.reading import checked
from gazetteer.references import REFERENCES


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
def load(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[..., Loading]:
    """Load the files of some options up to a stage, as a build does."""

    def loaded(options: BuildOptions, upto: Stage) -> Loading:
        folder = tmp_path / "unpacked"
        folder.mkdir()
        loading = Loading(con, options, [checked(s, folder) for s in find_sources(options)])
        for stage in (s for s in Stage if s <= upto):
            for one in (r for r in REFERENCES if r.stage is stage and r.load is not None):
                assert list(one.load(loading)) == []
            if stage is Stage.COMMUNES < upto:
                read_cog(loading)
        return loading

    return loaded


@pytest.fixture
def written() -> Callable[..., Path]:
    return write
