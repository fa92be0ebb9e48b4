"""What a match gives: the contract's two tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.arrays.rows import Ordered, Rows
from geomatch.core import paths
from geomatch.core.errors import ConfigError
from geomatch.core.frames import as_kind
from geomatch.core.geoframes import to_geodataframe, write_table
from geomatch.core.maps import MapPage, explore_matches
from geomatch.core.paths import Location
from geomatch.core.schema import CANDIDATES, DECISIONS
from geomatch.linkage import collective
from geomatch.linkage.described import OF_REGISTER, described
from geomatch.linkage.explanation import Explanation, explanation
from geomatch.linkage.model import Model
from geomatch.linkage.settling import Settlement
from geomatch.store.reader import Store

if TYPE_CHECKING:
    import geopandas as gpd

    from geomatch.linkage.prepared import Prepared

#: Candidates of a bulletin kept for the reader.
KEPT_CANDIDATES = 20
#: What the short picture of a result calls each decision.
_COUNTED = {"auto": "codés", "review": "à reprendre", "none": "sans établissement"}


@dataclass(frozen=True, repr=False)
class Result:
    """What a match gives: ``decisions`` and ``candidates``, and what was understood on the way."""

    #: the two tables as arrays
    decided: Rows
    candidate_columns: Rows
    #: bulletin (position) of each row of candidates
    candidate_rows: NDArray[np.int64]
    prepared: Prepared
    store: Store
    model: Model
    #: kind of table that was matched, see :data:`geomatch.core.frames.KINDS`
    given_kind: str = field(default="pandas", kw_only=True)
    #: what the table as a whole told: thresholds, precision expected, share without establishment
    settlement: Settlement | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        counts = Counter(self.decided["decision"].tolist())
        told = ", ".join(f"{counts[d]} {label}" for d, label in _COUNTED.items())
        return f"<Result : {len(self.decided)} bulletins, {told}>"

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """One row a bulletin: :data:`geomatch.core.schema.DECISIONS`."""
        return self.decided.frame(self.prepared.bulletins.index)

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """Up to twenty rows a bulletin: :data:`~geomatch.core.schema.CANDIDATES`, features."""
        return self.described().frame()

    def described(self) -> Rows:
        """:attr:`candidates` as arrays, with what the register says of each."""
        return described(self.candidate_columns, self.store)

    def table(self, name: str = "decisions", kind: str = "") -> Any:
        """One of the two tables as another library's.

        Parameters
        ----------
        name : str
            ``decisions`` or ``candidates``.
        kind : str
            ``pandas``, ``polars``, ``arrow``, ``duckdb`` or ``geopandas``; empty: the kind of the
            table that was matched.

        Raises
        ------
        ConfigError
            When there is no such table or kind, or the library is not installed.
        """
        if name not in ("decisions", "candidates"):
            raise ConfigError(f"table is {name!r}, expected decisions or candidates")
        return as_kind(getattr(self, name), kind or self.given_kind)

    def explain(self, id: str) -> Explanation:
        """Why the bulletin `id` was decided so: its candidates and what weighed, as data.

        Raises :class:`ConfigError` when no bulletin, or more than one, has that identifier.
        """
        return explanation(id, self.decisions, self.candidates, self.model)

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """Decisions with a point in EPSG:4326: where the bulletin's workplace was placed."""
        return to_geodataframe(self.decisions)

    def candidates_geodataframe(self) -> gpd.GeoDataFrame:
        """Candidates with a point in EPSG:4326: where the register has the establishment."""
        return to_geodataframe(self.candidates)

    def explore(self, *, ids: Sequence[str] = (), background: object = None) -> MapPage:
        """A map to move about in, of the decisions and their candidates; it needs no network.

        Parameters
        ----------
        ids : sequence of str
            Only these bulletins.
        background : path, GeoDataFrame or Store
            Outlines (``.gpkg``, ``.geojson``), picture tiles (``.mbtiles``, ``.pmtiles``) or the
            streets of a store; None: those of this one, where the ground is not too wide.

        Raises
        ------
        ConfigError
            Without the package XStatic-Leaflet (``geomatch[maps]``), or for too many bulletins.

        Examples
        --------
        >>> result.explore(background="communes.gpkg").save("carte.html")  # doctest: +SKIP
        """
        decisions, candidates = self.decisions, self.candidates
        if len(ids):
            decisions = decisions[decisions["id"].isin(ids)]
            candidates = candidates[candidates["id"].isin(ids)]
        under = self.store if background is None else background
        return explore_matches(decisions, candidates, background=under)

    def save(self, out: Location) -> None:
        """Write the decisions to one file, or both tables into a folder.

        Parameters
        ----------
        out : path
            ``.csv``, ``.gpkg``, ``.geojson`` or ``.parquet`` (GeoParquet 1.1): the decisions, with
            their points in the last three. Any other name is a folder: ``decisions.parquet`` and
            ``candidates.parquet``, both with points, and how QGIS draws them. Files are whole or
            not there.
        """
        if "." in paths.name_of(out):
            write_table(self.decisions, out, style="decisions")
            return
        for name in ("decisions", "candidates"):
            write_table(getattr(self, name), paths.join(out, f"{name}.parquet"), style=name)


def kept_candidates(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of the first twenty pairs of each bulletin; `row` is sorted."""
    return np.flatnonzero(_rank(row) <= KEPT_CANDIDATES)


def best_sirets(
    siret_of_pair: NDArray[np.object_], first: NDArray[np.int64]
) -> NDArray[np.object_]:
    """SIRET of each bulletin's best pair, whose position is `first`; "" for none, -1."""
    return np.append(siret_of_pair, "").astype(object)[first]


def decision_table(prepared: Prepared, decided: Rows) -> Rows:
    """One row a bulletin (DECISIONS); `decided` is what was found of establishment and NAF."""
    place, asked = prepared.geocodes["code_commune"], prepared.communes["code_commune"]
    columns = {"id": prepared.told["id"], **{c: decided[c] for c in decided}}
    columns |= {c: prepared.geocodes[c] for c in prepared.geocodes}
    columns["code_commune"] = np.where(place != "", place, asked)
    columns["code_pays"] = prepared.communes["code_pays"]
    return Rows({c: _rounded(columns[c]) for c in DECISIONS.columns})


def candidate_table(
    prepared: Prepared,
    pairs: Rows,
    features: Ordered,
    decided: Rows,
    kept: NDArray[np.int64],
) -> Rows:
    """The pairs `kept`: CANDIDATES but for what :func:`described` adds, then the features.

    `decided` has ``given_siret`` and ``present_probability`` of each bulletin. What the best
    candidate leaves of the first is its rivals', in the proportion of their chances, but none is
    likelier.
    """
    rank = _rank(pairs["row"])[kept]
    of_all = np.bincount(pairs["row"], pairs["chance"], len(prepared.told))
    pairs, shown = pairs.take(kept), features.take(kept)
    row = pairs["row"]
    best = np.asarray(decided["given_siret"])[row]
    of_first = np.zeros(len(of_all))
    of_first[row[rank == 1]] = pairs["chance"][rank == 1]
    share = pairs["chance"] / np.maximum(of_all - of_first, 1e-9)[row]
    rest = np.minimum((1.0 - best) * np.minimum(share, 1.0), best)
    given = np.round(np.where(rank == 1, best, rest), 6)
    activity = (shown["activity"] + shown["profession"]).astype(np.float64)
    address = np.maximum(shown["street"], shown["street_text"]).astype(np.float64)
    similar = np.maximum(shown["both"], shown["token_set"] * shown["characters"])
    columns = {c: pairs[c] for c in pairs} | {
        "id": prepared.told["id"][row],
        "rank": rank,
        "probability": given * np.asarray(decided["present_probability"])[row],
        "given_present": given,
        "name_score": similar.astype(np.float64),
        "activity_score": 1.0 / (1.0 + np.exp(-activity)),
        "distance_m": shown["distance_m"],
        "radius_m": shown["radius_m"],
        "address_score": 0.7 * address + 0.3 * shown["number"].astype(np.float64),
    }
    table = {c: _rounded(columns[c]) for c in CANDIDATES.columns if c not in OF_REGISTER}
    table |= {c: shown[c] for c in shown if c not in table}
    table |= {c: pairs[c].astype(np.float32) for c in collective.FEATURES}
    return Rows({**table, "source": pairs["source"]})


def _rounded(values: NDArray) -> NDArray:
    """Six decimals: the last bits of a sum depend on how a file was cut, results must not."""
    return values.round(6) if values.dtype == np.float64 else values


def _rank(row: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.arange(len(row)) - np.searchsorted(row, row) + 1
