"""What a report is of: which run, with which version, store, input and precision asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from geomatch.core.errors import StoreError
from geomatch.core.paths import Location
from geomatch.core.wording import NO_VALUE, integer, percent
from geomatch.runs.results import read_run
from geomatch.store.reader import Store

#: Digits of a sum that tell two files apart on paper.
_SUM_DIGITS = 12


def provenance(run: Location) -> dict[str, str]:
    """Facts of a run by French name, for the head of a report.

    Raises :class:`DataError` when run.json is missing or not readable. A store that is gone since
    is told by its sum alone.
    """
    told = read_run(run)
    given, store = told["input"], told["store"]
    return {
        "Fichier": f"{_name(given['path'])}, {integer(int(given['bulletins']))} bulletins",
        "Précision demandée": percent(float(told["options"]["decisions"]["precision"]), 1),
        "Version de geomatch": str(told["geomatch"]),
        "Base de référence": _vintage(str(store["path"]), str(store["manifest_sha256"])),
        "Modèle": str(told["model"]["sha256"])[:_SUM_DIGITS],
        "Somme du fichier": str(given["sha256"])[:_SUM_DIGITS],
    }


def _name(path: str) -> str:
    """A file's own name: the rest of its path tells readers of a page nothing."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _vintage(path: str, digest: str) -> str:
    """When the store was made and of which files, as far as it is still there."""
    short = digest[:_SUM_DIGITS]
    try:
        manifest = Store.open(path).manifest
    except StoreError:
        return f"{_name(path)} ({short}), absente depuis"
    made = datetime.fromisoformat(str(manifest["created"])).strftime("%d/%m/%Y")
    sirene = [s for s in manifest["sources"] if str(s["role"]).startswith("establishment")]
    dates = {_source_date(s) for s in sirene or manifest["sources"]} - {NO_VALUE}
    files = f", fichiers du {max(dates)}" if dates else ""
    return f"{_name(path)} du {made}{files} ({short})"


def _source_date(source: Mapping[str, object]) -> str:
    return str(source.get("vintage") or source.get("modified") or NO_VALUE)[:10]
