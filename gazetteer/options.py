"""What a build is asked for, and checks that need no file to be read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from gazetteer.accounts import REFUSED
from gazetteer.register import NAFREV2, NOMENCLATURES
from gazetteer.territory import checked_departements
from geomatch.core.errors import ConfigError
from geomatch.store.reader import MANIFEST

_MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]i?B)", re.IGNORECASE)


@dataclass(frozen=True)
class BuildOptions:
    """What a store is made of.

    `ban` are files or folders; `sirene` and `cog` a folder (or one file); `geoloc` and `naf` are
    optional. `departements` None is all that Sirene has. `period` (two ISO dates) keeps
    establishments active on a day of it, instead of `active_only`. `nomenclature` is that of the
    activities, ``NAFRev2`` or ``NAF2025``. `memory_limit` bounds the memory of the build, about;
    `threads` are DuckDB's, `workers` processes work on départements side by side. `allowed` is the
    share of a file's rows, 0–1, that may be refused. `force` builds even when nothing changed.
    """

    ban: tuple[Path, ...]
    sirene: Path
    cog: Path
    out: Path
    geoloc: Path | None = None
    naf: Path | None = None
    departements: tuple[str, ...] | None = None
    active_only: bool = True
    period: tuple[str, str] | None = None
    memory_limit: str = "4GB"
    threads: int = 2
    workers: int = 1
    nomenclature: str = NAFREV2
    allowed: float = REFUSED
    force: bool = False

    @property
    def megabytes(self) -> float:
        """The memory limit in millions of bytes."""
        number, unit = _MEMORY.fullmatch(self.memory_limit).groups()  # type: ignore[union-attr]
        power = "KMGT".index(unit[0].upper()) + 1
        return float(float(number) * (1024 if "i" in unit.lower() else 1000) ** power / 1e6)

    def places(self, option: str) -> tuple[Path, ...]:
        """Files and folders given under an option that names official files; none if not given."""
        given = getattr(self, option)
        if given is None:
            return ()
        return given if isinstance(given, tuple) else (given,)

    def content(self) -> dict[str, Any]:
        """The options that change what is in the store."""
        return {
            "departements": sorted(self.departements) if self.departements else None,
            "active_only": self.active_only,
            "period": list(self.period) if self.period else None,
            "nomenclature": self.nomenclature,
        }


def checked_options(options: BuildOptions) -> BuildOptions:
    """The options, départements tidied. Raises :class:`ConfigError` naming all that is wrong."""
    problems = [*_wrong_place(options.out), *_wrong_period(options.period)]
    if options.nomenclature not in NOMENCLATURES:
        known = " or ".join(NOMENCLATURES)
        problems.append(f"nomenclature '{options.nomenclature}' is not known; expected {known}")
    if not _MEMORY.fullmatch(options.memory_limit):
        problems.append(f"memory limit '{options.memory_limit}' is not known; expected 4GB, 800MB")
    if not 0 <= options.allowed <= 1:
        problems.append(f"share of refused rows is {options.allowed}, expected one from 0 to 1")
    for name, number in (("threads", options.threads), ("workers", options.workers)):
        if number < 1:
            problems.append(f"{name} must be 1 or more, got {number}")
    if problems:
        raise ConfigError("; ".join(problems))
    if options.departements is None:
        return options
    return replace(options, departements=tuple(checked_departements(options.departements)))


def _wrong_place(out: Path) -> list[str]:
    """A place that holds something else than a store would be replaced."""
    if out.exists() and not out.is_dir():
        return [f"--out {out} is a file; give a folder"]
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        return [f"--out {out} is a folder that is no store (no {MANIFEST}); give another place"]
    return []


def _wrong_period(period: tuple[str, str] | None) -> list[str]:
    if period is None:
        return []
    try:
        start, end = map(date.fromisoformat, period)
    except ValueError as error:
        return [f"period: {error}; expected two dates such as 2024-01-01, 2024-03-31"]
    return [] if start <= end else [f"period: {period[0]} is after {period[1]}"]
