"""Small invented registers, as frames, as pools and as stores on disk.

A register is a list of dictionaries with the columns of STORE_ESTABLISHMENTS that matter to a
test; the rest is filled in. Streets lie 200 m apart in their commune, communes 4 km apart,
house number n is 10 × n metres along its street, so every place can be told by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetteer.pools import write_pool
from gazetteer.store import write_country, write_departement, write_manifest
from geomatch.addresses import CommuneIndex, name_columns, street_columns
from geomatch.core.config import CandidateOptions
from geomatch.core.schema import (
    COUNTRY_TABLES,
    DEPARTEMENT_TABLES,
    STORE_ADDRESSES,
    STORE_ESTABLISHMENTS,
    STORE_FORMAT,
    STORE_FORMAT_VERSION,
    STORE_STREETS,
    Table,
)
from geomatch.core.street_keys import street_key
from geomatch.core.territories import crs_of, departement_of
from geomatch.core.text import normalise
from geomatch.linkage.blocking import Activities, find_candidates
from geomatch.linkage.pool import Pool, street_codes
from geomatch.linkage.workplaces import Places, Relation
from geomatch.names.clean import NAMES, TownWords, clean_names, name_words, towns_named
from geomatch.names.coverage import Coverage
from geomatch.names.register import register_names
from geomatch.names.similar import WrittenNames, similar_names
from geomatch.store.reader import Store

Row = Mapping[str, Any]
#: Communes of these registers, in a row from west to east: each touches the next.
COMMUNES = {
    "96001": "VALBRUNE",
    "96002": "SAINT-OURSIN-LES-BOIS",
    "96003": "LE PLESSIS-GALANT",
    "96004": "MONTFRELON",
    "96005": "COURSAINTE",
}
NAFS = {
    "10.71C": "Boulangerie et boulangerie-pâtisserie",
    "24.10Z": "Sidérurgie",
    "25.62B": "Mécanique industrielle",
    "43.21A": "Travaux d'installation électrique",
    "45.20A": "Entretien et réparation de véhicules automobiles légers",
    "47.11F": "Hypermarchés",
    "47.73Z": "Commerce de détail de produits pharmaceutiques",
    "49.41A": "Transports routiers de fret interurbains",
    "56.10A": "Restauration traditionnelle",
    "69.20Z": "Activités comptables",
    "84.11Z": "Administration publique générale",
    "85.20Z": "Enseignement primaire",
    "85.31Z": "Enseignement secondaire général",
    "86.10Z": "Activités hospitalières",
    "87.10A": "Hébergement médicalisé pour personnes âgées",
}
_COMMUNE_STEP_M = 4_000.0
_STREET_STEP_M = 200.0
_NUMBER_STEP_M = 10.0
_ORIGIN = (600_000.0, 6_600_000.0)


def register(*rows: Row) -> pd.DataFrame:
    """The establishments as a pool's frame; each is located when it has a street."""
    filled = []
    for i, row in enumerate(rows):
        siren = str(row.get("siren", f"{900_000_000 + i:09d}"))
        defaults = {
            "siret": f"{siren}{i + 1:05d}",
            "siren": siren,
            "code_commune": "96001",
            "tranche_effectifs": "01",
            "naf": "",
            "voie_id": -1,
            "x": np.nan,
            "y": np.nan,
            "uncertainty_m": np.nan,
            "geocode_level": "none",
        }
        filled.append({**defaults, **row})
    frame = pd.DataFrame(filled)
    if "libelle_commune" not in frame:
        frame["libelle_commune"] = frame["code_commune"].map(COMMUNES)
    frame["crs"] = [crs_of(c) for c in frame["code_commune"]]
    frame = STORE_ESTABLISHMENTS.conform(frame)
    return _located(frame).assign(departement=[departement_of(c) for c in frame["code_commune"]])


def centre(code_commune: str) -> tuple[float, float]:
    """x, y of the middle of a commune, metres."""
    return _ORIGIN[0] + _COMMUNE_STEP_M * list(COMMUNES).index(code_commune), _ORIGIN[1]


def _located(frame: pd.DataFrame) -> pd.DataFrame:
    """Give establishments with a street its voie_id and, unless they have one, a position."""
    streets = _streets(frame)
    at = {
        (c, k): (v, x, y)
        for c, k, v, x, y in streets[
            ["code_commune", "nom_norm", "voie_id", "x0", "y0"]
        ].itertuples(index=False)
    }
    frame = frame.copy()
    for i, row in enumerate(frame.itertuples(index=False)):
        key = (row.code_commune, street_key(f"{row.type_voie} {row.nom_voie}"))
        if key not in at or not np.isnan(row.x):
            continue
        voie, x, y = at[key]
        numbered = row.numero.isdigit()
        frame.loc[i, "voie_id"] = voie
        frame.loc[i, "x"] = x + _NUMBER_STEP_M * (int(row.numero) if numbered else 0)
        frame.loc[i, "y"] = y
        frame.loc[i, "uncertainty_m"] = 10.0 if numbered else 140.0
        frame.loc[i, "geocode_level"] = "housenumber" if numbered else "street"
        frame.loc[i, "geocode_score"] = 1.0
    return frame


def _streets(frame: pd.DataFrame) -> pd.DataFrame:
    """Distinct streets of the register, with where each begins (x0, y0)."""
    rows = frame[frame["nom_voie"] != ""]
    written = [f"{t} {n}".strip() for t, n in zip(rows["type_voie"], rows["nom_voie"], strict=True)]
    streets = pd.DataFrame({"code_commune": rows["code_commune"], "nom_voie": written})
    streets["nom_norm"] = [street_key(w) for w in written]
    streets = streets.assign(**street_columns(streets["nom_norm"].tolist()))
    streets = streets.drop_duplicates(["code_commune", "nom_norm"])
    streets = streets.sort_values(["code_commune", "nom_norm"], ignore_index=True)
    streets["voie_id"] = np.arange(len(streets))
    rank = streets.groupby("code_commune").cumcount()
    streets["x0"] = [centre(c)[0] for c in streets["code_commune"]]
    streets["y0"] = [centre(c)[1] for c in streets["code_commune"]] + rank * _STREET_STEP_M
    return streets


# ------------------------------------------------------------------ pools
def pool_of(frame: pd.DataFrame) -> Pool:
    """Index a register, its street names normalised in place of the parser."""
    rows = with_compared(frame)
    departements = pa.array([departement_of(c) for c in rows["code_commune"]], pa.string())
    table = as_arrow(STORE_ESTABLISHMENTS, rows).append_column("departement", departements)
    return Pool(table, as_arrow(NAMES, names_of(frame)))


def as_arrow(table: Table, frame: pd.DataFrame) -> pa.Table:
    """A table as the store has it."""
    kinds = {"text": pa.string(), "float": pa.float64(), "int": pa.int64(), "bool": pa.bool_()}
    schema = pa.schema([(c, kinds[kind]) for c, (kind, _) in table.columns.items()])
    return pa.Table.from_pandas(table.conform(frame), schema=schema, preserve_index=False)


def names_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Names that a register bears."""
    if not len(frame):
        return NAMES.empty()
    return register_names(frame, frame["libelle_commune"].tolist())


def with_compared(frame: pd.DataFrame) -> pd.DataFrame:
    """A register with the number and the street name that are compared."""
    return frame.assign(
        numero_norm=pd.to_numeric(frame["numero"], errors="coerce").fillna(-1).astype("int64"),
        voie_norm=[normalise(v) for v in frame["nom_voie"]],
    )


@dataclass(frozen=True)
class Search:
    """What a search for candidates was asked and what it found."""

    pool: Pool
    places: Places
    names: WrittenNames
    written: list[str]
    activities: Activities
    pairs: pd.DataFrame

    def sirets(self, bulletin: int = 0) -> list[str]:
        """SIRETs found for a bulletin, best first."""
        mine = self.pairs[self.pairs["row"] == bulletin]
        return self.pool.siret(mine["establishment"].to_numpy()).tolist()

    def source(self, bulletin: int, siret: str) -> int:
        """Bits of the sources that found an establishment; 0 when none did."""
        mine = self.pairs[self.pairs["row"] == bulletin]
        hit = mine[self.pool.siret(mine["establishment"].to_numpy()) == siret]
        return int(hit["source"].iloc[0]) if len(hit) else 0


def search(
    frame: pd.DataFrame,
    bulletins: Sequence[Row],
    options: CandidateOptions | None = None,
    cities: Mapping[str, str] | None = None,
) -> Search:
    """Look bulletins up in a register, phases 4 alone.

    A bulletin is ``names`` (a list), ``commune`` (default VALBRUNE, its neighbours are those of
    :data:`COMMUNES`), ``x``, ``y``, ``radius`` (metres), ``voie_id``, ``numero``, ``nom_voie``
    ``towns`` (codes that the employer's name holds, in a text) and ``evidence`` (NAF → log).
    `cities` names communes that go by another name than their code (arrondissements).
    """
    pool = pool_of(frame)
    places = places_of(bulletins, pool, cities or {})
    rows = [i for i, b in enumerate(bulletins) for _ in b.get("names", ())]
    given = clean_names([n for b in bulletins for n in b.get("names", ())])
    written = list(dict.fromkeys(given))
    code = np.array([written.index(n) for n in given], dtype=np.int64)
    coverage = Coverage(pool.lexicon, [name_words(w) for w in written])
    names = similar_names(np.array(rows, dtype=np.int64), code, coverage, len(written))
    nafs = sorted(set(frame["naf"]) | set(NAFS))
    evidence = np.zeros((len(bulletins), len(nafs)), np.float32)
    for i, bulletin in enumerate(bulletins):
        for naf, value in bulletin.get("evidence", {}).items():
            evidence[i, nafs.index(naf)] = value
    naf = np.array([nafs.index(n) if n else -1 for n in frame["naf"]], dtype=np.int64)
    asked = Activities(np.arange(len(bulletins)), evidence, naf)
    pairs = find_candidates(places, names, asked, pool, options or CandidateOptions())
    return Search(pool, places, names, written, asked, pairs.frame())


def places_of(bulletins: Sequence[Row], pool: Pool, cities: Mapping[str, str]) -> Places:
    """Where the bulletins of :func:`search` are."""
    zones = list(dict.fromkeys(b.get("commune", "96001") for b in bulletins))
    relation = np.array([[_relation(z, c) for c in pool.communes] for z in zones], dtype=np.int8)
    numbers = {
        column: np.array([float(b.get(column, np.nan)) for b in bulletins])
        for column in ("x", "y", "radius")
    }
    voie = np.array([b.get("voie_id", -1) for b in bulletins], dtype=np.int64)
    departement = np.array(["96"] * len(bulletins), dtype=object)
    towns = [cities.get(c, c) for c in pool.communes]
    return Places(
        zone=np.array([zones.index(b.get("commune", "96001")) for b in bulletins], dtype=np.int64),
        relation=relation.reshape(len(zones), len(pool.communes)),
        position=np.column_stack([numbers["x"], numbers["y"]]),
        radius=numbers["radius"],
        street=np.where(voie >= 0, street_codes(departement, voie), -1),
        numero=np.array([b.get("numero", -1) for b in bulletins], dtype=np.int64),
        street_text=np.array([b.get("nom_voie", "") for b in bulletins], dtype=object),
        home=pd.Index(pool.communes).get_indexer([b.get("home", "") for b in bulletins]),
        by_code=np.array([b.get("by_code", False) for b in bulletins], dtype=bool),
        at_home=np.array([b.get("at_home", 0) for b in bulletins], dtype=np.int8),
        named=towns_named([b.get("towns", "") for b in bulletins], towns),
        town=TownWords(towns).number,
    )


def _relation(asked: str, other: str) -> int:
    """Relation of a commune to the one asked for; ``"96001+96002"`` is a city of two."""
    if other in asked.split("+"):
        return Relation.INSIDE
    codes = list(COMMUNES)
    near = asked in codes and other in codes and abs(codes.index(asked) - codes.index(other)) == 1
    return Relation.NEIGHBOUR if near else Relation.ELSEWHERE


# ------------------------------------------------------------------ stores
def write_store(root: Path, frame: pd.DataFrame) -> Store:
    """Write a register as a reference store of the département 96 and open it."""
    root.mkdir(parents=True, exist_ok=True)
    tables = _country_tables(frame)
    for table in COUNTRY_TABLES:
        write_country(root, table, table.conform(tables.get(table.name, table.empty())))
    streets = _streets(frame)
    addresses = _addresses(streets)
    first = addresses.groupby("voie_id")["row"].min()
    streets = streets.assign(
        code_postal=[f"{c[:2]}{c[2:]}" for c in streets["code_commune"]],
        ban_id=[f"{v:05d}" for v in streets["voie_id"]],
        x=streets["x0"] + 10 * _NUMBER_STEP_M,
        y=streets["y0"],
        half_length_m=10 * _NUMBER_STEP_M,
        n_addresses=20,
        first_address=streets["voie_id"].map(first),
    )
    rows = {
        STORE_STREETS.name: streets,
        STORE_ADDRESSES.name: addresses,
        STORE_ESTABLISHMENTS.name: with_compared(frame),
        NAMES.name: names_of(frame),
    }
    for table in DEPARTEMENT_TABLES:
        write_departement(root, table, "96", table.conform(rows[table.name]), crs=2154)
    written = Store(root, {"departements": ["96"]})
    write_pool(written, CommuneIndex.open(written), "96")
    write_manifest(
        root,
        {
            "format": STORE_FORMAT,
            "format_version": STORE_FORMAT_VERSION,
            "departements": ["96"],
            "tables": {},
        },
    )
    return Store.open(root)


def _country_tables(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    codes = list(COMMUNES)
    here = frame["code_commune"].value_counts()
    communes = pd.DataFrame(
        {
            "code_commune": codes,
            "libelle": [COMMUNES[c].title() for c in codes],
            "departement": "96",
            "lon": 2.0,
            "lat": 46.0,
            "x": [centre(c)[0] for c in codes],
            "y": [centre(c)[1] for c in codes],
            "crs": 2154,
            "radius_m": 2_000.0,
            "n_addresses": 200,
            "n_establishments": [int(here.get(c, 0)) for c in codes],
        }
    )
    names = pd.DataFrame(
        {
            "nom_norm": [normalise(COMMUNES[c]) for c in codes],
            "code_commune": codes,
            "departement": "96",
            "origine": "cog",
        }
    )
    names = names.assign(**name_columns(names["nom_norm"].tolist()))
    # Codes of the register that have no label here are in the nomenclature all the same.
    labels = dict.fromkeys(sorted(set(frame["naf"]) - {""}), "") | NAFS
    pairs = [(a, b) for a in codes for b in codes if _relation(a, b) == Relation.NEIGHBOUR]
    return {
        "communes": communes,
        "commune_names": names,
        "commune_postcodes": pd.DataFrame({"code_postal": codes, "code_commune": codes}),
        "commune_neighbours": pd.DataFrame(pairs, columns=["code_commune", "voisine"]).assign(
            distance_m=500.0
        ),
        "naf": pd.DataFrame({"naf": list(labels), "libelle": list(labels.values())}).assign(
            nomenclature="NAFRev2"
        ),
    }


def _addresses(streets: pd.DataFrame) -> pd.DataFrame:
    """House numbers 1 to 20 of every street."""
    rows = streets.loc[streets.index.repeat(20)].reset_index(drop=True)
    rows["numero"] = np.tile(np.arange(1, 21), len(streets))
    rows["x"] = rows["x0"] + _NUMBER_STEP_M * rows["numero"]
    rows["y"] = rows["y0"]
    rows["code_postal"] = rows["code_commune"]
    rows["ban_id"] = [
        f"{v:05d}_{n:05d}" for v, n in zip(rows["voie_id"], rows["numero"], strict=True)
    ]
    rows["row"] = np.arange(len(rows))
    return rows
