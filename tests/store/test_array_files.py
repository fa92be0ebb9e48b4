"""Objects of arrays written to a file and read again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from registers import pool_of, register

from geomatch.arrays.groups import Links
from geomatch.core.errors import StoreError
from geomatch.linkage.pool import Pool
from geomatch.names.lexicon import Lexicon
from geomatch.store import array_files


@dataclass(frozen=True)
class _Small:
    """A field of every kind that can be kept."""

    numbers: NDArray[np.int16]
    flags: NDArray[np.bool_]
    words: NDArray[np.object_]
    letters: NDArray[np.bytes_]
    places: NDArray[np.float64]
    links: Links
    column: pa.Array
    two: tuple[NDArray[np.uint64], float]


def _small(n: int) -> _Small:
    words = np.array(["\xc9TABLE", "", "X"] * n, dtype=object)
    return _Small(
        np.arange(n, dtype=np.int16),
        np.arange(n) % 3 == 0,
        words,
        np.array([b"AB", b"", b"LONGUEUR"] * n, "S8"),
        np.arange(2.0 * n).reshape(n, 2),
        Links(np.arange(n + 1, dtype=np.int32), np.arange(n, dtype=np.int32) // 2),
        pa.array(words.tolist(), pa.string()),
        (np.arange(n, dtype=np.uint64) + 2**63, 0.5),
    )


class _Asked:
    """Something that is stored, made of something that is not."""

    def __init__(self, source: int) -> None:
        self.source = source

    @array_files.stored
    def squares(self) -> NDArray[np.int64]:
        """Computed from the source."""
        return np.arange(self.source) ** 2

    @cached_property
    def total(self) -> int:
        """Computed from what is stored."""
        return int(self.squares.sum())


def _same(value: object, other: object) -> None:
    assert type(value) is type(other)
    if isinstance(value, Links):
        _same((value.start, value.to), (other.start, other.to))
    elif isinstance(value, np.ndarray):
        assert (value.dtype, value.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(value, other)
        assert other.flags.writeable
    elif isinstance(value, tuple):
        for mine, its in zip(value, other, strict=True):
            _same(mine, its)
    else:
        assert value == other


@pytest.mark.parametrize("n", [0, 1, 3, 1000])
def test_what_is_written_is_read_again(tmp_path: Path, n: int) -> None:
    small = _small(n)
    array_files.write(tmp_path / "small.arrow", small)
    again = array_files.read(tmp_path / "small.arrow", _Small)
    for field in fields(_Small):
        _same(getattr(small, field.name), getattr(again, field.name))


def test_what_is_stored_is_not_computed_again(tmp_path: Path) -> None:
    array_files.write(tmp_path / "asked.arrow", _Asked(4))
    again = array_files.read(tmp_path / "asked.arrow", _Asked)
    assert again.total == 14
    assert not hasattr(again, "source")


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        array_files.write(tmp_path / "asked.arrow", _Asked("4"))
    assert not list(tmp_path.iterdir())


def _of_something_else(file: Path) -> None:
    array_files.write(file, _small(2))


def _cut(file: Path) -> None:
    array_files.write(file, _Asked(1000))
    file.write_bytes(file.read_bytes()[:-50])


@pytest.mark.parametrize("made", [_cut, _of_something_else, lambda file: None, Path.touch])
def test_a_file_that_is_not_whole_or_not_it_is_told(tmp_path: Path, made) -> None:
    file = tmp_path / "asked.arrow"
    made(file)
    with pytest.raises(StoreError, match=r"asked\.arrow of the store is not readable.*build the"):
        array_files.read(file, _Asked)


def test_a_pool_that_is_read_is_the_pool_that_was_made(tmp_path: Path) -> None:
    made = pool_of(
        register(
            {"denomination": "GALANT", "numero": "3", "nom_voie": "RUE DU LAC", "x": 1.0, "y": 2.0},
            {"denomination": "BOULANGERIE GALANT", "sigle": "BG", "naf": "10.71C"},
            {"enseignes": "AU PAIN DORE", "tranche_effectifs": "12"},
        )
    )
    array_files.write(tmp_path / "pool.arrow", made)
    read = array_files.read(tmp_path / "pool.arrow", Pool)
    read.make_ready()
    every = np.arange(len(made))
    assert len(read) == len(made) == 3
    for of in ("siret", "naf"):
        assert getattr(read, of)(every).tolist() == getattr(made, of)(every).tolist()
    np.testing.assert_array_equal(read.traits, made.traits)
    for part in vars(Pool).items():
        if isinstance(part[1], array_files.stored) and part[0] != "lexicon":
            _same_part(getattr(read, part[0]), getattr(made, part[0]))
    words = ["BOULANGERI", "GALENT", "PAINDORE"]
    assert (made.lexicon.alike(words) != read.lexicon.alike(words)).nnz == 0
    assert read.lexicon.parted([["PAINDORE"]]) == [["PAIN", "DORE"]]
    assert isinstance(read.lexicon, Lexicon)


def _same_part(mine: object, its: object) -> None:
    if hasattr(mine, "rows"):
        for name in ("position", "reach", "rows", "start"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(its, name))
    elif isinstance(mine, tuple):
        for a, b in zip(mine, its, strict=True):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    elif isinstance(mine, Links):
        _same((mine.start, mine.to), (its.start, its.to))
    else:
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(its))
