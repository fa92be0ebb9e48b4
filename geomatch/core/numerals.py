"""Numbers as French names write them: in words, in Roman numerals, as ranks.

``TRENTE SIX`` and ``36``, ``XXIII`` and ``23``, ``DEUXIEME``, ``2E`` and ``IIE`` are the same
number. :func:`canonical_words` writes them one way, on the side of the gazetteer and of the
question alike: up to 99 in words, beyond in digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

_UNITS = (
    "UN", "DEUX", "TROIS", "QUATRE", "CINQ", "SIX", "SEPT", "HUIT", "NEUF", "DIX", "ONZE",
    "DOUZE", "TREIZE", "QUATORZE", "QUINZE", "SEIZE",
)  # fmt: skip
_TENS = {"VINGT": 20, "TRENTE": 30, "QUARANTE": 40, "CINQUANTE": 50, "SOIXANTE": 60}
#: Words that count, and what each is worth.
NUMBER_WORDS: Mapping[str, int] = (
    {word: i + 1 for i, word in enumerate(_UNITS)}
    | _TENS
    | {"VINGTS": 20, "CENT": 100, "CENTS": 100, "MIL": 1000, "MILLE": 1000}
)
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
#: Ranks have X, V and I only: LE, MER and CE are words.
_ROMAN_RANK = re.compile(r"^([IVX]+)(?:E|EME|IEME|ER|ERE)$")
_ROMAN_NUMBER = re.compile(r"^[IVX]{2,}$|^X[LC][IVX]*$|^L?X{1,3}[IVX]+$")
#: Words that look like a Roman rank.
_NOT_RANKS = frozenset({"VIE"})
_RANK = re.compile(r"^(\d{1,2})(?:E|EME|IEME|ER|ERE|ND|NDE)$")
MONTHS = frozenset(
    (
        "JANVIER", "FEVRIER", "MARS", "AVRIL", "MAI", "JUIN", "JUILLET", "AOUT", "SEPTEMBRE",
        "OCTOBRE", "NOVEMBRE", "DECEMBRE",
    )
)  # fmt: skip
#: VINGT ET UN, SOIXANTE ET ONZE.
_BEFORE_ET = frozenset({20, 30, 40, 50, 60})
#: Tens, and below what the number behind them is.
_BEFORE_UNITS = {20: 10, 30: 10, 40: 10, 50: 10, 60: 20, 80: 20}
#: Above this a number stays in digits: years and roads are never written out by anybody.
_MOST_IN_WORDS = 99


def number_prefix(words: Sequence[str]) -> tuple[int, int]:
    """The number that some words begin with, and how many of the words it takes.

    ``QUATRE VINGT DOUZE RUE …`` gives ``(92, 3)``; ``(0, 0)`` when they begin with none. ET is
    part of a number between tens and ONE or ELEVEN (VINGT ET UN).
    """
    best = (0, 0)
    thousands = part = 0
    for i, word in enumerate(words):
        if word == "ET":
            if part % 100 not in _BEFORE_ET or words[i + 1 : i + 2] not in (["UN"], ["ONZE"]):
                break
            continue
        value = NUMBER_WORDS.get(word, 0)
        if value == 1000 and not thousands:
            thousands, part = max(part, 1) * 1000, 0
        else:
            part = _counted(part, word, value)
            if not part:
                break
        best = (thousands + part, i + 1)
    return best


def _counted(part: int, word: str, value: int) -> int:
    """The part below a thousand with one more word; 0 where the word cannot go on with it."""
    low = part % 100
    if value >= 100:
        # CENT, DEUX CENTS, DIX NEUF CENT
        return max(part, 1) * value if part < 20 and value == 100 else 0
    if value == 20 and low == 4:
        return part + 76
    goes_on = {0: word != "VINGTS", 10: 7 <= value <= 9, 60: value < 20, 80: value < 20}
    goes_on |= dict.fromkeys((20, 30, 40, 50), value < 10) | dict.fromkeys(
        (70, 90), 7 <= value <= 9
    )
    return part + value if value and goes_on.get(low, False) else 0


def roman(word: str) -> int:
    """Value of a Roman numeral below 400, 0 for what is none."""
    total = before = 0
    for letter in reversed(word):
        value = _ROMAN.get(letter)
        if value is None:
            return 0
        total += value if value >= before else -value
        before = max(before, value)
    return total if total > 0 and _to_roman(total) == word else 0


def _to_roman(number: int) -> str:
    out = ""
    for value, letters in (
        (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"),
        (1, "I"),
    ):  # fmt: skip
        out += letters * (number // value)
        number %= value
    return out


@cache
def spelled(number: int) -> tuple[str, ...]:
    """A number from 1 to 99 in words, without ET: 71 is ``SOIXANTE ONZE``."""
    if number <= 16:
        return (_UNITS[number - 1],)
    if number < 20:
        return ("DIX", *spelled(number - 10))
    if number >= 80:
        return ("QUATRE", "VINGT", *(spelled(number - 80) if number > 80 else ()))
    base = 60 if number >= 60 else number // 10 * 10
    tens = next(word for word, value in _TENS.items() if value == base)
    return (tens, *(spelled(number - base) if number > base else ()))


@cache
def _rank_words(number: int) -> tuple[str, ...]:
    """A rank from 1 to 99 in words: PREMIER, DEUXIEME, VINGT UNIEME."""
    if number == 1:
        return ("PREMIER",)
    *first, last = spelled(number)
    return (*first, _rank_of(last))


def _rank_of(word: str) -> str:
    """DEUX → DEUXIEME, QUATRE → QUATRIEME, CINQ → CINQUIEME, NEUF → NEUVIEME."""
    stem = {"CINQ": "CINQU", "NEUF": "NEUV"}.get(word, word.removesuffix("E"))
    return f"{stem}IEME"


@cache
def ranks() -> Mapping[str, int]:
    """Ranks of one word → number: DEUXIEME … SEIZIEME, VINGTIEME; PREMIER and SECOND too."""
    known = {_rank_of(w): n for w, n in NUMBER_WORDS.items() if 1 < n <= 60 and w != "VINGTS"}
    return known | {"PREMIER": 1, "PREMIERE": 1, "SECOND": 2, "SECONDE": 2}


@lru_cache(maxsize=10_000)
def rank(word: str) -> int:
    """Number of a rank as it is written: 3E, 3EME, IIIE, TROISIEME; 0 for what is none."""
    found = _RANK.match(word)
    if found:
        return int(found[1])
    found = _ROMAN_RANK.match(word)
    if found and word not in _NOT_RANKS:
        return roman(found[1])
    return ranks().get(word, 0)


def canonical_words(words: Sequence[str]) -> list[str]:
    """Words of a name with its numbers written one way; see the module.

    A single letter is a numeral only where it ends a name: GEORGE V, never V HUGO.
    """
    return list(_canonical(words))


def _canonical(words: Sequence[str]) -> Iterator[str]:
    i = 0
    while i < len(words):
        word = words[i]
        value, used = (0, 0) if word not in NUMBER_WORDS else number_prefix(words[i:])
        if used > 1 or value > 1:
            yield from _number(value)
            i += used
            continue
        i += 1
        number = int(word) if word.isdigit() and len(word) < 5 else 0
        is_date = number == 1 and words[i : i + 1] and words[i] in MONTHS
        as_rank = 1 if is_date else rank(word)
        if number > 1:
            yield from _number(number)
        elif 0 < as_rank <= _MOST_IN_WORDS:
            yield from _rank_words(as_rank)
        else:
            yield from _number(_roman_in_name(words, i - 1)) or (word,)


def _number(value: int) -> tuple[str, ...]:
    if value in (100, 1000):
        return ("CENT" if value == 100 else "MILLE",)
    if value > _MOST_IN_WORDS:
        return (str(value),)
    return spelled(value) if value else ()


def _roman_in_name(words: Sequence[str], at: int) -> int:
    """Value of a Roman numeral behind a name, 0 when the word is none."""
    word = words[at]
    if _ROMAN_NUMBER.match(word):
        return roman(word) if at else 0
    is_last_letter = word in ("I", "V", "X") and at == len(words) - 1
    return roman(word) if is_last_letter and at and len(words[at - 1]) > 2 else 0
