"""Words of an address line, each with a letter for its kind, so that rules are regular expressions.

======  ==========================================================================
letter  kind of word
======  ==========================================================================
``P``   five digits: a postcode, or a big number
``N``   one to five digits, maybe with a letter glued to it (``12B``)
``R``   BIS, TER, QUATER …
``T``   begins a type of street that nothing else is (RUE, BD, CHEMIN …)
``t``   begins a type that is also a plain word (PARC, COUR, PORTE …)
``Z``   begins a zone, residence or locality (ZA, ZI, LOTISSEMENT, LIEU DIT …)
``B``   BP, CS, TSA: a number follows that is no house number
``E``   building, staircase, floor, door …: what follows is inside a building
``C``   CEDEX
``I``   institution or company (MAIRIE, COLLEGE, SARL …)
``M``   month
``S``   small word (DE, DU, LA …)
``s``   small word of one letter (A, D, L), which may be a repetition
``L``   a lone letter
``O``   rank (1ER, 2E, 14EME)
``D``   number in letters (DOUZE)
``,``   separator
``W``   any other word
======  ==========================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

from geomatch.addresses.parse.areas import read_area
from geomatch.addresses.parse.numbers import REPETITIONS
from geomatch.addresses.parse.town_names import ARRONDISSEMENTS, arrondissement
from geomatch.core.numerals import MONTHS, NUMBER_WORDS, number_prefix
from geomatch.core.street_keys import first_words_of_types, street_types
from geomatch.core.street_types import street_type_table
from geomatch.core.tables import load_table
from geomatch.core.text import normalise

_SEPARATORS = re.compile(r"\s*(?:[,;|\n\r\t]|\s[-–—:]\s)\s*")
_GLUED = re.compile(
    r"(?<=[0-9]{5})(?=[A-Z]{3})|(?<=[A-Z]{3})(?=[0-9])|(?<=[0-9])(?=[A-Z]{4})"
    r"|(?<=\bR[DN])(?=[0-9])"
)
#: A name in brackets at the end of a line: ``BRUZ (ILLE-ET-VILAINE)``.
_LAST_IN_BRACKETS = re.compile(r"\s*\(\s*([^()\d]{3,})\)\s*$")
#: UTF-8 read as Latin-1, then robbed of its accents: ``ALLA©E`` was ``ALLÉE``.
_STRIPPED = re.compile("[AaÃ]([\u0080-\u00bf])")
_STRIPPED_QUOTE = re.compile("[AaÂâ]€[™˜œ\u009d]")
#: ``5-7`` and ``15/17`` are what ``5 A 7`` is; ``35 9`` is not.
_RANGE = re.compile(
    r"(?<![\w/-])(\d{1,4} ?(?:[A-Za-z]|bis|ter|BIS|TER)?) ?[-/–] ?(?=\d{1,4}\b)(?!\d+[-/]\d)(\d)"
)
_ROAD = re.compile(
    r"(^|, ?|^\d{1,4},? |ROUTE )R?([DN]) ?(\d{1,4})(?=$| \d{5}\b| ?,)", re.IGNORECASE
)
#: A point of a road, told by its distance: ``PK 12``, ``km 2,5``, ``PR 12+300``, ``borne 4``.
_ROAD_POINT = re.compile(
    r"\b(?:borne )?(?:(?:P\.?K\.?|KM|kilom[eèé]tre|point kilom[eèé]trique)[ :.]{0,2}"
    r"\d{1,3}(?: ?[.,+] ?\d{1,3})?(?![\d/])|PR ?\d{1,3} ?\+ ?\d{1,3}\b)|\bborne (?=\d{1,3}\b)",
    re.IGNORECASE,
)
#: What any of the following needs.
_MAYBE_SPELT = re.compile(
    r"\d.*[-/–]|- ?\d|[°º]|\d{2} \d{3}|[DNdn] ?\d"
    r"|[Kk][Mm.Ii]|[Pp](?:\.?[Kk]|[Rr] ?\d)|[Bb][Oo][Rr][Nn]"
)
#: What is said otherwise, all with digits: ``5-7``, ``n° 3``, ``F-35910``, ``35 910 X``, ``D908``.
_SPELLINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_ROAD_POINT, lambda found: f" PK {_whole_part(found[0])} "),
    (_RANGE, r"\1 A \2"),
    (re.compile(r"\bn\s?[°º]\s*(?=\d)", re.IGNORECASE), " "),
    (re.compile(r"\bF ?- ?(?=\d{5}\b)"), ""),
    (re.compile(r"(?<=[A-Za-z,] )(\d{2}) (\d{3})(?= [A-Za-z]{2})(?!.*\d{5})"), r"\1\2"),
    (_ROAD, r"\1R\2 \3"),
)


def _whole_part(point: str) -> str:
    """``km 2,5`` → ``2``; '' when the number stands behind."""
    digits = re.search(r"\d+", point)
    return digits[0] if digits else ""


_WORDS = re.compile(r"[A-Z0-9]+|,")
_RANK = re.compile(r"^\d{1,3}(?:ERE?|E|EME|IEME|ND|NDE)$")
_REPETITIONS = frozenset(rep.upper() for rep in REPETITIONS)
_NUMBER = re.compile(rf"^\d{{1,5}}(?:[A-Z]{{1,2}}\d{{0,2}}|{'|'.join(sorted(_REPETITIONS))})?$")
#: ``6RUE``, ``32ALL``, ``12BISRUE``: number, repetition and type run together.
_GLUED_TYPE = re.compile(r"^(?P<n>\d{1,4})(?P<r>BIS|TER)?(?P<t>[A-Z]{2,})$")
#: What may stand between a house number and its street: a repetition, a comma.
_SURE_TYPE_AHEAD = re.compile("[RLs]?,?T")
_TYPE_AHEAD = re.compile("[RLs]?,?[TtZ]")
#: Longest line read, in characters: what follows is not an address.
MAX_LINE = 300


def _words(text: str) -> list[str]:
    return text.split()


_KINDS: dict[str, str] = (
    dict.fromkeys(_REPETITIONS, "R")
    | dict.fromkeys(_words("BP CS TSA CIDEX PK"), "B")
    | dict.fromkeys(
        _words(
            "BAT BATIMENT BATIMENTS BTMT BATI IMM ESC ESCALIER ETAGE ETG APPT APT APPARTEMENT "
            "APPART HALL ENTREE BOITE BAL LOGEMENT LGT RDC BUREAU BUREAUX CHAMBRE LOCAL CELLULE "
            "CAGE BLOC AILE ETAGES NIVEAU"
        ),
        "E",
    )
    | dict.fromkeys(_words("CEDEX CEDX CEDES CDX CEDE"), "C")
    | dict.fromkeys(MONTHS, "M")
    | dict.fromkeys(_words("DE DU DES LA LE LES ET OU EN AU AUX SUR SOUS"), "S")
    | dict.fromkeys("ADL", "s")
)
_CITIES = frozenset(ARRONDISSEMENTS)
#: Words that count, and that are no names (MIL and MILLE are).
_COUNTING = frozenset(NUMBER_WORDS) - {"MIL", "MILLE"}


class Tokens(NamedTuple):
    """Words of a line and, at the same positions of `kinds`, their kinds."""

    words: list[str]
    kinds: str


def tokenise(text: str) -> Tokens:
    """Cut a line in words; commas, line ends and lone dashes become the word ``,``."""
    words = _WORDS.findall(_GLUED.sub(" ", _cleaned(text[:MAX_LINE])))
    kinds = [_kind_of(w) for w in words]
    if "W" in kinds:
        _part_glued_types(words, kinds)
    for i, kind in enumerate(kinds):
        if kind == "?":
            kinds[i] = _type_kind(words, i)
    if "T" not in kinds:
        _promote(words, kinds)
    if "O" in kinds:
        _letter_e(words, kinds)
    if "D" in kinds:
        _count(words, kinds)
    if not _CITIES.isdisjoint(words):
        _arrondissements(words, kinds)
    return Tokens(words, "".join(kinds))


def _cleaned(line: str) -> str:
    """A line normalised part by part, parts separated by ``,``."""
    if not line.isascii():
        line = _STRIPPED.sub(_repaired, _STRIPPED_QUOTE.sub("'", line))
    if _MAYBE_SPELT.search(line):
        for spelling, replacement in _SPELLINGS:
            line = spelling.sub(replacement, line)
    if line.endswith((")", ") ")):
        line = _LAST_IN_BRACKETS.sub(_area_apart, line)
    if "," in line or "\n" in line or ";" in line or " - " in line or "|" in line:
        return " , ".join(normalise(part) for part in _SEPARATORS.split(line))
    return normalise(line)


def _area_apart(found: re.Match[str]) -> str:
    """A département or country in brackets as a part of its own; other text stays."""
    return f", {found[1]}" if read_area(normalise(found[1])) else found[0]


def _part_glued_types(words: list[str], kinds: list[str]) -> None:
    """``6RUE`` → ``6 RUE``, ``12BISAV`` → ``12 BIS AV``."""
    for i in range(len(words) - 1, -1, -1):
        found = _GLUED_TYPE.match(words[i]) if kinds[i] in "WN" and words[i][0].isdigit() else None
        if found is None or found["t"] not in street_types() or found["t"] in _REPETITIONS:
            continue
        if len(found["t"]) < 3 and (found["t"] not in street_type_table().glued or "?" in kinds):
            continue
        parts = [p for p in found.groups() if p]
        words[i : i + 1] = parts
        kinds[i : i + 1] = [_kind_of(p) for p in parts]


def _count(words: list[str], kinds: list[str]) -> None:
    """Numbers in words before a type, in digits: ``QUATRE VINGT DOUZE RUE`` → ``92 RUE``.

    ``RUE DES DEUX PLACES`` counts its places; other numbers are parts of names.
    """
    at = 0
    while "D" in kinds[at:]:
        at = kinds.index("D", at)
        value, used = number_prefix(words[at:])
        before = kinds[at - 1] if at else ""
        after = "".join(kinds[at + used : at + used + 3])
        ahead = _TYPE_AHEAD if before in ("", ",") else _SURE_TYPE_AHEAD
        if ahead.match(after) and before not in ("S", "s", "T"):
            words[at : at + used] = [str(value)]
            kinds[at : at + used] = ["N"]
        at += max(used, 1)


def _promote(words: list[str], kinds: list[str]) -> None:
    """In a line with no other type, a lone R or CH before a word is one: ``MAIRIE R LA BOETIE``."""
    for i, word in enumerate(words[:-1]):
        if word in street_type_table().short and kinds[i + 1] in "WSsLDOt":
            kinds[i] = _kind_of_type(street_types()[word])
            return


def _arrondissements(words: list[str], kinds: list[str]) -> None:
    """``PARIS IIIE``, ``PARIS TROISIEME ARRT`` and ``3E ARRT, PARIS`` → ``PARIS 3``."""
    cities = [
        i for i, w in enumerate(words) if w in _CITIES and (not i or kinds[i - 1] not in "Ss")
    ]
    if not cities:
        return
    city = cities[-1]
    if (
        words[city + 1 : city + 2]
        and words[city + 1].isdigit()
        and kinds[city + 2 : city + 3] == []
    ):
        return
    number, used = arrondissement(words[city + 1 :])
    end = city + 1 + used
    if used and number <= ARRONDISSEMENTS[words[city]] and "".join(kinds[end : end + 1]) in ",PC":
        words[city + 1 : end], kinds[city + 1 : end] = [str(number)], ["N"]
        return
    head = city - 1 if city and kinds[city - 1] == "," else city
    for start in range(max(head - 3, 0), head - 1):
        number, used = arrondissement(words[start:head])
        if used > 1 and start + used == head and number <= ARRONDISSEMENTS[words[city]]:
            words[start : city + 1] = [",", words[city], str(number)]
            kinds[start : city + 1] = [",", "W", "N"]
            return


def _letter_e(words: list[str], kinds: list[str]) -> None:
    """``1E AVENUE`` is number 1 E; ``1ERE AVENUE`` has no number."""
    for i in range(len(kinds) - 1):
        is_number = kinds[i] == "O" and words[i][:-1].isdigit() and kinds[i - 1 : i] != ["N"]
        if is_number and kinds[i + 1] == "T":
            kinds[i] = "N"


def _repaired(found: re.Match[str]) -> str:
    return bytes((0xC3, ord(found[1]))).decode("utf-8")


@lru_cache(maxsize=50_000)
def _kind_of(word: str) -> str:
    """Kind of a word by itself; ``?`` when it may begin a type of street."""
    if word in first_words_of_types():
        return "?"
    kind = _word_kinds().get(word)
    if kind is not None:
        return kind
    if word == ",":
        return ","
    if word[0].isdigit():
        if word.isdigit():
            return "P" if len(word) == 5 else "N" if len(word) < 5 else "W"
        if _RANK.match(word):
            return "O"
        return "N" if _NUMBER.match(word) else "W"
    return "L" if len(word) == 1 else "W"


def _type_kind(words: list[str], i: int) -> str:
    """Kind of a word that begins a type, from the words around it."""
    table = street_type_table()
    types = table.forms
    for used in range(table.longest, 1, -1):
        full = types.get(" ".join(words[i : i + used]))
        if full is not None:
            return _kind_of_type(full)
    word = words[i]
    full = types.get(word)
    if full is None:
        return _plain_kind(word)
    if word in _REPETITIONS and i and words[i - 1].isdigit() and words[i + 1 : i + 2] != []:
        # 53 QUA AVENUE is a repetition, 53 QUA DU PORT a quarter
        return "R" if words[i + 1] in types else _kind_of_type(full)
    if word in table.short and i and not words[i - 1][0].isdigit() and words[i - 1] not in _AFTER:
        return _plain_kind(word)
    if len(word) == 1 and i + 1 < len(words) and words[i + 1] in types:
        return "L"
    if word in table.doors and i + 1 < len(words) and len(words[i + 1].lstrip("0123456789")) < 2:
        return "E" if len(words[i + 1]) < 4 else _kind_of_type(full)
    return _kind_of_type(full)


_AFTER = frozenset({",", "BIS", "TER", "QUATER", "A", "B", "C", "D", "T", "Q"})


def _plain_kind(word: str) -> str:
    return _word_kinds().get(word) or ("L" if len(word) == 1 else "W")


#: Letter of each kind of type.
_LETTERS = {"street": "T", "zone": "Z", "locality": "Z", "word": "t"}


def _kind_of_type(full: str) -> str:
    return _LETTERS[street_type_table().types[full].kind]


@cache
def _word_kinds() -> dict[str, str]:
    """Word → its kind when it begins no type."""
    kinds = dict.fromkeys((row[0] for row in load_table("institutions")), "I")
    return kinds | dict.fromkeys(_COUNTING, "D") | _KINDS
