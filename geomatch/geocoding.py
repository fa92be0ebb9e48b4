"""Files of addresses: parsed, or geocoded with the columns people know from the BAN service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyproj import Transformer

from geomatch.addresses import AddressParser, CommuneIndex, Geocoder, complete_parts, get_parser
from geomatch.bulletins import open_source
from geomatch.core import paths
from geomatch.core.config import AddressOptions
from geomatch.core.errors import ConfigError, LayoutError
from geomatch.core.geoframes import write_geo
from geomatch.core.paths import Location
from geomatch.core.schema import ADDRESS_PARTS, COMMUNES_RESOLVED, STORE_COMMUNES
from geomatch.core.territories import departement_of, departements_of
from geomatch.store.reader import Store

Progress = Callable[[int, int], None]
#: Names under which the column of a one-line address is recognised.
ADDRESS_COLUMNS = ("q", "adresse", "address", "adresse_complete", "libelle_adresse")
_CODE_COLUMNS = {
    "code_commune_declaree": ("citycode", "code_commune", "code_insee"),
    "code_postal": ("code_postal", "postcode", "cp"),
    "commune": ("commune", "city", "ville"),
}
_CHUNK = 100_000


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def geocode_addresses(
    texts: Sequence[str],
    store: Store,
    options: AddressOptions | None = None,
    known: pd.DataFrame | None = None,
    *,
    progress: Progress = _silent,
) -> pd.DataFrame:
    """Place of each one-line address, one département after the other.

    Parameters
    ----------
    texts : sequence of str
        Address, postcode and town on one line.
    known : DataFrame, optional
        ``code_commune_declaree``, ``code_postal`` or ``commune`` that columns of their own give.
    progress : callable
        Told how many are done of how many: half of the work is to understand them.

    Returns
    -------
    DataFrame
        ``result_level``, ``result_score``, ``result_label``, ``result_street``,
        ``result_housenumber``, ``result_postcode``, ``result_city``, ``result_citycode``,
        ``x``, ``y``, ``crs``, ``lon``, ``lat``, ``uncertainty_m``, ``ban_id``.
    """
    options = options or AddressOptions()
    index, parser = CommuneIndex.open(store), get_parser(options)
    names = store.country(STORE_COMMUNES)
    labels = dict(zip(names["code_commune"], names["libelle"], strict=True))
    known = pd.DataFrame(index=range(len(texts))) if known is None else known
    understood = []
    for low in range(0, max(len(texts), 1), _CHUNK):
        part = slice(low, low + _CHUNK)
        understood.append(_understood(texts[part], known.iloc[part], index, parser))
        progress(min(low + _CHUNK, len(texts)) // 2, len(texts))
    parts, communes = (pa.concat_tables(t) for t in zip(*understood, strict=True))
    order, found = [], []
    for every, departements in _by_departement(parts, communes, index, store):
        geocoder = Geocoder.open(store, departements, options, communes=index)
        for rows in np.split(every, range(_CHUNK, len(every), _CHUNK)):
            asked = ADDRESS_PARTS.conform(parts.take(rows).to_pandas())
            resolved = COMMUNES_RESOLVED.conform(communes.take(rows).to_pandas())
            places = geocoder.geocode(asked, resolved)
            cities = [labels.get(code, "") for code in places["code_commune"]]
            found.append(_result_columns(places, cities))
            order.append(rows)
            progress((len(texts) + sum(map(len, order))) // 2, len(texts))
    back = np.argsort(np.concatenate(order))
    return pd.concat(found, ignore_index=True).take(back).reset_index(drop=True)


def geocode_file(
    source: Location,
    store: Location,
    out: Location,
    *,
    address: str = "",
    options: AddressOptions | None = None,
    progress: Progress = _silent,
) -> None:
    """Add the geocode columns to a file of addresses (CSV or Parquet in, CSV or Parquet out).

    Raises
    ------
    DataError, LayoutError
        When the file cannot be read or has no column of addresses.
    ConfigError
        When `out` is neither ``.csv`` nor ``.parquet``.
    """
    _check_out(out)
    frame = read_table(source)
    column = _address_column(frame, address)
    known = _known_columns(frame, column)
    texts = frame[column].tolist()
    found = geocode_addresses(texts, Store.open(store), options, known, progress=progress)
    write_table(pd.concat([frame.reset_index(drop=True), found], axis=1), out)


def parse_file(
    source: Location, out: Location, *, address: str = "", options: AddressOptions | None = None
) -> None:
    """Add the parts of the addresses (:data:`geomatch.core.schema.ADDRESS_PARTS`) to a file."""
    _check_out(out)
    frame = read_table(source)
    column = _address_column(frame, address)
    parts = get_parser(options or AddressOptions()).parse(frame[column].tolist()).frame()
    parts = ADDRESS_PARTS.conform(parts).add_prefix("parsed_")
    write_table(pd.concat([frame, parts.reset_index(drop=True)], axis=1), out)


def parse_one(text: str, options: AddressOptions | None = None) -> dict[str, object]:
    """Parts of one address that are not empty."""
    parts = ADDRESS_PARTS.conform(get_parser(options or AddressOptions()).parse([text]).frame())
    row = parts.iloc[0].to_dict()
    return {k: bool(v) if k == "cedex" else v for k, v in row.items() if v}


def read_table(source: Location) -> pd.DataFrame:
    """Every column of a CSV or Parquet file, as text; ``""`` for what is absent."""
    opened = open_source(source)
    columns, _ = opened.columns(range(len(opened.header)))
    values = {
        h: c.to_pandas().to_numpy(object) for h, c in zip(opened.header, columns, strict=True)
    }
    return pd.DataFrame({h: pd.Series(v, dtype=object) for h, v in values.items()}).fillna("")


def write_table(frame: pd.DataFrame, out: Location) -> None:
    """Write CSV (`;`) or Parquet: the file appears whole or not at all."""
    with paths.writing(out) as partial:
        if partial.suffix == ".parquet":
            frame.to_parquet(partial, index=False)
        else:
            frame.to_csv(partial, sep=";", index=False)


def _understood(
    texts: Sequence[str], known: pd.DataFrame, index: CommuneIndex, parser: AddressParser
) -> tuple[pa.Table, pa.Table]:
    """Parts of addresses and their communes; as Arrow, for of a file they are millions."""
    parts = ADDRESS_PARTS.conform(parser.parse(texts).frame())
    given = known.set_axis(parts.index)
    for column in ("commune", "code_postal"):
        if column in given:
            own = given[column].to_numpy(object)
            parts[column] = np.where(own != "", own, parts[column])
    parts = complete_parts(parts, index)
    asked = parts[["commune", "code_postal", "departement"]]
    if "code_commune_declaree" in given:
        asked = asked.assign(code_commune_declaree=given["code_commune_declaree"])
    communes = index.resolve(asked)
    return tuple(pa.Table.from_pandas(t, preserve_index=False) for t in (parts, communes))


def _by_departement(
    parts: pa.Table, communes: pa.Table, index: CommuneIndex, store: Store
) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """Rows of one département of work after the other, and whose streets may be meant by them.

    Streets of a whole country are a thousand Rues de la Mairie to compare: those of the commune
    and of the communes that touch it are enough, also across the border.
    """
    code = communes.column("code_commune").to_numpy(zero_copy_only=False)
    postcode = parts.column("code_postal").to_numpy(zero_copy_only=False)
    of_row = departements_of(np.where(code != "", code, [p[:2] for p in postcode]))
    number = pd.factorize(of_row, sort=True)[0]
    order = np.argsort(number, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(number))[:-1]):
        asked = dict.fromkeys(zip(code[rows].tolist(), postcode[rows].tolist(), strict=True))
        yield rows, _reached(asked, index, store)


def _reached(asked: Iterable[tuple[str, str]], index: CommuneIndex, store: Store) -> list[str]:
    """Départements of the communes, or else postcodes, that are asked for, and of neighbours."""
    found: set[str] = set()
    for code, postcode in asked:
        stated = index.zone(code) if code else index.of_postcode(postcode)
        near = {*stated, code, *(n for c in (*stated, code) for n in index.neighbours(c))}
        found |= {departement_of(c) for c in near if c}
        if not stated and postcode:
            found |= {d for d in store.departements if d[:2] == postcode[:2]}
    return [d for d in store.departements if d in found]


def _result_columns(places: pd.DataFrame, cities: list[str]) -> pd.DataFrame:
    number = (places["numero"] + " " + places["rep"]).str.strip()
    line = (number + " " + places["libelle_voie"]).str.strip()
    town = (places["code_postal"] + " " + pd.Series(cities, index=places.index)).str.strip()
    lon, lat = _degrees(places)
    return pd.DataFrame(
        {
            "result_level": places["geocode_level"],
            "result_score": places["geocode_score"].round(3),
            "result_label": (line + " " + town).str.strip(),
            "result_street": places["libelle_voie"],
            "result_housenumber": number,
            "result_postcode": places["code_postal"],
            "result_city": cities,
            "result_citycode": places["code_commune"],
            "x": places["x"].round(2),
            "y": places["y"].round(2),
            "crs": places["crs"],
            "lon": lon,
            "lat": lat,
            "uncertainty_m": places["uncertainty_m"].round(1),
            "ban_id": places["ban_id"],
        }
    ).reset_index(drop=True)


def _degrees(places: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon, lat = np.full(len(places), np.nan), np.full(len(places), np.nan)
    crs = places["crs"].to_numpy(np.int64)
    for code in np.unique(crs[crs > 0]):
        at = np.flatnonzero(crs == code)
        to_degrees = Transformer.from_crs(int(code), 4326, always_xy=True)
        lon[at], lat[at] = to_degrees.transform(
            places["x"].to_numpy()[at], places["y"].to_numpy()[at]
        )
    return lon.round(6), lat.round(6)


def _check_out(out: Location) -> None:
    if not paths.name_of(out).endswith((".csv", ".parquet")):
        raise ConfigError(
            f"--out is {paths.name_of(out)}, expected a name that ends in .csv or .parquet"
        )


def _address_column(frame: pd.DataFrame, asked: str) -> str:
    names = [asked] if asked else list(ADDRESS_COLUMNS)
    found = [c for c in frame.columns if c.lower() in [n.lower() for n in names]]
    if not found:
        # What stands in a first line that is no header is somebody's address: it is not told.
        raise LayoutError(
            f"no column of addresses: expected {' or '.join(names)}, none of the "
            f"{len(frame.columns)} column(s) of the file is named so; name it with --address "
            "(is the first line a header?)"
        )
    return str(found[0])


def _known_columns(frame: pd.DataFrame, address: str) -> pd.DataFrame:
    """Columns beside the address that tell the town; none when the line is named ``q``."""
    out = {}
    for ours, theirs in _CODE_COLUMNS.items():
        found = [c for c in frame.columns if c.lower() in theirs and address.lower() != "q"]
        if found:
            out[ours] = frame[found[0]].to_numpy(object)
    return pd.DataFrame(out, index=frame.index)


def write_nearby(found: pd.DataFrame, out: Location) -> None:
    """Write establishments around a point as csv, parquet, geojson or gpkg."""
    if paths.name_of(out).lower().endswith(".csv"):
        paths.write_bytes(out, found.to_csv(index=False, sep=";").encode())
        return
    write_geo(found, out)
