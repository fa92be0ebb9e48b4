"""Codes of départements, as people write them and as postcodes begin."""

from __future__ import annotations

from functools import lru_cache

from geomatch.addresses.parse.areas import read_area
from geomatch.core.text import normalise

#: What stands in the column of the département of who works abroad.
ABROAD = "99"


@lru_cache(maxsize=1_000)
def departement_codes(written: str) -> frozenset[str]:
    """``1`` → 01, ``20`` → 2A and 2B, ``HERAULT`` → 34; what is no département says nothing."""
    code = written.strip().upper().lstrip("(").rstrip(")")
    if code.isdigit() and len(code) == 1:
        code = "0" + code
    if code == "20":
        return frozenset({"2A", "2B"})
    is_code = len(code) in (2, 3) and (code.isdigit() or code in ("2A", "2B"))
    if is_code:
        return frozenset({code}) if code not in (ABROAD, "00") else frozenset()
    area = read_area(normalise(written))
    return area.departements if area is not None else frozenset()


def postcode_departements(code_postal: str) -> frozenset[str]:
    """Départements that a postcode may lie in, none for what is no postcode."""
    if len(code_postal) != 5 or not code_postal.isdigit():
        return frozenset()
    head = code_postal[:3] if code_postal[:2] in ("97", "98") else code_postal[:2]
    return departement_codes(head)
