"""Employers abroad: who says nothing of the place, but names one, works in its country."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from geomatch.addresses.parse import areas
from geomatch.arrays.rows import Columns, Rows
from geomatch.core.tables import load_table
from geomatch.core.territories import departement_of
from geomatch.core.text import normalise

#: Columns of a bulletin that tell a place of work.
_PLACE = ("commune", "departement", "pays", "code_postal", "code_commune_declaree", "adresse",
          "numero", "nom_voie", "complement")  # fmt: skip
#: Legal forms that close no French company's name, and their country.
_FORMS = {"GMBH": "DE", "AG": "DE", "SPRL": "BE", "BVBA": "BE", "BV": "NL", "SPA": "IT"}


def with_employers_abroad(told: Columns, communes: Rows) -> Rows:
    """Communes of work, of which those of employers abroad are none.

    Parameters
    ----------
    told : table of BULLETINS
    communes : Rows of COMMUNES_RESOLVED, aligned with `told`

    Returns
    -------
    Rows of COMMUNES_RESOLVED
        Only bulletins that work elsewhere than at home and leave every field of the place empty
        are changed. A name that French companies bear too, or a foreign legal form, counts for
        those who live near that border.
    """
    is_open = np.asarray(told["lieu_travail"]) == "2"
    for column in _PLACE:
        is_open &= np.asarray(told[column]) == ""
    rows = np.flatnonzero(is_open)
    names, homes = (
        np.asarray(told[c])[rows].tolist() for c in ("raison_sociale", "code_commune_residence")
    )
    found = [_country(*pair) for pair in zip(names, homes, strict=True)]
    rows = rows[[bool(country) for country in found]]
    if not len(rows):
        return communes
    columns = {c: communes[c].copy() for c in communes}
    columns["code_pays"][rows] = [country for country in found if country]
    columns["commune_method"][rows] = "abroad"
    columns["commune_score"][rows] = 1.0
    for column in ("code_commune", "code_departement"):
        columns[column][rows] = ""
    return Rows(columns, len(communes))


def _country(name: str, home: str) -> str:
    """Country of a written employer's name, "" for what may be in France."""
    key = normalise(name)
    country, only_near = _employers().get(key, ("", True))
    if not country:
        country = _FORMS.get(key.rpartition(" ")[2], "") if " " in key else ""
    is_near = bool(home) and departement_of(home) in areas.border_departements(country)
    return country if is_near or not only_near else ""


@cache
def _employers() -> Mapping[str, tuple[str, bool]]:
    return {name: (code, near == "1") for name, code, near in load_table("employers_abroad")}
