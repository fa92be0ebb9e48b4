"""Codes as spreadsheets and people write them, read as the codes they were."""

from __future__ import annotations

import re

#: What is put around a code to keep a spreadsheet from making a number of it: ``="01990"``.
_AROUND = " =\"'\t\u00a0\u202f\u2019`"
#: Country prefix of postcodes (``F-01990``), then the code, then the tail of a number (``.0``).
_CODE = re.compile(r"(?:FR?[ -]*)?(?P<code>\d[\dABab]?\d*)(?:[.,]0+)?", re.ASCII)
_GAPS = re.compile(r"[\s.\u00a0\u202f]+")
#: Codes of places: a zero that a spreadsheet took is given back. A SIRET is not mended so: who has
#: lost a zero has lost others, and one digit more or less is another establishment.
_PLACE_WIDTHS = (2, 5)
_SHORTEST_WITH_GAPS = 5


def code_text(text: str, width: int) -> str:
    """A code as it was before a spreadsheet or a habit of writing changed it.

    Parameters
    ----------
    text : str
        What a file holds, trimmed.
    width : int
        Signs a code has: 2 (département), 5 (commune, postcode), 9 or 14 (SIREN, SIRET), 1 for a
        number that is a code of no fixed length.

    Returns
    -------
    str
        ``"01990"`` for ``1990``, ``1990.0``, ``="01990"``, ``'01990``, ``F-01990`` and ``01 990``;
        text that is no code as it is.
    """
    if len(text) == width and text.isalnum():
        return text
    bare = text.strip(_AROUND)
    found = _CODE.fullmatch(bare)
    if found is None and width >= _SHORTEST_WITH_GAPS:
        joined = _CODE.fullmatch(_GAPS.sub("", bare))
        found = joined if joined is not None and len(joined["code"]) == width else None
    if found is None:
        return text
    code = found["code"].upper()
    is_short = width in _PLACE_WIDTHS and len(code) == width - 1 and code.isdecimal()
    return "0" + code if is_short else code
