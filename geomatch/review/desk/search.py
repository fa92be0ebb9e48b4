"""Search in place: establishments by what a clerk types, a name, a street, or both."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.groups import Links
from geomatch.core.schema import STORE_ESTABLISHMENTS
from geomatch.core.street_keys import leading_type, street_key
from geomatch.linkage.pool import Pool
from geomatch.names.clean import clean_names, name_words
from geomatch.names.coverage import Coverage
from geomatch.names.lexicon import Lexicon
from geomatch.review.desk.register import Register
from geomatch.store import array_files

#: Establishments found at most: as many as there are keys.
MOST_FOUND = 8
#: Départements whose index is kept.
_MOST_INDEXES = 8
#: A name or street is found when this share of its words is, weighted by how rare they are.
_LEAST = 0.35
#: What the right house number, being near and having employees are worth.
_NUMBER, _NEAR, _EMPLOYER = 0.15, 0.12, 0.03
_NEAR_M = 3_000.0
#: Around a point that was put by hand, who is this far is worth a third of who is there.
_AROUND_M = 150.0
#: Nobody farther than this from such a point is told of, metres.
MOST_AROUND_M = 1_000.0
#: A word that is in no name: all the indexes of words are looked through for it.
_NOBODY = "ZYGZYG"
_NUMBER_FIRST = re.compile(r"^\s*(\d{1,4})\b\s*(?:BIS|TER|QUATER)?\s*,?\s*", re.IGNORECASE)
_COLUMNS = ("numero_norm", "voie_norm", "x", "y", "crs", "is_employeur")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Words:
    """Distinct texts, their words, and the rows that bear each."""

    lexicon: Lexicon
    bearers: Links

    def scores(self, words: Sequence[str], rows: int) -> Floats:
        """Agreement of each of the first rows' best text with the words, 0 where none is alike."""
        best = np.zeros(rows)
        if not words or not len(self.lexicon.words):
            return best
        coverage = Coverage(self.lexicon, [list(words)])
        _, known, of_written, of_known = coverage.search(0, 1, _LEAST)
        score = 0.75 * of_written + 0.25 * of_known
        text, row = self.bearers.of_each(known)
        here = np.flatnonzero(row < rows)
        np.maximum.at(best, row[here], score[text[here]])
        return best


@dataclass(frozen=True)
class _Index:
    names: _Words
    streets: _Words
    columns: pd.DataFrame


class Finder:
    """Searches a département's establishments; its index is made at the first question."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self._indexes: dict[str, _Index] = {}
        self._lock = threading.Lock()

    def warm(self, departement: str) -> None:
        """Make the index of a département, so that the first question is answered at once."""
        index = self._index(departement)
        for texts in (index.names, index.streets):
            texts.scores([_NOBODY], len(index.columns))

    def search(
        self, name: str, street: str, *, departement: str, place: Mapping[str, Any]
    ) -> pd.DataFrame:
        """Establishments that answer to a name and a street, the likeliest first.

        Parameters
        ----------
        name, street : str
            As typed; either may be empty. A number before the street is a house number.
        departement : str
            Where to look.
        place : mapping
            ``x``, ``y``, ``crs`` of the declared place; what is near comes first among equals.

        Returns
        -------
        DataFrame
            At most eight rows of STORE_ESTABLISHMENTS.
        """
        if departement not in self.register.store.departements:
            return STORE_ESTABLISHMENTS.empty()
        index = self._index(departement)
        rows = len(index.columns)
        number, words = _street_words(street)
        by_name = index.names.scores(_name_words(name), rows)
        by_street = index.streets.scores(words, rows)
        score = by_name + by_street
        found = np.flatnonzero(score > 0)
        if words and number:
            at_number = index.columns["numero_norm"].to_numpy(np.int64)[found] == number
            score[found] += _NUMBER * (at_number & (by_street[found] > 0))
        score[found] += _NEAR * _nearness(index.columns.iloc[found], place)
        score[found] += _EMPLOYER * index.columns["is_employeur"].to_numpy(bool)[found]
        best = found[np.argsort(-score[found], kind="stable")][:MOST_FOUND]
        return self.register.take(departement, best.tolist())

    def around(self, name: str, *, departement: str, place: Mapping[str, Any]) -> pd.DataFrame:
        """Establishments around a place, the nearest first.

        At most eight rows of STORE_ESTABLISHMENTS: of those within a kilometre, who is nearest or
        named like `name`.
        """
        index = self._index(departement)
        far = distances(index.columns, place)
        near = np.flatnonzero(far <= MOST_AROUND_M)
        score = index.names.scores(_name_words(name), len(index.columns))[near]
        score = score + np.exp(-far[near] / _AROUND_M)
        score += _EMPLOYER * index.columns["is_employeur"].to_numpy(bool)[near]
        best = near[np.argsort(-score, kind="stable")][:MOST_FOUND]
        best = best[np.argsort(far[best], kind="stable")]
        return self.register.take(departement, best.tolist())

    def _index(self, departement: str) -> _Index:
        with self._lock:
            if departement not in self._indexes:
                while len(self._indexes) >= _MOST_INDEXES:
                    del self._indexes[next(iter(self._indexes))]
                self._indexes[departement] = _make(self.register, departement)
            return self._indexes[departement]


def _make(register: Register, departement: str) -> _Index:
    store = register.store
    columns = store.departement(STORE_ESTABLISHMENTS, departement, _COLUMNS)
    # a pool begins with these very rows
    pool = array_files.read(store.pool(departement), Pool)
    by_name = _Words(pool.lexicon, pool.name_bearers)
    return _Index(by_name, _by_street(columns["voie_norm"]), columns.drop(columns="voie_norm"))


def _by_street(streets: pd.Series) -> _Words:
    code, distinct = pd.factorize(streets.to_numpy(object))
    # who has no street bears a text without words
    words = [name_words(t) for t in distinct]
    bearers = Links(np.arange(len(code) + 1, dtype=np.int32), code.astype(np.int32))
    return _Words(Lexicon.of(words), bearers.reverse(len(distinct)))


def _name_words(name: str) -> list[str]:
    return [w for n in clean_names([name]) for w in name_words(n)]


def _street_words(street: str) -> tuple[int, list[str]]:
    """House number (0 for none) and words of a street, its type left out as in the register."""
    number = _NUMBER_FIRST.match(street)
    rest = street[number.end() :] if number else street
    words = street_key(rest).split()
    words = words[leading_type(words)[1] :]
    kept = name_words(" ".join(words)) if words else []
    return int(number[1]) if number else 0, kept


def _nearness(rows: pd.DataFrame, place: Mapping[str, Any]) -> Floats:
    """1 at the declared place, less the farther; 0 without a position."""
    far = distances(rows, place)
    return np.where(np.isnan(far), 0.0, np.exp(-np.nan_to_num(far) / _NEAR_M))


def distances(rows: pd.DataFrame, place: Mapping[str, Any]) -> Floats:
    """Metres from a declared place to establishments, NaN when either has no position."""
    x, y = float(place["x"]), float(place["y"])
    far = np.hypot(rows["x"].to_numpy(np.float64) - x, rows["y"].to_numpy(np.float64) - y)
    same = rows["crs"].to_numpy(np.int64) == int(place["crs"])
    return np.where(same, far, np.nan)
