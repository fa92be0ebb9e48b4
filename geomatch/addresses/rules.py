"""French address lines cut into parts by rules: one short step after the other.

Each step looks at the kinds of the words (see :mod:`geomatch.addresses.tokens`) with a regular
expression, takes the words it understands and leaves the rest to the next. A word that has been
taken becomes ``.`` in the kinds, so that no later rule reads over it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from geomatch.addresses.numbers import HouseNumber, read_number
from geomatch.addresses.tokens import NUMBER_WORDS, Tokens, tokenise
from geomatch.addresses.types import glued_type, misspelt_type
from geomatch.schema import ADDRESS_PARTS
from geomatch.voies import expand_words, leading_type

_BOX = re.compile("B[L,]*[NP]?")
_RANK_AFTER_TOWN = re.compile("C[NO]?|[NO](?=,|$)")
_TOWN = re.compile(",?(?P<town>T?[^,NPBCT.O]+)")
_INSIDE = re.compile("(?<![Ss])(?:OE[LW]?|E(?:[NLOs]|W(?=[,.]|$|N))?)")
_NUMBERED = (
    "(?P<n>[NP])(?:(?P<r>[RLs])(?=,?{0}|[sSN,]?[NP]R?,?{0}))?(?:[sSL](?P<m>[NP])[RL]?)?,?(?P<s>{0})"
)
_ANCHORS = tuple(
    re.compile(pattern)
    for pattern in (
        "^(?P<n>[NP])(?P<m>[NP])R?,?(?P<s>T)",
        _NUMBERED.format("T"),
        "(?P<d>D)R?,?(?P<s>T)",
        "(?:^|[,.])(?P<s>T)(?=[^,.])",
        "(?<![Ss])(?P<s>T)(?=[^,.])",
        _NUMBERED.format("[tZ]"),
        "(?P<n>[NP])(?:(?P<r>[RL]|s(?=[SsWLDOIMt]))(?=,?[SsWLDOIMtN]))?(?:[sSL](?P<m>[NP])[RL]?)?,?"
        "(?P<s>[SsWLDOIt]|N(?=W))",
        "(?:^|[,.])(?P<s>Z)",
        "(?<![Ss])(?P<s>Z)",
        "(?:^|[,.])(?P<s>t)",
    )
)
_STREET_END = re.compile("[,.B]|(?<![Ss])O?E|(?<![Ss])Z|(?<=[WMNI])T|C")
_TRAILING_NUMBER = re.compile(
    "(?:(?<=[WIDtM])|(?<=WL)),?(?P<n>[NP])(?P<r>[RLs])?(?:[sS](?P<m>[NP]))?(?=[,.]|$)"
)
#: Towns whose name a number may follow that is no house.
_CITIES = frozenset({"PARIS", "LYON", "MARSEILLE"})
_TOWN_AT_END = re.compile("[.,](?P<town>[WSstDM]+[NO]?)[.,]*$")
#: What follows a month: the year of a date, short or in full.
_YEAR = re.compile(r"(?:1[789]|20)\d\d$|14$|18$|4[0-5]$|62$")
_NUMBERED_ROADS = frozenset(
    {"ROUTE NATIONALE", "ROUTE DEPARTEMENTALE", "AUTOROUTE", "CHEMIN DEPARTEMENTAL", "ZONE", "VOIE"}
)


@dataclass
class _Line:
    """One line on its way: words, kinds with ``.`` for what is taken, and the parts so far."""

    words: list[str]
    kinds: str
    parts: dict[str, str] = field(default_factory=dict)
    is_cedex: bool = False
    doubt: str = ""

    def take(self, start: int, end: int) -> list[str]:
        """Words ``start … end-1``, which nobody else gets; separators are dropped."""
        words = [
            w
            for w, k in zip(self.words[start:end], self.kinds[start:end], strict=True)
            if k not in ",."
        ]
        self.kinds = self.kinds[:start] + "." * (end - start) + self.kinds[end:]
        return words

    def add(self, part: str, words: Sequence[str]) -> None:
        """Append words to a part."""
        if words:
            before = self.parts.get(part)
            self.parts[part] = " ".join([before, *words] if before else words)


class RulesParser:
    """Our own parser: no data, no state, some 30 µs a line."""

    name = "rules"

    def parse(self, texts: Sequence[str]) -> pd.DataFrame:
        """Parts of each line; shape (len(texts), :data:`geomatch.schema.ADDRESS_PARTS`).

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
        return parts_frame(rows)


def parts_frame(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """A table of address parts from tuples in the order of its columns."""
    return ADDRESS_PARTS.conform(pd.DataFrame(rows, columns=ADDRESS_PARTS.names))


def parse_line(text: str) -> tuple[object, ...]:
    """Parts of one line, in the order of ADDRESS_PARTS."""
    tokens = tokenise(text)
    line = _Line(tokens.words, tokens.kinds)
    for step in STEPS:
        step(line)
    parts = line.parts
    return tuple(
        line.is_cedex if c == "cedex" else line.doubt if c == "doubt" else parts.get(c, "")
        for c in ADDRESS_PARTS.columns
    )


# ------------------------------------------------------------------ the steps
def _country(line: _Line) -> None:
    """``… PARIS FRANCE``: the country says nothing."""
    end = len(line.words) - 1
    if end > 0 and line.words[end] == "FRANCE" and line.kinds[end - 1] not in "Ss":
        line.take(end, end + 1)


def _postcode_and_town(line: _Line) -> None:
    """``75013 PARIS 13``: the last five digits that number no box and no house."""
    at = _postcode_position(line.kinds)
    if at < 0:
        return _town_without_postcode(line)
    line.parts["code_postal"] = line.words[at]
    line.take(at, at + 1)
    town = _TOWN.match(line.kinds, at + 1)
    if town:
        end = town.end()
        words = line.take(at + 1, end)
        rank = _RANK_AFTER_TOWN.match(line.kinds, end)
        if rank:
            line.is_cedex = "C" in rank[0]
            words += [w for w in line.take(end, rank.end()) if w[0].isdigit()]
        line.add("commune", words)
        return None
    cedex = re.compile("C[NO]?").match(line.kinds, at + 1)
    if cedex:
        line.is_cedex = True
        line.take(at + 1, cedex.end())
    return _town_without_postcode(line)


def _postcode_position(kinds: str) -> int:
    for at in range(len(kinds) - 1, -1, -1):
        if kinds[at] != "P":
            continue
        before = kinds[at - 1] if at else ""
        if before == "B" or kinds[max(at - 2, 0) : at] in ("BL", "B,"):
            continue
        after = kinds[at + 1 : at + 2]
        if after in ("T", "R") and before in ("", ","):
            continue
        return at
    return -1


def _town_without_postcode(line: _Line) -> None:
    """The last part of ``12 RUE X, PARIS``: words only, after a comma, behind a street."""
    kinds = line.kinds.rstrip(".,")
    cedex = kinds.rfind("C")
    if cedex >= 0:
        line.is_cedex = True
        line.take(cedex, cedex + 2 if kinds[cedex + 1 : cedex + 2] in ("N", "O") else cedex + 1)
        kinds = line.kinds.rstrip(".,")
    city = len(kinds.rstrip("NO")) - 1
    if city > 0 and line.words[city] in _CITIES and kinds[city - 1] not in "Ss":
        line.add("commune", line.take(city, len(kinds)))
        return
    comma = kinds.rfind(",")
    last = kinds[comma + 1 :]
    if comma > 0 and re.fullmatch("[WSsLtIDM]+[NO]?", last) and re.search("[TtZWI]", kinds[:comma]):
        line.add("commune", line.take(comma + 1, len(kinds)))


def _boxes(line: _Line) -> None:
    """``BP 23``, ``CS 40012``."""
    for found in list(_BOX.finditer(line.kinds)):
        line.add("complement", line.take(found.start(), found.end()))


def _repair(line: _Line) -> None:
    """Types with a slip or glued to the name, digits read as letters, behind a number or first."""
    kinds = line.kinds
    if "T" in kinds:
        _letters_for_digits(line)
    if re.search("(?:^|[,.]|[NP][RLs]?,?)T", line.kinds):
        return
    for found in re.finditer("(?:^|[,.]|[NP][RL]?,?)W", kinds):
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


_OCR = str.maketrans({"O": "0", "I": "1", "L": "1", "S": "5", "B": "8"})
_LIKE_NUMBER = re.compile(r"(?:[OIL]\d{1,3}|\d{1,3}[OI]\d{0,2})$")


def _letters_for_digits(line: _Line) -> None:
    """``1O RUE`` is number 10, ``L2 RUE`` number 12; the BV of ``80 BV RUE`` is a repetition."""
    for found in re.finditer("(?<=N)W(?=,?T)", line.kinds):
        if len(line.words[found.start()]) <= 2:
            line.kinds = line.kinds[: found.start()] + "L" + line.kinds[found.end() :]
    for found in re.finditer("[WN](?=R?T)", line.kinds):
        at = found.start()
        if _LIKE_NUMBER.match(line.words[at]):
            line.words[at] = line.words[at].translate(_OCR)
            line.kinds = line.kinds[:at] + "N" + line.kinds[at + 1 :]


def _street(line: _Line) -> None:
    """Number, type and name: the first of the anchors that fits."""
    for anchor in _ANCHORS:
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
    end_found = _STREET_END.search(line.kinds, start + 1)
    end = end_found.start() if end_found else len(line.kinds)
    if groups.get("n") and not _belongs_to_name(line, found.start("n"), start, end):
        _take_number(line, found, groups, start)
    elif groups.get("d"):
        line.parts["numero"] = str(NUMBER_WORDS[line.take(found.start("d"), start)[0]])
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


def _belongs_to_name(line: _Line, number: int, start: int, end: int) -> bool:
    """``ESPOIR 35 RUE X 53``: with a number behind the street, that before it is the company's."""
    before = line.kinds[number - 1] if number else ""
    return before in ("W", "I") and _behind(line, start, end) is not None


def _behind(line: _Line, start: int, end: int) -> re.Match[str] | None:
    """The house number that ends a street's name, if any; the year of a date is none."""
    behind = None
    for found in _TRAILING_NUMBER.finditer(line.kinds, start + 1, min(end + 4, len(line.kinds))):
        behind = found
    if behind is None or behind.start() > end:
        return None
    is_dated = line.kinds[behind.start("n") - 1] == "M"
    return None if is_dated and _YEAR.match(line.words[behind.start("n")]) else behind


def _name_street(line: _Line, kind: str, words: list[str], used: int) -> None:
    name = expand_words(words[used:])
    if kind == "LIEU DIT":
        line.add("lieu", name)
        return
    if kind and not name:
        kind, name = "", kind.split() if used > 1 else words
    line.parts["type_voie"] = kind
    line.add("nom_voie", name)


def _take_number(
    line: _Line, found: re.Match[str], groups: dict[str, str | None], end: int
) -> None:
    first = read_number(line.words[found.start("n")])
    rep = first.rep
    if groups.get("r"):
        word = line.words[found.start("r")]
        rep = rep or word.lower()
    last = read_number(line.words[found.start("m")]) if groups.get("m") else HouseNumber("", "")
    line.take(found.start("n"), end)
    is_range = last.numero and int(last.numero) > int(first.numero or 0)
    line.parts |= {
        "numero": first.numero,
        "rep": rep,
        "numero_fin": last.numero if is_range else "",
    }


def _number_behind(line: _Line, kind: str, start: int, end: int) -> int:
    """``BOULEVARD X 61``: take the number that ends the name; new end of the name."""
    if kind in _NUMBERED_ROADS:
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


def _inside_buildings(line: _Line) -> None:
    """``BAT B``, ``2E ETAGE GAUCHE``: what is inside a building."""
    for found in list(_INSIDE.finditer(line.kinds)):
        line.add("complement", line.take(found.start(), found.end()))


#: DE LA BANQUE is a street without its type, LA BANQUE a bank.
_OF = frozenset({"DE", "DU", "DES", "D"})
_NUMBER_ALONE = re.compile("[.,]*(?P<n>N)[.,]*")
_UNTYPED = re.compile("(?:(?<=[.,])|^)(?:[WODMtLN][WSsLODMNtT]*|[Ss][WSsLODMNtIT]+)")


def _untyped(line: _Line) -> None:
    """A name without type or number is a street's, unless an institution's word is in it."""
    found = _UNTYPED.search(line.kinds)
    if found is None or not re.search("[WODMtI]", found[0]):
        return
    if "I" in line.kinds[found.end() : found.end() + 1]:
        return
    if "I" in found[0] and line.words[found.start()] not in _OF:
        return
    end = _number_behind(line, "", found.start(), found.end())
    line.add("nom_voie", expand_words(line.take(found.start(), end)))
    line.doubt = "no type"


def _rest(line: _Line) -> None:
    """Zones and residences → lieu; institutions and companies → nom; the rest by its place."""
    if "nom_voie" not in line.parts and "lieu" not in line.parts:
        _untyped(line)
    if "commune" not in line.parts and line.parts.get("nom_voie"):
        town = _TOWN_AT_END.search(line.kinds)
        if town and "W" in town["town"]:
            line.add("commune", line.take(town.start("town"), town.end("town")))
    alone = _NUMBER_ALONE.fullmatch(line.kinds)
    if alone and not line.parts.get("nom_voie"):
        number = read_number(line.take(alone.start("n"), alone.end("n"))[0])
        line.parts |= {"numero": number.numero, "rep": number.rep}
    for found in list(re.finditer("[^.,]+", line.kinds)):
        words = line.take(found.start(), found.end())
        if found[0][0] == "Z":
            kind, used = leading_type(words)
            name = expand_words(words[used:])
            line.add("lieu", name if kind == "LIEU DIT" else [kind, *name])
        elif re.search("[WI]", found[0]) and found[0][0] != "T":
            line.add("nom", words)
        else:
            line.add("complement", words)
    if not line.parts.get("nom_voie") and not line.parts.get("lieu"):
        line.doubt = "name" if line.parts.get("nom") else "no street" if line.parts else "empty"


STEPS: tuple[Callable[[_Line], None], ...] = (
    _country,
    _postcode_and_town,
    _boxes,
    _repair,
    _inside_buildings,
    _street,
    _rest,
)

__all__ = ["RulesParser", "Tokens", "parse_line", "parts_frame"]
