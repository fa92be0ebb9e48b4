"""What a reading says, spread over the sub-classes of a nomenclature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geomatch.activities.lexicon import lexicon
from geomatch.activities.reading import Reading


def spread(
    reading: Reading,
    nafs: Sequence[str],
    prior: NDArray[np.float64],
    sections: Mapping[str, str] | None = None,
    neighbours: Sequence[tuple[str, Mapping[str, int]]] | None = None,
) -> sparse.csr_array:
    """The weights of a reading on the codes of a nomenclature.

    Parameters
    ----------
    reading : Reading
    nafs : sequence of str
        Sub-classes (``43.33Z``); what the lexicon says of others is left out.
    prior : array, shape (codes,)
        Shares by which a code of a higher level is parted among its sub-classes.
    sections : mapping of str, optional
        Section of each division (``{"43": "F"}``); without it a section says nothing.
    neighbours : sequence of (code of any level, {code: of a hundred}), optional
        Codes that are given instead of others (default: those of the shipped lexicon).

    Returns
    -------
    csr_array, shape (texts, codes)
    """
    nearby = lexicon().neighbours if neighbours is None else neighbours
    by_code = _spreading(
        tuple(reading.codes),
        tuple(nafs),
        np.asarray(prior, np.float64).tobytes(),
        tuple((sections or {}).items()),
        tuple((code, tuple(meant.items())) for code, meant in nearby),
    )
    of_text = sparse.csr_array(
        (reading.weight.astype(np.float64), (reading.text, reading.code)),
        (len(reading.kinds), len(reading.codes)),
    )
    return sparse.csr_array(of_text @ by_code)


@lru_cache(maxsize=4)
def _spreading(
    codes: tuple[str, ...],
    nafs: tuple[str, ...],
    prior: bytes,
    sections: tuple[tuple[str, str], ...],
    nearby: tuple[tuple[str, tuple[tuple[str, int], ...]], ...],
) -> sparse.csr_array:
    """Weights of the sub-classes for one of each code, shape (codes, sub-classes)."""
    shares = np.frombuffer(prior)
    by_code = _members(codes, nafs, shares, dict(sections))
    others = sorted({code for _, meant in nearby for code, _ in meant})
    position = {code: i for i, code in enumerate(others)}
    instead = [
        (i, position[code], of_hundred / 100)
        for begin, meant in nearby
        for i, naf in enumerate(nafs)
        if naf.startswith(begin)
        for code, of_hundred in meant
    ]
    if not instead:
        return by_code
    row, column, value = (np.array(x) for x in zip(*instead, strict=True))
    meant = sparse.csr_array((value, (row, column)), (len(nafs), len(others)))
    return sparse.csr_array(by_code + by_code @ (meant @ _members(others, nafs, shares, {})))


def _members(
    codes: Sequence[str],
    nafs: Sequence[str],
    prior: NDArray[np.float64],
    sections: Mapping[str, str],
) -> sparse.csr_array:
    """Shares of the sub-classes in codes of any level, shape (codes, sub-classes)."""
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    begins = np.array(nafs, dtype=str)
    of_section = np.array([sections.get(n[:2], "") for n in nafs], dtype=str)
    for i, code in enumerate(codes):
        is_member = of_section == code if code.isalpha() else np.char.startswith(begins, code)
        members = np.flatnonzero(is_member)
        shares = prior[members] + 1e-12
        rows += [i] * len(members)
        columns += members.tolist()
        values += (shares / shares.sum()).tolist()
    return sparse.csr_array((values, (rows, columns)), (len(codes), len(nafs)))
