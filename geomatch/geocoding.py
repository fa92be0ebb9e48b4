"""Files of addresses: parsed, or geocoded with the columns people know from the BAN service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import Transformer

from geomatch import paths
from geomatch.addresses import CommuneIndex, Geocoder, complete_parts, get_parser
from geomatch.bulletins import open_source
from geomatch.config import AddressOptions
from geomatch.errors import ConfigError, LayoutError
from geomatch.paths import Location
from geomatch.schema import ADDRESS_PARTS, STORE_COMMUNES
from geomatch.store import Store

Progress = Callable[[int, int], None]
#: Names under which the column of a one-line address is recognised.
ADDRESS_COLUMNS = ("q", "adresse", "address", "adresse_complete", "libelle_adresse")
_CODE_COLUMNS = {
    "code_commune_declaree": ("citycode", "code_commune", "code_insee"),
    "code_postal": ("code_postal", "postcode", "cp"),
    "commune": ("commune", "city", "ville"),
}
_CHUNK = 100_000


def geocode_addresses(
    texts: Sequence[str],
    store: Store,
    options: AddressOptions | None = None,
    known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Place of each one-line address.

    Parameters
    ----------
    texts : sequence of str
        Address, postcode and town on one line.
    known : DataFrame, optional
        ``code_commune_declaree``, ``code_postal`` or ``commune`` that columns of their own give.

    Returns
    -------
    DataFrame
        ``result_level``, ``result_score``, ``result_label``, ``result_street``,
        ``result_housenumber``, ``result_postcode``, ``result_city``, ``result_citycode``,
        ``x``, ``y``, ``crs``, ``lon``, ``lat``, ``uncertainty_m``, ``ban_id``.
    """
    geocode = _service(store, options or AddressOptions())
    return geocode(texts, known)


def geocode_file(
    source: Location,
    store: Location,
    out: Location,
    *,
    address: str = "",
    options: AddressOptions | None = None,
    progress: Progress | None = None,
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
    geocode = _service(Store.open(store), options or AddressOptions())
    known = _known_columns(frame, column)
    parts = []
    for low in range(0, len(frame), _CHUNK):
        part = slice(low, low + _CHUNK)
        parts.append(geocode(frame[column].iloc[part].tolist(), known.iloc[part]))
        if progress:
            progress(min(low + _CHUNK, len(frame)), len(frame))
    found = pd.concat(parts, ignore_index=True) if parts else geocode([], None)
    write_table(pd.concat([frame.reset_index(drop=True), found], axis=1), out)


def parse_file(
    source: Location, out: Location, *, address: str = "", options: AddressOptions | None = None
) -> None:
    """Add the parts of the addresses (:data:`geomatch.schema.ADDRESS_PARTS`) to a file."""
    _check_out(out)
    frame = read_table(source)
    column = _address_column(frame, address)
    parts = get_parser(options or AddressOptions()).parse(frame[column].tolist())
    parts = ADDRESS_PARTS.conform(parts).add_prefix("parsed_")
    write_table(pd.concat([frame, parts.reset_index(drop=True)], axis=1), out)


def parse_one(text: str, options: AddressOptions | None = None) -> dict[str, object]:
    """Parts of one address that are not empty."""
    parts = ADDRESS_PARTS.conform(get_parser(options or AddressOptions()).parse([text]))
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


def _service(
    store: Store, options: AddressOptions
) -> Callable[[Sequence[str], pd.DataFrame | None], pd.DataFrame]:
    parser = get_parser(options)
    index = CommuneIndex.open(store)
    geocoder = Geocoder.open(store, None, options, communes=index)
    names = store.country(STORE_COMMUNES)
    labels = dict(zip(names["code_commune"], names["libelle"], strict=True))

    def geocode(texts: Sequence[str], known: pd.DataFrame | None) -> pd.DataFrame:
        parts = ADDRESS_PARTS.conform(parser.parse(texts))
        given = pd.DataFrame(index=parts.index) if known is None else known.set_axis(parts.index)
        for column in ("commune", "code_postal"):
            if column in given:
                own = given[column].to_numpy(object)
                parts[column] = np.where(own != "", own, parts[column])
        parts = complete_parts(parts, index)
        asked = parts[["commune", "code_postal"]]
        if "code_commune_declaree" in given:
            asked = asked.assign(code_commune_declaree=given["code_commune_declaree"])
        communes = index.resolve(asked)
        places = geocoder.geocode(parts, communes)
        cities = [labels.get(code, "") for code in places["code_commune"]]
        return _result_columns(places, cities)

    return geocode


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
