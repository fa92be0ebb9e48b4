"""Find the official files among what was given, and check them before anything is built.

Recognition is by columns (:mod:`gazetteer.layouts`), whatever the files are called: csv, csv.gz,
zip and Parquet, with any usual delimiter. What a file really is comes from its first bytes, not
from its suffix. Every problem found is told in one error.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import logging
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from gazetteer.layouts import BY_ROLE, LAYOUTS, Layout
from geomatch.core.errors import DataError, LayoutError

log = logging.getLogger(__name__)

#: Only such files of a folder are looked at; a file named outright may have any suffix.
SUFFIXES = (".csv", ".gz", ".zip", ".parquet", ".txt")
CHUNK = 1 << 20
_DELIMITERS = ";,\t|"
_YEAR = re.compile(r"(?<!\d)(20\d\d(?:-?(?:0[1-9]|1[0-2]))?)(?!\d)")
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
    def vintage(self) -> str | None:
        """Year, or year and month, that the file's name carries; None when it has none."""
        found = _YEAR.search(self.member) or _YEAR.search(self.path.name)
        return found.group(1) if found else None


def find(paths: Iterable[Path], roles: Sequence[str], *, option: str) -> list[Source]:
    """Files of the `roles` among `paths` (files or folders), with their size and sha256.

    Files of other layouts are left aside in a folder and refused when named outright. Raises
    :class:`DataError` or :class:`LayoutError` with every problem of every file.
    """
    found: list[Source] = []
    problems: list[DataError] = []
    for path in paths:
        for file in _files(path, problems, option):
            try:
                sources = recognise(file)
                kept = [s for s in sources if s.role in roles]
                if not kept and (file == path or not sources):
                    _unwanted(file, sources, roles, is_named=file == path)
                found.extend(fingerprinted(s) for s in kept)
            except DataError as error:
                problems.append(error)
    if problems:
        kind = LayoutError if all(isinstance(p, LayoutError) for p in problems) else DataError
        raise kind("\n".join(map(str, problems)))
    return found


def _files(path: Path, problems: list[DataError], option: str) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        problems.append(
            DataError(f"{option}: {path} does not exist; give an existing file or folder")
        )
        return []
    files = sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))
    return [f for f in files if f.suffix.lower() in SUFFIXES]


def _unwanted(file: Path, sources: list[Source], roles: Sequence[str], *, is_named: bool) -> None:
    wanted = ", ".join(BY_ROLE[r].title for r in roles)
    if is_named:
        got = ", ".join(s.layout.title for s in sources) or "no known layout"
        raise LayoutError(f"{file} has the layout of {got}; expected {wanted}")
    log.warning("%s is in no official layout this build reads; left aside", file)


def recognise(file: Path) -> list[Source]:
    """What a file is: one source, several for a zip of several, none when of no known layout.

    Raises :class:`DataError` when the file is empty or damaged, :class:`LayoutError` when it has
    a known layout's signature but lacks columns that are needed.
    """
    try:
        return _recognise(file)
    except DAMAGE as error:
        raise damaged(file, error) from error


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


def _recognise(file: Path) -> list[Source]:
    kind = kind_of(file)
    if kind == "parquet":
        names = pq.ParquetFile(file).schema_arrow.names
        return _sources(file, kind, [("", names, "")])
    if kind == "zip":
        with zipfile.ZipFile(file) as archive:
            members = [m.filename for m in archive.infolist() if not m.is_dir()]
        members = [m for m in members if m.lower().endswith((".csv", ".txt"))]
        if not members:
            raise DataError(f"{file} holds no csv file; expected one in an official layout")
    else:
        members = [""]
    heads = []
    for member in members:
        with opened(file, kind, member) as stream:
            heads.append((member, *_header(stream.readline(CHUNK), file)))
    return _sources(file, kind, heads)


def _header(line: bytes, file: Path) -> tuple[list[str], str]:
    """Column names of a header line, and its delimiter."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("cp1252", errors="replace")
    text = text.strip("\r\n")
    if not text.strip():
        raise DataError(f"{file} is empty; expected a header line")
    delimiter = max(_DELIMITERS, key=text.count)
    names = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    return [n.strip() for n in names], delimiter


def _sources(file: Path, kind: str, heads: list[tuple[str, list[str], str]]) -> list[Source]:
    sources = []
    problems = []
    for member, names, delimiter in heads:
        for layout in LAYOUTS:
            columns = layout.resolve(names)
            if not layout.is_signed(columns):
                continue
            missing = layout.missing(columns)
            if missing:
                inside = f" ({member})" if member else ""
                problems.append(
                    f"{file}{inside}: column(s) {', '.join(missing)} missing for {layout.title}; "
                    f"got {', '.join(names)}"
                )
            sources.append(Source(layout, file, kind, tuple(names), columns, delimiter, member))
            break
    if problems:
        raise LayoutError("\n".join(problems))
    return sources


@contextmanager
def opened(file: Path, kind: str, member: str = "") -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a csv, csv.gz or member of a zip."""
    if kind == "zip":
        with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
            yield stream
    elif kind == "gz":
        with gzip.open(file, "rb") as zipped:
            yield zipped  # type: ignore[misc]
    else:
        with file.open("rb") as plain:
            yield plain


def fingerprinted(source: Source) -> Source:
    """The source with the size and sha256 of its file."""
    digest = hashlib.sha256()
    with source.path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return replace(source, size=source.path.stat().st_size, sha256=digest.hexdigest())


def need(sources: Sequence[Source], role: str, *, option: str, where: object) -> list[Source]:
    """The sources of a role. Raises :class:`DataError` when there is none."""
    of_role = [s for s in sources if s.role == role]
    if not of_role:
        layout = BY_ROLE[role]
        raise DataError(
            f"{option} {where}: no file in the layout of {layout.title} "
            f"(columns {', '.join(layout.needed)}); add it"
        )
    return of_role


def only(sources: Sequence[Source], role: str, *, option: str, where: object) -> Source:
    """The one source of a role; of several vintages the latest.

    Raises :class:`DataError` when there is none, or several of which none is surely the latest.
    """
    of_role = need(sources, role, option=option, where=where)
    ranked = sorted(of_role, key=lambda s: (s.vintage or "").replace("-", ""))
    if len(ranked) > 1:
        title = BY_ROLE[role].title
        names = ", ".join(s.path.name for s in ranked)
        if ranked[-1].vintage == ranked[-2].vintage:
            raise DataError(f"{option} {where}: several files of {title} ({names}); keep one")
        log.info("several files of %s (%s): the latest is used", title, names)
    return ranked[-1]
