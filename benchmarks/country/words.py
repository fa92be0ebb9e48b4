"""Pools of words as large as a country's, with frequencies like those of real ones.

The demo's lists are some hundred words; a register has hundreds of thousands of surnames, and
how often they repeat decides what matching costs. Invented words are syllables of French shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa

from geomatch.core.text import normalise
from geomatch.demo.words import lines, parts, rows

SURNAMES, FIRST_NAMES, INVENTED, STREET_NAMES = 250_000, 2_500, 400_000, 90_000
_ONSETS = ["B", "BR", "C", "CH", "CL", "CR", "D", "DR", "F", "FL", "FR", "G", "GR", "GU", "J", "L",
           "M", "N", "P", "PL", "PR", "QU", "R", "S", "T", "TR", "V", "VR"]  # fmt: skip
_VOWELS = ["A", "E", "I", "O", "U", "AI", "AU", "OU", "EU", "OI", "AN", "EN", "ON", "IN"]
_CODAS = ["", "", "", "", "R", "L", "S", "T", "N"]
_ENDINGS = ["IER", "ARD", "EAU", "ET", "IN", "OT", "AUD", "ON", "EL", "AY", "EZ", "OUX"]


@dataclass(frozen=True)
class Pool:
    """Words and how likely each is to be drawn."""

    words: pa.Array
    cumulative: np.ndarray

    def draw(self, random: np.random.Generator, n: int) -> np.ndarray:
        """Positions of `n` words."""
        at = np.searchsorted(self.cumulative, random.random(n), side="right")
        return np.minimum(at, len(self.words) - 1)

    def flat(self, random: np.random.Generator, n: int) -> np.ndarray:
        """Positions of `n` words, each word as likely as any other."""
        return random.integers(0, len(self.words), n)


def pool(words: Sequence[str], *, head: float, fall: float) -> Pool:
    """A pool whose word of rank r is drawn in proportion to ``(r + head) ** -fall``."""
    share = (np.arange(len(words)) + head) ** -fall
    return Pool(pa.array(list(words)), np.cumsum(share / share.sum()))


def _syllables(
    random: np.random.Generator, n: int, ends: Sequence[str], sizes: Sequence[int] = (1, 2, 2, 3)
) -> list[str]:
    syllables = np.array([o + v for o in _ONSETS for v in _VOWELS], dtype=object)
    codas, endings = np.array(_CODAS, dtype=object), np.array(ends, dtype=object)
    length = random.choice(sizes, n)
    word = syllables[random.integers(0, len(syllables), n)] + codas[random.integers(0, 9, n)]
    for k in (1, 2):
        more = syllables[random.integers(0, len(syllables), n)] + codas[random.integers(0, 9, n)]
        word = np.where(length > k, word + more, word)
    onset = np.array(_ONSETS, dtype=object)[random.integers(0, len(_ONSETS), n)]
    end = endings[random.integers(0, len(endings), n)]
    return list(word + np.where(end == "", "", onset + end))


def _distinct(first: Sequence[str], more: Sequence[str], n: int) -> list[str]:
    return list(dict.fromkeys([*first, *more]))[:n]


@cache
def surnames() -> Pool:
    """Capitals; the commonest is borne by two people in a thousand."""
    random = np.random.default_rng(11)
    made = _syllables(random, SURNAMES * 2, _ENDINGS, (1, 1, 1, 2))
    return pool(_distinct(list(map(normalise, lines("noms"))), made, SURNAMES), head=15, fall=0.8)


@cache
def first_names() -> Pool:
    """Capitals; sixty usual ones, then composed and rare ones."""
    random = np.random.default_rng(12)
    usual = [normalise(p) for p in lines("prenoms")]
    composed = [f"{a} {b}" for a in usual[:24] for b in usual[24:48]]
    made = [*_syllables(random, FIRST_NAMES * 2, ["", "E", "A", "INE", "IE"], (1,))]
    random.shuffle(composed)
    names = [x for pair in zip(made, composed * 10, strict=False) for x in pair]
    return pool(_distinct(usual, names, FIRST_NAMES), head=8, fall=0.95)


@cache
def invented_words() -> Pool:
    """Words that companies make up: hardly any is there twice."""
    random = np.random.default_rng(13)
    words = _distinct([], _syllables(random, INVENTED + 60_000, ["", "", "", "A", "O", "EX", "YS"]),
                      INVENTED)  # fmt: skip
    return pool(words, head=3_000, fall=0.9)


@cache
def street_names() -> Pool:
    """``Rue de l'Église`` and the other usual ones first, then people's and places' names."""
    random = np.random.default_rng(14)
    usual = [f"{r['type']} {r['nom']}".strip() for r in rows("odonymes") if r["usage"] != "titre"]
    titles = [f"{r['type']} {r['nom']}" for r in rows("odonymes") if r["usage"] == "titre"]
    localities = list(lines("lieux_dits"))
    bare = [u.split(" ", 1)[1] for u in usual if u.startswith("Rue ")]
    kinds = ["Rue"] * 9 + ["Avenue", "Boulevard", "Impasse", "Chemin", "Allée", "Place", "Route"]
    surname, first = surnames(), first_names()
    made = []
    for _ in range(STREET_NAMES * 2):
        draw, kind = random.random(), kinds[random.integers(0, len(kinds))]
        last = str(surname.words[int(surname.draw(random, 1)[0])]).title()
        if draw < 0.25:
            made.append(f"{kind} {bare[random.integers(0, len(bare))]}")
        elif draw < 0.62:
            given = str(first.words[int(first.draw(random, 1)[0])]).title()
            made.append(f"{kind} {given} {last}")
        elif draw < 0.70:
            made.append(f"{titles[random.integers(0, len(titles))]} {last}")
        elif draw < 0.80:
            made.append(f"{kind} de {last}" if last[0] not in "AEIOU" else f"{kind} d'{last}")
        else:
            article = ("La ", "Le ", "Les ", "", "Chez ")[random.integers(0, 5)]
            made.append(article + last)
    return pool(_distinct([*usual, *localities], made, STREET_NAMES), head=12, fall=0.75)


@cache
def brands() -> tuple[dict[str, str], ...]:
    """Chains of the whole country: the demo's, and its kinds under invented names, by size."""
    random = np.random.default_rng(15)
    known = rows("chaines")
    names = invented_words()
    made = []
    for rank in range(700):
        row = dict(known[rank % len(known)])
        if rank >= len(known):
            name = str(names.words[int(names.flat(random, 1)[0])])
            last = row["enseigne"].split()[0]
            enseigne = name if rank % 3 else f"{last} {name}"
            row |= {"enseigne": enseigne, "ecrit": f"{enseigne}|{enseigne} {{commune}}",
                    "denomination": f"{name} FRANCE" * (row["mode"] == "chaine")}  # fmt: skip
        row["sites"] = str(max(3, round(7_000 / (rank + 2) ** 0.85)))
        made.append(row)
    return tuple(made)


@cache
def qualifiers() -> dict[str, pa.Array]:
    """The demo's small lists, as columns."""
    return {part: pa.array(texts) for part, texts in parts("qualificatifs").items()}
