"""One raw column to clean text: each distinct value is looked at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geomatch.errors import LayoutError
from geomatch.text import repair_mojibake

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


def clean_column(values: pa.ChunkedArray | pd.Series, *, width: int = 0) -> Cleaned:
    """Text without control characters, broken accents or spaces around; null is ``""``.

    Parameters
    ----------
    values
        Text or numbers. ``35000.0`` becomes ``35000``.
    width
        Digits a code has: numbers (not text) are filled with zeros on the left.

    Raises
    ------
    LayoutError
        The column holds lists or records.
    """
    codes, distinct = _distinct(values, width)
    clean = np.append(distinct.to_numpy(zero_copy_only=False), "").astype(object)
    had_controls = np.zeros(len(clean), dtype=bool)
    for i in np.flatnonzero(pc.match_substring_regex(distinct, _SUSPECT)):
        clean[i], had_controls[i] = clean_text(clean[i])
    return Cleaned(clean[codes], had_controls[codes])


def clean_text(text: str) -> tuple[str, bool]:
    """One text cleaned, and whether control characters were replaced by a space."""
    text = _SPACES.sub(" ", repair_mojibake(text))
    cleaned, n = _CONTROLS.subn(" ", text)
    return cleaned.strip(), n > 0


def _distinct(
    values: pa.ChunkedArray | pd.Series, width: int
) -> tuple[NDArray[np.int64], pa.Array]:
    """Code of each value among the distinct texts; -1 is null."""
    if isinstance(values, pd.Series):
        values = _arrow(values)
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise LayoutError(
            f"a column of the bulletins holds {values.type}: expected text or numbers"
        )
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    distinct = encoded.dictionary
    if pa.types.is_string(distinct.type) or pa.types.is_large_string(distinct.type):
        return codes, distinct
    texts = [_as_text(v) for v in distinct.to_pylist()]
    if pa.types.is_integer(distinct.type) or pa.types.is_floating(distinct.type):
        texts = [t.zfill(width) if t else t for t in texts]
    return codes, pa.array(texts, pa.string())


def _arrow(values: pd.Series) -> pa.ChunkedArray:
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        array = pa.array([None if pd.isna(v) else _well_formed(v) for v in values], pa.string())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def _well_formed(value: object) -> str:
    return _as_text(value).encode("utf-8", "replace").decode("utf-8")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if isinstance(value, float) and np.isnan(value) else str(value)
