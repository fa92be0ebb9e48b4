"""Names of communes: exact, articles apart, cut short, and with slips."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA
from rapidfuzz.fuzz import ratio

from geomatch.addresses.communes.choice import ORIGIN_COST
from geomatch.addresses.communes.key_table import KeyTable
from geomatch.arrays.arrow import texts
from geomatch.names.letter_masks import Letters, edits_apart

_Key = TypeVar("_Key", int, str)
#: Code → where the name comes from.
Codes = Mapping[str, str]
#: Names less alike than this are not looked at for slips.
_ALIKE = 74.0
_MOST_ALIKE = 12
#: Letters from which on a name with a slip can hardly be another.
LONG_NAME = 12
#: Misspelt names whose answers are kept.
_MOST_KNOWN = 50_000
#: Shortest text taken for the beginning of a name, and most names it may begin.
_LEAST_CUT, _MOST_CUT = 4, 200


class CommuneNames:
    """Every name that communes go or went by, and the communes each stands for."""

    def __init__(self, names: pa.Table) -> None:
        self._table = names
        self._exact = KeyTable.of(names.column("cle_norm"))
        self._short = KeyTable.of(names.column("cle_courte"))
        self._code, self._origin = (texts(names.column(c)) for c in ("code_commune", "origine"))
        self._known_codes: dict[tuple[bool, str], Codes] = {}
        self._known_alike: dict[tuple[str, frozenset[str] | None], list[tuple[Codes, int]]] = {}
        self._known_lengths: dict[int, tuple[list[str], NDArray[np.uint64]]] = {}
        self._of_commune: dict[str, dict[str, list[str]]] = {}

    def exact(self, key: str) -> Codes:
        """Communes of this very name."""
        return self._codes(key, is_short=False)

    def short(self, key: str) -> Codes:
        """Communes of this name when articles and blanks are left out."""
        return self._codes(key, is_short=True)

    def _codes(self, key: str, *, is_short: bool) -> Codes:
        """Communes that go by a key, each with the likeliest origin."""
        known = self._known_codes.get((is_short, key))
        if known is not None:
            return known
        codes: dict[str, str] = {}
        for row in (self._short if is_short else self._exact).rows(key).tolist():
            code, origin = self._code[row], self._origin[row]
            before = codes.get(code)
            if before is None or ORIGIN_COST.get(origin, 9) < ORIGIN_COST.get(before, 9):
                codes[code] = origin
        if codes:  # only names that are there, so that no asker can fill the memory
            self._known_codes[is_short, key] = codes
        return codes

    # what misspelt names alone are looked for in, made when the first one is
    @cached_property
    def _of_departement(self) -> dict[str, list[str]]:
        found: dict[str, dict[str, None]] = {}
        columns = (texts(self._table.column(c)) for c in ("departement", "cle_norm"))
        for departement, key in zip(*columns, strict=True):
            found.setdefault(departement, {})[key] = None
        return {d: list(k) for d, k in found.items()}

    @cached_property
    def _of_length(self) -> dict[int, list[str]]:
        return _grouped((len(key), key) for key in self._exact.keys)

    @cached_property
    def _of_end(self) -> dict[str, list[str]]:
        return _grouped((end, key) for key in self._exact.keys for end in _ends(key))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._exact.keys)

    def beginning_with(self, key: str) -> Iterator[Codes]:
        """Communes whose name begins with a text and goes on; none when there are too many."""
        if len(key) < _LEAST_CUT:
            return
        low = bisect_left(self._sorted, key)
        high = bisect_left(self._sorted, key + "\uffff")
        if high - low <= _MOST_CUT:
            for name in self._sorted[low:high]:
                if name != key:
                    yield self.exact(name)

    def alike(self, key: str, departements: Collection[str] | None) -> list[tuple[Codes, int]]:
        """Communes whose name is some slips away, with their number, of some départements or all.

        One slip for each four letters, three at most.
        """
        asked = (key, None if departements is None else frozenset(departements))
        known = self._known_alike.get(asked)
        if known is None:
            if len(self._known_alike) >= _MOST_KNOWN:
                self._known_alike.clear()
            names = (
                self._near_in_letters(key) if departements is None else self._names_of(departements)
            )
            known = self._known_alike[asked] = self.alike_among(key, names)
        return known

    def alike_among(self, key: str, names: Iterable[str]) -> list[tuple[Codes, int]]:
        """:meth:`alike` among some names."""
        allowed = _allowed_slips(key)
        near = process.extract(key, names, scorer=ratio, limit=_MOST_ALIKE, score_cutoff=_ALIKE)
        slips = [(name, OSA.distance(key, name, score_cutoff=allowed)) for name, _, _ in near]
        return [(self.exact(name), n) for name, n in slips if 0 < n <= allowed]

    def with_same_end(self, key: str) -> list[str]:
        """Names that begin or end as a key does: all those a single slip away from a long one."""
        return [n for end in _ends(key) for n in self._of_end.get(end, ())]

    def _near_in_letters(self, key: str) -> list[str]:
        """Names whose length and letters do not rule out that they are the key with slips."""
        allowed = _allowed_slips(key)
        known = self._known_lengths.get(len(key))
        if known is None:
            lengths = range(len(key) - allowed, len(key) + allowed + 1)
            names = [n for length in lengths for n in self._of_length.get(length, ())]
            known = names, _masks(names)
            if names:  # a text longer than every name leaves nothing behind
                self._known_lengths[len(key)] = known
        names, masks = known
        near = np.flatnonzero(edits_apart(_masks([key]), masks) <= allowed)
        return [names[i] for i in near.tolist()]

    def _names_of(self, departements: Collection[str]) -> list[str]:
        if len(departements) == 1:
            return self._of_departement.get(next(iter(departements)), [])
        return [n for d in departements for n in self._of_departement.get(d, ())]

    def of_some_size(self, sizes: Mapping[str, int], least: int) -> list[str]:
        """Names of communes of at least `least` addresses and establishments."""
        is_big = np.array([sizes.get(code, 0) >= least for code in self._code], dtype=bool)
        keys = list(self._exact.keys)
        return [keys[i] for i in np.unique(self._exact.code[is_big]).tolist()]

    def of_communes(self, codes: Collection[str], departement: str) -> list[str]:
        """Names, of one département, that stand for some communes."""
        known = self._of_commune.get(departement)
        if known is None:
            known = self._of_commune[departement] = {}
            for name in self._of_departement.get(departement, ()):
                for code in self.exact(name):
                    known.setdefault(code, []).append(name)
        return [n for c in codes for n in known.get(c, ())]


def _grouped(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, list[str]]:
    found: dict[_Key, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _masks(names: list[str]) -> NDArray[np.uint64]:
    return Letters(np.array(names, dtype=object)).masks


def _allowed_slips(key: str) -> int:
    return min(3, max(1, len(key) // 4))


def _ends(key: str) -> tuple[str, ...]:
    """Both ends of a long name, marked; one slip leaves one of them as it was."""
    if len(key) < LONG_NAME:
        return ()
    half = LONG_NAME // 2
    return "^" + key[:half], key[-half:] + "$"
