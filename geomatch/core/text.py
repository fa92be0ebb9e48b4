"""String primitives used the same way when the store is built and when it is asked.

Every key compared anywhere in the project goes through :func:`normalise`, so a change here
changes the store format: raise :data:`geomatch.core.schema.STORE_FORMAT_VERSION` with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

_MOJIBAKE = re.compile("[ÂÃÅâ][\u0080-\u00bf\u0152-\u0192\u2013-\u203a\u20ac\u2122\u201c\u201d]")
_NOT_ALNUM = re.compile(r"[^A-Z0-9]+")
#: Of each ASCII character: capitals and digits, a space for every other.
_PLAIN = bytes(ord(chr(i).upper()) if chr(i).isalnum() and i < 128 else 32 for i in range(256))
_DIGIT_RUNS = re.compile(r"(?<=\d)(?=[A-Z])|(?<=[A-Z])(?=\d)")
_LIGATURES = str.maketrans(
    {"Œ": "OE", "Æ": "AE", "ß": "SS", "&": " ET ", "’": "'", "Ø": "O", "\ufffd": None}
)
#: Letters that become several, common enough to be worth it.
_SEVERAL = {"&": " ET ", "œ": "OE", "Œ": "OE", "æ": "AE", "Æ": "AE", "ß": "SS"}
#: Longer texts are cut here: no field of any layout is a quarter as long.
MAX_TEXT = 1000


def repair_mojibake(text: str) -> str:
    """Undo UTF-8 text that was read as Windows-1252 or Latin-1 (``AllÃ©e`` → ``Allée``).

    Text in which no such pair of characters stands, or which does not survive the way back,
    is returned as it came.
    """
    if not _MOJIBAKE.search(text):
        return text
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue
    return text


def normalise(text: str) -> str:
    """Upper case, no accents, words of A–Z and 0–9 parted by single spaces.

    ``"Crêperie de l'Œuf n°2"`` gives ``"CREPERIE DE L OEUF N 2"``. ``None`` is not accepted:
    absent text is ``""`` everywhere in this project.
    """
    text = text[:MAX_TEXT]
    if text.isascii():
        words = text.replace("&", " ET ").encode("ascii").translate(_PLAIN).split()
        text = b" ".join(words).decode("ascii")
    else:
        text = _of_western(text) or _of_any(text)
    # Letters that become several may have made it longer: what is cut once stays as it is.
    return text[:MAX_TEXT].rstrip()


def _of_any(text: str) -> str:
    """:func:`normalise` of any text, letter by letter."""
    text = repair_mojibake(text).upper().translate(_LIGATURES)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return _NOT_ALNUM.sub(" ", text).strip()


def _of_western(text: str) -> str:
    """:func:`_of_any` in a sixth of the time, of text in Windows-1252; "" where it is not sure."""
    if _MOJIBAKE.search(text):
        return ""
    for letter, letters in _SEVERAL.items():
        text = text.replace(letter, letters)
    try:
        plain = text.encode("cp1252").translate(_western())
    except UnicodeEncodeError:
        return ""
    return "" if b"\0" in plain else b" ".join(plain.split()).decode("ascii")


@cache
def _western() -> bytes:
    """Of each Windows-1252 character what :func:`_of_any` makes of it, 0 where that is longer."""
    table = bytearray(256)
    for i in range(256):
        letter = bytes([i]).decode("cp1252", errors="replace")
        made = " " if i < 32 else _of_any(letter) or " "
        table[i] = ord(made) if len(made) == 1 and letter != "\ufffd" else 0
    return bytes(table)


def normalise_all(values: Iterable[str]) -> list[str]:
    """:func:`normalise` of many texts; each distinct text is worked on once."""
    known: dict[str, str] = {}
    out = []
    for value in values:
        key = known.get(value)
        if key is None:
            key = known[value] = normalise(value)
        out.append(key)
    return out


def split_digits(text: str) -> str:
    """Part digits from letters in normalised text: ``12BIS`` → ``12 BIS``."""
    return _DIGIT_RUNS.sub(" ", text)


def factorise(values: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Integer code of each value and the distinct values, in order of first appearance."""
    codes: dict[str, int] = {}
    out = np.fromiter((codes.setdefault(v, len(codes)) for v in values), np.int64, len(values))
    return out, list(codes)
