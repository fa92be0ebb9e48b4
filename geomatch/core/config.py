"""Options of each phase: frozen dataclasses with sane defaults, read from TOML when asked."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from dataclasses import dataclass, field
from typing import Any

from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.paths import Location

#: Least and greatest value of numbers; precisions are checked where they are asked for.
_BOUNDS: dict[str, tuple[float, float]] = {
    "addresses.least_probability": (0, 1),
    "addresses.least_claimed": (0, 1),
    "candidates.max_radius_m": (0, 1_000_000),
    "candidates.min_radius_m": (0, 1_000_000),
    "candidates.by_radius": (0, 1_000),
    "candidates.by_name": (0, 1_000),
    "candidates.kept": (1, 1_000),
    "candidates.least": (1, 1_000),
    "candidates.reach": (0.0, math.inf),
}


@dataclass(frozen=True)
class BulletinOptions:
    """How a bulletins file is read."""

    layout: str = "auto"
    #: standard column → column of the file, on top of what is recognised by name
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AddressOptions:
    """Parsing and geocoding."""

    parser: str = "auto"
    #: folder of libpostal's data; empty: LIBPOSTAL_DATA_DIR of the environment
    libpostal_data: str = ""
    #: a street less likely than this (0–1) is not given, the commune is
    least_probability: float = 0.3
    #: a geocoded street less likely than this to be the one meant, were some streets not in the
    #: gazetteer, is an alternative and not the answer
    least_claimed: float = 0.35


@dataclass(frozen=True)
class CandidateOptions:
    """Who is looked at."""

    #: a place less sure than this is not searched by radius but by name in the commune
    max_radius_m: float = 2_000.0
    min_radius_m: float = 60.0
    by_radius: int = 30
    by_name: int = 150
    kept: int = 300
    #: beyond so many, only those are kept whose cheap score is within `reach` of the best
    least: int = 15
    reach: float = 3.0


@dataclass(frozen=True)
class DecisionOptions:
    """What is coded without a clerk."""

    precision: float = 0.95
    naf_precision: float = 0.95
    #: let sure bulletins of the file speak for the establishments they name
    collective: bool = True


@dataclass(frozen=True)
class Config:
    """Everything that can be set, phase by phase."""

    bulletins: BulletinOptions = field(default_factory=BulletinOptions)
    addresses: AddressOptions = field(default_factory=AddressOptions)
    candidates: CandidateOptions = field(default_factory=CandidateOptions)
    decisions: DecisionOptions = field(default_factory=DecisionOptions)
    #: folder or file of a trained model; empty: the one that is shipped
    model: str = ""

    @classmethod
    def from_toml(cls, path: Location) -> Config:
        """Read ``[addresses] parser = "rules"`` and the like.

        Raises :class:`ConfigError` naming every unknown section and option at once.
        """
        file = paths.location(path)
        try:
            content = tomllib.loads(paths.read_bytes(file).decode("utf-8"))
        except OSError as error:
            raise ConfigError(f"configuration file {file} is not readable: {error}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"configuration file {file} is not TOML: {error}") from error
        return cls.from_dict(content, source=str(file))

    @classmethod
    def from_dict(cls, content: dict[str, Any], *, source: str = "options") -> Config:
        """Build from nested dictionaries, refusing what is not known."""
        problems: list[str] = []
        made: dict[str, Any] = {}
        sections = {f.name: f for f in dataclasses.fields(cls)}
        for name, value in content.items():
            if name not in sections:
                problems.append(f"unknown section or option '{name}'")
            elif name == "model":
                made[name] = str(value)
            else:
                made[name] = _section(sections[name], value, problems)
        if problems:
            known = ", ".join(sections)
            raise ConfigError(f"{source}: {'; '.join(problems)} (known: {known})")
        return cls(**made)


def _section(spec: dataclasses.Field[Any], value: Any, problems: list[str]) -> Any:
    kind: Any = spec.default_factory
    if not isinstance(value, dict):
        problems.append(f"'{spec.name}' must be a table, got {type(value).__name__}")
        return kind()
    fields = {f.name: f for f in dataclasses.fields(kind)}
    problems.extend(
        f"unknown option '{spec.name}.{option}' (known: {', '.join(fields)})"
        for option in value
        if option not in fields
    )
    default = kind()
    made = {}
    for option, given in value.items():
        if option not in fields:
            continue
        expected = type(getattr(default, option))
        if expected is float and isinstance(given, int) and not isinstance(given, bool):
            given = float(given)
        if wrong := _wrong(f"{spec.name}.{option}", expected, given):
            problems.append(wrong)
            continue
        made[option] = given
    return dataclasses.replace(default, **made)


def _wrong(name: str, expected: type, given: Any) -> str:
    """What is wrong with the value of an option; ``""`` when nothing is."""
    if not isinstance(given, expected) or (isinstance(given, bool) and expected is not bool):
        return f"'{name}' must be {expected.__name__}, got {type(given).__name__}"
    low, high = _BOUNDS.get(name, (-math.inf, math.inf))
    if isinstance(given, int | float) and not low <= given <= high:
        return f"'{name}' is {given}, expected {low:g} to {high:g}"
    return ""
