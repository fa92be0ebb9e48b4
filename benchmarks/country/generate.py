"""All départements side by side, then one file of each kind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from benchmarks.country import bulletins, cog, places, plan, register, sirene
from benchmarks.country.plan import Plan, Share
from gazetteer.examples import write_examples

#: Files of the whole country, and the parts each is put together from.
_STOCK = {"etablissements": "StockEtablissement_utf8", "unites": "StockUniteLegale_utf8"}
_GEOLOC = "GeolocalisationEtablissement_Sirene_pour_etudes_statistiques_utf8.csv"
#: Sources of ``gazetteer.references`` that are drawn; of others that a build needs, an example.
_DRAWN = frozenset(
    (
        "communes",
        "mouvements",
        "laposte",
        "naf",
        "ban",
        "etablissements",
        "unites_legales",
        "geoloc",
    )
)
Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Options:
    """What country is asked for, and where it goes.

    `cog` is a folder of real COG files, None for invented communes; `only` some départements;
    `form` of the Sirene files is ``parquet`` or ``csv``.
    """

    out: Path
    scale: float = 0.01
    cog: Path | None = None
    only: tuple[str, ...] | None = None
    bulletins: int | None = None
    seed: int = 1
    workers: int = 2
    form: str = "parquet"


def generate(options: Options, tell: Tell = lambda step, share: None) -> dict[str, Any]:
    """Write ``ban/``, ``sirene/``, ``geoloc/``, ``cog/``, ``bulletins.csv`` and their truth.

    Returns what was made: rows of each kind, seconds.
    """
    begun = time.monotonic()
    communes = cog.real(options.cog) if options.cog else cog.invented(options.seed)
    made = plan.drawn(
        communes,
        scale=options.scale,
        seed=options.seed,
        only=options.only,
        bulletins=options.bulletins,
    )
    parts = options.out / ".parts"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    cog.write(options.out / "cog", made.communes, options.cog)
    write_examples(options.out, drawn=_DRAWN)
    rows = {"addresses": 0, "streets": 0, "establishments": 0, "bulletins": 0}
    # the largest first: the last ones to finish are small
    shares = sorted(made.shares, key=lambda s: -s.active)
    for done, counts in enumerate(_each(shares, made, options), start=1):
        rows = {k: rows[k] + counts[k] for k in rows}
        tell("départements", 0.85 * done / len(shares))
    tell("fichiers", 0.86)
    _stock(parts, options)
    _geolocated(parts, options.out / "geoloc", [s.departement for s in made.shares])
    _campaign(parts, made, options.out)
    shutil.rmtree(parts)
    return rows | {
        "communes": len(made.communes),
        "seconds": round(time.monotonic() - begun, 1),
    }


def _each(shares: Sequence[Share], made: Plan, options: Options) -> Iterator[dict[str, int]]:
    work = partial(_departement, made, options.out)
    if options.workers == 1 or len(shares) == 1:
        yield from map(work, shares)
        return
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, share) for share in shares]):
            yield future.result()


def _departement(made: Plan, out: Path, share: Share) -> dict[str, int]:
    """Write one département: its BAN file, and its parts of the country's files."""
    parts, name = out / ".parts", share.departement
    streets = places.drawn(made, share)
    places.write_ban(streets, out / "ban")
    firms = register.drawn(made, share, streets)
    args = (made.seed, share.number, firms)
    for role, rows in (
        ("etablissements", sirene.establishment_rows(*args, streets)),
        ("unites", sirene.unit_rows(*args)),
    ):
        pq.write_table(rows, parts / f"{role}-{name}.parquet", compression="lz4")
    _write_csv(sirene.position_rows(*args, streets), parts / f"geoloc-{name}.csv", header=False)
    forms, truth = bulletins.table(bulletins.drawn(made, share, firms, streets))
    pq.write_table(forms, parts / f"bulletins-{name}.parquet")
    pq.write_table(truth, parts / f"truth-{name}.parquet")
    return {
        "addresses": len(streets.street),
        "streets": len(streets.street_commune),
        "establishments": int((firms.state != register.UNREGISTERED).sum()),
        "bulletins": len(forms),
    }


def _write_csv(rows: pa.Table, file: Path, *, header: bool, style: str = "none") -> None:
    """Semicolons; the header unquoted, as official files have it."""
    options = pacsv.WriteOptions(include_header=False, delimiter=";", quoting_style=style)
    with file.open("wb") as out:
        if header:
            out.write((";".join(rows.column_names) + "\n").encode())
        pacsv.write_csv(rows, out, options)


def _stock(parts: Path, options: Options) -> None:
    """One file of establishments and one of units, département after département."""
    folder = options.out / "sirene"
    folder.mkdir(parents=True, exist_ok=True)
    for role, name in _STOCK.items():
        files = sorted(parts.glob(f"{role}-*.parquet"))
        final = folder / f"{name}.{options.form}"
        partial_ = folder / f".{name}.part"
        schema = pq.read_schema(files[0])
        if options.form == "csv":
            style = pacsv.WriteOptions(delimiter=",", quoting_style="needed")
            writer: Any = pacsv.CSVWriter(partial_, schema, write_options=style)
        else:
            writer = pq.ParquetWriter(partial_, schema, compression="zstd", compression_level=1)
        with writer:
            for file in files:
                for batch in pq.ParquetFile(file).iter_batches(250_000):
                    writer.write_batch(batch)
        partial_.replace(final)


def _geolocated(parts: Path, folder: Path, departements: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    partial_ = folder / ".geoloc.part"
    from geomatch.demo.layouts import columns

    with partial_.open("wb") as out:
        out.write((";".join(columns("geolocalisation")) + "\n").encode())
        for departement in departements:
            with (parts / f"geoloc-{departement}.csv").open("rb") as part:
                shutil.copyfileobj(part, out, 1 << 22)
    partial_.replace(folder / _GEOLOC)


def _campaign(parts: Path, made: Plan, out: Path) -> None:
    """The bulletins in no order of places, Latin-1, and their truth in the same order."""
    names = [s.departement for s in made.shares]
    tables = [
        pa.concat_tables([pq.read_table(parts / f"{kind}-{d}.parquet") for d in names])
        for kind in ("bulletins", "truth")
    ]
    n = len(tables[0])
    order = pa.array(np.random.default_rng([made.seed, 10]).permutation(n))
    ids = pc.binary_join_element_wise(
        "9", pc.utf8_lpad(pa.array(np.arange(n)).cast(pa.string()), 9, "0"), ""
    )
    for table, name in zip(tables, ("bulletins.csv", "truth.csv"), strict=True):
        rows = table.take(order).add_column(0, "CABBI", ids)
        plain = out / f".{name}.part"
        _write_csv(rows, plain, header=True, style="needed" if name == "bulletins.csv" else "none")
        if name == "bulletins.csv":
            _recode(plain)
        plain.replace(out / name)


def _recode(file: Path) -> None:
    """UTF-8 → Latin-1, as the census files are."""
    recoded = file.with_suffix(".latin1")
    with (
        file.open(encoding="utf-8", newline="") as source,
        recoded.open("w", encoding="latin-1", errors="replace", newline="") as target,
    ):
        while chunk := source.read(1 << 22):
            target.write(chunk)
    recoded.replace(file)
