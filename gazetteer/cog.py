"""Communes in force, the names and codes they went by, and their postcodes.

Reads the COG's communes and movements and La Poste's postcodes. These are small tables, so this
is plain Python on whole frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from gazetteer.accounts import Account
from gazetteer.engine import frame, store_frame
from gazetteer.loading import Loading
from geomatch.addresses import name_columns
from geomatch.core.errors import DataError
from geomatch.core.schema import STORE_COMMUNE_HISTORY, STORE_COMMUNE_NAMES, STORE_COMMUNE_POSTCODES
from geomatch.core.territories import departement_of
from geomatch.core.text import normalise

#: COG movements after which the commune that was there still is, with its code: creations and
#: restorations. They never make a code an old one.
_NOT_AN_END = frozenset({"20", "21"})
#: Territories that the COG's commune file leaves out but postcodes and Sirene know.
_OVERSEAS = ("975", "977", "978", "98")
#: Latitude and longitude; a decimal comma is known by the blank or semicolon after the number.
_GPS = r"^\s*(-?\d+(?:\.\d+|,\d+(?=\s*[;,]\s*-?\d))?)\s*[,;]\s*(-?\d+(?:[.,]\d+)?)\s*$"
_COMMUNE, _POSTCODE = r"\d[\dAB]\d{3}", r"\d{5}"
_ARRONDISSEMENT = re.compile(r"^(?P<city>.+?) (?P<rank>\d{1,2})(?:ER|E|EME)? ARRONDISSEMENT$")


@dataclass(frozen=True)
class Cog:
    """What the COG and La Poste say, before anything is known of places.

    `communes` has code_commune, libelle, departement, code_parent; `gps` has code_commune, lon,
    lat; the others are the store's tables of those names.
    """

    communes: pd.DataFrame
    names: pd.DataFrame
    postcodes: pd.DataFrame
    history: pd.DataFrame
    gps: pd.DataFrame


def read_cog(loading: Loading) -> Cog:
    """Read the tables that the stage COMMUNES loaded: ``cog``, ``mvt`` and ``laposte``.

    Leaves `communes`, `commune_history`, `commune_names` and `commune_postcodes` as SQL tables.
    Raises :class:`DataError` when a commune is there twice.
    """
    con = loading.con
    cog = frame(con, "SELECT * FROM cog").fillna("")
    mvt = frame(con, "SELECT * FROM mvt ORDER BY date_eff").fillna("")
    post = frame(con, "SELECT * FROM laposte").fillna("")
    cog = _sound(loading, "communes", cog, {"com": _COMMUNE})
    mvt = _sound(loading, "mouvements", mvt, {"com_av": _COMMUNE, "com_ap": _COMMUNE})
    of_post = {"code_commune_insee": _COMMUNE, "code_postal": _POSTCODE}
    post = _sound(loading, "laposte", post, of_post)
    in_force = _communes_in_force(cog, post)
    twice = in_force.loc[in_force["code_commune"].duplicated(), "code_commune"]
    if len(twice):
        path = loading.of("communes")[0].path
        raise DataError(
            f"{path}: {len(twice)} commune code(s) stand more than once (the first is "
            f"{twice.iloc[0]}); give each commune once: the COG of one year"
        )
    history = _history(cog, mvt, frozenset(in_force["code_commune"]))
    current = dict(zip(history["code_ancien"], history["code_commune"], strict=True))
    post["code_commune"] = _in_force(post["code_commune_insee"], current)
    is_known = post["code_commune"].isin(in_force["code_commune"])
    loading.accounts[-1] = _without(loading.accounts[-1], post.loc[~is_known, "code_commune_insee"])
    post = post[is_known]
    done = Cog(
        communes=in_force,
        names=_names(cog, mvt, post, current),
        postcodes=_postcodes(post),
        history=history,
        gps=_gps(post, _origins(mvt, in_force, current)),
    )
    store_frame(con, "communes", in_force)
    store_frame(con, "commune_history", history)
    store_frame(con, "commune_names", done.names)
    store_frame(con, "commune_postcodes", done.postcodes)
    return done


def _sound(
    loading: Loading, role: str, table: pd.DataFrame, codes: Mapping[str, str]
) -> pd.DataFrame:
    """The rows whose `codes` (column → pattern) are codes; the file's account is added."""
    is_sound = pd.Series(True, index=table.index)
    for column, pattern in codes.items():
        is_sound &= table[column].str.fullmatch(pattern)
    name, n_sound = loading.of(role)[0].name, int(is_sound.sum())
    refused = {f"whose {' or '.join(codes)} is no code": len(table) - n_sound}
    loading.accounts.append(Account.of(name, len(table), n_sound, refused))
    return table[is_sound].reset_index(drop=True)


def _without(account: Account, unknown: pd.Series) -> Account:
    """La Poste's account, when postcodes of communes that the COG does not know are left out.

    Those of abroad (Monaco, 99138) are not the COG's.
    """
    lost = int((~unknown.str.startswith("99")).sum())
    refused = {**account.refused, "of a commune that the COG does not know": lost}
    return Account.of(account.file, account.read, account.kept - len(unknown), refused)


def _communes_in_force(cog: pd.DataFrame, post: pd.DataFrame) -> pd.DataFrame:
    """Communes and arrondissements; overseas collectivities of the postcodes file are added."""
    kept = cog[cog["typecom"].isin(["COM", "ARM"])]
    communes = pd.DataFrame(
        {
            "code_commune": kept["com"],
            "libelle": kept["libelle"],
            "code_parent": kept["comparent"].where(kept["typecom"] == "ARM", ""),
        }
    )
    code = post["code_commune_insee"]
    extra = post[code.str.startswith(_OVERSEAS) & ~code.isin(communes["code_commune"])]
    extra = extra.drop_duplicates("code_commune_insee")
    added = pd.DataFrame(
        {
            "code_commune": extra["code_commune_insee"],
            "libelle": extra["nom_commune"].str.title(),
            "code_parent": "",
        }
    )
    communes = pd.concat([communes, added], ignore_index=True)
    communes["departement"] = communes["code_commune"].map(departement_of)
    return communes.sort_values("code_commune", ignore_index=True)


def _history(cog: pd.DataFrame, mvt: pd.DataFrame, in_force: frozenset[str]) -> pd.DataFrame:
    """Every code no longer in force with the code that took its place.

    Delegated and associated communes go to the commune the COG says is theirs. Others follow
    the movements through time; where a commune was shared out among several, the first of its
    heirs in force, in the order of codes, gets the code.
    """
    current = {
        code: parent
        for code, parent in zip(cog["com"], cog["comparent"], strict=True)
        if code not in in_force and parent in in_force
    }
    moves: dict[str, list[tuple[str, str]]] = {}
    changed = mvt[(mvt["com_av"] != mvt["com_ap"]) & ~mvt["mod"].isin(_NOT_AN_END)]
    changed = changed[changed["typecom_ap"].isin(["COM", "ARM"])]
    for before, date, after in changed[["com_av", "date_eff", "com_ap"]].itertuples(index=False):
        moves.setdefault(before, []).append((date, after))
    for code in moves:
        if code in in_force or code in current:
            continue
        heir = _heir(code, "", moves, in_force, current)
        if heir:
            current[code] = heir
    table = pd.DataFrame(sorted(current.items()), columns=STORE_COMMUNE_HISTORY.names)
    return STORE_COMMUNE_HISTORY.conform(table)


def _heir(
    code: str,
    since: str,
    moves: Mapping[str, list[tuple[str, str]]],
    in_force: frozenset[str],
    known: Mapping[str, str],
) -> str:
    """The code in force that `code` became, "" when the movements do not lead to any."""
    later = [(date, after) for date, after in moves.get(code, []) if date >= since]
    if not later:
        return ""
    last = max(date for date, _ in later)
    for after in sorted(after for date, after in later if date == last):
        if after in in_force:
            return after
        # strictly later from here on, so a code that came back and forth cannot go in circles
        found = known.get(after) or _heir(after, last + "+", moves, in_force, known)
        if found:
            return found
    return ""


def _names(
    cog: pd.DataFrame, mvt: pd.DataFrame, post: pd.DataFrame, current: Mapping[str, str]
) -> pd.DataFrame:
    """All names, the most official origin kept where one name of a commune has several."""
    rows = [
        *_cog_names(cog),
        *_old_names(mvt),
        *((n, c, "laposte") for n, c in _pairs(post, "nom_commune")),
        *((n, c, "ligne5") for n, c in _pairs(post, "ligne_5")),
    ]
    table = pd.DataFrame(rows, columns=["nom", "code", "origine"])
    table["nom_norm"] = table["nom"].map(normalise)
    table["code_commune"] = _in_force(table["code"], current)
    table["code_ancien"] = table["code"].where(table["code"] != table["code_commune"], "")
    in_force = set(cog.loc[cog["typecom"].isin(["COM", "ARM"]), "com"]) | set(post["code_commune"])
    table = table[table["code_commune"].isin(in_force) & (table["nom_norm"] != "")]
    table = table.drop_duplicates(["nom_norm", "code_commune"])
    table["departement"] = table["code_commune"].map(departement_of)
    table = table.assign(**name_columns(table["nom_norm"].tolist()))
    table = table.sort_values(["nom_norm", "code_commune"], ignore_index=True)
    return STORE_COMMUNE_NAMES.conform(table)


def _in_force(codes: pd.Series, current: Mapping[str, str]) -> pd.Series:
    return codes.map(lambda code: current.get(code, code))


def _pairs(post: pd.DataFrame, column: str) -> Iterator[tuple[str, str]]:
    yield from zip(post[column], post["code_commune_insee"], strict=True)


def _cog_names(cog: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    origin = {"COM": "cog", "ARM": "arrondissement", "COMD": "deleguee", "COMA": "deleguee"}
    known = cog[cog["typecom"].isin(list(origin))]
    # communes first: a delegated commune often bears the code and name of the new one
    for kind in origin:
        of_kind = known[known["typecom"] == kind]
        for code, label in zip(of_kind["com"], of_kind["libelle"], strict=True):
            yield label, code, origin[kind]
            if kind == "ARM":
                yield from ((name, code, origin[kind]) for name in _short_names(label))


def _short_names(label: str) -> list[str]:
    """``Lyon 3e Arrondissement`` → ``LYON 3``, ``LYON 03``, ``LYON 3E``, ``LYON 3EME``."""
    found = _ARRONDISSEMENT.match(normalise(label))
    if found is None:
        return []
    city, rank = found["city"], int(found["rank"])
    ordinals = ("1ER", "1E") if rank == 1 else (f"{rank}E", f"{rank}EME")
    return [f"{city} {n}" for n in (str(rank), f"{rank:02d}", *ordinals)]


def _old_names(mvt: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    for label, code in zip(mvt["libelle_av"], mvt["com_av"], strict=True):
        yield label, code, "ancienne"


def _postcodes(post: pd.DataFrame) -> pd.DataFrame:
    pairs = post[["code_postal", "code_commune"]]
    pairs = pairs[pairs["code_postal"] != ""].drop_duplicates()
    pairs = pairs.sort_values(["code_postal", "code_commune"], ignore_index=True)
    return STORE_COMMUNE_POSTCODES.conform(pairs)


def _origins(
    mvt: pd.DataFrame, communes: pd.DataFrame, current: Mapping[str, str]
) -> dict[str, str]:
    """For each commune that came out of another: the one in force it came out of."""
    moved = mvt[mvt["com_ap"].isin(communes["code_commune"]) & (mvt["com_av"] != mvt["com_ap"])]
    before = _in_force(moved["com_av"], current)
    return {a: b for a, b in zip(moved["com_ap"], before, strict=True) if a != b}


def _gps(post: pd.DataFrame, origins: Mapping[str, str]) -> pd.DataFrame:
    """Mean of La Poste's ``lat, lon`` by commune in force, degrees.

    A commune restored after the postcodes were published has the place of the one it left.
    """
    parts = post["coordonnees_gps"].str.extract(_GPS).replace(",", ".", regex=True)
    places = pd.DataFrame(
        {
            "code_commune": post["code_commune"],
            "lon": pd.to_numeric(parts[1]),
            "lat": pd.to_numeric(parts[0]),
        }
    )
    known = places.dropna().groupby("code_commune", as_index=False).mean()
    placed = set(known["code_commune"])
    left = {new: old for new, old in origins.items() if new not in placed}
    lent = pd.DataFrame({"new": list(left), "code_commune": list(left.values())}).merge(known)
    lent = lent.drop(columns="code_commune").rename(columns={"new": "code_commune"})
    return pd.concat([known, lent], ignore_index=True)
