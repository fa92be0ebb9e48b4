"""A town as people write it, reduced to the keys its official names are found by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from geomatch.core.numerals import number_prefix, rank, roman
from geomatch.core.text import normalise

_CEDEX = re.compile(r"\bCEDE?X(?: (\d{1,2}))?\b")
_RANK = re.compile(r"^(?P<town>.*[A-Z]) (?P<rank>\d{1,2})(?: ?(?:ER|E|EME|IEME))?(?: ARR\w*)?$")
_POSTCODE = re.compile(r"\b\d{5}\b")
_LONE_NUMBERS = re.compile(r"(?<![A-Z0-9])\d+(?![A-Z0-9])")
_SPLIT_RANK = re.compile(r"(?<=[A-Z]{4})(?=\d{1,2}(?:\b|E))")
#: What a word of a town's name is also written as.
_WORDS = {
    "ST": "SAINT",
    "SNT": "SAINT",
    "STE": "SAINTE",
    "STS": "SAINTS",
    "STES": "SAINTES",
    "S": "SUR",
    "SR": "SUR",
    "SS": "SOUS",
    "S/S": "SOUS",
    "LEZ": "LES",
    "LS": "LES",
    "MT": "MONT",
    "ND": "NOTRE DAME",
    "CHAT": "CHATEAU",
    "CHT": "CHATEAU",
    "CHATX": "CHATEAUX",
    "GD": "GRAND",
    "GDE": "GRANDE",
    "PT": "PETIT",
    "VX": "VIEUX",
    "VIL": "VILLE",
    "VILLENVE": "VILLENEUVE",
    "VILNEUVE": "VILLENEUVE",
    "VLE": "VILLE",
    "FT": "FORT",
    "BG": "BOURG",
    "FG": "FAUBOURG",
    "B": "BOIS",
    "ARR": "",
}
_ARTICLES = frozenset({"L", "LE", "LA", "LES", "D", "DE", "DU", "DES", "EN", "AUX", "AU", "A"})
#: Cities of arrondissements, and how many they have.
ARRONDISSEMENTS: Mapping[str, int] = {"PARIS": 20, "LYON": 9, "MARSEILLE": 16}
#: ARR, ARRDT, ARRT, ARRONDISSEMENT.
_ARRONDISSEMENT = re.compile(r"^ARR(?:ON\w*|D?T?S?)$")
_NOISE = frozenset({"MAIRIE", "VILLE", "COMMUNE", "CTRE", "CENTRE"})


@dataclass(frozen=True)
class Town:
    """What a written town says: full key, key without articles or blanks, and its rank.

    `rank` is the number after Paris, Lyon or Marseille (arrondissement), 0 when there is none.
    """

    key: str
    short: str
    rank: int
    is_cedex: bool


@lru_cache(maxsize=50_000)
def read_town(text: str) -> Town:
    """Read a town as written: ``"St-Denis s/ Loire CEDEX 3"`` → key ``SAINT DENIS SUR LOIRE``."""
    raw = text[:200].replace("S/S ", "SOUS ").replace("s/s ", "sous ")
    raw = raw.replace("/", " ")
    norm = _SPLIT_RANK.sub(" ", normalise(raw))
    cedex = _CEDEX.search(norm)
    rank = int(cedex[1]) if cedex and cedex[1] else 0
    norm = _POSTCODE.sub(" ", _CEDEX.sub(" ", norm)).strip()
    ranked = _RANK.match(norm)
    if ranked:
        norm = ranked["town"]
        rank = rank or int(ranked["rank"])
    city, *behind = norm.split() or [""]
    number, used = arrondissement(behind)
    if number and used == len(behind) and number <= ARRONDISSEMENTS.get(city, 0):
        norm, rank = city, rank or number
    norm = _LONE_NUMBERS.sub(" ", norm)
    key = town_key(norm)
    if key.split(" ", 1)[0] not in ARRONDISSEMENTS:
        rank = 0
    return Town(key, short_key(key), rank, cedex is not None)


def arrondissement(words: Sequence[str]) -> tuple[int, int]:
    """Number of the arrondissement that words begin with, and how many of them tell it.

    ``IIIE``, ``3``, ``XV``, ``QUINZIEME``, ``DIX SEPTIEME``, ``3E ARRONDISSEMENT``; ``(0, 0)``
    where they tell none.
    """
    if not words:
        return 0, 0
    first = words[0]
    number, used = (int(first), 1) if first.isdigit() else number_prefix(words)
    behind = rank(words[used]) if used and number == 10 and used < len(words) else 0
    if 7 <= behind <= 9:
        number, used = 10 + behind, used + 1
    elif not used:
        number, used = rank(first) or roman(first), 1
    if not number:
        return 0, 0
    is_said = used < len(words) and _ARRONDISSEMENT.match(words[used])
    return number, used + 1 if is_said else used


def without_cedex(normalised: str) -> str:
    """``PARIS CEDEX 13`` → ``PARIS 13``: the number may be an arrondissement's."""
    return " ".join(_CEDEX.sub(lambda found: found[1] or " ", normalised).split())


def town_key(normalised: str) -> str:
    """Abbreviations in full: ``ST JEAN S LOIRE`` → ``SAINT JEAN SUR LOIRE``."""
    return " ".join(_WORDS.get(w, w) for w in normalised.split()).strip()


def short_key(key: str) -> str:
    """Letters of the meaningful words, run together: ``L ISLE SUR LA SORGUE`` → ``ISLESURSORGUE``.

    Names that differ by articles, hyphens and blanks only share it.
    """
    words = [w for w in key.split() if w not in _ARTICLES]
    return "".join(words or key.split())


def name_columns(names: Sequence[str]) -> dict[str, list[str]]:
    """The columns ``cle_norm`` and ``cle_courte`` of STORE_COMMUNE_NAMES, from ``nom_norm``."""
    keys = [town_key(n) for n in names]
    return {"cle_norm": keys, "cle_courte": [short_key(k) for k in keys]}
