"""Codes of départements and overseas territories."""

from __future__ import annotations

import re
from collections.abc import Sequence

from geomatch.core.errors import ConfigError

_DEPARTEMENT = re.compile(r"0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5]|97[1-8]|98[678]")

#: SQL for the département of a commune code: 35238 → 35, 97411 → 974.
DEPARTEMENT_SQL = "CASE WHEN {0}[1:2] IN ('97', '98') THEN {0}[1:3] ELSE {0}[1:2] END"


def checked_departements(departements: Sequence[str]) -> list[str]:
    """The codes in capitals, each once.

    Raises :class:`ConfigError` naming all that are not the code of any, or when there is none.
    """
    codes = list(dict.fromkeys(d.strip().upper() for d in departements))
    wrong = [c for c in codes if not _DEPARTEMENT.fullmatch(c)]
    if wrong or not codes:
        got = ", ".join(wrong) or "nothing"
        raise ConfigError(f"--departements: got {got}; expected codes such as 01, 35, 2A, 974")
    return codes
