"""What the fixtures of the whole chain give, and how its store is built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazetteer.build import BuildOptions, build
from geomatch.core.config import Config
from geomatch.demo import DemoFiles
from geomatch.store.reader import Store


@dataclass(frozen=True)
class Chain:
    """A fictional département, its store, a model learned on its bulletins, a run with it."""

    files: DemoFiles
    store: Path
    model: Path
    card: dict[str, Any]
    config: Config
    out: Path


def build_demo(files: DemoFiles, out: Path) -> Store:
    """The store of a fictional département."""
    return build(
        BuildOptions(
            ban=(files.ban_dir,),
            sirene=files.sirene_dir,
            cog=files.cog_dir,
            geoloc=files.geolocalisation,
            naf=files.naf,
            out=out,
        )
    )
