"""The files of one build, and whether a store was made of these very files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geomatch
from gazetteer.files import Source
from gazetteer.options import BuildOptions
from gazetteer.reference import OPTIONS, Presence, Reference
from gazetteer.references import BY_ROLE, REFERENCES
from gazetteer.sources import find, need, only
from geomatch.core.errors import StoreError
from geomatch.core.schema import COUNTRY_TABLES, STORE_FORMAT_VERSION
from geomatch.store.reader import country_path, read_manifest

#: What makes a source the same source.
_IDENTITY = ("role", "name", "size", "sha256")


def find_sources(options: BuildOptions) -> list[Source]:
    """All the files of the build, fingerprinted. Raises :class:`DataError` for what lacks."""
    return [source for option in OPTIONS for source in _under(option, options)]


def _under(option: str, options: BuildOptions) -> list[Source]:
    """The files that the build takes from the places of one option."""
    places = options.places(option)
    if not places:
        return []
    # a file of a source that is not used here is no stranger
    roles = [r.role for r in REFERENCES if option in (r.option, r.own_option)]
    found = find(places, roles, option=f"--{option}")
    kept = set()
    for one in map(BY_ROLE.__getitem__, roles):
        if option == one.option_of(options) and one.is_wanted(options):
            kept |= {id(s) for s in _taken(one, option, found, places)}
    return [s for s in found if id(s) in kept]


def _taken(
    one: Reference, option: str, found: Sequence[Source], places: Sequence[Path]
) -> list[Source]:
    """The files of one source among those found, as its :class:`Presence` asks."""
    asked = {"option": f"--{option}", "where": ", ".join(map(str, places))}
    if one.presence is Presence.LATEST:
        return [only(found, one.role, **asked)]
    if one.presence is Presence.SOME or option == one.own_option:
        return need(found, one.role, **asked)
    return [s for s in found if s.role == one.role]


def described(source: Source) -> dict[str, Any]:
    """A source as the manifest tells it."""
    modified = datetime.fromtimestamp(source.path.stat().st_mtime, UTC)
    return {
        "role": source.role,
        "name": f"{source.path.name}:{source.member}" if source.member else source.path.name,
        "size": source.size,
        "sha256": source.sha256,
        "rows": source.rows,
        "vintage": source.vintage,
        "modified": modified.isoformat(timespec="seconds"),
    }


def build_key(options: BuildOptions, sources: Sequence[Source]) -> str:
    """A text that differs between builds of other files, other options or by other versions."""
    content = {
        "sources": [{k: v for k, v in described(s).items() if k in _IDENTITY} for s in sources],
        "paths": [str(s.path.resolve()) for s in sources],
        "options": options.content(),
        "version": [geomatch.__version__, STORE_FORMAT_VERSION],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def is_built(options: BuildOptions, sources: Sequence[Source]) -> bool:
    """Whether the store in place is of these files and options, whole, and by this version."""
    try:
        manifest = read_manifest(options.out)
    except StoreError:
        return False
    had = [{k: s.get(k) for k in _IDENTITY} for s in manifest.get("sources", [])]
    have = [{k: v for k, v in described(s).items() if k in _IDENTITY} for s in sources]
    return (
        had == have
        and manifest.get("options") == options.content()
        and manifest.get("geomatch_version") == geomatch.__version__
        and _is_whole(options.out, manifest)
    )


def _is_whole(out: Path, manifest: dict[str, Any]) -> bool:
    parts = [
        out / name / f"departement={departement}"
        for name, table in manifest.get("tables", {}).items()
        for departement in table.get("departements", ())
    ]
    return all(p.exists() for p in (*parts, *(country_path(out, t) for t in COUNTRY_TABLES)))
