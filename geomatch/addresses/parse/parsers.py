"""Parsers of address lines behind one protocol, chosen by option."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from geomatch.addresses.parse.libpostal import LibpostalParser, libpostal_problem
from geomatch.addresses.parse.rules import RulesParser
from geomatch.arrays.rows import Rows
from geomatch.core.config import AddressOptions
from geomatch.core.errors import ConfigError
from geomatch.core.schema import ADDRESS_PARTS

log = logging.getLogger(__name__)


class AddressParser(Protocol):
    """Cuts address lines into parts, many at once."""

    @property
    def name(self) -> str:
        """``rules``, ``libpostal`` or ``auto``."""
        ...

    def parse(self, texts: Sequence[str]) -> Rows:
        """Parts of each text: ADDRESS_PARTS, one row per text; ``.frame()`` for a DataFrame."""
        ...


@dataclass(frozen=True)
class AutoParser:
    """Rules first; libpostal for the lines that they leave in doubt.

    libpostal's reading is taken where it finds a street with its type and the rules found none.
    """

    rules: AddressParser
    libpostal: AddressParser
    name: str = field(default="auto", init=False)

    def parse(self, texts: Sequence[str]) -> Rows:
        """Parts of each line: ADDRESS_PARTS with as many rows as texts."""
        parts = self.rules.parse(texts)
        doubtful = np.flatnonzero((parts["doubt"] != "") & (parts["doubt"] != "empty"))
        if not len(doubtful):
            return parts
        other = self.libpostal.parse([texts[i] for i in doubtful.tolist()])
        better = np.flatnonzero((other["type_voie"] != "") & (other["nom_voie"] != ""))
        for column in ADDRESS_PARTS.columns:
            parts[column][doubtful[better]] = other[column][better]
        return parts


def get_parser(options: AddressOptions) -> AddressParser:
    """The parser that ``options.parser`` names: ``rules``, ``libpostal`` or ``auto``.

    ``auto`` is the rules alone where libpostal or its data are not there, which is logged.

    Raises
    ------
    ConfigError
        When the name is none of these, or libpostal is asked for and it or its data are absent.
    """
    maker = _PARSERS.get(options.parser)
    if maker is None:
        raise ConfigError(f"unknown parser '{options.parser}' (known: {', '.join(_PARSERS)})")
    return maker(options)


def _auto(options: AddressOptions) -> AddressParser:
    problem = libpostal_problem(options.libpostal_data)
    if not problem:
        return AutoParser(RulesParser(), LibpostalParser(options.libpostal_data))
    if options.libpostal_data:
        raise ConfigError(problem)
    log.info("addresses are parsed by rules alone: %s", problem)
    return RulesParser()


_PARSERS: Mapping[str, Callable[[AddressOptions], AddressParser]] = {
    "auto": _auto,
    "rules": lambda options: RulesParser(),
    "libpostal": lambda options: LibpostalParser(options.libpostal_data),
}
