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
from functools import cache, lru_cache
from typing import NamedTuple

from geomatch.core.street_keys import first_words_of_types, street_types
from geomatch.core.tables import load_table
from geomatch.core.text import normalise

_SEPARATORS = re.compile(r"\s*(?:[,;|\n\r\t]|\s[-–—:]\s)\s*")
_GLUED = re.compile(r"(?<=[0-9]{5})(?=[A-Z]{3})|(?<=[A-Z]{3})(?=[0-9])|(?<=[0-9])(?=[A-Z]{4})")
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
#: What any of the following needs.
_MAYBE_SPELT = re.compile(r"\d.*[-/–]|- ?\d|[°º]|\d{2} \d{3}|[DNdn] ?\d")
#: What is said otherwise, all with digits: ``5-7``, ``n° 3``, ``F-35910``, ``35 910 X``, ``D908``.
_SPELLINGS = (
    (_RANGE, r"\1 A \2"),
    (re.compile(r"\bn\s?[°º]\s*(?=\d)", re.IGNORECASE), " "),
    (re.compile(r"\bF ?- ?(?=\d{5}\b)"), ""),
    (re.compile(r"(?<=[A-Za-z,] )(\d{2}) (\d{3})(?= [A-Za-z]{2})(?!.*\d{5})"), r"\1\2"),
    (_ROAD, r"\1R\2 \3"),
)
_WORDS = re.compile(r"[A-Z0-9]+|,")
_RANK = re.compile(r"^\d{1,3}(?:ERE?|E|EME|IEME|ND|NDE)$")
_NUMBER = re.compile(r"^\d{1,5}(?:[A-Z]{1,2}\d{0,2}|BIS|TER|QUATER)?$")
#: Longest line read, in characters: what follows is not an address.
MAX_LINE = 300


def _words(text: str) -> list[str]:
    return text.split()


STRONG_TYPES = frozenset(
    _words(
        "RUE AVENUE BOULEVARD PLACE ALLEE ALLEES IMPASSE CHEMIN ROUTE QUAI SQUARE PASSAGE COURS "
        "VILLA SENTIER SENTE RUELLE VENELLE ESPLANADE PROMENADE MONTEE FAUBOURG TRAVERSE CHAUSSEE "
        "PLACETTE PARVIS RUETTE MAIL ROCADE CORNICHE VOIE"
    )
) | frozenset(
    {
        "ROND POINT",
        "GRANDE RUE",
        "PETITE RUE",
        "GRANDE PLACE",
        "ROUTE NATIONALE",
        "ROUTE DEPARTEMENTALE",
        "CHEMIN RURAL",
        "CHEMIN VICINAL",
        "CHEMIN DEPARTEMENTAL",
        "VOIE COMMUNALE",
        "ANCIEN CHEMIN",
        "ANCIENNE ROUTE",
        "VIEUX CHEMIN",
        "VIEILLE ROUTE",
        "NOUVELLE ROUTE",
        "TERRE PLEIN",
        "PETIT CHEMIN",
        "BAS CHEMIN",
    }
)
ZONE_TYPES = frozenset(
    _words("ZAC ZUP ZONE RESIDENCE LOTISSEMENT HAMEAU DOMAINE TECHNOPOLE IMMEUBLE HLM")
) | frozenset(
    {
        "ZONE ARTISANALE",
        "ZONE INDUSTRIELLE",
        "ZONE D AMENAGEMENT DIFFERE",
        "PARC D ACTIVITES",
        "PARC INDUSTRIEL",
        "PARC TECHNOLOGIQUE",
        "CENTRE COMMERCIAL",
        "LIEU DIT",
    }
)
#: Abbreviations that are types only where a number or nothing stands before them.
_SHORT = frozenset({"R", "Q", "CH", "CR", "GR", "CC", "PA", "AL", "RT", "RES", "PRE", "COL", "CD"})

MONTHS = frozenset(
    _words("JANVIER FEVRIER MARS AVRIL MAI JUIN JUILLET AOUT SEPTEMBRE OCTOBRE NOVEMBRE DECEMBRE")
)
_KINDS: dict[str, str] = (
    dict.fromkeys(_words("BIS TER QUATER QUINQUIES SEXIES"), "R")
    | dict.fromkeys(_words("BP CS TSA CIDEX"), "B")
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
    | dict.fromkeys(_words("DE DU DES LA LE LES ET EN AU AUX SUR SOUS"), "S")
    | dict.fromkeys("ADL", "s")
)
NUMBER_WORDS = {
    w: i + 1
    for i, w in enumerate(
        _words(
            "UN DEUX TROIS QUATRE CINQ SIX SEPT HUIT NEUF DIX ONZE DOUZE TREIZE QUATORZE QUINZE "
            "SEIZE"
        )
    )
} | {"VINGT": 20, "TRENTE": 30, "QUARANTE": 40, "CINQUANTE": 50, "SOIXANTE": 60, "CENT": 100}


class Tokens(NamedTuple):
    """Words of a line and, at the same positions of `kinds`, their kinds."""

    words: list[str]
    kinds: str


def tokenise(text: str) -> Tokens:
    """Cut a line in words; commas, line ends and lone dashes become the word ``,``."""
    line = text[:MAX_LINE]
    if not line.isascii():
        line = _STRIPPED.sub(_repaired, _STRIPPED_QUOTE.sub("'", line))
    if _MAYBE_SPELT.search(line):
        for spelling, replacement in _SPELLINGS:
            line = spelling.sub(replacement, line)
    if "," in line or "\n" in line or ";" in line or " - " in line or "|" in line:
        line = " , ".join(normalise(part) for part in _SEPARATORS.split(line))
    else:
        line = normalise(line)
    words = _WORDS.findall(_GLUED.sub(" ", line))
    kinds = [_kind_of(w) for w in words]
    for i, kind in enumerate(kinds):
        if kind == "?":
            kinds[i] = _type_kind(words, i)
    if "T" not in kinds:
        _promote(words, kinds)
    if "O" in kinds:
        _letter_e(words, kinds)
    return Tokens(words, "".join(kinds))


def _promote(words: list[str], kinds: list[str]) -> None:
    """In a line with no other type, a lone R or CH before a word is one: ``MAIRIE R LA BOETIE``."""
    for i, word in enumerate(words[:-1]):
        if word in _SHORT and kinds[i + 1] in "WSsLDOt":
            kinds[i] = _kind_of_type(street_types()[word])
            return


def _letter_e(words: list[str], kinds: list[str]) -> None:
    """``1E AVENUE`` is number 1 E; ``1ERE AVENUE`` has no number."""
    for i in range(len(kinds) - 1):
        if kinds[i] == "O" and kinds[i + 1] == "T" and words[i][:-1].isdigit():
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
    types = street_types()
    for used in (3, 2):
        full = types.get(" ".join(words[i : i + used]))
        if full is not None:
            return _kind_of_type(full)
    word = words[i]
    full = types.get(word)
    if full is None:
        return _plain_kind(word)
    if word in _SHORT and i and not words[i - 1][0].isdigit() and words[i - 1] not in _AFTER:
        return _plain_kind(word)
    if len(word) == 1 and i + 1 < len(words) and words[i + 1] in types:
        return "L"
    if word in _DOORS and i + 1 < len(words) and len(words[i + 1].lstrip("0123456789")) < 2:
        return "E" if len(words[i + 1]) < 4 else _kind_of_type(full)
    return _kind_of_type(full)


#: Types that name a door when a number or a letter follows.
_DOORS = frozenset({"LOT", "PORTE", "PTE", "ESC", "ESCALIER", "IMM", "IMMEUBLE", "ENTREE"})
_AFTER = frozenset({",", "BIS", "TER", "QUATER", "A", "B", "C", "D", "T", "Q"})


def _plain_kind(word: str) -> str:
    return _word_kinds().get(word) or ("L" if len(word) == 1 else "W")


def _kind_of_type(full: str) -> str:
    return "T" if full in STRONG_TYPES else "Z" if full in ZONE_TYPES else "t"


@cache
def _word_kinds() -> dict[str, str]:
    """Word → its kind when it begins no type."""
    kinds = dict.fromkeys((row[0] for row in load_table("institutions")), "I")
    return kinds | dict.fromkeys(NUMBER_WORDS, "D") | _KINDS
