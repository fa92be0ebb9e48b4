"""Official files and stores under ``s3://``: worked on through copies in the cache.

A store is sent into a folder that bears its hash, ``OUT/v-1a2b3c…/``, and then
``OUT/manifest.json``, which names that folder, takes the old one's place in one step: whoever
reads finds the old store or the new one. The old one is deleted afterwards.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from geomatch.core import paths
from geomatch.core.errors import DataError
from geomatch.core.paths import Location
from geomatch.store.reader import FOLDER, MANIFEST

_VERSION = "v-"


@dataclass(frozen=True)
class Place:
    """Where a build works: local copies of its inputs, and a local folder for its store."""

    out: Path

    def input(self, path: Location) -> Path:
        """A file or folder of official files on this machine; only what changed is copied.

        Raises :class:`DataError` when there is nothing there.
        """
        if not paths.is_remote(path):
            return Path(path)
        copy = _cached("sources", path) / paths.name_of(path)
        if paths.is_file(path):
            _refresh(path, copy)
            return copy
        names = paths.files_of(path)
        if not names:
            raise DataError(f"nothing at {path}; give an existing file or folder")
        for gone in {*paths.files_of(copy)} - {*names, *(f"{n}{_MARK}" for n in names)}:
            (copy / gone).unlink()
        for name in names:
            _refresh(paths.join(path, name), copy / name)
        return copy


@contextmanager
def building(out: Location) -> Iterator[Place]:
    """Where to build the store `out`; a remote one is sent when the block ends well."""
    if not paths.is_remote(out):
        yield Place(Path(out))
        return
    local = _cached("builds", out) / "store"
    have = _folder_at(out)
    if have and have != _version(local):
        shutil.rmtree(local, ignore_errors=True)
        for name in paths.files_of(paths.join(out, have)):
            paths.fetch(paths.join(paths.join(out, have), name), local / name)
    yield Place(local)
    if _version(local) != have:
        _publish(local, out)


def _publish(local: Path, out: Location) -> None:
    version = _version(local)
    folder = paths.join(out, version)
    paths.send_folder(local, folder, last=MANIFEST)
    manifest = json.loads((local / MANIFEST).read_text(encoding="utf-8"))
    text = json.dumps({**manifest, FOLDER: version}, ensure_ascii=False, indent=2)
    paths.write_bytes(paths.join(out, MANIFEST), text.encode())
    for name in paths.files_of(out):
        if name != MANIFEST and not name.startswith(f"{version}/"):
            paths.remove(paths.join(out, name))


def _folder_at(out: Location) -> str:
    """Folder of the store that lies at a remote place; ``""`` when none of ours does."""
    try:
        manifest = json.loads(paths.read_bytes(paths.join(out, MANIFEST)))
    except FileNotFoundError:
        return ""
    except ValueError as error:
        raise DataError(f"{out}/{MANIFEST} is no store's; give another --out") from error
    return str(manifest.get(FOLDER, ""))


def _version(local: Path) -> str:
    try:
        content = (local / MANIFEST).read_bytes()
    except FileNotFoundError:
        return ""
    return _VERSION + hashlib.sha256(content).hexdigest()[:16]


# ------------------------------------------------------------------ official files
@contextmanager
def downloading(out: Location) -> Iterator[Path]:
    """Where to download to; for a remote place, what is whole is sent, even after a failure.

    What was fetched stays in the cache, so that the next call fetches only what is newer.
    """
    if not paths.is_remote(out):
        yield Path(out)
        return
    local = _cached("downloads", out)
    try:
        yield local
    finally:
        for name in paths.files_of(local):
            if not name.endswith((".part", ".part.json", _MARK)):
                _send_if_new(local / name, paths.join(out, name))


def _send_if_new(file: Path, target: Location) -> None:
    mark = file.with_name(file.name + _MARK)
    told = f"{file.stat().st_size} {file.stat().st_mtime_ns}"
    if paths.is_file(target) and mark.is_file() and mark.read_text() == told:
        return
    paths.send(file, target)
    mark.write_text(told)


def _refresh(source: Location, copy: Path) -> None:
    """Copy a remote file unless the copy is of the version that is there."""
    mark = copy.with_name(copy.name + _MARK)
    version = paths.version_of(source)
    if copy.is_file() and mark.is_file() and mark.read_text() == version:
        return
    paths.fetch(source, copy)
    mark.write_text(version)


def _cached(kind: str, path: Location) -> Path:
    folder = paths.cache_folder() / kind / hashlib.sha256(str(path).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


#: Beside a copy: which version it is of.
_MARK = ".version"
