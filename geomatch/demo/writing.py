"""How people write: slips of the keyboard, optical reading of paper, shortened words.

All functions take and give capitals without accents, as the census files hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

#: Neighbours on a French keyboard.
_KEYS: Mapping[str, str] = {
    "A": "ZQ",
    "B": "VN",
    "C": "XV",
    "D": "SF",
    "E": "RZ",
    "F": "DG",
    "G": "FH",
    "H": "GJ",
    "I": "UO",
    "J": "HK",
    "K": "JL",
    "L": "KM",
    "M": "LP",
    "N": "BH",
    "O": "IP",
    "P": "OM",
    "Q": "SA",
    "R": "ET",
    "S": "QD",
    "T": "RY",
    "U": "YI",
    "V": "CB",
    "W": "XC",
    "X": "WC",
    "Y": "TU",
    "Z": "AE",
}
#: What optical reading takes for what.
_READINGS: tuple[tuple[str, str], ...] = (
    ("O", "0"),
    ("I", "1"),
    ("S", "5"),
    ("B", "8"),
    ("RN", "M"),
    ("M", "RN"),
    ("U", "V"),
    ("V", "U"),
    ("CL", "D"),
    ("E", "F"),
    ("N", "H"),
    ("G", "6"),
    ("Z", "2"),
    ("A", "R"),
)
#: Sounds that are spelt in more than one way.
_SPELLINGS: tuple[tuple[str, str], ...] = (
    ("PH", "F"),
    ("F", "PH"),
    ("AU", "O"),
    ("O", "AU"),
    ("AI", "E"),
    ("EN", "AN"),
    ("AN", "EN"),
    ("I", "Y"),
    ("Y", "I"),
    ("S", "Z"),
    ("QU", "K"),
    ("TH", "T"),
    ("LL", "L"),
    ("L", "LL"),
    ("NN", "N"),
    ("N", "NN"),
    ("TT", "T"),
    ("C", "SS"),
)
_SHORT: Mapping[str, str] = {
    "SAINT": "ST",
    "SAINTE": "STE",
    "GENERAL": "GAL",
    "DOCTEUR": "DR",
    "MARECHAL": "MAL",
    "PROFESSEUR": "PR",
    "CAPITAINE": "CNE",
    "CENTRE": "CTRE",
    "ETABLISSEMENTS": "ETS",
    "ENTREPRISE": "ENT",
    "SOCIETE": "STE",
    "ASSOCIATION": "ASSO",
    "RESTAURANT": "RESTO",
    "COMMUNAUTE": "COM",
    "SERVICE": "SCE",
    "DEPARTEMENTAL": "DEP",
    "MATERNELLE": "MAT",
    "ELEMENTAIRE": "ELEM",
    "PRIMAIRE": "PRIM",
    "PUBLIQUE": "PUB",
    "COLLEGE": "CLG",
    "RESIDENCE": "RES",
}


def slip_of_keyboard(random: Random, text: str) -> str:
    """One letter left out, doubled, swapped with the next or hit beside."""
    place = _letter(random, text)
    if place < 0:
        return text
    before, letter, after = text[:place], text[place], text[place + 1 :]
    kind = random.randrange(4)
    if kind == 0:
        return before + after
    if kind == 1:
        return before + letter + letter + after
    if kind == 2 and after[:1].isalpha():
        return before + after[0] + letter + after[1:]
    return before + random.choice(_KEYS[letter]) + after


def misread(random: Random, text: str) -> str:
    """One letter or pair of letters taken for another by optical reading."""
    return _replace_one(random, text, _READINGS)


def misspell(random: Random, text: str) -> str:
    """One sound spelt otherwise."""
    return _replace_one(random, text, _SPELLINGS)


def shorten(random: Random, text: str) -> str:
    """Words that people abbreviate, each with one chance in two."""
    return " ".join(
        _SHORT[w] if w in _SHORT and random.random() < 0.5 else w for w in text.split(" ")
    )


def leave_out(random: Random, text: str) -> str:
    """One word less, never the only one."""
    words = text.split(" ")
    if len(words) > 1:
        del words[random.randrange(len(words))]
    return " ".join(words)


def turn_round(random: Random, text: str) -> str:
    """The last word first: ``MULTISERVICES TANAISIE`` for ``TANAISIE MULTISERVICES``."""
    words = text.split(" ")
    return " ".join([words[-1], *words[:-1]])


def noisy(random: Random, text: str, *, is_paper: bool, strength: float = 1.0) -> str:
    """A text as it comes out of the form: mostly right, wrong where its channel errs.

    `strength` multiplies the chance of every kind of error (1.0: one text in four has some).
    """
    for chance, slip in _SLIPS[is_paper]:
        if random.random() < chance * strength:
            text = slip(random, text)
    return text


#: For web and paper: chance of each kind of error.
_SLIPS: Mapping[bool, tuple[tuple[float, Callable[[Random, str], str]], ...]] = {
    False: ((0.11, slip_of_keyboard), (0.03, slip_of_keyboard), (0.06, misspell)),
    True: ((0.16, misread), (0.05, misread), (0.06, misspell), (0.02, slip_of_keyboard)),
}


def _letter(random: Random, text: str) -> int:
    """A place in the text where a letter stands, not the very first; -1 when there is none."""
    places = [i for i, c in enumerate(text) if i and c in _KEYS]
    return random.choice(places) if places else -1


def _replace_one(random: Random, text: str, table: tuple[tuple[str, str], ...]) -> str:
    found = [(i, a, b) for a, b in table for i in _places(text, a)]
    if not found:
        return text
    place, old, new = random.choice(found)
    return text[:place] + new + text[place + len(old) :]


def _places(text: str, part: str) -> list[int]:
    places, start = [], text.find(part)
    while start >= 0:
        places.append(start)
        start = text.find(part, start + 1)
    return places
