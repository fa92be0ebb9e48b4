"""Address parts and a commune → a place, its level, how sure it is and how far it may be off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from geomatch.addresses.communes.index import CommuneIndex
from geomatch.addresses.parse.corners import SECOND
from geomatch.addresses.parse.numbers import whole_numbers
from geomatch.addresses.streets import corners, houses, second_look
from geomatch.addresses.streets.index import StreetIndex
from geomatch.addresses.streets.names import read_street
from geomatch.addresses.streets.questions import Questions
from geomatch.addresses.streets.search import Found, find, with_doors, with_places
from geomatch.addresses.streets.zones import Nearness, ZoneFinder, Zones
from geomatch.arrays.arrow import texts
from geomatch.arrays.rows import Columns, Rows, constant
from geomatch.core.config import AddressOptions
from geomatch.core.schema import ADDRESS_PARTS, COMMUNES_RESOLVED
from geomatch.store.reader import Store

Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

#: A street whose probability is at least this share of the best one's fits as well.
_AS_GOOD = 0.5


@dataclass(frozen=True)
class _Asked:
    """Distinct places asked for, and which of them each row is."""

    rows: Rows
    of_row: Ints


@dataclass(frozen=True)
class _Best:
    """The likeliest street of each question, and what speaks for and against it; aligned."""

    question: Ints
    street: Ints
    score: NDArray[np.float64]
    #: the score with those of the street's other parts in the city
    mass: NDArray[np.float64]
    n_alike: Ints
    spread_m: NDArray[np.float64]

    def take(self, at: Ints) -> _Best:
        """Some of them."""
        return _Best(*(getattr(self, f.name)[at] for f in fields(self)))


class Geocoder:
    """Finds addresses among the streets of some départements of a store.

    Use :meth:`open`. A geocoder holds no more than its départements' streets and addresses.
    """

    def __init__(
        self,
        streets: StreetIndex,
        communes: CommuneIndex,
        options: AddressOptions,
    ) -> None:
        self.streets = streets
        self.communes = communes
        self.options = options
        centres = communes.table
        codes = texts(centres.column("code_commune"))
        self._centre_of = dict(zip(codes, range(len(codes)), strict=True))
        # behind the communes, what is said of an unknown one
        self._x, self._y, self._radius = (
            np.append(centres.column(c).to_numpy(), np.nan) for c in ("x", "y", "radius_m")
        )
        self._crs = np.append(centres.column("crs").to_numpy(), 0)
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
            options or AddressOptions(),
        )

    def geocode(self, parts: Columns, communes: Columns, *, claimed: bool = False) -> Rows:
        """Place of each address.

        Parameters
        ----------
        parts : table of ADDRESS_PARTS
            With the columns of :func:`geomatch.addresses.parse.corners.with_second` the second
            address of a line is looked for too (:mod:`geomatch.addresses.streets.corners`).
        communes : table of COMMUNES_RESOLVED, aligned with `parts`
        claimed : bool
            Weigh each street against one that the gazetteer lacks
            (:mod:`geomatch.addresses.streets.second_look`): the score is then the probability
            that it is the street meant, and one below ``least_claimed`` is not given but named in
            a column ``alternatives``. Matching, which weighs streets itself, takes them all.

        Returns
        -------
        Rows of GEOCODES
            Aligned with `parts`. Where no street is found, or the store knows no street of the
            commune, the level is ``commune``; ``none`` when the commune is not known either.
        """
        asked = _distinct(parts, communes, self._former(parts, communes))
        out = self._at_commune(asked.rows)
        if claimed:
            out = out.plus(alternatives=constant("", len(out)))
        self._on_streets(asked.rows, out)
        found = out.take(asked.of_row)
        if "nom_voie_2" in parts:
            self._at_corners(parts, communes, found, claimed=claimed)
        return found

    def _at_corners(self, parts: Columns, communes: Columns, found: Rows, *, claimed: bool) -> None:
        """Look for the second addresses of the lines that hold two."""
        rows = np.flatnonzero(np.asarray(parts["nom_voie_2"]) != "")
        if not len(rows) or not len(self.streets):
            return
        columns = {c: np.asarray(parts[c])[rows] for c in ADDRESS_PARTS.columns}
        second = Rows(columns | {c: np.asarray(parts[f"{c}_2"])[rows] for c in SECOND})
        resolved = Rows.of(communes, tuple(COMMUNES_RESOLVED.columns)).take(rows)
        corners.settle(self.streets, found, rows, self.geocode(second, resolved, claimed=claimed))

    # ------------------------------------------------------------- communes
    def _former(self, parts: Columns, communes: Columns) -> Texts:
        """Code of the former commune that each address names as its town, "" for none."""
        towns = np.asarray(parts["commune"]), np.asarray(communes["code_commune"])
        pairs = zip(*(t.tolist() for t in towns), strict=True)
        return np.array([self.communes.former(*p) for p in pairs], dtype=object)

    def _centre(self, codes: Texts) -> Ints:
        """Position of each commune in the table of centres, the one behind it for none."""
        unknown = len(self._centre_of)
        return np.array([self._centre_of.get(c, unknown) for c in codes], dtype=np.int64)

    def _at_commune(self, asked: Rows) -> Rows:
        n = len(asked)
        centre = self._centre(asked["code_commune"])
        # an overseas commune may be known and its centre not
        known = centre < len(self._centre_of)
        has = self._crs[centre] != 0
        out = {
            "geocode_level": np.where(known, "commune", "none").astype(object),
            "geocode_score": np.where(known, asked["commune_score"], 0.0),
            # copies, for the places found on streets are written into them
            "code_commune": asked["code_commune"].copy(),
            "voie_id": constant(-1, n),
            "libelle_voie": constant("", n),
            "numero": constant("", n),
            "rep": constant("", n),
            "code_postal": asked["code_postal"].copy(),
            "x": np.where(has, self._x[centre], np.nan),
            "y": np.where(has, self._y[centre], np.nan),
            "crs": self._crs[centre],
            "uncertainty_m": np.where(has, self._radius[centre], np.nan),
            "ban_id": constant("", n),
            "n_alike": constant(0, n),
        }
        return Rows(out, n)

    # ------------------------------------------------------------- streets
    def _on_streets(self, asked: Rows, out: Rows) -> None:
        """Find streets; where none is, the locality, zone or residence that is written too."""
        if not len(self.streets):
            return
        zones, zone = self._zones.of(asked)
        street, lieu = street_keys(asked), asked["lieu"]
        done = np.zeros(len(asked), dtype=bool)
        # the number is that of the street, not of the locality
        nothing = constant("", len(asked))
        unnumbered = asked.plus(numero=nothing, rep=nothing)
        for keys, lines in ((street, asked), (np.where(lieu != street, lieu, ""), unnumbered)):
            rows = np.flatnonzero((keys != "") & (zone >= 0) & ~done)
            if not len(rows):
                continue
            questions = _questions(lines.take(rows), keys[rows], zone[rows], zones)
            found = with_places(self.streets, questions, find(self.streets, questions))
            found = with_doors(self.streets, questions, found)
            best = self._best(found)
            if "alternatives" in out:
                best = self._claimed(best, questions, rows, out)
            row = rows[best.question]
            done[row] = True
            self._write(best, row, lines.take(row), out)

    def questions(self, asked: Columns) -> tuple[Questions, Ints]:
        """Streets asked for, and the row of `asked` each comes from.

        `asked` has the columns of ADDRESS_PARTS and COMMUNES_RESOLVED. Rows without a street, or
        of a commune whose streets are not loaded, ask for none.
        """
        zones, zone = self._zones.of(asked)
        keys = street_keys(asked)
        rows = np.flatnonzero((keys != "") & (zone >= 0))
        former = np.asarray(asked["ancienne"]) if "ancienne" in asked else constant("", len(keys))
        told = Rows.of(asked, ("numero", "code_postal")).plus(ancienne=former)
        return _questions(told.take(rows), keys[rows], zone[rows], zones), rows

    def _best(self, found: Found) -> _Best:
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
        twin = (index.key_code[street] == index.key_code[top]) & (
            found.near[order] <= Nearness.SAME_CITY
        )
        as_good = chance >= chance[first][group] * _AS_GOOD
        apart = np.hypot(index.x[street] - index.x[top], index.y[street] - index.y[top])
        apart = np.where(twin & as_good, apart + index.half_length[street], 0.0)
        spread_m = np.zeros(int(first.sum()))
        np.maximum.at(spread_m, group, apart)
        mass = np.bincount(group, np.where(twin, chance, 0.0))
        kept = np.maximum(mass, chance[first]) >= self.options.least_probability
        top = np.flatnonzero(first)[kept]
        return _Best(
            question=question[top],
            street=street[top],
            score=chance[top],
            mass=np.maximum(mass, chance[first])[kept],
            n_alike=np.bincount(group, as_good).astype(np.int64)[kept],
            spread_m=spread_m[kept],
        )

    def _claimed(self, best: _Best, questions: Questions, rows: Ints, out: Rows) -> _Best:
        """Those likelier than a street nobody knows; `out` gets the names of the others."""
        chosen = second_look.Chosen(best.question, best.street, best.mass, best.score)
        sure = second_look.probability(self.streets, questions, chosen)
        row = rows[best.question]
        # without a commune to fall back on, a doubtful street with its score is more than nothing
        is_claimed = (sure >= self.options.least_claimed) | (out["geocode_level"][row] == "none")
        below = np.flatnonzero(~is_claimed)
        out["alternatives"][row[below]] = self.streets.told(best.street[below])["nom_voie"]
        # of several streets of that name in one commune it is one
        one_of = np.where(self.streets.is_homonym[best.street], np.maximum(best.n_alike, 1), 1)
        return replace(best, score=sure / one_of).take(np.flatnonzero(is_claimed))

    def _write(self, best: _Best, row: Ints, wanted: Rows, out: Rows) -> None:
        """Fill the rows of `out` whose street was found; `wanted` is what they asked for."""
        placed = houses.place(self.streets, self._doors(wanted, best.street))
        spread = np.where(best.n_alike > 1, best.spread_m, 0.0)
        columns = self._place_columns(wanted, best.street, placed)
        columns |= {
            "geocode_score": np.clip(best.score, 0.0, 1.0),
            "x": placed.x,
            "y": placed.y,
            "uncertainty_m": np.maximum(placed.uncertainty, spread),
            "n_alike": best.n_alike,
        }
        for column, values in columns.items():
            out[column][row] = values

    def _doors(self, wanted: Rows, street: Ints) -> houses.Doors:
        rep, letter = self.streets.addresses.repetitions.asked(wanted["rep"])
        return houses.Doors(street, whole_numbers(wanted["numero"]), rep, letter)

    def _place_columns(
        self, wanted: Rows, street: Ints, placed: houses.Places
    ) -> dict[str, NDArray]:
        """What the gazetteer says of the streets and of the doors found on them."""
        addresses, table = self.streets.addresses, self.streets.told(street)
        on_street = placed.level == houses.STREET
        locality = on_street & table["is_lieu_dit"]
        level = np.where(locality, "locality", houses.LEVELS[placed.level])
        postcode, ban_id = (table[c] for c in ("code_postal", "ban_id"))
        rep = np.full(len(street), "", dtype=object)
        door = np.flatnonzero(placed.address >= 0)
        if len(door):
            at = placed.address[door]
            columns = (addresses.code_postal, addresses.ban_id, addresses.rep)
            postcode[door], ban_id[door], rep[door] = (texts(c.take(at)) for c in columns)
        codes = table["code_commune"]
        return {
            "geocode_level": level,
            "code_commune": codes,
            "voie_id": table["voie_id"],
            "libelle_voie": table["nom_voie"],
            "numero": np.where(on_street, "", wanted["numero"]),
            "rep": rep,
            "code_postal": postcode,
            "crs": self._crs[self._centre(codes)],
            "ban_id": ban_id,
        }


def _questions(asked: Columns, keys: Texts, zone: Ints, zones: Zones) -> Questions:
    return Questions(
        keys=keys.tolist(),
        names=[read_street(k) for k in keys.tolist()],
        zone=zone,
        zones=zones,
        numero=whole_numbers(asked["numero"]),
        code_postal=asked["code_postal"],
        former=asked["ancienne"],
    )


def street_keys(asked: Columns) -> Texts:
    """Full key of the street asked for, else of the locality."""
    kind, name, lieu = (np.asarray(asked[c]) for c in ("type_voie", "nom_voie", "lieu"))
    full = np.array([f"{k} {n}" if k else n for k, n in zip(kind, name, strict=True)], dtype=object)
    return np.where(full != "", full, lieu)


def _distinct(parts: Columns, communes: Columns, former: Texts) -> _Asked:
    columns = ("numero", "rep", "type_voie", "nom_voie", "lieu", "code_postal")
    rows = Rows.of(parts, columns).plus(
        code_commune=np.asarray(communes["code_commune"]),
        commune_score=np.asarray(communes["commune_score"]),
        ancienne=former,
    )
    # the postcode of another country is none of ours
    abroad = np.asarray(communes["code_pays"]) != ""
    if abroad.any():
        rows = rows.plus(code_postal=np.where(abroad, "", rows["code_postal"]))
    first: dict[tuple[object, ...], int] = {}
    of_row = np.empty(len(rows), dtype=np.int64)
    for i, place in enumerate(zip(*(rows[c].tolist() for c in rows), strict=True)):
        of_row[i] = first.setdefault(place, len(first))
    at = np.full(len(first), -1)
    at[of_row[::-1]] = np.arange(len(rows))[::-1]
    return _Asked(rows.take(at), of_row)
