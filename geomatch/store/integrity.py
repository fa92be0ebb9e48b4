"""Whether the files of a store are those that were built: their sizes, ends and SHA-256.

The manifest tells the size and the SHA-256 of every file, and has a sum of its own. On opening
sizes and ends are looked at, which takes milliseconds. A file is read in full before it is first
used on a machine; a mark in the user's cache folder says that it was, and is good as long as the
file's size, times and place on the disk are the same (decision 0086).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from geomatch.core import paths
from geomatch.core.errors import ConfigError, StoreError

#: In the manifest: size and SHA-256 of each file, by its path from the store's folder on.
FILES = "files"
#: In the manifest: what its own parts that results depend on sum up to.
SUM = "sum"
_SUMMED = ("departements", "tables", "crs", "nearby", FILES)
#: First and last bytes, by suffix; an R-tree's files have no mark.
_ENDS = {".parquet": b"PAR1", ".arrow": b"ARROW1", ".idx": b"", ".dat": b""}
#: Files that this process has read in full, as they were then.
_SEEN: set[tuple[object, ...]] = set()


def sealed(root: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the sums of all files under `root`, and its own."""
    names = [n for n in paths.files_of(root) if n.endswith(tuple(_ENDS))]
    told = {}
    for name in names:
        size, digest = paths.size_and_sha256(root / name)
        told[name] = {"size": size, "sha256": digest}
    whole = {**manifest, FILES: told}
    return {**whole, SUM: _sum(whole)}


def _sum(manifest: Mapping[str, Any]) -> str:
    parts = {name: manifest.get(name) for name in _SUMMED}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_sealed(manifest: Mapping[str, Any]) -> bool:
    """Whether the store was built with sums: those of an earlier version have none."""
    return SUM in manifest or FILES in manifest


def check_manifest(path: paths.Location, manifest: Mapping[str, Any]) -> None:
    """Raise :class:`StoreError` when the manifest is not what was written."""
    if is_sealed(manifest) and manifest.get(SUM) != _sum(manifest):
        raise StoreError(
            f"manifest of the store {path} is damaged: it is not what the build wrote; "
            "build the store again"
        )


def check_ends(root: Path, manifest: Mapping[str, Any]) -> None:
    """Raise :class:`StoreError` when a file has another size, or not a whole file's ends."""
    for name, told in manifest.get(FILES, {}).items():
        file = root / name
        mark = _ENDS[file.suffix]
        try:
            with file.open("rb") as stream:
                first = stream.read(len(mark))
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, size - len(mark)))
                last = stream.read()
        except OSError as error:
            raise StoreError(
                f"store {root} is not readable: {name} ({error.strerror}); build it again"
            ) from error
        if size != told["size"] or (first, last) != (mark, mark):
            raise _damaged(root, name)


def check_file(root: Path, manifest: Mapping[str, Any], file: Path) -> None:
    """Read a file in full, unless this machine has done so since it was last changed.

    Raises :class:`StoreError` when its SHA-256 is not the manifest's: it is damaged, or the store
    was replaced since it was opened.
    """
    name = file.relative_to(root).as_posix()
    told = manifest.get(FILES, {}).get(name)
    if told is None:
        if is_sealed(manifest):
            raise _damaged(root, name)
        return
    try:
        state = file.stat()
    except OSError as error:
        raise StoreError(
            f"store {root} is not readable: {name} ({error.strerror}); build it again"
        ) from error
    times = state.st_mtime_ns, state.st_ctime_ns
    as_it_is = (str(file), told["sha256"], state.st_size, *times, state.st_ino, state.st_dev)
    if as_it_is in _SEEN:
        return
    mark = _mark(as_it_is)
    if mark is None or not mark.is_file():
        if paths.size_and_sha256(file) != (told["size"], told["sha256"]):
            raise _damaged(root, name)
        if mark is not None:
            paths.write_bytes(mark, b"")
    _SEEN.add(as_it_is)


def _mark(as_it_is: tuple[object, ...]) -> Path | None:
    """Where it is noted that a file was read; None without a cache folder: each process reads."""
    try:
        folder = paths.cache_folder() / "verified"
    except ConfigError:
        return None
    return folder / hashlib.sha256(repr(as_it_is).encode()).hexdigest()


def damaged_files(root: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Read all files in full; names of those that are not what the build wrote."""
    for name, told in manifest.get(FILES, {}).items():
        try:
            is_whole = paths.size_and_sha256(root / name) == (told["size"], told["sha256"])
        except OSError:
            is_whole = False
        if not is_whole:
            yield name


def _damaged(root: Path, name: str) -> StoreError:
    return StoreError(
        f"{name} of the store {root} is not the file that its manifest tells of: it is damaged, or "
        "the store was replaced meanwhile; run again, and build the store again if it says so again"
    )
