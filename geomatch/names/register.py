"""The register's side of phase 1: the names that an establishment may go by.

More than the register says of it: enseignes joined, initials, the forms people use for public
bodies, the street a school is called after. Prepared once, when the store is built.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.core.tables import load_table
from geomatch.core.territories import departement_of
from geomatch.names.clean import STOP_WORDS, category_words, clean_names, name_words, one_list

#: Separates the names of one field in the store (enseignes, usual names).
NAME_SEPARATOR = " | "
#: Places in which others lodge, at the beginning of a complement.
_LODGINGS = ("MAIRIE", "HOTEL D", "CHEZ ", "COMMUNE", "CENTRE COMMERCIAL", "CENTRE CIAL")
#: Legal category of a commune.
_COMMUNE = "7210"
#: How the SIREN of public bodies begins.
_PUBLIC_SIREN = ("1", "2")


def register_names(establishments: pd.DataFrame, towns: Sequence[str]) -> pd.DataFrame:
    """Names of each establishment, one row a name (:data:`NAMES`).

    `establishments` has the columns of :data:`geomatch.core.schema.STORE_ESTABLISHMENTS`; `towns`
    are the names of their communes of today, where the register may keep an old one.
    Enseignes cut in three are also given joined; legal name and enseigne are given together,
    for people write "VILLE DE X BIBLIOTHEQUE Y"; public bodies get their usual forms from
    the prefix of their SIREN (a commune's is 21 + département + commune) and their NAF; schools
    and their like also go by their street.
    """
    n = len(establishments)
    denomination = clean_names(establishments["denomination"].tolist())
    enseignes = establishments["enseignes"].tolist()
    usual = establishments["denominations_usuelles"].tolist()
    joined = clean_names([e.replace(NAME_SEPARATOR, " ") for e in enseignes])
    both = [
        f"{d} {e}" if d and e and d != e else "" for d, e in zip(denomination, joined, strict=True)
    ]
    columns: list[tuple[str, np.ndarray, list[str]]] = [
        ("enseigne", np.arange(n), joined),
        ("denomination", np.arange(n), denomination),
        ("sigle", np.arange(n), clean_names(establishments["sigle"].tolist())),
        ("personne", np.arange(n), clean_names(establishments["personne"].tolist())),
        ("ensemble", np.arange(n), both),
        ("initiales", np.arange(n), sigles(denomination)),
        ("initiales", np.arange(n), sigles(joined)),
        ("enseigne", *_split_names(enseignes)),
        ("usuelle", *_split_names(usual)),
        *_public_names(establishments, towns, denomination, joined),
        *_place_names(establishments, joined),
        *_complement_names(establishments, joined, denomination),
        ("autrement", *_said_otherwise(establishments["naf"], joined)),
    ]
    parts = [pd.DataFrame({"row": r, "name": v, "form": f}) for f, r, v in columns]
    return one_list(parts)


def sigles(names: Sequence[str]) -> list[str]:
    """Initials of names of three words or more ("DELEGATION REGIONALE DE PARIS" → ``DRP``)."""
    out = []
    for name in names:
        words = [w for w in name.split() if w not in STOP_WORDS and w.isalpha()]
        out.append("".join(w[0] for w in words) if 3 <= len(words) <= 7 else "")
    return out


def _split_names(values: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    rows, names = [], []
    for row, value in enumerate(values):
        if NAME_SEPARATOR in value:
            for name in value.split(NAME_SEPARATOR):
                rows.append(row)
                names.append(name)
        elif value:
            rows.append(row)
            names.append(value)
    return np.array(rows, dtype=np.int64), clean_names(names)


def _public_names(
    establishments: pd.DataFrame, towns: Sequence[str], denomination: list[str], enseigne: list[str]
) -> list[tuple[str, np.ndarray, list[str]]]:
    """Forms of public bodies; see ``tables/public_bodies.csv``.

    The bare office (MAIRIE) goes only to establishments that no enseigne sets apart, the
    legal body's name only where the register gives none.
    """
    siren = _bodies(establishments, enseigne)
    naf = establishments["naf"].str.replace(".", "", regex=False).str.slice(0, 4).to_numpy()
    has_name = np.array([bool(d) for d in denomination], dtype=bool)
    sets_apart = np.array(
        [bool(e) and "MAIRIE" not in e and "HOTEL DE VILLE" not in e for e in enseigne], dtype=bool
    )
    old_towns = establishments["libelle_commune"].tolist()
    labels = {row[0]: row[1] for row in load_table("departements")}
    departements = [labels.get(departement_of(c), "") for c in establishments["code_commune"]]
    out: list[tuple[str, np.ndarray, list[str]]] = []
    for prefix, activity, form in load_table("public_bodies"):
        fits = (siren == prefix) if prefix else np.ones(len(siren), dtype=bool)
        fits &= (naf == activity) & ~sets_apart if activity else ~has_name
        rows = np.flatnonzero(fits)
        for town in (list(towns), old_towns):
            told = [{"commune": town[i], "departement": departements[i]} for i in rows]
            bodies = clean_names([form.format(**names) for names in told])
            # A body's other establishments are not the body: its name goes with theirs.
            with_own = [f"{b} {enseigne[i]}".strip() for b, i in zip(bodies, rows, strict=True)]
            out.append(("public", rows, bodies if activity else with_own))
    return out


def _place_names(
    establishments: pd.DataFrame, enseigne: Sequence[str]
) -> list[tuple[str, np.ndarray, list[str]]]:
    """Names with the street or the place they stand in: ``ECOLE MATERNELLE`` ``GLACIERE``.

    Of public establishments only (``tables/named_by_place.csv``): towns have many schools, which
    the register often does not tell apart and which people call by their street.
    """
    naf = establishments["naf"].str.replace(".", "", regex=False).str.slice(0, 4)
    named = naf.isin([row[0] for row in load_table("named_by_place")])
    named &= establishments["siren"].str.slice(0, 1).isin(_PUBLIC_SIREN)
    rows = [i for i in np.flatnonzero(named.to_numpy(bool)).tolist() if enseigne[i]]
    out = []
    for column in ("nom_voie", "complement"):
        places = clean_names(establishments[column].iloc[rows].tolist())
        both = [f"{enseigne[i]} {p}" if p else "" for i, p in zip(rows, places, strict=True)]
        out.append(("lieu", np.array(rows, dtype=np.int64), both))
    return out


def _complement_names(
    establishments: pd.DataFrame, enseigne: Sequence[str], denomination: Sequence[str]
) -> list[tuple[str, np.ndarray, list[str]]]:
    """Names of sites that stand in the address: HOPITAL NECKER, ESAT ATELIER DE LA LYS.

    A complement that begins with an institution (``tables/institutions.csv``) and has words of its
    own is a name, alone and behind the unit's; MAIRIE and its like say where a body lodges.
    """
    institutions = frozenset(row[0] for row in load_table("institutions"))
    written = establishments["complement"].tolist()
    begins = [i for i, w in enumerate(written) if w and w.split()[0].upper() in institutions]
    names = dict(zip(begins, clean_names([written[i] for i in begins]), strict=True))
    rows = [
        i
        for i, n in names.items()
        if not n.startswith(_LODGINGS) and not category_words().issuperset(name_words(n))
    ]
    own = [enseigne[i] or denomination[i] for i in rows]
    alone = [names[i] for i in rows]
    with_own = [f"{o} {n}" if o and o != n else "" for o, n in zip(own, alone, strict=True)]
    at = np.array(rows, dtype=np.int64)
    return [("complement", at, alone), ("complement", at, with_own)]


def _said_otherwise(
    nafs: pd.Series, enseigne: Sequence[str]
) -> tuple[NDArray[np.int64], list[str]]:
    """Names that begin otherwise and mean the same: MAISON D ARRET X, CENTRE DE DETENTION X.

    ``tables/said_otherwise.csv`` tells the beginnings that people take for one another, by NAF.
    """
    activity = nafs.str.replace(".", "", regex=False).str.slice(0, 4)
    rows, names = [], []
    for naf, written in load_table("said_otherwise"):
        beginnings = clean_names(written.split("|"))
        for row in np.flatnonzero(activity == naf).tolist():
            for known in beginnings:
                if f"{enseigne[row]} ".startswith(f"{known} "):
                    others = [b + enseigne[row][len(known) :] for b in beginnings if b != known]
                    names += others
                    rows += [row] * len(others)
    return np.array(rows, dtype=np.int64), names


def _bodies(establishments: pd.DataFrame, enseigne: Sequence[str]) -> np.ndarray:
    """First two digits of each SIREN; ``21`` too for communes made by a merger.

    Those got a SIREN beginning with 20, like groupings of communes; they have a mairie.
    """
    siren = establishments["siren"]
    prefix = siren.str.slice(0, 2).to_numpy(object)
    is_mairie = np.array([e == "MAIRIE" or e.startswith("MAIRIE ") for e in enseigne], dtype=bool)
    is_mairie |= (establishments["categorie_juridique"] == _COMMUNE).to_numpy(bool)
    communes = set(siren[is_mairie & (prefix == "20")])
    return np.where(siren.isin(communes).to_numpy(bool), "21", prefix)
