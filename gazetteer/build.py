"""Official files → one reference store, built beside the old one and swapped in at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

import geomatch
from gazetteer import ban, cog, naf, places, sirene
from gazetteer.engine import arrow, engine, frame, quoted, store_frame
from gazetteer.locate import located
from gazetteer.reading import checked
from gazetteer.sources import Source, find, only
from gazetteer.store import write_country, write_departement, write_manifest
from gazetteer.swap import locked, staging, swap
from gazetteer.territory import checked_departements
from geomatch.addresses import Geocoder
from geomatch.errors import ConfigError, StoreError
from geomatch.schema import (
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
    STORE_ESTABLISHMENTS,
    STORE_FORMAT,
    STORE_FORMAT_VERSION,
    STORE_NAF,
    STORE_NAF_WORDS,
    crs_of,
)
from geomatch.store import MANIFEST, Store, read_manifest

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class BuildOptions:
    """What a store is made of.

    `ban` are files or folders; `sirene` and `cog` a folder (or one file); `geoloc` and `naf` are
    optional. `departements` None is all that Sirene has. `period` (two ISO dates) keeps
    establishments active on a day of it, instead of `active_only`. `memory_limit` and `threads`
    are DuckDB's. `force` builds even when nothing changed.
    """

    ban: tuple[Path, ...]
    sirene: Path
    cog: Path
    out: Path
    geoloc: Path | None = None
    naf: Path | None = None
    departements: tuple[str, ...] | None = None
    active_only: bool = True
    period: tuple[str, str] | None = None
    memory_limit: str = "4GB"
    threads: int = 2
    force: bool = False


def build(options: BuildOptions, progress: Progress | None = None) -> Store:
    """Build the store, or return the one at ``options.out`` when it is of these very inputs.

    `progress` gets a step's name and the share done, in [0, 1]. Raises :class:`ConfigError` when
    the place is not a store's, :class:`DataError` when a file is not usable; the old store, if
    any, is then as it was.
    """
    tell = progress or (lambda step, share: None)
    _check_out(options.out)
    if options.departements is not None:
        options = replace(options, departements=tuple(checked_departements(options.departements)))
    tell("fichiers", 0.0)
    sources = _find_sources(options)
    wanted = {"options": _kept_options(options), "sources": [_identity(s) for s in sources]}
    with locked(options.out):
        if not options.force and _is_same(options.out, wanted):
            log.info("%s is already built from these files", options.out)
            tell("inchangé", 1.0)
            return Store.open(options.out)
        with staging(options.out) as folder:
            work, root = folder / "work", folder / "store"
            work.mkdir()
            root.mkdir()
            with engine(work, memory_limit=options.memory_limit, threads=options.threads) as con:
                _Build(con, root, work, options, sources, tell).run(wanted)
            tell("mise en place", 0.99)
            swap(root, options.out)
    tell("terminé", 1.0)
    return Store.open(options.out)


def _check_out(out: Path) -> None:
    """Refuse a place that holds something else than a store: it would be replaced."""
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise ConfigError(
            f"--out {out} is a folder that is no store (no {MANIFEST}); give another place"
        )
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder")


def _find_sources(options: BuildOptions) -> list[Source]:
    """All the files of the build, fingerprinted."""
    found = find(options.ban, ["ban", "lieux_dits"], option="--ban")
    only([s for s in found if s.role == "ban"][:1], "ban", option="--ban", where=options.ban)
    stock = find(
        [options.sirene], ["etablissements", "unites_legales", "historique"], option="--sirene"
    )
    for role in ("etablissements", "unites_legales"):
        only(
            [s for s in stock if s.role == role][:1], role, option="--sirene", where=options.sirene
        )
    if options.period is None:
        stock = [s for s in stock if s.role != "historique"]
    codes = find([options.cog], ["communes", "mouvements", "laposte", "naf"], option="--cog")
    for role in ("communes", "mouvements", "laposte"):
        found.append(only(codes, role, option="--cog", where=options.cog))
    found += stock
    if options.geoloc is not None:
        found += find([options.geoloc], ["geoloc"], option="--geoloc")
    if options.naf is not None:
        found += find([options.naf], ["naf"], option="--naf")
    else:
        found += [s for s in codes if s.role == "naf"]
    return found


def _kept_options(options: BuildOptions) -> dict[str, Any]:
    """The options that change what is in the store."""
    return {
        "departements": sorted(options.departements) if options.departements else None,
        "active_only": options.active_only,
        "period": list(options.period) if options.period else None,
    }


def _identity(source: Source) -> dict[str, Any]:
    name = f"{source.path.name}:{source.member}" if source.member else source.path.name
    return {"role": source.role, "name": name, "size": source.size, "sha256": source.sha256}


def _is_same(out: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether the store there is of these files and options, and of this version of the code."""
    try:
        manifest = read_manifest(out)
    except StoreError:
        return False
    got = [{k: s.get(k) for k in ("role", "name", "size", "sha256")} for s in manifest["sources"]]
    return (
        got == wanted["sources"]
        and manifest.get("options") == wanted["options"]
        and manifest.get("geomatch_version") == geomatch.__version__
    )


@dataclass
class _Build:
    """One run: the database, the places, and what is counted for the manifest."""

    con: duckdb.DuckDBPyConnection
    root: Path
    work: Path
    options: BuildOptions
    sources: Sequence[Source]
    tell: Progress

    def of(self, *roles: str) -> list[Source]:
        return [s for s in self.sources if s.role in roles]

    def run(self, wanted: Mapping[str, Any]) -> None:
        naf.define_macros(self.con)
        self.tell("contrôle des fichiers", 0.02)
        unpacked = self.work / "unpacked"
        unpacked.mkdir()
        self.sources = [checked(s, unpacked) for s in self.sources]
        tables: dict[str, Any] = {}
        self.tell("communes", 0.08)
        codes = self._communes(tables)
        self.tell("adresses", 0.10)
        parts = self._addresses(tables)
        self.tell("établissements", 0.35)
        departements = self._register()
        communes = self._places(codes, parts, tables)
        self._establishments(departements, communes, tables)
        self.tell("activités", 0.95)
        self._activities(tables)
        write_manifest(self.root, self._manifest(wanted, tables))

    def _communes(self, tables: dict[str, Any]) -> cog.Cog:
        codes = cog.read_cog(
            self.con, *(self.of(role)[0] for role in ("communes", "mouvements", "laposte"))
        )
        store_frame(self.con, "commune_names", codes.names)
        store_frame(self.con, "commune_postcodes", codes.postcodes)
        for table, rows in (
            (STORE_COMMUNE_NAMES, codes.names),
            (STORE_COMMUNE_POSTCODES, codes.postcodes),
            (STORE_COMMUNE_HISTORY, codes.history),
        ):
            tables[table.name] = {"rows": write_country(self.root, table, rows)}
        return codes

    def _addresses(self, tables: dict[str, Any]) -> ban.BanParts:
        ban.load_ban(self.con, self.of("ban", "lieux_dits"), self.options.departements)
        parts = ban.write_ban(self.con, self.root)
        for name, counts in (("streets", parts.streets), ("addresses", parts.addresses)):
            tables[name] = {"rows": sum(counts.values()), "departements": counts}
        return parts

    def _places(self, codes: cog.Cog, parts: ban.BanParts, tables: dict[str, Any]) -> pd.DataFrame:
        """Communes with centre and radius, and their neighbours, written."""
        extents = parts.extents
        register = sirene.geolocated_extents(self.con)
        register = register[~register["code_commune"].isin(extents["code_commune"])]
        if len(register):
            extents = pd.concat([extents, register], ignore_index=True)
        communes = places.located_communes(codes.communes, extents, codes.gps)
        number = frame(
            self.con,
            f"SELECT code_commune, count(*) AS n FROM {self._register_sql('*')} GROUP BY 1",
        ).set_index("code_commune")["n"]
        communes["n_establishments"] = (
            communes["code_commune"].map(number).fillna(0).astype("int64")
        )
        tables["communes"] = {"rows": write_country(self.root, STORE_COMMUNES, communes)}
        near = places.neighbours(communes, parts.cells)
        tables[STORE_COMMUNE_NEIGHBOURS.name] = {
            "rows": write_country(self.root, STORE_COMMUNE_NEIGHBOURS, near)
        }
        return communes

    def _register(self) -> list[str]:
        scope = sirene.Scope(
            self.options.active_only, self.options.period, self.options.departements
        )
        sirene.load_sirene(
            self.con, self.of("etablissements", "unites_legales", "historique"), scope
        )
        sirene.load_geoloc(self.con, self.of("geoloc"))
        return sirene.write_register(self.con, self.work / "register", self.options.departements)

    def _establishments(
        self, departements: Sequence[str], communes: pd.DataFrame, tables: dict[str, Any]
    ) -> None:
        counts: dict[str, int] = {}
        with_streets = set(tables["streets"]["departements"])
        # the geocoder reads what is written so far, before there is a manifest
        store = Store(self.root, {"departements": sorted(with_streets)})
        for done, departement in enumerate(departements):
            self.tell(f"établissements {departement}", 0.4 + 0.55 * done / len(departements))
            geocoder = Geocoder.open(store, [departement]) if departement in with_streets else None
            rows = arrow(
                self.con,
                f"SELECT * FROM {self._register_sql(departement)} ORDER BY code_commune, siret",
            )
            counts[departement] = write_departement(
                self.root,
                STORE_ESTABLISHMENTS,
                departement,
                located(rows, communes, geocoder),
                crs=crs_of(departement),
            )
        tables["establishments"] = {"rows": sum(counts.values()), "departements": counts}

    def _register_sql(self, departement: str) -> str:
        files = self.work / "register" / f"departement={departement}" / "*.parquet"
        return f"read_parquet({quoted(files)}, hive_partitioning=false)"

    def _activities(self, tables: dict[str, Any]) -> None:
        register = self._register_sql("*")
        labels = naf.read_naf(self.con, self.of("naf"))
        if not len(labels):
            log.warning("no file of NAF labels: the register's codes are stored without labels")
            labels = naf.unlabelled_naf(self.con, register)
        tables["naf"] = {"rows": write_country(self.root, STORE_NAF, labels)}
        words = naf.naf_words(self.con, register)
        tables["naf_words"] = {"rows": write_country(self.root, STORE_NAF_WORDS, words)}

    def _manifest(self, wanted: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
        departements = sorted({d for t in tables.values() for d in t.get("departements", ())})
        return {
            "format": STORE_FORMAT,
            "format_version": STORE_FORMAT_VERSION,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "geomatch_version": geomatch.__version__,
            "options": wanted["options"],
            "sources": [
                {**_identity(s), "rows": s.rows, "vintage": s.vintage} for s in self.sources
            ],
            "tables": dict(tables),
            "departements": departements,
            "crs": {d: crs_of(d) for d in departements},
        }
