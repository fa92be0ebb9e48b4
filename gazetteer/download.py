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

from gazetteer.references import REFERENCES
from gazetteer.territory import checked_departements
from gazetteer.transfer import Patience, Transfer, session
from geomatch.core.errors import ConfigError, SourceUnavailableError

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

#: Where each family of files is published.
BASE_URLS: Mapping[str, str] = {r.publication.family: r.publication.base_url for r in REFERENCES}


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
    wanted = list(remotes(checked_departements(departements), options.families))
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


def remotes(departements: Sequence[str], families: Sequence[str] | None) -> Iterator[Remote]:
    """The files to fetch, of all families or of those given."""
    for reference in REFERENCES:
        published = reference.publication
        if not published.is_fetched or not (families is None or published.family in families):
            continue
        is_split = "{departement}" in published.remote_name
        for departement in departements if is_split else ("",):
            remote_name = published.remote_name.format(departement=departement)
            name = published.name.format(departement=departement) or remote_name
            yield Remote(published.family, remote_name, reference.option, name, published.may_lack)
