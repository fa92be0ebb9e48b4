"""Find the official files among what was given, and check them before anything is built.

Recognition is by columns (the layouts of :mod:`gazetteer.references`), whatever the files are
called: csv, csv.gz, zip and Parquet, with any usual delimiter. The first bytes tell what a file
is, not its suffix. One error reports every problem found.
"""

from __future__ import annotations

import csv
import io
import logging
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from gazetteer.files import CHUNK, DAMAGE, Source, damaged, fingerprinted, kind_of, opened
from gazetteer.references import BY_ROLE, REFERENCES
from geomatch.core.errors import DataError, LayoutError
from geomatch.core.paths import is_utf8_name

log = logging.getLogger(__name__)

#: Only such files of a folder are looked at; a file named outright may have any suffix.
SUFFIXES = (".csv", ".gz", ".zip", ".parquet", ".txt")
_DELIMITERS = ";,\t|"


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
        what = "is no file but a pipe or a device" if path.exists() else "does not exist"
        problems.append(DataError(f"{option}: {path} {what}; give an existing file or folder"))
        return []
    files = sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))
    files = [f for f in files if f.suffix.lower() in SUFFIXES]
    unnamed = [f for f in files if not is_utf8_name(f)]
    if unnamed:
        problems.append(
            DataError(
                f"{option}: {path} holds {len(unnamed)} file(s) whose name is not UTF-8; rename "
                "them"
            )
        )
    return [f for f in files if f not in unnamed]


def _unwanted(file: Path, sources: list[Source], roles: Sequence[str], *, is_named: bool) -> None:
    wanted = ", ".join(BY_ROLE[r].layout.title for r in roles)
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
        for layout in (r.layout for r in REFERENCES):
            columns = layout.resolve(names)
            if not layout.is_signed(columns):
                continue
            missing = layout.missing(columns)
            inside = f" ({member})" if member else ""
            twice = sorted(n for n in {*columns.values()} if names.count(n) > 1)
            if twice:
                problems.append(
                    f"{file}{inside}: column(s) {', '.join(twice)} stand twice, expected once; "
                    "which one is meant cannot be told: fetch the file again"
                )
            if missing:
                problems.append(
                    f"{file}{inside}: column(s) {', '.join(missing)} missing for {layout.title}; "
                    f"got {', '.join(names)}"
                )
            sources.append(Source(layout, file, kind, tuple(names), columns, delimiter, member))
            break
    if problems:
        raise LayoutError("\n".join(problems))
    return sources


def need(sources: Sequence[Source], role: str, *, option: str, where: object) -> list[Source]:
    """The sources of a role. Raises :class:`DataError` when there is none."""
    of_role = [s for s in sources if s.role == role]
    if not of_role:
        layout = BY_ROLE[role].layout
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
        title = BY_ROLE[role].layout.title
        names = ", ".join(s.path.name for s in ranked)
        if ranked[-1].vintage == ranked[-2].vintage:
            raise DataError(f"{option} {where}: several files of {title} ({names}); keep one")
        log.info("several files of %s (%s): the latest is used", title, names)
    return ranked[-1]
