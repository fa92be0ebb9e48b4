"""Parsers of address lines behind one protocol, chosen by option."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import pandas as pd

from geomatch.addresses.rules import RulesParser
from geomatch.config import AddressOptions
from geomatch.errors import ConfigError


class AddressParser(Protocol):
    """Cuts address lines into parts, many at once."""

    name: str

    def parse(self, texts: Sequence[str]) -> pd.DataFrame:
        """Parts of each text: a DataFrame of ADDRESS_PARTS with as many rows as texts."""
        ...


def get_parser(options: AddressOptions) -> AddressParser:
    """The parser that ``options.parser`` names: ``rules``, ``libpostal`` or ``auto``.

    Raises
    ------
    ConfigError
        When the name is none of these, or libpostal is asked for and it or its data are absent.
    """
    maker = _PARSERS.get(options.parser)
    if maker is None:
        raise ConfigError(f"unknown parser '{options.parser}' (known: {', '.join(_PARSERS)})")
    return maker(options)


_PARSERS: Mapping[str, Callable[[AddressOptions], AddressParser]] = {
    "rules": lambda options: RulesParser(),
    "auto": lambda options: RulesParser(),
}
