"""One raw column to clean text: each distinct value is looked at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Number

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.bulletins.codes import code_text
from geomatch.core.errors import LayoutError
from geomatch.core.text import repair_mojibake

#: Line breaks, tabs and no-break spaces are spaces; that is no fault of the row.
_SPACES = re.compile("[\t\n\v\f\r\u0085\u00a0\u2007\u2028\u2029\u202f]+")
#: Controls, zero-width and direction marks, lone surrogates, what decoding could not read.
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff\ufffd\ud800-\udfff]+"
)
#: All that may need work, for Arrow: the two above, mojibake's first letters, blanks at an end.
_SUSPECT = (
    r"[\x00-\x1f\x7f-\x{a0}\x{2007}\x{200b}-\x{200f}\x{2028}-\x{202f}\x{2060}\x{feff}\x{fffd}"
    r"ÂÃâ]|^ | $"
)


@dataclass(frozen=True)
class Cleaned:
    """Clean text of a column, and where control characters were replaced."""

    values: NDArray[np.object_]
    had_controls: NDArray[np.bool_]


def clean_column(values: pa.ChunkedArray | Sequence[object], *, width: int = 0) -> Cleaned:
    """Text without control characters, broken accents or spaces around; null is ``""``.

    Parameters
    ----------
    values
        Text or numbers: a column of a file, or Python values. ``35000.0`` becomes ``35000``.
    width
        Signs a code has: numbers are filled with zeros on the left, text is read as
        :func:`geomatch.bulletins.codes.code_text` does. 0: the column is not of codes.

    Raises
    ------
    LayoutError
        The column holds lists, records or bytes.
    """
    if not isinstance(values, pa.ChunkedArray):
        return _clean_values(values, width)
    codes, distinct = _distinct(values, width)
    clean = np.append(distinct.to_numpy(zero_copy_only=False), "").astype(object)
    had_controls = np.zeros(len(clean), dtype=bool)
    for i in np.flatnonzero(pc.match_substring_regex(distinct, _SUSPECT)):
        clean[i], had_controls[i] = clean_text(clean[i])
    if width:
        clean[:] = [code_text(text, width) for text in clean.tolist()]
    return Cleaned(clean[codes], had_controls[codes])


def _clean_values(values: Sequence[object], width: int) -> Cleaned:
    """:func:`clean_column` of Python values: of one bulletin, Arrow would cost ten times more."""
    texts = [v if type(v) is str else _as_text(v, width) for v in values]
    cleaned = {t: clean_text(t) for t in {*texts} if not _is_plain(t)}
    had_controls = [t in cleaned and cleaned[t][1] for t in texts]
    clean = [cleaned[t][0] if t in cleaned else t for t in texts]
    if width:
        clean = [code_text(t, width) for t in clean]
    return Cleaned(np.array(clean, dtype=object), np.array(had_controls, dtype=bool))


def _is_plain(text: str) -> bool:
    """Text in which there is surely nothing to clean."""
    return text.isascii() and text.isprintable() and text == text.strip()


def clean_text(text: str) -> tuple[str, bool]:
    """One text cleaned, and whether control characters were replaced by a space."""
    text = _SPACES.sub(" ", repair_mojibake(text))
    cleaned, n = _CONTROLS.subn(" ", text)
    return cleaned.strip(), n > 0


def _distinct(values: pa.ChunkedArray, width: int) -> tuple[NDArray[np.int64], pa.Array]:
    """Code of each value among the distinct texts; -1 is null."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise _not_text(str(values.type))
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    distinct = encoded.dictionary
    if pa.types.is_string(distinct.type) or pa.types.is_large_string(distinct.type):
        return codes, distinct
    return codes, pa.array([_as_text(v, width) for v in distinct.to_pylist()], pa.string())


#: Values that are neither text nor a number.
_NESTED = (list, tuple, dict, set, np.ndarray, bytes, bytearray)


def _as_text(value: object, width: int) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, _NESTED):
        raise _not_text(type(value).__name__)
    if isinstance(value, bool | np.bool_) or not isinstance(value, Number):
        return str(value)
    if isinstance(value, float | np.floating):
        if np.isnan(value):
            return ""
        value = int(value) if value.is_integer() else value
    return str(value).zfill(width)


def _not_text(kind: str) -> LayoutError:
    return LayoutError(f"a column of the bulletins holds {kind}: expected text or numbers")
