"""Steps of the rules that take country, département, postcode and town from a line."""

from __future__ import annotations

from geomatch.addresses.parse.areas import NOWHERE, is_code_of, last_area, read_area
from geomatch.addresses.parse.line import Line
from geomatch.addresses.parse.patterns import (
    CEDEX,
    RANK_AFTER_TOWN,
    STREET_BEFORE,
    TOWN,
    TOWN_ALONE,
)
from geomatch.addresses.parse.town_names import ARRONDISSEMENTS

#: Behind the number of a military sector, or behind a garrison town (BREST ARMEES).
_ARMY = frozenset({"ARMEES", "ARMEE"})
_MILITARY = _ARMY | {"SP", "SECTEUR"}


def military(line: Line) -> None:
    """``SP 69111 00200 ARMEES``: sectors and the army's own postcodes are in no commune."""
    if _MILITARY.isdisjoint(line.words) and "00" not in (w[:2] for w in line.words):
        return
    for at, word in enumerate(line.words):
        is_sector = word == "SP" or line.words[at : at + 2] == ["SECTEUR", "POSTAL"]
        number = at + (1 if word == "SP" else 2)
        if is_sector and line.kinds[number : number + 1] == "P":
            line.add("complement", line.take(at, number + 1))
            continue
        is_army = word in _ARMY and line.kinds[at + 1 : at + 2] in ("", ",")
        if is_army or (line.kinds[at] == "P" and word.startswith("00")):
            line.add("complement", line.take(at, at + 1))


def country(line: Line) -> None:
    """``… PARIS FRANCE``: the country says nothing."""
    end = len(line.words) - 1
    if end > 0 and line.words[end] == "FRANCE" and line.kinds[end - 1] not in "Ss":
        line.take(end, end + 1)


def area(line: Line) -> None:
    """The département, region or foreign country that ends a line: ``BRUZ, ILLE ET VILAINE``."""
    kinds = line.kinds.rstrip(".,")
    start = kinds.rfind(",") + 1
    last = line.words[start : len(kinds)]
    found = read_area(" ".join(last)) if start and last else None
    if found is not None and found is not NOWHERE:
        before = kinds[: start - 1]
        # VIENNE behind a street and nothing else may be the town
        is_alone = len(last) == 1 and "," not in before and "P" not in before
        if not (found.departements and is_alone and ("T" in before or not before)):
            line.add("commune" if found.country else "departement", line.take(start, len(kinds)))
        return
    if _is_country_code(line, kinds, start):
        line.add("commune", line.take(start, len(kinds)))
        return
    used = _words_of_area(line.words[: len(kinds)], kinds)
    if used:
        line.add("departement", line.take(len(kinds) - used, len(kinds)))


def _is_country_code(line: Line, kinds: str, start: int) -> bool:
    """``1201 GENEVE, CH``: the code of the country that the town before it is in."""
    town = kinds.rfind(",", 0, max(start - 1, 0)) + 1
    words = [w for w in line.words[town:start] if not w.isdigit() and w != ","]
    return start == len(kinds) - 1 and is_code_of(line.words[start], " ".join(words))


def _words_of_area(words: list[str], kinds: str) -> int:
    """How many words at the end are a département's name of several words, no comma before."""
    used = last_area(words)
    before = kinds[len(words) - used - 1 : len(words) - used]
    return used if used > 1 and before and before not in "SsTtDM" else 0


def postcode_and_town(line: Line) -> None:
    """``75013 PARIS 13``: the last five digits that number no box and no house."""
    at = _postcode_position(line.kinds)
    if at < 0:
        return _town_without_postcode(line)
    line.parts["code_postal"] = line.words[at]
    line.take(at, at + 1)
    town = TOWN.match(line.kinds, at + 1)
    if town:
        end = town.end()
        words = line.take(at + 1, end)
        rank = RANK_AFTER_TOWN.match(line.kinds, end)
        if rank:
            line.is_cedex = "C" in rank[0]
            words += [w for w in line.take(end, rank.end()) if w[0].isdigit()]
        line.add("commune", words)
        return None
    cedex = CEDEX.match(line.kinds, at + 1)
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


def _town_without_postcode(line: Line) -> None:
    """The last part of ``12 RUE X, PARIS``: words only, after a comma, behind a street."""
    kinds = line.kinds.rstrip(".,")
    cedex = kinds.rfind("C")
    if cedex >= 0:
        line.is_cedex = True
        line.take(cedex, cedex + 2 if kinds[cedex + 1 : cedex + 2] in ("N", "O") else cedex + 1)
        kinds = line.kinds.rstrip(".,")
    city = len(kinds.rstrip("NO")) - 1
    if city > 0 and line.words[city] in ARRONDISSEMENTS and kinds[city - 1] not in "Ss":
        line.add("commune", line.take(city, len(kinds)))
        return
    comma = kinds.rfind(",")
    last = kinds[comma + 1 :]
    if comma > 0 and TOWN_ALONE.fullmatch(last) and STREET_BEFORE.search(kinds[:comma]):
        line.add("commune", line.take(comma + 1, len(kinds)))
