"""One official file: its layout, its bytes, and what tells it from another."""

from __future__ import annotations

import gzip
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pyarrow as pa

from gazetteer.layouts import Layout
from geomatch.core.errors import DataError

CHUNK = 1 << 20
#: An official file unpacks to some ten times its size; no more is looked at than this …
MOST_UNPACKED = 100
#: … unless it is less than this many bytes all the same.
SMALL_UNPACKED = 1 << 28
_YEAR = re.compile(r"(?<!\d)(20\d\d(?:-?(?:0[1-9]|1[0-2]))?)(?!\d)")
#: Ways of packing that are read.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
#: What reading a damaged file raises.
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException)


@dataclass(frozen=True)
class Source:
    """One official file, recognised; `rows` and `unpacked` are known once it was checked."""

    layout: Layout
    path: Path
    kind: str
    header: tuple[str, ...]
    #: column of this project → column of the file
    columns: dict[str, str]
    delimiter: str = ""
    #: file inside the zip
    member: str = ""
    size: int = 0
    sha256: str = ""
    rows: int = -1
    #: plain UTF-8 copy to read instead, when there had to be one
    unpacked: Path | None = None

    @property
    def role(self) -> str:
        """Which official layout it has."""
        return self.layout.role

    @property
    def name(self) -> str:
        """What the file is called in what is told of it."""
        return self.member or self.path.name

    @property
    def vintage(self) -> str | None:
        """Year, or year and month, that the file's name carries; None when it has none."""
        found = _YEAR.search(self.member) or _YEAR.search(self.path.name)
        return found.group(1) if found else None


def damaged(file: Path, error: Exception) -> DataError:
    """The error that says a file is truncated or not what its first bytes announce."""
    detail = str(error) or type(error).__name__
    return DataError(
        f"{file} is damaged or truncated ({detail}); fetch it again from its official source"
    )


def kind_of(file: Path) -> str:
    """``parquet``, ``zip``, ``gz`` or ``csv``, from the first bytes."""
    with file.open("rb") as stream:
        magic = stream.read(4)
    if not magic:
        raise DataError(f"{file} is empty; expected an official file with a header line")
    known = {b"PAR1": "parquet", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
    return known.get(magic) or ("gz" if magic[:2] == b"\x1f\x8b" else "csv")


def refuse_bomb(file: Path, packed: int, unpacked: int) -> None:
    """Raise :class:`DataError` when so much came out of a file as comes out of no official one.

    `packed` and `unpacked` are bytes.
    """
    if unpacked > max(MOST_UNPACKED * packed, SMALL_UNPACKED):
        raise DataError(
            f"{file} unpacks to more than {MOST_UNPACKED} times its size, which no official file "
            "does; fetch it again from its official source"
        )


@contextmanager
def opened(file: Path, kind: str, member: str = "") -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a csv, csv.gz or member of a zip."""
    if kind == "zip":
        with zipfile.ZipFile(file) as archive:
            _refuse_unreadable(file, archive.getinfo(member))
            with archive.open(member) as stream:
                yield stream
    elif kind == "gz":
        with gzip.open(file, "rb") as zipped:
            yield zipped  # type: ignore[misc]
    else:
        with file.open("rb") as plain:
            yield plain


def _refuse_unreadable(file: Path, member: zipfile.ZipInfo) -> None:
    """A member under a password, or packed in a way that only few programs know (Deflate64)."""
    if member.flag_bits & 0x1:
        raise DataError(f"{file} is a zip with a password; give the files without one")
    if member.compress_type not in _PACKINGS:
        raise DataError(
            f"{file} is a zip packed by method {member.compress_type} (9 is Deflate64, which "
            "Windows takes beyond 2 GB); unpack it and give the csv file"
        )


def fingerprinted(source: Source) -> Source:
    """The source with the size and sha256 of its file."""
    digest = hashlib.sha256()
    with source.path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return replace(source, size=source.path.stat().st_size, sha256=digest.hexdigest())
