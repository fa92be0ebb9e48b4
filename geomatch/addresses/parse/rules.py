"""French address lines cut into parts by rules: one short step after the other.

Each step looks at the kinds of the words (see :mod:`geomatch.addresses.parse.tokens`) with a
regular expression, takes the words it understands and leaves the rest to the next. A word that is
taken becomes ``.`` in the kinds, so that no later rule reads it again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence

import numpy as np

from geomatch.addresses.parse.line import Line
from geomatch.addresses.parse.numbers import HouseNumber, read_number
from geomatch.addresses.parse.patterns import (
    ANCHORS,
    BOX,
    INSIDE,
    LIKE_NUMBER,
    LIST,
    NAMED_PIECE,
    NUMBER_ALONE,
    NUMBER_BEFORE_TYPE,
    OCR,
    OF,
    PIECE,
    STREET_END,
    TELLING,
    TOWN_AT_END,
    TRAILING_NUMBER,
    TYPE_BEHIND,
    UNTYPED,
    WORD_BEFORE_TYPE,
    WORD_BEHIND,
    YEAR,
)
from geomatch.addresses.parse.rule_towns import area, country, military, postcode_and_town
from geomatch.addresses.parse.tokens import tokenise
from geomatch.addresses.parse.types import glued_type, misspelt_type
from geomatch.arrays.rows import Rows
from geomatch.core.schema import ADDRESS_PARTS, DTYPES
from geomatch.core.street_keys import expand_words, leading_type, street_words
from geomatch.core.street_types import street_type_table

#: A line that says nothing, in the order of the columns.
_NOTHING: dict[str, object] = dict.fromkeys(ADDRESS_PARTS.columns, "")


#: Between the numbers of a list that is meant as one.
_JOINING = frozenset({"A", "AU", "ET", "OU"})
#: Numbers of one list are no farther apart; where nothing joins them, the first may be a flat's.
_MOST_APART, _MOST_APART_UNSAID = 100, 20


class RulesParser:
    """Our own parser: no data, no state, some 30 µs a line."""

    name = "rules"

    def parse(self, texts: Sequence[str]) -> Rows:
        """Parts of each line; shape (len(texts), :data:`geomatch.core.schema.ADDRESS_PARTS`).

        Any string is accepted. ``doubt`` says why a parse is not sure: ``empty``, ``no street``,
        ``no type``, ``name``.
        """
        known: dict[str, tuple[object, ...]] = {}
        rows = []
        for text in texts:
            row = known.get(text)
            if row is None:
                row = known[text] = parse_line(text)
            rows.append(row)
        return parts_rows(rows)


def parts_rows(rows: Sequence[tuple[object, ...]]) -> Rows:
    """A table of address parts from tuples in the order of its columns."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(ADDRESS_PARTS.columns)
    kinds = ((c, DTYPES[kind]) for c, (kind, _) in ADDRESS_PARTS.columns.items())
    parts = {c: np.array(v, dtype) for (c, dtype), v in zip(kinds, columns, strict=True)}
    return Rows(parts, len(rows))


def parse_line(text: str) -> tuple[object, ...]:
    """Parts of one line, in the order of ADDRESS_PARTS."""
    tokens = tokenise(text)
    line = Line(tokens.words, tokens.kinds)
    for step in STEPS:
        step(line)
    told = _NOTHING | line.parts | {"cedex": line.is_cedex, "doubt": line.doubt}
    return tuple(told.values())


# ------------------------------------------------------------------ the steps
def _lists(line: Line) -> None:
    """``10, 12 ET 14 RUE``: first and last are kept, as those of a range."""
    for found in list(LIST.finditer(line.kinds))[::-1]:
        numbers = [i for i in range(*found.span()) if line.kinds[i] == "N"]
        values = [int(read_number(line.words[i]).numero or 0) for i in numbers]
        between = line.words[numbers[0] + 1 : numbers[-1]]
        said = not _JOINING.isdisjoint(between)
        gap = max(b - a for a, b in itertools.pairwise(values))
        rising = all(a < b for a, b in itertools.pairwise(values))
        if not rising or gap > (_MOST_APART if said else _MOST_APART_UNSAID):
            continue
        if not said and line.kinds[: found.start()][-1:] not in ("", ",", "."):
            continue
        low, high = found.span()
        first = line.words[low : numbers[1]]
        rep = line.kinds[low + 1 : low + 2] in ("R", "L") and line.kinds[low + 1]
        line.words[low:high] = [*first[: 2 if rep else 1], "A", line.words[numbers[-1]]]
        line.kinds = f"{line.kinds[:low]}N{rep or ''}sN{line.kinds[high:]}"


def _boxes(line: Line) -> None:
    """``BP 23``, ``CS 40012``."""
    for found in list(BOX.finditer(line.kinds)):
        line.add("complement", line.take(found.start(), found.end()))


def _repair(line: Line) -> None:
    """Types with a slip or glued to the name, digits read as letters, behind a number or first."""
    kinds = line.kinds
    if "T" in kinds:
        _letters_for_digits(line)
    if TYPE_BEHIND.search(line.kinds):
        return
    for found in WORD_BEHIND.finditer(kinds):
        at = found.end() - 1
        word = line.words[at]
        glued = glued_type(word)
        if glued:
            line.words[at : at + 1] = list(glued)
            line.kinds = kinds[:at] + "TW" + kinds[at + 1 :]
            return
        numbered = found[0][:1] in "NP"
        alone = "T" not in kinds and len(word) >= 5
        if at + 1 < len(kinds) and (numbered or alone):
            full = misspelt_type(word)
            if full:
                line.words[at] = full
                line.kinds = kinds[:at] + "T" + kinds[at + 1 :]
                return


def _letters_for_digits(line: Line) -> None:
    """``1O RUE`` is number 10, ``L2 RUE`` number 12; the BV of ``80 BV RUE`` is a repetition."""
    for found in WORD_BEFORE_TYPE.finditer(line.kinds):
        if len(line.words[found.start()]) <= 2:
            line.kinds = line.kinds[: found.start()] + "L" + line.kinds[found.end() :]
    for found in NUMBER_BEFORE_TYPE.finditer(line.kinds):
        at = found.start()
        if LIKE_NUMBER.match(line.words[at]):
            line.words[at] = line.words[at].translate(OCR)
            line.kinds = line.kinds[:at] + "N" + line.kinds[at + 1 :]


def _street(line: Line) -> None:
    """Number, type and name: the first of the anchors that fits."""
    for anchor in ANCHORS:
        found = anchor.search(line.kinds)
        if found:
            break
    else:
        return
    start = found.start("s")
    groups = found.groupdict()
    is_typed = line.kinds[start] in "TtZ"
    if groups.get("r") == "s" and not is_typed and line.words[found.start("r")] != "A":
        # 12 L ESPERANCE: the letter is an article
        start, groups["r"] = found.start("r"), None
    end_found = STREET_END.search(line.kinds, start + 1)
    end = end_found.start() if end_found else len(line.kinds)
    if groups.get("n") and not _belongs_to_name(line, found.start("n"), start, end):
        _take_number(line, found, groups, start)
    kind, used = leading_type(line.words[start:end]) if is_typed else ("", 0)
    if "numero" not in line.parts:
        end = _number_behind(line, kind, start, end)
    kinds = line.kinds[start:end]
    words = line.take(start, end)
    _name_street(line, kind, words, used)
    if not kind and "I" in kinds[:1]:
        line.doubt = "name"
    elif not kind:
        line.doubt = "no type"


def _belongs_to_name(line: Line, number: int, start: int, end: int) -> bool:
    """``ESPOIR 35 RUE X 53``: with a number behind the street, that before it is the company's."""
    before = line.kinds[number - 1] if number else ""
    return before in ("W", "I") and _behind(line, start, end) is not None


def _behind(line: Line, start: int, end: int) -> re.Match[str] | None:
    """The house number that ends a street's name, if any; the year of a date is none."""
    behind = None
    for found in TRAILING_NUMBER.finditer(line.kinds, start + 1, min(end + 4, len(line.kinds))):
        behind = found
    if behind is None or behind.start() > end:
        return None
    is_dated = line.kinds[behind.start("n") - 1] == "M"
    return None if is_dated and YEAR.match(line.words[behind.start("n")]) else behind


def _is_locality(kind: str) -> bool:
    """LIEU DIT says only that a locality's name follows."""
    return bool(kind) and street_type_table().types[kind].kind == "locality"


def _name_street(line: Line, kind: str, words: list[str], used: int) -> None:
    name = expand_words(street_words(" ".join(words)) if not kind else words[used:])
    if _is_locality(kind):
        line.add("lieu", name)
        return
    if kind and not name:
        kind, name = "", kind.split() if used > 1 else words
    line.parts["type_voie"] = kind
    line.add("nom_voie", name)


def _take_number(line: Line, found: re.Match[str], groups: dict[str, str | None], end: int) -> None:
    first = read_number(line.words[found.start("n")])
    rep = first.rep
    if groups.get("r"):
        rep = rep or "".join(line.words[slice(*found.span("r"))]).lower()
    last = read_number(line.words[found.start("m")]) if groups.get("m") else HouseNumber("", "")
    line.take(found.start("n"), end)
    is_range = last.numero and int(last.numero) > int(first.numero or 0)
    line.parts |= {
        "numero": first.numero,
        "rep": rep,
        "numero_fin": last.numero if is_range else "",
    }


def _number_behind(line: Line, kind: str, start: int, end: int) -> int:
    """``BOULEVARD X 61``: take the number that ends the name; new end of the name."""
    if kind and street_type_table().types[kind].is_numbered:
        return end
    behind = _behind(line, start, end)
    if behind is None:
        return end
    number = read_number(line.words[behind.start("n")])
    rep = number.rep
    if behind["r"]:
        rep = rep or line.words[behind.start("r")].lower()
    line.take(behind.start("n"), behind.end())
    last = read_number(line.words[behind.start("m")]).numero if behind["m"] else ""
    line.parts |= {"numero": number.numero, "rep": rep, "numero_fin": last}
    return min(end, behind.start())


def _inside_buildings(line: Line) -> None:
    """``BAT B``, ``2E ETAGE GAUCHE``: what is inside a building."""
    for found in list(INSIDE.finditer(line.kinds)):
        line.add("complement", line.take(found.start(), found.end()))


def _untyped(line: Line) -> None:
    """A name without type or number is a street's, unless an institution's word is in it."""
    found = UNTYPED.search(line.kinds)
    if found is None or not TELLING.search(found[0]):
        return
    if "I" in line.kinds[found.end() : found.end() + 1]:
        return
    if "I" in found[0] and line.words[found.start()] not in OF:
        return
    end = _number_behind(line, "", found.start(), found.end())
    line.add("nom_voie", expand_words(line.take(found.start(), end)))
    line.doubt = "no type"


def _rest(line: Line) -> None:
    """Zones and residences → lieu; institutions and companies → nom; the rest by its place."""
    if "nom_voie" not in line.parts and "lieu" not in line.parts:
        _untyped(line)
    if "commune" not in line.parts and line.parts.get("nom_voie"):
        town = TOWN_AT_END.search(line.kinds)
        if town and "W" in town["town"]:
            line.add("commune", line.take(town.start("town"), town.end("town")))
    alone = NUMBER_ALONE.fullmatch(line.kinds)
    if alone and not line.parts.get("nom_voie"):
        number = read_number(line.take(alone.start("n"), alone.end("n"))[0])
        line.parts |= {"numero": number.numero, "rep": number.rep}
    for found in list(PIECE.finditer(line.kinds)):
        words = line.take(found.start(), found.end())
        if found[0][0] == "Z":
            kind, used = leading_type(words)
            name = expand_words(words[used:])
            line.add("lieu", name if _is_locality(kind) else [kind, *name])
        elif NAMED_PIECE.search(found[0]) and found[0][0] != "T":
            line.add("nom", words)
        else:
            line.add("complement", words)
    if not line.parts.get("nom_voie") and not line.parts.get("lieu"):
        line.doubt = "name" if line.parts.get("nom") else "no street" if line.parts else "empty"


STEPS: tuple[Callable[[Line], None], ...] = (
    military,
    country,
    area,
    postcode_and_town,
    _boxes,
    _repair,
    _inside_buildings,
    _lists,
    _street,
    _rest,
)
