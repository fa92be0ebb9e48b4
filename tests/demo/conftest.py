from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from once import once

from geomatch.demo import DemoFiles, generate


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    return once(
        tmp_path_factory,
        "big_demo_files",
        lambda: generate(tmp_path_factory.mktemp("demo"), size=2_000, seed=1),
    )


def read(path: Path, *, sep: str = ",", encoding: str = "utf-8") -> pd.DataFrame:
    return pd.read_csv(path, sep=sep, encoding=encoding, dtype=str, keep_default_na=False)


@pytest.fixture(scope="session")
def bulletins(files: DemoFiles) -> pd.DataFrame:
    return read(files.bulletins, sep=";", encoding="latin-1")


@pytest.fixture(scope="session")
def truth(files: DemoFiles) -> pd.DataFrame:
    return read(files.truth, sep=";")


@pytest.fixture(scope="session")
def addresses(files: DemoFiles) -> pd.DataFrame:
    return read(files.ban, sep=";")


@pytest.fixture(scope="session")
def establishments(files: DemoFiles) -> pd.DataFrame:
    return read(files.etablissements)


@pytest.fixture(scope="session")
def units(files: DemoFiles) -> pd.DataFrame:
    return read(files.unites_legales)


@pytest.fixture(scope="session")
def positions(files: DemoFiles) -> pd.DataFrame:
    return read(files.geolocalisation, sep=";")


@pytest.fixture(scope="session")
def communes(files: DemoFiles) -> pd.DataFrame:
    return read(files.communes)


@pytest.fixture(scope="session")
def movements(files: DemoFiles) -> pd.DataFrame:
    return read(files.mouvements)


@pytest.fixture(scope="session")
def postcodes(files: DemoFiles) -> pd.DataFrame:
    return read(files.codes_postaux, sep=";")
