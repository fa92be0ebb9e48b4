"""Options that several commands have, and what their values mean."""

from __future__ import annotations

import dataclasses
import re
from functools import partial
from typing import Annotated

import typer

from geomatch.core.config import Config
from geomatch.core.errors import ConfigError

#: ``0.95``, ``0,95``, ``95 %``.
_SHARE = re.compile(r"\s*([0-9]*)[.,]?([0-9]*)\s*(%?)\s*")


def _given(param: typer.CallbackParam, value: str | None) -> str | None:
    """A path that is asked for; an empty one is most often a variable of a script without value."""
    if value is not None and not value.strip():
        raise ConfigError(f"--{param.name} is empty; expected a path")
    return value


#: An option that is a path, and may not be empty.
PathOption = partial(typer.Option, callback=_given)
ConfigFile = Annotated[
    str | None, PathOption("--config", help="Fichier TOML des options de chaque phase.")
]
Geo = Annotated[
    bool, typer.Option("--geo", help="Un point par ligne (GeoParquet, lisible par QGIS).")
]
Parser = Annotated[
    str,
    typer.Option(
        "--parser", help="Découpage des adresses : rules, libpostal, ou auto (le meilleur présent)."
    ),
]
StorePlace = Annotated[
    str, typer.Option("--store", help="Base de référence, écrite par « geomatch build ».")
]


def share(text: str) -> float:
    """A share as people write it: ``0.95``, ``0,95``, ``95 %``.

    Raises :class:`ConfigError` when it is none; whether it is between 0 and 1 is told later.
    """
    found = _SHARE.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        raise ConfigError(f"precision '{text}' is no number; expected 0.95, 0,95 or 95 %")
    value = float(f"{found[1] or 0}.{found[2] or 0}")
    return value / 100 if found[3] else value


def between_0_and_1(asked: float) -> float:
    """A precision asked for. Raises :class:`ConfigError` when nothing can be that precise."""
    if not 0.0 < asked < 1.0:
        percent = f" (or {asked:g} %)" if 1 < asked < 100 else ""
        raise ConfigError(
            f"precision asked for is {asked:g}, expected one between 0 and 1{percent}"
        )
    return asked


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
