from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from chains import Chain, build_demo
from command_line import MOST
from commands import Commands
from hypothesis import settings
from once import once

from geomatch.core.config import Config
from geomatch.demo import DemoFiles, generate
from geomatch.runs import batch
from geomatch.runs.batch import run
from geomatch.store.reader import Store
from geomatch.training.train import train_files

# Messages are French in the tests, whatever the language of the machine.
os.environ["LC_ALL"] = "C.UTF-8"
# The same examples everywhere, and no deadline: a busy machine is no failure.
settings.register_profile("project", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("project")


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """Official files of a fictional département, with 400 bulletins."""
    return once(
        tmp_path_factory,
        "demo_files",
        lambda: generate(tmp_path_factory.mktemp("demo"), size=400, seed=2),
    )


@pytest.fixture(scope="session")
def demo_store(demo_files: DemoFiles, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store built from them."""
    return once(
        tmp_path_factory,
        "demo_store",
        lambda: build_demo(demo_files, tmp_path_factory.mktemp("demo_store") / "store"),
    )


@pytest.fixture(scope="session")
def chain(
    demo_files: DemoFiles, demo_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    """A model trained on the demo's bulletins, and the results of matching them with it."""

    def make() -> Chain:
        folder = tmp_path_factory.mktemp("chain")
        model, out = folder / "model", folder / "results"
        bulletins, truth = demo_files.bulletins, demo_files.truth
        card = train_files(bulletins, truth, demo_store.path, model, Config())
        config = Config(model=str(model))
        run(bulletins, demo_store.path, out, config)
        return Chain(demo_files, demo_store.path, model, card, config, out)

    return once(tmp_path_factory, "chain", make)


@pytest.fixture(scope="session")
def whole(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run in small partitions that nothing interrupts, in one process."""

    def make() -> Path:
        out = tmp_path_factory.mktemp("whole")
        with pytest.MonkeyPatch.context() as patch:
            small = partial(batch.partition_rows, most=MOST, cut=MOST)
            patch.setattr(batch, "partition_rows", small)
            run(chain.files.bulletins, chain.store, out, chain.config)
        return out

    return once(tmp_path_factory, "whole", make)


@pytest.fixture
def commands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The command line, called in this process."""
    monkeypatch.setenv("COLUMNS", "80")
    return Commands(capsys, monkeypatch)
