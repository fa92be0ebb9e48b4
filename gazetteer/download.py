"""Fetch the official files, resumably, into the folders a build reads.

::

    OUT/ban/adresses-35.csv.gz  lieux-dits-35-beta.csv.gz
    OUT/sirene/StockEtablissement_utf8.parquet  StockUniteLegale_utf8.parquet
    OUT/geoloc/GeolocalisationEtablissement_Sirene_pour_etudes_statistiques_utf8.zip
    OUT/cog/v_commune_2026.csv  v_mvt_commune_2026.csv  laposte_hexasmal.csv  naf_rev2.csv

A file has its final name only when it is whole. One that is there already is fetched again only
when the source has a newer one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gazetteer.territory import checked_departements
from gazetteer.transfer import Patience, Transfer, session
from geomatch.core.errors import ConfigError, SourceUnavailableError

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

#: Where each family of files is published.
BASE_URLS: Mapping[str, str] = {
    "ban": "https://adresse.data.gouv.fr/data/ban/adresses/latest/csv",
    "sirene": "https://object.files.data.gouv.fr/data-pipeline-open/siren/stock",
    "geoloc": "https://files.data.gouv.fr/insee-sirene-geo",
    "cog": "https://www.insee.fr/fr/statistiques/fichier/8740222",
    "laposte": (
        "https://datanova.laposte.fr/data-fair/api/v1/datasets/laposte-hexasmal"
        "/metadata-attachments"
    ),
    "naf": (
        "https://data.iledefrance.fr/api/explore/v2.1/catalog/datasets"
        "/nomenclature-dactivites-francaise-naf-rev-2-code-ape/exports"
    ),
}
COG_YEAR = 2026


@dataclass(frozen=True)
class Remote:
    """One file to fetch: its family, its name there, the folder and the name it gets here."""

    family: str
    remote_name: str
    folder: str
    name: str
    #: may be absent from the source without that being an error
    optional: bool = False


@dataclass(frozen=True)
class DownloadOptions:
    """`base_urls` replaces addresses of :data:`BASE_URLS`, family by family.

    `families` None is all of them: a mirror of one's own, or only what has changed.
    """

    base_urls: Mapping[str, str] = field(default_factory=dict)
    families: tuple[str, ...] | None = None
    patience: Patience = field(default_factory=Patience)


def download(
    departements: Sequence[str],
    out: Path,
    *,
    options: DownloadOptions | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Fetch the files for these départements under `out`; the paths, in order.

    `progress` gets a file's name and the share of files done, in [0, 1]. Raises
    :class:`ConfigError` for a département that does not exist or a place that is no folder, and
    :class:`SourceUnavailableError` when a source refuses or stays silent; what was fetched
    before stays, and the next call goes on from there.
    """
    options = options or DownloadOptions()
    wanted = list(_remotes(checked_departements(departements), options.families))
    _make(out)
    done: list[Path] = []
    with session() as http:
        for i, remote in enumerate(wanted):
            target = out / remote.folder / remote.name
            _make(target.parent)

            def tell(share: float, name: str = remote.name, before: int = i) -> None:
                if progress is not None:
                    progress(name, (before + share) / len(wanted))

            base = {**BASE_URLS, **options.base_urls}[remote.family].rstrip("/")
            transfer = Transfer(http, f"{base}/{remote.remote_name}", target, options.patience)
            try:
                transfer.run(tell)
            except SourceUnavailableError:
                if not (remote.optional and transfer.is_absent):
                    raise
                log.info("%s is not published; left out", remote.name)
                continue
            done.append(target)
    return done


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {out} cannot be made a folder ({error}); give another") from error


def _remotes(departements: Sequence[str], families: Sequence[str] | None) -> Iterator[Remote]:
    geoloc = "GeolocalisationEtablissement_Sirene_pour_etudes_statistiques_utf8.zip"
    everything = [
        *(Remote("cog", name, "cog", name) for name in _cog_names()),
        Remote("laposte", "base-officielle-codes-postaux.csv", "cog", "laposte_hexasmal.csv"),
        Remote("naf", "csv?delimiter=%3B", "cog", "naf_rev2.csv"),
        *(r for d in departements for r in _ban(d)),
        Remote(
            "sirene", "StockUniteLegale_utf8.parquet", "sirene", "StockUniteLegale_utf8.parquet"
        ),
        Remote("geoloc", geoloc, "geoloc", geoloc),
        Remote(
            "sirene", "StockEtablissement_utf8.parquet", "sirene", "StockEtablissement_utf8.parquet"
        ),
    ]
    return (r for r in everything if families is None or r.family in families)


def _cog_names() -> list[str]:
    return [f"v_commune_{COG_YEAR}.csv", f"v_mvt_commune_{COG_YEAR}.csv"]


def _ban(departement: str) -> list[Remote]:
    addresses = f"adresses-{departement}.csv.gz"
    localities = f"lieux-dits-{departement}-beta.csv.gz"
    return [
        Remote("ban", addresses, "ban", addresses),
        Remote("ban", localities, "ban", localities, optional=True),
    ]
