"""Official files → one reference store, built beside the old one and swapped in at the end.

Everything that can be is done file by file and département by département, on several
processes; what is finished is journalled, so an interrupted build goes on where it was.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

import geomatch
from gazetteer import cog, geoloc, naf, parts, places, register
from gazetteer.accounts import Account, settle
from gazetteer.engine import engine, frame, full_disk
from gazetteer.files import Source
from gazetteer.inputs import build_key, described, find_sources, is_built
from gazetteer.jobs import Job, run_jobs
from gazetteer.loading import Loading, Stage
from gazetteer.options import BuildOptions, checked_options
from gazetteer.references import BY_ROLE, REFERENCES
from gazetteer.store import write_country, write_manifest
from gazetteer.swap import locked, refuse_foreign, staging, swap
from gazetteer.workshop import Workshop
from geomatch.core.errors import ConfigError
from geomatch.core.schema import (
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
    STORE_FORMAT,
    STORE_FORMAT_VERSION,
)
from geomatch.core.territories import crs_of
from geomatch.store.integrity import sealed
from geomatch.store.nearby import NEARBY
from geomatch.store.reader import POOLS, Store

__all__ = ["BuildOptions", "build"]

log = logging.getLogger(__name__)

Progress = Callable[[str, float], None]

#: Bytes of files that are built sooner than other processes would be ready.
_SMALL = 20_000_000
#: What a job takes whatever its size, and for each thousand rows, in megabytes: measured. A pool
#: is more than its département; of Seine-Saint-Denis, between Paris and others, three times it.
_JOB_MB, _ADDRESSES_MB, _ESTABLISHMENTS_MB, _POOLS_MB = 450.0, 0.9, 1.6, 2.6


def build(options: BuildOptions, progress: Progress | None = None) -> Store:
    """Build the store, or return the one at ``options.out`` when it is of these very inputs.

    `progress` gets a step's name and the share done, in [0, 1]. Raises :class:`ConfigError` when
    the place is not a store's, :class:`DataError` when a file is not usable; the old store, if
    any, is then as it was. A build that was killed goes on where it was when it is run again
    with the same files and options.
    """
    tell = progress or (lambda step, share: None)
    options = checked_options(options)
    if options.out.is_symlink():  # the store it leads to is replaced, not the link
        options = replace(options, out=options.out.resolve())
    refuse_foreign(options.out)
    tell("fichiers", 0.0)
    sources = find_sources(options)
    with locked(options.out):
        if not options.force and is_built(options, sources):
            log.info("%s is already built from these files", options.out)
            tell("inchangé", 1.0)
            return Store.open(options.out)
        try:
            with staging(options.out, build_key(options, sources)) as folder:
                root = _built(options, sources, folder, tell)
                tell("mise en place", 0.99)
                swap(root, options.out)
        except (OSError, duckdb.Error, pa.ArrowException) as error:
            full = full_disk(error, options.out.parent)
            if full is None:
                raise
            raise full from error
    tell("terminé", 1.0)
    return Store.open(options.out)


def _built(options: BuildOptions, sources: Sequence[Source], folder: Path, tell: Progress) -> Path:
    """Build in `folder`; where in it the finished store is."""
    small = sum(s.size for s in sources) < _SMALL
    workers = 1 if small else options.workers
    shop = Workshop(folder, options.megabytes, workers, options.departements)
    for needed in (shop.work, shop.root):
        needed.mkdir(exist_ok=True)
    # the databases of jobs that were killed
    for left in shop.work.glob("engine*"):
        shutil.rmtree(left)
    limit = options.memory_limit
    try:
        with engine(shop.work / "engine", memory_limit=limit, threads=options.threads) as con:
            _Build(con, shop, options, list(sources), tell).run()
    except duckdb.OutOfMemoryException as error:
        raise full_disk(error, folder) or ConfigError(
            f"the build needs more memory than {options.memory_limit}; allow more, or give fewer "
            "départements"
        ) from error
    return shop.root


@dataclass
class _Build:
    """One run: the database of the whole country's tables, and what the manifest counts."""

    con: duckdb.DuckDBPyConnection
    shop: Workshop
    options: BuildOptions
    sources: list[Source]
    tell: Progress
    tables: dict[str, Any] = field(default_factory=dict)
    #: of each département's index of establishments, in degrees
    bounds: dict[str, list[float]] = field(default_factory=dict)
    #: what became of the rows of each file
    accounts: list[dict[str, Any]] = field(default_factory=list)

    def _loading(self) -> Loading:
        return Loading(self.con, self.options, self.sources, self.shop.register())

    def _load(self, stage: Stage) -> dict[str, Any]:
        """Load the sources of a stage, in the order of their records; the tables that they add."""
        before, loading = set(self.tables), self._loading()
        for one in REFERENCES:
            if one.stage is stage and one.load is not None:
                for table, rows in one.load(loading):
                    self._write(table.name, table, rows)
        self._settle(loading.accounts)
        return {name: table for name, table in self.tables.items() if name not in before}

    def run(self) -> None:
        naf.define_macros(self.con)
        self._check()
        self.tell("communes", 0.08)
        codes = self._communes()
        streets = self._addresses()
        self.tell("établissements", 0.35)
        register_rows = self._register()
        communes = self._places(codes, streets)
        self._write("communes", STORE_COMMUNES, communes)
        self._establishments(register_rows, streets)
        self._pools(register_rows)
        self.tell("activités", 0.95)
        self._load(Stage.LABELS)
        write_manifest(self.shop.root, sealed(self.shop.root, self._manifest()))

    def _do(self, jobs: Sequence[Job], step: str, low: float, high: float) -> dict[str, Any]:
        """Run jobs; what each reported. The share done goes from `low` to `high`."""
        left = len([j for j in jobs if self.shop.journal.get(j.name) is None])
        self.tell(step, low)
        for done, _ in enumerate(run_jobs(jobs, self.shop), start=1):
            self.tell(f"{step} {done} sur {left}", low + (high - low) * done / left)
        return {job.name: self.shop.journal.get(job.name) for job in jobs}

    def _write(self, name: str, table: Any, rows: pd.DataFrame) -> None:
        self.tables[name] = {"rows": write_country(self.shop.root, table, rows)}

    def _check(self) -> None:
        jobs = [Job(f"check-{i}", parts.check, s, 60.0) for i, s in enumerate(self.sources)]
        done = self._do(jobs, "contrôle des fichiers", 0.02, 0.07)
        for i, job in enumerate(jobs):
            plain = done[job.name]["unpacked"]
            self.sources[i] = replace(
                self.sources[i],
                rows=done[job.name]["rows"],
                unpacked=Path(plain) if plain else None,
            )

    def _settle(self, found: Sequence[Account]) -> None:
        self.accounts += settle(found, self.options.allowed)

    def _communes(self) -> cog.Cog:
        self._load(Stage.COMMUNES)
        loading = self._loading()
        codes = cog.read_cog(loading)
        self._settle(loading.accounts)
        for table, rows in (
            (STORE_COMMUNE_NAMES, codes.names),
            (STORE_COMMUNE_POSTCODES, codes.postcodes),
            (STORE_COMMUNE_HISTORY, codes.history),
        ):
            self._write(table.name, table, rows)
        for name in parts.COMMUNE_TABLES:
            frame(self.con, f"SELECT * FROM {name}").to_parquet(self.shop.work / f"{name}.parquet")
        return codes

    def _addresses(self) -> dict[str, int]:
        """Streets and addresses of all départements, written; addresses of each."""
        cut = [
            Job(f"ban-{i}", parts.split, (i, s), _JOB_MB)
            for i, s in enumerate(self.sources)
            if BY_ROLE[s.role].stage is Stage.ADDRESSES
        ]
        rows: dict[str, int] = {}
        reports = self._do(cut, "adresses", 0.10, 0.18).values()
        self._settle([Account(**report["account"]) for report in reports])
        for report in reports:
            for departement, n in report["departements"].items():
                rows[departement] = rows.get(departement, 0) + n
        jobs = [
            Job(f"addresses-{d}", parts.addresses, d, _JOB_MB + n / 1000 * _ADDRESSES_MB)
            for d, n in sorted(rows.items())
        ]
        done = self._do(jobs, "adresses", 0.18, 0.35)
        for name in ("streets", "addresses"):
            self._count(name, {d: done[f"addresses-{d}"][name] for d in sorted(rows)})
        return rows

    def _count(self, name: str, rows: dict[str, int]) -> None:
        self.tables[name] = {"rows": sum(rows.values()), "departements": rows}

    def _register(self) -> dict[str, int]:
        """The register joined, by département, in the workshop; rows of each."""
        known = self.shop.journal.get("register")
        if known is None:
            shutil.rmtree(self.shop.work / "register", ignore_errors=True)
            n_told = len(self.accounts)
            tables = self._load(Stage.REGISTER)
            accounts = self.accounts[n_told:]
            del self.accounts[n_told:]
            others = geoloc.geolocated_extents(self.con)
            others.to_parquet(self.shop.work / "geolocated.parquet", index=False)
            rows = register.write_register(
                self.con,
                self.shop.work / "register",
                departements=self.options.departements,
                nomenclature=self.options.nomenclature,
            )
            known = {"rows": rows, "tables": tables, "accounts": accounts}
            self.shop.journal.put("register", known)
        self.accounts += known["accounts"]
        self.tables |= known["tables"]
        return known["rows"]

    def _places(self, codes: cog.Cog, streets: dict[str, int]) -> pd.DataFrame:
        """Communes with centre and radius; their neighbours are written."""
        extents, cells = parts.extents(self.shop, sorted(streets))
        others = pd.read_parquet(self.shop.work / "geolocated.parquet")
        others = others[~others["code_commune"].isin(extents["code_commune"])]
        if len(others):
            extents = pd.concat([extents, others], ignore_index=True)
        communes = places.located_communes(codes.communes, extents, codes.gps)
        number = frame(
            self.con, f"SELECT code_commune, count(*) AS n FROM {self.shop.register()} GROUP BY 1"
        ).set_index("code_commune")["n"]
        communes["n_establishments"] = (
            communes["code_commune"].map(number).fillna(0).astype("int64")
        )
        self._write(
            STORE_COMMUNE_NEIGHBOURS.name,
            STORE_COMMUNE_NEIGHBOURS,
            places.neighbours(communes, cells),
        )
        return communes

    def _establishments(self, rows: dict[str, int], streets: dict[str, int]) -> None:
        """Establishments and names of all départements; what words of names say of the NAF."""
        jobs = [
            Job(
                f"establishments-{d}",
                parts.establishments,
                (d, d in streets),
                _JOB_MB + (n * _ESTABLISHMENTS_MB + streets.get(d, 0) * _ADDRESSES_MB / 2) / 1000,
            )
            for d, n in sorted(rows.items())
        ]
        words = Job("words-naf", parts.words, None, self.shop.megabytes / 2)
        done = self._do([words, *jobs], "établissements", 0.4, 0.85)
        for name in ("establishments", "names"):
            self._count(name, {d: done[f"establishments-{d}"][name] for d in sorted(rows)})
        self.tables["naf_words"] = done[words.name]

    def _pools(self, rows: dict[str, int]) -> None:
        """Establishments as they are searched, of every département that the store is to know."""
        jobs = [
            Job(f"pools-{d}", parts.pool, d, _JOB_MB + rows.get(d, 0) / 1000 * _POOLS_MB)
            for d in self._departements()
        ]
        done = self._do(jobs, "recherche", 0.85, 0.95)
        self._count(POOLS, {j.subject: done[j.name]["establishments"] for j in jobs})
        self.bounds = {j.subject: done[j.name]["bounds"] for j in jobs}

    def _departements(self) -> list[str]:
        return sorted({d for t in self.tables.values() for d in t.get("departements", ())})

    def _manifest(self) -> dict[str, Any]:
        departements = self._departements()
        return {
            "format": STORE_FORMAT,
            "format_version": STORE_FORMAT_VERSION,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "geomatch_version": geomatch.__version__,
            "options": self.options.content(),
            "sources": [described(s) for s in self.sources],
            "accounts": self.accounts,
            "tables": self.tables,
            NEARBY: self.bounds,
            "departements": departements,
            "crs": {d: crs_of(d) for d in departements},
        }
