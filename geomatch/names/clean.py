"""Phase 1, raison sociale: what an employer is called, on a bulletin and in the register.

Both sides become short lists of normalised names, so that later phases compare like with
like: legal forms gone, usual abbreviations spelled out, brackets taken apart, public bodies
under the forms people use for them. The knowledge is in ``geomatch/tables``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from geomatch.arrays.rows import Rows
from geomatch.core.schema import NAMES
from geomatch.core.tables import load_table
from geomatch.core.text import normalise
from geomatch.names.word_bags import Bags

#: Words that tell nothing of who the employer is.
STOP_WORDS = frozenset(
    {"A", "AU", "AUX", "D", "DE", "DES", "DU", "EN", "ET", "L", "LA", "LE", "LES", "PAR", "POUR",
     "SUR", "SOUS", "CHEZ", "UN", "UNE", "DANS", "N", "S"}
)  # fmt: skip
#: Places written as an address in which others work too.
_HOSTS = frozenset({"MAIRIE", "HOTEL DE VILLE", "HOPITAL", "CENTRE COMMERCIAL"})

_BRACKETS = re.compile(r"\(([^()]*)\)?")
_OCR = str.maketrans("01568", "OISGB")
_SPELLED = re.compile(r"\b(?:[A-Z] )+[A-Z]\b")
#: T & L is TL, as T.L. and T L are; what elision leaves (D L) spells nothing by itself.
_LETTERS_AND = re.compile(r"\b([A-Z]) ET (?=[A-Z]\b)")
#: A.M. is a sigle wherever it stands, A M may be what elision left.
_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?")
_ELISIONS = frozenset("ADLNSJCMY")
#: Signs that are read aloud.
_SIGNS = str.maketrans({"+": " PLUS ", "@": "A"})
_ELIDED = re.compile(r"\bP ?TIT(E?S?)\b")
_CANTEEN_U = re.compile(r"\bREST(?:O|AU|AURANT)?S? U\b")
#: Numbers of schools, chambers, universities; a single letter is one only at the end.
_NUMERALS = {"II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9"}
#: Names whose cleaned form and kind are kept: colleagues write the same.
_MOST_REMEMBERED = 50_000
_LAST_NUMERALS = {"I": "1", "V": "5", "X": "10"}


def clean_names(names: Sequence[str]) -> list[str]:
    """Normalised names without legal form, abbreviations spelled out.

    ``"SARL CTRE AUTO X"`` gives ``"CENTRE AUTOMOBILE X"``; a name made of nothing but legal
    forms is kept whole. Stop words stay here: :func:`name_words` takes them out.
    """
    return [_clean(name) for name in names]


def name_words(name: str) -> list[str]:
    """Words of a cleaned name that can identify it; all of them when only stop words stand."""
    words = name.split()
    return [w for w in words if w not in STOP_WORDS] or words


def name_bags(names: pa.Array) -> Bags:
    """:func:`name_words` of many cleaned names at once."""
    return Bags.split(names, sorted(STOP_WORDS))


def employer_names(
    raisons: Sequence[str], address_names: Sequence[str], towns: Sequence[str]
) -> Rows:
    """Names under which each bulletin's employer may stand in the register.

    Parameters
    ----------
    raisons : sequence of str, length n
        RS_X or its like, as written.
    address_names : sequence of str, length n
        Institution written in the address fields, ``""`` for none.
    towns : sequence of str, length n
        Name of the workplace commune, normalised: "COLLEGE X VANNES" is also "COLLEGE X".

    Returns
    -------
    Rows of :data:`NAMES`; a bulletin without any usable name has no row. The generic
    part of "EDUCATION NATIONALE (COLLEGE X)" is dropped: it names no establishment, as the
    town of "HOPITAL (X)" does not.
    """
    whole = clean_names(raisons)
    townless = [_without_town(w, t) for w, t in zip(whole, towns, strict=True)]
    outside = clean_names([_BRACKETS.sub(" ", r) if "(" in r else "" for r in raisons])
    inside = clean_names([" ".join(_BRACKETS.findall(r)) if "(" in r else "" for r in raisons])
    # HOPITAL DU LAC (X) is not X: the commune goes by that name.
    inside = ["" if b == t and o else b for b, o, t in zip(inside, outside, towns, strict=True)]
    # A service may lodge at the mairie; who says its own name there is not the mairie.
    addresses = [
        "" if w and (a in _HOSTS or _without_town(a, t) in _HOSTS) and _names_somebody(w) else a
        for a, w, t in zip(clean_names(address_names), whole, towns, strict=True)
    ]
    forms = ("nom", "sans_ville", "hors", "parenthese", "adresse")
    row: list[int] = []
    found: list[tuple[str, str]] = []
    for i, names in enumerate(zip(whole, townless, outside, inside, addresses, strict=True)):
        first: dict[str, str] = {}
        for form, name in zip(forms, names, strict=True):
            if name and name not in first and _names_somebody(name):
                first[name] = form
        row += [i] * len(first)
        found += first.items()
    columns = {"row": np.array(row, np.int64), "name": np.array([n for n, _ in found], object)}
    return Rows(columns | {"form": np.array([f for _, f in found], object)})


def towns_named(names: Sequence[str], towns: Sequence[str]) -> sparse.csr_array:
    """Which towns each name holds: ``CCAS D ARNAGE`` holds ARNAGE.

    Parameters
    ----------
    names, towns : sequence of str
        Both cleaned; stop words do not count. Several towns may go by one name.

    Returns
    -------
    csr_array, shape (len(names), len(towns)), 1 where the town's words stand in the name,
    together and in their order.
    """
    return TownWords(towns).named_in(names)


class TownWords:
    """Towns by the words of their cleaned names."""

    def __init__(self, towns: Sequence[str]) -> None:
        self._n = len(towns)
        #: A number for the name of each: the arrondissements of Paris go by one name.
        self.number: NDArray[np.int64] = pd.factorize(np.array(towns, dtype=object))[0]
        self._places: dict[tuple[str, ...], list[int]] = {}
        for i, town in enumerate(towns):
            if town:
                self._places.setdefault(tuple(name_words(town)), []).append(i)
        self._longest = max(map(len, self._places), default=0)

    def named_in(self, names: Sequence[str]) -> sparse.csr_array:
        """:func:`towns_named` of some names and these towns."""
        columns: list[int] = []
        start = [0]
        for name in names:
            words = name_words(name)
            found: set[int] = set()
            for first in range(len(words)):
                for end in range(first + 1, min(first + self._longest, len(words)) + 1):
                    found.update(self._places.get(tuple(words[first:end]), ()))
            columns += sorted(found)
            start.append(len(columns))
        ones = np.ones(len(columns), np.float32)
        shape = (len(names), self._n)
        return sparse.csr_array((ones, np.array(columns, np.int32), start), shape=shape)


def employer_kinds(raisons: Sequence[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Per bulletin the kind of generic employer and the NAF prefixes (no dot) its name implies."""
    outside = [_BRACKETS.sub(" ", r) if "(" in r else r for r in raisons]
    nothing = ("no_declaration", ())
    found = [_generic_employer(n) if n else nothing for n in clean_names(outside)]
    return [kind for kind, _ in found], [nafs for _, nafs in found]


@lru_cache(maxsize=_MOST_REMEMBERED)
def _generic_employer(name: str) -> tuple[str, tuple[str, ...]]:
    if not _any_generic().search(name):
        return "", ()
    for pattern, kind, nafs, _ in _generic_patterns():
        if pattern.search(name):
            return kind, tuple(nafs.split())
    return "", ()


@lru_cache(maxsize=_MOST_REMEMBERED)
def _names_somebody(name: str) -> bool:
    """Whether the register may hold the name: a ministry or an agency's brand, not INTERIM."""
    if _any_generic().search(name):
        named = (named for pattern, *_, named in _generic_patterns() if pattern.search(name))
        return next(named, True) and not _is_legal_form(name)
    return not _is_legal_form(name)


def _is_legal_form(name: str) -> bool:
    return all(word in _legal_forms() for word in name.split())


def one_list(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All names that are not empty as one table (:data:`NAMES`), each once a row, sorted by row."""
    frame = NAMES.conform(pd.concat(parts, ignore_index=True))
    frame = frame[frame["name"].to_numpy() != ""].drop_duplicates(["row", "name"])
    return frame.sort_values("row", kind="stable", ignore_index=True)


def _without_town(name: str, town: str) -> str:
    """The name less the town's words at its end or after a link word; ``""`` when unchanged."""
    if not town or town not in name or name == town:
        return ""
    shorter = re.sub(rf"(?:^| )(?:(?:DE|DU|D|A|AU|LE|LA) )*{town}(?= |$)", " ", name)
    words = shorter.split()
    return "" if not set(words) - STOP_WORDS else " ".join(words)


@lru_cache(_MOST_REMEMBERED)
def _clean(name: str) -> str:
    if ".." not in name and "." in name:
        name = _DOTTED.sub(lambda sigle: sigle.group().replace(".", "") + " ", name)
    name = normalise(name.translate(_SIGNS))
    if _SPELLED.search(name := _LETTERS_AND.sub(r"\1 ", name)):
        name = _SPELLED.sub(_one_word, name)
    if "TIT" in name:
        name = _ELIDED.sub(r"PETIT\1", name)
    if " U" in name:
        name = _CANTEEN_U.sub("RU", name)
    abbreviations, forms = _abbreviations(), _legal_forms()
    words = []
    for word in name.split():
        if not word.isalpha() and sum(c.isalpha() for c in word) > len(word) / 2 > 1:
            word = word.translate(_OCR)
        words.append(abbreviations.get(word, word))
    if len(words) > 1:
        words = [_NUMERALS.get(w, w) for w in words]
        words[-1] = _LAST_NUMERALS.get(words[-1], words[-1])
    return " ".join(w for w in words if w not in forms) or " ".join(words)


def _one_word(letters: re.Match[str]) -> str:
    """Letters that were spelled, as one word: B R V is BRV; D L stays what elision left."""
    spelled = letters.group().split()
    joined = len(spelled) > 2 or not _ELISIONS.issuperset(spelled)
    return ("" if joined else " ").join(spelled)


def spelled_out(word: str) -> list[str]:
    """Words that an abbreviation stands for in cleaned names; the word itself when it is none."""
    entire = _abbreviations().get(word)
    return [word] if entire is None else entire.split()


@cache
def _abbreviations() -> dict[str, str]:
    return {row[0]: row[1] for row in load_table("name_abbreviations")}


@cache
def _legal_forms() -> frozenset[str]:
    return frozenset(row[0] for row in load_table("legal_forms"))


@cache
def category_words() -> frozenset[str]:
    """Words of kinds of bodies, places and trades (``tables/category_words.csv``), as cleaned."""
    words = [w for _, told in load_table("category_words") for w in told.split()]
    return frozenset(w for name in clean_names(words) for w in name.split())


@cache
def _generic_patterns() -> tuple[tuple[re.Pattern[str], str, str, bool], ...]:
    return tuple(
        (re.compile(pattern), kind, naf, bool(named))
        for pattern, kind, naf, named in load_table("generic_employers")
    )


@cache
def _any_generic() -> re.Pattern[str]:
    """Any of the patterns: hardly a name is that of a generic employer."""
    return re.compile("|".join(f"(?:{row[0]})" for row in load_table("generic_employers")))
