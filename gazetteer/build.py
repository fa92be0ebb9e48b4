"""Official files → one reference store, built beside the old one and swapped in at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

import geomatch
from gazetteer import ban, cog, geoloc, naf, places, register, sirene
from gazetteer.engine import arrow, engine, frame, quoted, store_frame
from gazetteer.inputs import described, find_sources, is_built
from gazetteer.locate import located
from gazetteer.naming import commune_labels, named
from gazetteer.options import BuildOptions, checked_options
from gazetteer.reading import checked
from gazetteer.sources import Source
from gazetteer.store import write_country, write_departement, write_manifest
from gazetteer.swap import locked, staging, swap
from geomatch.addresses import Geocoder
from geomatch.errors import ConfigError
from geomatch.schema import (
    NAMES,
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
)
from geomatch.store import Store
from geomatch.territories import crs_of

__all__ = ["BuildOptions", "build"]

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]


def build(options: BuildOptions, progress: Progress | None = None) -> Store:
    """Build the store, or return the one at ``options.out`` when it is of these very inputs.

    `progress` gets a step's name and the share done, in [0, 1]. Raises :class:`ConfigError` when
    the place is not a store's, :class:`DataError` when a file is not usable; the old store, if
    any, is then as it was.
    """
    tell = progress or (lambda step, share: None)
    options = checked_options(options)
    tell("fichiers", 0.0)
    sources = find_sources(options)
    with locked(options.out):
        if not options.force and is_built(options, sources):
            log.info("%s is already built from these files", options.out)
            tell("inchangé", 1.0)
            return Store.open(options.out)
        with staging(options.out) as folder:
            root = _built(options, sources, folder, tell)
            tell("mise en place", 0.99)
            swap(root, options.out)
    tell("terminé", 1.0)
    return Store.open(options.out)


def _built(options: BuildOptions, sources: Sequence[Source], folder: Path, tell: Progress) -> Path:
    """Build in `folder`; where in it the finished store is."""
    work, root = folder / "work", folder / "store"
    work.mkdir()
    root.mkdir()
    try:
        with engine(work, memory_limit=options.memory_limit, threads=options.threads) as con:
            _Build(con, root, work, options, sources, tell).run()
    except duckdb.OutOfMemoryException as error:
        raise ConfigError(
            f"the build needs more memory than {options.memory_limit}; allow more, or give fewer "
            "départements"
        ) from error
    return root


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

    def run(self) -> None:
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
        write_manifest(self.root, self._manifest(tables))

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
        others = geoloc.geolocated_extents(self.con)
        others = others[~others["code_commune"].isin(extents["code_commune"])]
        if len(others):
            extents = pd.concat([extents, others], ignore_index=True)
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
        geoloc.load_geoloc(self.con, self.of("geoloc"))
        return register.write_register(
            self.con,
            self.work / "register",
            departements=self.options.departements,
            nomenclature=self.options.nomenclature,
        )

    def _establishments(
        self, departements: Sequence[str], communes: pd.DataFrame, tables: dict[str, Any]
    ) -> None:
        counts: dict[str, int] = {}
        names: dict[str, int] = {}
        labels = commune_labels(communes)
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
            crs = crs_of(departement)
            places = located(rows, communes, geocoder)
            counts[departement] = write_departement(
                self.root, STORE_ESTABLISHMENTS, departement, places, crs=crs
            )
            names[departement] = write_departement(
                self.root, NAMES, departement, named(rows, labels), crs=crs
            )
        for table, rows_of in (("establishments", counts), ("names", names)):
            tables[table] = {"rows": sum(rows_of.values()), "departements": rows_of}

    def _register_sql(self, departement: str) -> str:
        files = self.work / "register" / f"departement={departement}" / "*.parquet"
        return f"read_parquet({quoted(files)}, hive_partitioning=false)"

    def _activities(self, tables: dict[str, Any]) -> None:
        whole = self._register_sql("*")
        labels = naf.read_naf(self.con, self.of("naf"))
        if not len(labels):
            log.warning("no file of NAF labels: the register's codes are stored without labels")
            labels = naf.unlabelled_naf(self.con, whole, self.options.nomenclature)
        tables["naf"] = {"rows": write_country(self.root, STORE_NAF, labels)}
        words = naf.naf_words(self.con, whole)
        tables["naf_words"] = {"rows": write_country(self.root, STORE_NAF_WORDS, words)}

    def _manifest(self, tables: Mapping[str, Any]) -> dict[str, Any]:
        departements = sorted({d for t in tables.values() for d in t.get("departements", ())})
        return {
            "format": STORE_FORMAT,
            "format_version": STORE_FORMAT_VERSION,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "geomatch_version": geomatch.__version__,
            "options": self.options.content(),
            "sources": [described(s) for s in self.sources],
            "tables": dict(tables),
            "departements": departements,
            "crs": {d: crs_of(d) for d in departements},
        }
