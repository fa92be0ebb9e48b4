"""House numbers of some départements as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.addresses.parse.numbers import full_repetition, rep_letter
from geomatch.arrays.arrow import coded, texts, whole
from geomatch.core.schema import STORE_ADDRESSES
from geomatch.store.reader import Store

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: House numbers are below this, so that one integer holds a street and a number: the gazetteer
#: has some of six digits, and a key that is not in order is found or not as others are asked for.
NUMBER_SPAN = 1 << 32
_TEXTS = ("rep", "code_postal", "ban_id")
_COLUMNS = ("voie_id", "numero", "x", "y", *_TEXTS)


@dataclass(frozen=True)
class Repetitions:
    """Repetitions as integers: of each address its own, and that of the letter it may be."""

    own: Ints
    letter: Ints
    code_of: Mapping[str, int]

    @classmethod
    def of(cls, code: Ints, distinct: Sequence[str]) -> Repetitions:
        """From the position of each address's repetition among the distinct ones."""
        full, letter = ([form(r) for r in distinct] for form in (full_repetition, rep_letter))
        code_of = {rep: i for i, rep in enumerate(dict.fromkeys(["", *full, *letter]))}
        own, letters = (
            np.array([code_of[r] for r in form] or [0], np.int64)[code] for form in (full, letter)
        )
        return cls(own, letters, code_of)

    def asked(self, reps: Iterable[str]) -> tuple[Ints, Ints]:
        """Codes of repetitions as they are asked for, and of their letters; -1 for unknown ones."""
        distinct = [(full_repetition(r), rep_letter(r)) for r in reps]
        own, letter = (
            np.array([self.code_of.get(form[i], -1) for form in distinct], np.int64) for i in (0, 1)
        )
        return own, letter


@dataclass(frozen=True)
class Addresses:
    """House numbers, sorted by street, number and repetition."""

    street: Ints
    numero: Ints
    x: Floats
    y: Floats
    rep: pa.Array
    code_postal: pa.Array
    ban_id: pa.Array

    @classmethod
    def read(cls, store: Store, departement: str) -> Addresses:
        """One département's addresses; ``street`` counts within the département."""
        rows = store.arrow(STORE_ADDRESSES, departement, _COLUMNS)
        numbers = (rows.column(c).to_numpy() for c in ("voie_id", "numero", "x", "y"))
        return cls(*numbers, *(whole(rows.column(c)) for c in ("rep", "code_postal", "ban_id")))

    @classmethod
    def join(cls, parts: Sequence[Addresses]) -> Addresses:
        """Several départements' addresses; streets are counted on."""
        if len(parts) == 1:
            return parts[0]
        base, street = 0, []
        for p in parts:
            street.append(p.street + base)
            base += int(p.street.max()) + 1 if len(p.street) else 0
        if not parts:
            none, text = np.array([], np.int64), pa.array([], pa.string())
            empty = np.array([], np.float64)
            return cls(none, none, empty, empty, text, text, text)
        return cls(
            np.concatenate(street),
            *(np.concatenate([getattr(p, c) for p in parts]) for c in ("numero", "x", "y")),
            *(pa.concat_arrays([getattr(p, c) for p in parts]) for c in _TEXTS),
        )

    @cached_property
    def repetitions(self) -> Repetitions:
        """Repetitions of the addresses as integers."""
        code, distinct = coded(self.rep)
        return Repetitions.of(code, [str(r) for r in texts(distinct)])

    @cached_property
    def number_key(self) -> Ints:
        """``street · span + number``, sorted."""
        return self.street * NUMBER_SPAN + self.numero

    @cached_property
    def parity_order(self) -> tuple[Ints, Ints]:
        """Addresses in the order of street, side (parity) and number, and the sorted keys."""
        key = (self.street * 2 + self.numero % 2) * NUMBER_SPAN + self.numero
        order = np.argsort(key, kind="stable")
        return key[order], order
