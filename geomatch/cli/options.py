"""Options that several commands have, and what their values mean."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Annotated

import typer

from geomatch.core.config import Config
from geomatch.core.errors import ConfigError


def _given(param: typer.CallbackParam, value: str | None) -> str | None:
    """A path that is asked for; an empty one is most often a variable of a script without value."""
    if value is not None and not value.strip():
        raise ConfigError(f"--{param.name} is empty; expected a path")
    return value


#: An option that is a path, and may not be empty.
PathOption = partial(typer.Option, callback=_given)
ConfigFile = Annotated[str | None, PathOption("--config", help="Options de chaque phase (TOML).")]
Geo = Annotated[
    bool, typer.Option("--geo", help="Un point par ligne (GeoParquet, lisible par QGIS).")
]
Parser = Annotated[str, typer.Option("--parser", help="auto, rules ou libpostal.")]


def settings_of(
    config: str | None,
    *,
    layout: str = "auto",
    columns: str = "",
    parser: str | None = None,
    model: str = "",
) -> Config:
    """Options of the file, then those of the command line over them."""
    settings = Config.from_toml(config) if config else Config()
    bulletins = dataclasses.replace(
        settings.bulletins,
        layout=layout if layout != "auto" else settings.bulletins.layout,
        columns={**settings.bulletins.columns, **mapping(columns)},
    )
    addresses = settings.addresses
    if parser is not None:
        addresses = dataclasses.replace(addresses, parser=parser)
    return dataclasses.replace(
        settings, bulletins=bulletins, addresses=addresses, model=model or settings.model
    )


def codes(departements: str) -> tuple[str, ...]:
    """``35, 44`` → codes."""
    return tuple(d.strip() for d in departements.split(",") if d.strip())


def mapping(columns: str) -> dict[str, str]:
    """``raison_sociale=employeur,adresse=lieu`` → a dictionary."""
    pairs = [c.partition("=") for c in columns.split(",") if c.strip()]
    wrong = [a for a, sign, b in pairs if not sign or not a.strip() or not b.strip()]
    if wrong:
        raise ConfigError(
            f"--columns: '{', '.join(wrong)}' is not of the form column=name; "
            "for example --columns raison_sociale=employeur,adresse=lieu"
        )
    return {a.strip(): b.strip() for a, _, b in pairs}
