"""Files of addresses: parsed, or geocoded with the columns people know from the BAN service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geomatch.addresses import (
    AddressParser,
    CommuneIndex,
    complete_parts,
    find_towns,
    get_parser,
    with_second,
)
from geomatch.addresses import Geocoder as StreetGeocoder
from geomatch.arrays.arrow import as_rows, as_table
from geomatch.arrays.rows import Rows, constant
from geomatch.bulletins.clean import clean_column
from geomatch.bulletins.layouts import FREE
from geomatch.bulletins.tables import beside, read_table, unlike, write_table
from geomatch.core import paths
from geomatch.core.config import AddressOptions
from geomatch.core.errors import ConfigError, LayoutError
from geomatch.core.frames import AnyFrame, as_kind, as_pandas
from geomatch.core.geoframes import DRIVERS, ending_of
from geomatch.core.paths import Location
from geomatch.core.schema import GEOCODES, STORE_COMMUNES
from geomatch.core.territories import degrees, departement_of, departements_of
from geomatch.core.text import normalise
from geomatch.store.reader import Store

Progress = Callable[[int, int], None]
#: Names of the column of a one-line address, normalised, beside those of bulletins.
ADDRESS_COLUMNS = ("Q", "ADRESSE", "ADDRESS", "LIBELLE ADRESSE")
#: Columns beside the address that tell the place → signs their codes have.
_KNOWN = {"code_commune_declaree": 5, "code_postal": 5, "commune": 0, "numero": 1}
_CHUNK = 100_000


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


class Geocoder:
    """Places of one-line addresses. It keeps what it has loaded, so keep the geocoder."""

    def __init__(self, store: Store, options: AddressOptions | None = None) -> None:
        self.store = store
        self.options = options or AddressOptions()
        self._parser = get_parser(self.options)
        self._communes = CommuneIndex.open(store)
        names = store.country(STORE_COMMUNES)
        self._labels = dict(zip(names["code_commune"], names["libelle"], strict=True))
        self._last: tuple[list[str], StreetGeocoder] | None = None

    @classmethod
    def open(cls, store: Location, *, parser: str = "auto") -> Geocoder:
        """Open a reference store; `parser` is ``auto``, ``rules`` or ``libpostal``.

        Raises
        ------
        StoreError
            When there is no store there, or it is of another format version.
        ConfigError
            When the parser asked for cannot be had.

        Examples
        --------
        >>> geocoder = Geocoder.open("store")  # doctest: +SKIP
        >>> geocoder.geocode(["2 rue de la Paix 75002 Paris"])  # doctest: +SKIP
        """
        return cls(Store.open(store), AddressOptions(parser=parser))

    def geocode(
        self,
        addresses: Sequence[str] | AnyFrame,
        *,
        address: str = "",
        columns: Mapping[str, str] | None = None,
        kind: str = "pandas",
        progress: Progress = _silent,
    ) -> Any:
        """Place of each address.

        Parameters
        ----------
        addresses : sequence of str, or table
            One-line addresses; or a table of any kind (:mod:`geomatch.core.frames`) with a
            column of them.
        address : str
            The column of the addresses; empty: one of :data:`ADDRESS_COLUMNS`.
        columns : mapping, optional
            ``code_commune_declaree``, ``code_postal`` or ``commune`` → column of the table that
            gives it, for those that their names do not tell.
        kind : str
            Kind of table to return, see :data:`geomatch.core.frames.KINDS`.
        progress : callable
            Told how many are done of how many.

        Returns
        -------
        table
            The columns of the table that was given, and those of :func:`geocode_addresses`.

        Raises
        ------
        LayoutError
            When the table has no column of addresses, or not one of `columns`.
        """
        if not _is_table(addresses):
            return as_kind(self._places(list(addresses), None, progress), kind)
        frame = as_pandas(addresses).reset_index(drop=True)
        table = _as_texts(frame)
        column = _address_column(table, address)
        known = _known_columns(table, column, columns)
        texts = clean_column(table.column(column)).values.tolist()
        found = self._places(texts, known, progress)
        frame = frame.set_axis(unlike(table.column_names, list(found.columns)), axis=1)
        return as_kind(pd.concat([frame, found], axis=1), kind)

    def _places(
        self, texts: Sequence[str], known: pd.DataFrame | None, progress: Progress
    ) -> pd.DataFrame:
        if not len(texts):
            return _result_columns(GEOCODES.empty().assign(alternatives=""), [])
        known = pd.DataFrame(index=range(len(texts))) if known is None else known
        understood = []
        for low in range(0, len(texts), _CHUNK):
            part = slice(low, low + _CHUNK)
            understood.append(
                _understood(texts[part], known.iloc[part], self._parser, self.store, self._communes)
            )
            progress(min(low + _CHUNK, len(texts)) // 2, len(texts))
        parts, communes = (pa.concat_tables(t) for t in zip(*understood, strict=True))
        order, found = [], []
        for every, departements in _by_departement(parts, communes, self._communes, self.store):
            geocoder = self._streets(departements)
            for rows in np.split(every, range(_CHUNK, len(every), _CHUNK)):
                asked, resolved = (as_rows(table.take(rows)) for table in (parts, communes))
                places = geocoder.geocode(asked, resolved, claimed=True).frame()
                places["geocode_score"] *= resolved["town_share"]
                cities = [self._labels.get(code, "") for code in places["code_commune"]]
                found.append(_result_columns(places, cities))
                order.append(rows)
                progress((len(texts) + sum(map(len, order))) // 2, len(texts))
        back = np.argsort(np.concatenate(order))
        return pd.concat(found, ignore_index=True).take(back).reset_index(drop=True)

    def _streets(self, departements: list[str]) -> StreetGeocoder:
        """The streets of some départements; those of the last question stay loaded."""
        if self._last is None or self._last[0] != departements:
            self._last = None  # what was loaded is not needed beside what comes
            opened = StreetGeocoder.open(
                self.store, departements, self.options, communes=self._communes
            )
            self._last = departements, opened
        return self._last[1]


def _as_texts(frame: pd.DataFrame) -> pa.Table:
    """The columns of a table in memory as a file would hold them."""
    return pa.table(
        {
            str(name): pa.array(
                ["" if absent else str(v) for v, absent in zip(values, values.isna(), strict=True)],
                pa.large_string(),
            )
            for name, values in frame.items()
        }
    )


def _is_table(addresses: object) -> bool:
    return isinstance(addresses, pd.DataFrame) or (
        hasattr(addresses, "__arrow_c_stream__")
        and not isinstance(addresses, pd.Series | pa.ChunkedArray)
        and hasattr(addresses, "columns")
    )


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
        ``x``, ``y``, ``crs``, ``lon``, ``lat``, ``uncertainty_m``, ``ban_id``,
        ``result_alternatives``: a street too doubtful to be the answer.
    """
    return Geocoder(store, options)._places(texts, known, progress)


def geocode_file(
    source: Location,
    store: Location,
    out: Location,
    *,
    address: str = "",
    options: AddressOptions | None = None,
    progress: Progress = _silent,
) -> None:
    """Add the geocode columns to a file of addresses (CSV, Parquet, GeoPackage or GeoJSON out).

    Raises
    ------
    DataError, LayoutError
        When the file cannot be read or has no column of addresses.
    ConfigError
        When the name of `out` ends otherwise.
    """
    _check_out(out, geo=True)
    table = read_table(source)
    column = _address_column(table, address)
    known = _known_columns(table, column)
    texts = clean_column(table.column(column)).values.tolist()
    found = geocode_addresses(texts, Store.open(store), options, known, progress=progress)
    write_table(beside(table, found), out)


def parse_file(
    source: Location, out: Location, *, address: str = "", options: AddressOptions | None = None
) -> None:
    """Add the parts of the addresses (:data:`geomatch.core.schema.ADDRESS_PARTS`) to a file."""
    _check_out(out)
    table = read_table(source)
    texts = clean_column(table.column(_address_column(table, address))).values.tolist()
    parts = get_parser(options or AddressOptions()).parse(texts).frame()
    write_table(beside(table, parts.add_prefix("parsed_")), out)


def parse_one(text: str, options: AddressOptions | None = None) -> dict[str, object]:
    """Parts of one address that are not empty."""
    row = get_parser(options or AddressOptions()).parse([text]).frame().iloc[0].to_dict()
    return {k: bool(v) if k == "cedex" else v for k, v in row.items() if v}


def _understood(
    texts: Sequence[str],
    known: pd.DataFrame,
    parser: AddressParser,
    store: Store,
    index: CommuneIndex,
) -> tuple[pa.Table, pa.Table]:
    """Parts of addresses and their communes; as Arrow, for of a file they are millions."""
    parts = with_second(texts, parser.parse(texts), parser)
    given = {c: known[c].to_numpy(object) for c in known}
    for column in ("commune", "code_postal"):
        if column in given:
            own = np.where(given[column] != "", given[column], parts[column])
            parts = parts.plus(**{column: own})
    if "numero" in given:
        is_without = (parts["numero"] == "") & (parts["rep"] == "")
        parts = parts.plus(numero=np.where(is_without, given["numero"], parts["numero"]))
    declared = given.get("code_commune_declaree", constant("", len(texts)))
    parts, code, share = find_towns(store, index, parts, complete_parts(parts, index), declared)
    asked = Rows.of(parts, ("commune", "code_postal", "departement"))
    communes = index.resolve(asked.plus(code_commune_declaree=code))
    return as_table(parts), as_table(communes.plus(town_share=share))


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
    x, y, crs = (places[c].to_numpy(np.float64) for c in ("x", "y", "crs"))
    lon, lat = (v.round(6) for v in degrees(x, y, crs))
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
            "result_alternatives": places["alternatives"],
        }
    ).reset_index(drop=True)


def _check_out(out: Location, *, geo: bool = False) -> None:
    """Refuse a name whose ending tells no format; only positions make a file of GIS programs."""
    endings = (".csv", ".parquet", *(DRIVERS if geo else ()))
    if ending_of(out) not in endings:
        raise ConfigError(
            f"--out is {paths.name_of(out)}, expected a name that ends in {', '.join(endings)}"
        )


def _address_column(table: pa.Table, asked: str) -> str:
    names = table.column_names
    if asked:
        wanted: list[tuple[str, ...]] = [(asked,), (normalise(asked),)]
    else:
        wanted = [(name,) for name in ADDRESS_COLUMNS]
        wanted += [tuple(tier.split("|")) for tier in FREE["adresse"]]
    for tier in wanted:
        for name in names:
            if name in tier or normalise(name) in tier:
                return str(name)
    # What stands in a first line that is no header is somebody's address: it is not told.
    told = asked or ", ".join(n.lower() for n in ADDRESS_COLUMNS)
    raise LayoutError(
        f"no column of addresses: expected {told}, none of the {len(names)} column(s) of the "
        "file is named so; name it with --address (is the first line a header?)"
    )


def _known_columns(
    table: pa.Table, address: str, named: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Columns beside the address that tell the place; none when the line is named ``q``.

    `named` are those that the caller names.
    """
    chosen = dict(named or {})
    for ours, own in chosen.items():
        if ours not in _KNOWN or own not in table.column_names:
            raise LayoutError(
                f"columns={{{ours!r}: {own!r}}}: expected {', '.join(_KNOWN)} and a column of the "
                "table"
            )
    by_name = {normalise(n): n for n in reversed(table.column_names) if n != address}
    for ours in _KNOWN if address.lower() != "q" else ():
        spellings = [name for tier in FREE[ours] for name in tier.split("|")]
        found = next((by_name[name] for name in spellings if name in by_name), None)
        if found is not None:
            chosen.setdefault(ours, found)
    columns = {
        ours: clean_column(table.column(own), width=_KNOWN[ours]).values
        for ours, own in chosen.items()
    }
    return pd.DataFrame(columns, index=range(table.num_rows))
