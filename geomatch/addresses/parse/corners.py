"""Lines that hold two addresses: a corner of two streets, or one building's doors on both.

``52 RUE CONDORCET / 2 RUE BOCHART DE SARON``, ``angle rue A et rue B``, ``12 rue A - 14 rue B``:
the first is the address, the second is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from geomatch.addresses.parse.parsers import AddressParser
from geomatch.arrays.rows import Rows, constant

#: What is kept of the second address, each in a column called ``…_2``.
SECOND = ("numero", "rep", "type_voie", "nom_voie")
#: Between the two.
_BETWEEN = re.compile(
    r"\s*/\s*|\s+-\s+|\s+(?:et|à l[' ’]angle|a l[' ’]angle|angle|au coin|coin)"
    r"(?:\s+(?:de la|de l[' ’]|de|du|des|avec))?\s+",
    re.IGNORECASE,
)
#: Before the first: it says only that there is a second.
_OPENING = re.compile(
    r"^\W*(?:pan coup[ée]|(?:à|a) l[' ’]angle|angle|coin|intersection|carrefour|croisement)\b"
    r"(?:\s+(?:de la|de l[' ’]|des|de|du))?\W*(?=\w+\W+\w)",
    re.IGNORECASE,
)
_PLACE = ("commune", "code_postal", "departement", "cedex")
#: A longer line is no address of two streets.
_LONGEST = 250


def with_second(texts: Sequence[str], parts: Rows, parser: AddressParser) -> Rows:
    """Address parts with the columns of :data:`SECOND`, "" where one address is all.

    Parameters
    ----------
    texts : lines
    parts : Rows of ADDRESS_PARTS, aligned with `texts`
    parser : AddressParser
        Reads both halves. Without a town of its own the first gets that of the second.
    """
    halves = {i: cut for i, text in enumerate(texts) if (cut := _halves(text))}
    columns = {f"{c}_2": constant("", len(parts)) for c in SECOND}
    if not halves:
        return parts.plus(**columns)
    rows = np.fromiter(halves, np.int64, len(halves))
    first, second = (parser.parse([cut[side] for cut in halves.values()]) for side in (0, 1))
    both = np.ones(len(rows), dtype=bool)
    for half in (first, second):
        both &= (half["type_voie"] != "") & (half["nom_voie"] != "")
    at, rows = np.flatnonzero(both), rows[both]
    own = {c: parts[c].copy() for c in parts}
    for name in own:
        has_place = first["commune"][at] != "" if name in _PLACE else np.ones(len(at), bool)
        own[name][rows] = np.where(has_place, first[name][at], second[name][at])
    for name in SECOND:
        columns[f"{name}_2"][rows] = second[name][at]
    return parts.plus(**own, **columns)


def _halves(text: str) -> tuple[str, str] | None:
    """The line before and behind what stands between two addresses."""
    if len(text) > _LONGEST:
        return None
    opened = _OPENING.sub("", text)
    for found in _BETWEEN.finditer(opened):
        before, behind = opened[: found.start()], opened[found.end() :]
        if _has_words(before) and _has_words(behind):
            return before, behind
    return None


def _has_words(text: str) -> bool:
    """At least a type and a name, not the number of a list."""
    return sum(word.isalpha() for word in re.split(r"\W+", text)) >= 2
