"""Towns that the parser could not tell from the street: found by their names.

A parser knows no place names, so ``12 RUE DU PORT NANTES`` leaves the town in the street. The
commune index knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.communes.index import CommuneIndex
from geomatch.arrays.rows import Rows, constant

#: Words of the longest town name looked for.
_LONGEST = 6
#: A town cannot follow these: RUE DE PARIS is a street.
_SMALL = frozenset(("DE", "DU", "DES", "D", "LA", "LE", "L", "ET", "AU", "AUX"))
#: No town's name begins with these.
_NEVER_FIRST = frozenset(("DE", "DU", "DES", "D", "ET", "SUR", "SOUS", "EN"))
_NUMBER_BEHIND = re.compile(r"^(?P<name>.*[A-Z]) (?P<n>\d{1,4})(?: ?(?P<rep>[A-Z]|BIS|TER))?$")
#: Parts where a town may be left, in the order in which they are searched.
_FIELDS = ("nom_voie", "lieu", "nom", "complement")


#: Where a town is sought, and whether as it is written or with a slip.
_SEARCHES = (("nom_voie", True), ("nom_voie", False), *((c, True) for c in _FIELDS[1:]))
_OTHERS = ("commune", "departement", "code_postal", "numero", "rep")


def complete_parts(parts: Rows, communes: CommuneIndex) -> Rows:
    """Move a town that ends another part to ``commune``, where no commune was found.

    Where a département stood in place of the commune, it moves to ``departement``.

    Parameters
    ----------
    parts : Rows of ADDRESS_PARTS
    communes : CommuneIndex

    Returns
    -------
    Rows of ADDRESS_PARTS
        Aligned with `parts`. A town is first sought as it is written, in any part;
        then with a slip, at the end of the street, if no postcode is there.
    """
    if "nom_voie_2" in parts:
        parts = _town_of_second(parts, communes)
    void = np.flatnonzero(_is_open(parts["commune"], communes))
    if not len(void):
        return parts
    columns = {c: parts[c].copy() for c in (*_FIELDS, *_OTHERS)}
    kind = parts["type_voie"].copy()
    bare = columns["numero"] == ""
    known: dict[tuple[str, ...], tuple[str, str, str] | None] = {}
    for i in void.tolist():
        told = kind[i] if bare[i] else "numbered"
        row = (*(columns[c][i] for c in (*_FIELDS, "code_postal")), told)
        if row not in known:
            known[row] = _find_town(row, communes)
        found = known[row]
        if found is not None:
            column, rest, town = found
            if columns["commune"][i]:
                columns["departement"][i] = columns["commune"][i]
            columns["commune"][i] = town
            if bare[i] and column == "nom_voie" and not rest:
                kind[i] = ""
            number = _NUMBER_BEHIND.match(rest) if column == "nom_voie" else None
            if number and not columns["numero"][i]:
                rest = number["name"]
                columns["numero"][i] = number["n"].lstrip("0")
                columns["rep"][i] = (number["rep"] or "").lower()
            columns[column][i] = rest
    return parts.plus(**columns, type_voie=kind)


def _town_of_second(parts: Rows, communes: CommuneIndex) -> Rows:
    """``RUE A et RUE B BRUZ``: the town behind the second address is that of both."""
    rows = np.flatnonzero((parts["nom_voie_2"] != "") & (parts["commune"] == ""))
    if not len(rows):
        return parts
    second = parts.take(rows)
    nothing = constant("", len(rows))
    own = {c: second[c] for c in parts if not c.endswith("_2")}
    told = {c: second[f"{c}_2"] for c in ("numero", "rep", "type_voie", "nom_voie")}
    found = complete_parts(Rows(own | told | {"lieu": nothing, "nom": nothing}), communes)
    columns = {"commune": parts["commune"].copy(), "nom_voie_2": parts["nom_voie_2"].copy()}
    columns["commune"][rows] = found["commune"]
    columns["nom_voie_2"][rows] = found["nom_voie"]
    return parts.plus(**columns)


def _is_open(towns: NDArray[np.object_], communes: CommuneIndex) -> NDArray[np.bool_]:
    """Where no town is written, or a département that is no town: MONTPELLIER, HERAULT."""
    known = {town: not town or communes.is_only_departement(town) for town in set(towns.tolist())}
    return np.array([known[town] for town in towns.tolist()], dtype=bool)


def _find_town(row: tuple[str, ...], communes: CommuneIndex) -> tuple[str, str, str] | None:
    """Column, what is left of it, and the town; without a number a name may be a town's whole.

    The last value is the street's type, which may begin the town's name: MAS THIBERT.
    """
    *fields, code_postal, kind = row
    texts = dict(zip(_FIELDS, fields, strict=True))
    least = {"nom_voie": 1 if kind else 0}
    whole = f"{kind} {texts['nom_voie']}"
    if kind and texts["nom_voie"] and communes.is_town(whole, code_postal):
        return "nom_voie", "", whole
    for column, exact in _SEARCHES:
        if not exact and code_postal:
            continue
        for rest, town in _endings(texts[column], least=least.get(column, 0)):
            if (exact or rest) and communes.is_town(town, code_postal, exact=exact):
                return column, rest, town
    return None


def _endings(text: str, *, least: int) -> Iterator[tuple[str, str]]:
    """Ways to cut a text in a head of at least `least` words and a town, the longest town first."""
    words = text.split()
    for used in range(min(_LONGEST, len(words) - least), 0, -1):
        head = words[: len(words) - used]
        first = words[-used]
        if (head and head[-1] in _SMALL) or first.isdigit() or first in _NEVER_FIRST:
            continue
        yield " ".join(head), " ".join(words[-used:])
