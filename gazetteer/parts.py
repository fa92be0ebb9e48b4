"""The jobs of a build that are done file by file or département by département."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gazetteer import ban, naf
from gazetteer.engine import arrow, file_named, run
from gazetteer.files import Source
from gazetteer.locate import located
from gazetteer.naming import commune_labels, named
from gazetteer.pools import write_pool
from gazetteer.reading import checked, reading
from gazetteer.references import BY_ROLE
from gazetteer.store import write_country, write_departement
from gazetteer.workshop import Workshop
from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.core.schema import NAMES, STORE_COMMUNES, STORE_ESTABLISHMENTS, STORE_NAF_WORDS
from geomatch.core.territories import crs_of, departement_of
from geomatch.store.nearby import COLUMNS, nearby_folder, write_index
from geomatch.store.reader import Store

#: Tables that cutting the BAN up needs, as files of the workshop.
COMMUNE_TABLES = ("communes", "commune_history")


def check(shop: Workshop, source: Source) -> dict[str, Any]:
    """Read one official file to its end; its rows, and the plain copy made of it, if any."""
    folder = shop.work / "unpacked"
    folder.mkdir(exist_ok=True)
    done = checked(source, folder)
    return {"rows": done.rows, "unpacked": str(done.unpacked) if done.unpacked else None}


def split(shop: Workshop, subject: tuple[int, Source]) -> dict[str, Any]:
    """Cut one BAN file up by département of today; rows kept of each, and the file's account."""
    number, source = subject
    final = shop.work / "ban" / str(number)
    partial = final.with_suffix(".part")
    for left in (partial, final):
        shutil.rmtree(left, ignore_errors=True)
    partial.parent.mkdir(exist_ok=True)
    with shop.engine() as con:
        for table in COMMUNE_TABLES:
            file = file_named(shop.work / f"{table}.parquet")
            run(con, f"CREATE TABLE {table} AS SELECT * FROM read_parquet({file})")
        with reading(source):
            cut = BY_ROLE[source.role].cut
            if cut is None:
                raise ValueError(f"reference source '{source.role}' is not cut by département")
            account = cut(con, source, partial, shop.kept())
    partial.rename(final)
    return {"departements": _rows_by_departement(final), "account": account.content()}


def _rows_by_departement(folder: Path) -> dict[str, int]:
    rows: Counter[str] = Counter()
    for file in sorted(folder.glob("departement=*/*.parquet")):
        rows[file.parent.name.removeprefix("departement=")] += pq.read_metadata(file).num_rows
    return dict(rows)


def addresses(shop: Workshop, departement: str) -> dict[str, Any]:
    """Write one département's streets and addresses; their numbers."""
    with shop.engine() as con:
        run(con, f"CREATE TABLE ban AS SELECT * FROM {shop.ban_parts(departement)}")
        parts = ban.write_ban(con, shop.root)
    for name, table in (("extents", parts.extents), ("cells", parts.cells)):
        file = shop.work / name / f"{departement}.parquet"
        file.parent.mkdir(exist_ok=True)
        table.to_parquet(file, index=False)
    return {"streets": sum(parts.streets.values()), "addresses": sum(parts.addresses.values())}


def extents(shop: Workshop, departements: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Extents of communes and their inhabited squares, of all the départements written."""
    if not departements:
        nothing = ban.BanParts.nothing()
        return nothing.extents, nothing.cells
    made = [
        pd.concat([pd.read_parquet(shop.work / name / f"{d}.parquet") for d in departements])
        for name in ("extents", "cells")
    ]
    return made[0], made[1]


def establishments(shop: Workshop, subject: tuple[str, bool]) -> dict[str, Any]:
    """Write one département's establishments, placed, and their names; how many.

    `subject` is the département and whether it has streets.
    """
    departement, has_streets = subject
    country = _country(shop)
    geocoder = None
    if has_streets:
        geocoder = Geocoder.open(country.store, [departement], communes=country.index)
    with shop.engine() as con:
        con.register("borders", _borders(country.index, departement))
        rows = arrow(
            con,
            f"SELECT r.* FROM {shop.register(departement)} r LEFT JOIN borders b "
            "USING (code_commune) ORDER BY b.others NULLS FIRST, code_commune, siret",
        )
    crs = crs_of(departement)
    names = named(rows, country.labels)
    n_names = write_departement(shop.root, NAMES, departement, names, crs=crs)
    del names
    places = located(rows, country.communes, geocoder)
    n = write_departement(shop.root, STORE_ESTABLISHMENTS, departement, places, crs=crs)
    return {"establishments": n, "names": n_names}


def _borders(index: CommuneIndex, departement: str) -> pa.Table:
    """Communes that touch others across the border, and the départements of these.

    Who looks across the border finds what is there in few places of the file.
    """
    others = {}
    for code in index.labels:
        if departement_of(code) == departement:
            near = {departement_of(n) for n in index.neighbours(code)} - {departement}
            if near:
                others[code] = " ".join(sorted(near))
    return pa.table(
        {
            "code_commune": pa.array(list(others), pa.string()),
            "others": pa.array(list(others.values()), pa.string()),
        }
    )


def words(shop: Workshop, subject: None) -> dict[str, Any]:
    """Write what the words of the register's names say of the activity; how many pairs."""
    with shop.engine() as con:
        table = naf.naf_words(con, shop.register())
    return {"rows": write_country(shop.root, STORE_NAF_WORDS, table)}


def pool(shop: Workshop, departement: str) -> dict[str, Any]:
    """Write one département's establishments as they are searched; how many, with its fringe."""
    country = _country(shop)
    placed = country.store.arrow(STORE_ESTABLISHMENTS, departement, COLUMNS)
    return {
        "establishments": write_pool(country.store, country.index, departement),
        "bounds": write_index(
            nearby_folder(shop.root, departement), placed, crs_of(f"{departement}000"[:5])
        ),
    }


class _Country:
    """What every département's establishments need of the store so far, loaded once a process."""

    def __init__(self, root: Path) -> None:
        # the geocoder reads what is written so far, before there is a manifest
        self.store = Store(root, {"departements": []})
        self.communes = self.store.country(STORE_COMMUNES)
        self.labels = commune_labels(self.communes)
        self.index = CommuneIndex.open(self.store)


@lru_cache(maxsize=1)
def _country_at(root: Path, written: int) -> _Country:
    return _Country(root)


def _country(shop: Workshop) -> _Country:
    # another build in the same place has written another file
    written = (shop.root / f"{STORE_COMMUNES.name}.parquet").stat().st_mtime_ns
    return _country_at(shop.root, written)
