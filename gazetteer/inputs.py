"""The files of one build, and whether a store was made of these very files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geomatch
from gazetteer.options import BuildOptions
from gazetteer.sources import Source, find, need, only
from geomatch.core.errors import StoreError
from geomatch.core.schema import COUNTRY_TABLES, STORE_FORMAT_VERSION
from geomatch.store.reader import country_path, read_manifest

#: What makes a source the same source.
_IDENTITY = ("role", "name", "size", "sha256")


def find_sources(options: BuildOptions) -> list[Source]:
    """All the files of the build, fingerprinted. Raises :class:`DataError` for what lacks."""
    found = find(options.ban, ["ban", "lieux_dits"], option="--ban")
    need(found, "ban", option="--ban", where=", ".join(map(str, options.ban)))
    codes = find([options.cog], ["communes", "mouvements", "laposte", "naf"], option="--cog")
    for role in ("communes", "mouvements", "laposte"):
        found.append(only(codes, role, option="--cog", where=options.cog))
    found += _stock(options)
    if options.geoloc is not None:
        geoloc = find([options.geoloc], ["geoloc"], option="--geoloc")
        found += need(geoloc, "geoloc", option="--geoloc", where=options.geoloc)
    if options.naf is not None:
        labels = find([options.naf], ["naf"], option="--naf")
        found += need(labels, "naf", option="--naf", where=options.naf)
    else:
        found += [s for s in codes if s.role == "naf"]
    return found


def _stock(options: BuildOptions) -> list[Source]:
    roles = ["etablissements", "unites_legales", "historique"]
    stock = find([options.sirene], roles, option="--sirene")
    for role in ("etablissements", "unites_legales"):
        need(stock, role, option="--sirene", where=options.sirene)
    # without a period nobody asks when an establishment was open
    return [s for s in stock if s.role != "historique" or options.period is not None]


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
