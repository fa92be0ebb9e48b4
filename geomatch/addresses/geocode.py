"""Address parts and a commune → a place, its level, how sure it is and how far it may be off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.addresses import houses
from geomatch.addresses.communes import CommuneIndex
from geomatch.addresses.gazetteer_index import StreetIndex
from geomatch.addresses.numbers import rep_letter
from geomatch.addresses.questions import Questions
from geomatch.addresses.search import Found, find
from geomatch.addresses.street_names import read_street
from geomatch.addresses.zones import SAME_CITY, ZoneFinder, Zones
from geomatch.config import AddressOptions
from geomatch.schema import GEOCODES, STORE_COMMUNES
from geomatch.store import Store

Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

#: A street whose probability is at least this share of the best one's fits as well.
_AS_GOOD = 0.5


@dataclass(frozen=True)
class _Asked:
    """Distinct places asked for, and which of them each row is."""

    rows: pd.DataFrame
    of_row: Ints


class Geocoder:
    """Finds addresses among the streets of some départements of a store.

    Use :meth:`open`. A geocoder holds no more than its départements' streets and addresses.
    """

    def __init__(
        self,
        streets: StreetIndex,
        communes: CommuneIndex,
        centres: pd.DataFrame,
        options: AddressOptions,
    ) -> None:
        self.streets = streets
        self.communes = communes
        self.options = options
        self._centres = centres.set_index("code_commune")
        self._zones = ZoneFinder(communes, streets.commune_code)

    @classmethod
    def open(
        cls,
        store: Store,
        departements: Sequence[str] | None = None,
        options: AddressOptions | None = None,
        *,
        communes: CommuneIndex | None = None,
    ) -> Geocoder:
        """Load the streets of `departements` (None: all of the store).

        `communes` is the store's commune index where one is open already.
        """
        wanted = store.departements if departements is None else departements
        return cls(
            StreetIndex.open(store, wanted),
            communes or CommuneIndex.open(store),
            store.country(STORE_COMMUNES),
            options or AddressOptions(),
        )

    def geocode(self, parts: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
        """Place of each address.

        Parameters
        ----------
        parts : DataFrame of ADDRESS_PARTS
        communes : DataFrame of COMMUNES_RESOLVED, aligned with `parts`

        Returns
        -------
        DataFrame of GEOCODES
            Aligned with `parts`. Where no street is found, or the store knows no street of the
            commune, the level is ``commune``; ``none`` when the commune is not known either.
        """
        asked = _distinct(parts, communes)
        out = self._at_commune(asked.rows)
        self._on_streets(asked.rows, out)
        rows = GEOCODES.conform(out).take(asked.of_row)
        rows.index = parts.index
        return rows

    # ------------------------------------------------------------- communes
    def _at_commune(self, asked: pd.DataFrame) -> pd.DataFrame:
        codes = asked["code_commune"].to_numpy(object)
        centre = self._centres.reindex(codes)
        has = centre["crs"].fillna(0).to_numpy() != 0
        return pd.DataFrame(
            {
                "geocode_level": np.where(has, "commune", "none").astype(object),
                "geocode_score": np.where(has, asked["commune_score"].to_numpy(), 0.0),
                "code_commune": codes,
                "voie_id": -1,
                "libelle_voie": "",
                "numero": "",
                "rep": "",
                "code_postal": asked["code_postal"].to_numpy(object),
                "x": np.where(has, centre["x"].to_numpy(), np.nan),
                "y": np.where(has, centre["y"].to_numpy(), np.nan),
                "crs": np.where(has, centre["crs"].fillna(0).to_numpy(), 0).astype(np.int64),
                "uncertainty_m": np.where(has, centre["radius_m"].to_numpy(), np.nan),
                "ban_id": "",
                "n_alike": 0,
            }
        )

    # ------------------------------------------------------------- streets
    def _on_streets(self, asked: pd.DataFrame, out: pd.DataFrame) -> None:
        """Find streets; where none is, the locality, zone or residence that is written too."""
        if not len(self.streets):
            return
        zones, zone = self._zones.of(asked)
        street, lieu = _street_keys(asked), asked["lieu"].to_numpy(object)
        done = np.zeros(len(asked), dtype=bool)
        # the number is that of the street, not of the locality
        unnumbered = asked.assign(numero="", rep="")
        for keys, lines in ((street, asked), (np.where(lieu != street, lieu, ""), unnumbered)):
            rows = np.flatnonzero((keys != "") & (zone >= 0) & ~done)
            if not len(rows):
                continue
            questions = _questions(lines.iloc[rows], keys[rows], zone[rows], zones)
            best = self._best(find(self.streets, questions))
            best["row"] = rows[best["question"].to_numpy()]
            done[best["row"].to_numpy()] = True
            self._write(best, lines, out)

    def questions(self, asked: pd.DataFrame) -> tuple[Questions, Ints]:
        """Streets asked for, and the row of `asked` each comes from.

        `asked` has the columns of ADDRESS_PARTS and COMMUNES_RESOLVED. Rows without a street, or
        of a commune whose streets are not loaded, ask for none.
        """
        zones, zone = self._zones.of(asked)
        keys = _street_keys(asked)
        rows = np.flatnonzero((keys != "") & (zone >= 0))
        return _questions(asked.iloc[rows], keys[rows], zone[rows], zones), rows

    def _best(self, found: Found) -> pd.DataFrame:
        """The likeliest street of each question, its probability and those that fit as well.

        A name that several parts of a city bear counts as one when it is decided whether to
        answer; ``spread_m`` then tells how far the other parts are.
        """
        index = self.streets
        order = np.lexsort((found.street, -found.probability, found.question))
        question, street = found.question[order], found.street[order]
        chance = found.probability[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = question[1:] != question[:-1]
        group = np.cumsum(first) - 1
        top = street[first][group]
        twin = (index.key_code[street] == index.key_code[top]) & (found.near[order] <= SAME_CITY)
        as_good = chance >= chance[first][group] * _AS_GOOD
        apart = np.hypot(index.x[street] - index.x[top], index.y[street] - index.y[top])
        apart = np.where(twin & as_good, apart + index.half_length[street], 0.0)
        spread_m = np.zeros(int(first.sum()))
        np.maximum.at(spread_m, group, apart)
        best = pd.DataFrame(
            {
                "question": question[first],
                "street": street[first],
                "score": chance[first],
                "n_alike": np.bincount(group, as_good).astype(np.int64),
                "spread_m": spread_m,
            }
        )
        mass = np.bincount(group, np.where(twin, chance, 0.0))
        return best[np.maximum(mass, best["score"].to_numpy()) >= self.options.least_probability]

    def _write(self, best: pd.DataFrame, asked: pd.DataFrame, out: pd.DataFrame) -> None:
        """Fill the rows of `out` whose street was found."""
        row = best["row"].to_numpy()
        wanted = asked.iloc[row]
        placed = houses.place(self.streets, self._doors(wanted, best["street"].to_numpy(np.int64)))
        spread = np.where(best["n_alike"] > 1, best["spread_m"], 0.0)
        columns = self._place_columns(wanted, best["street"].to_numpy(np.int64), placed)
        columns |= {
            "geocode_score": np.clip(best["score"].to_numpy(), 0.0, 1.0),
            "x": placed.x,
            "y": placed.y,
            "uncertainty_m": np.maximum(placed.uncertainty, spread),
            "n_alike": best["n_alike"].to_numpy(),
        }
        for column, values in columns.items():
            out.loc[row, column] = values

    def _doors(self, wanted: pd.DataFrame, street: Ints) -> houses.Doors:
        letters = self.streets.addresses.rep_codes[1]
        numero = pd.to_numeric(wanted["numero"], errors="coerce").fillna(0).to_numpy(np.int64)
        rep = [letters.get(rep_letter(r), -1) for r in wanted["rep"]]
        return houses.Doors(street, numero, np.array(rep, dtype=np.int64))

    def _place_columns(
        self, wanted: pd.DataFrame, street: Ints, placed: houses.Places
    ) -> dict[str, NDArray]:
        """What the gazetteer says of the streets and of the doors found on them."""
        addresses, table = self.streets.addresses, self.streets.streets.iloc[street]
        on_street = placed.level == houses.STREET
        level = np.where(on_street & table["is_lieu_dit"], "locality", houses.LEVELS[placed.level])
        postcode, ban_id = (table[c].to_numpy(object) for c in ("code_postal", "ban_id"))
        rep = np.full(len(street), "", dtype=object)
        door = np.flatnonzero(placed.address >= 0)
        if len(door):
            at = placed.address[door]
            postcode, ban_id = postcode.copy(), ban_id.copy()
            postcode[door] = addresses.code_postal.take(at).to_numpy(zero_copy_only=False)
            ban_id[door] = addresses.ban_id.take(at).to_numpy(zero_copy_only=False)
            rep[door] = addresses.rep[at]
        codes = table["code_commune"].to_numpy(object)
        return {
            "geocode_level": level,
            "code_commune": codes,
            "voie_id": table["voie_id"].to_numpy(),
            "libelle_voie": table["nom_voie"].to_numpy(object),
            "numero": np.where(on_street, "", wanted["numero"].to_numpy(object)),
            "rep": rep,
            "code_postal": postcode,
            "crs": self._centres["crs"].reindex(codes).to_numpy(),
            "ban_id": ban_id,
        }


def _questions(asked: pd.DataFrame, keys: Texts, zone: Ints, zones: Zones) -> Questions:
    number = pd.to_numeric(asked["numero"], errors="coerce").fillna(0)
    return Questions(
        keys=keys.tolist(),
        names=[read_street(k) for k in keys.tolist()],
        zone=zone,
        zones=zones,
        numero=number.to_numpy(np.int64),
    )


def _street_keys(asked: pd.DataFrame) -> Texts:
    """Full key of the street asked for, else of the locality."""
    kind, name = asked["type_voie"].to_numpy(object), asked["nom_voie"].to_numpy(object)
    full = np.array([f"{k} {n}" if k else n for k, n in zip(kind, name, strict=True)], dtype=object)
    return np.where(full != "", full, asked["lieu"].to_numpy(object))


def _distinct(parts: pd.DataFrame, communes: pd.DataFrame) -> _Asked:
    columns = ["numero", "rep", "type_voie", "nom_voie", "lieu", "code_postal"]
    rows = parts[columns].reset_index(drop=True)
    for column in ("code_commune", "commune_score"):
        rows[column] = communes[column].to_numpy()
    codes = np.stack([pd.factorize(rows[c].to_numpy())[0] for c in rows.columns], axis=1)
    _, first, of_row = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    return _Asked(rows.iloc[first].reset_index(drop=True), of_row.ravel())
