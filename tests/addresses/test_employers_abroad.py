from __future__ import annotations

import numpy as np
import pytest

from geomatch.addresses import COMMUNE_QUESTION, CommuneIndex, with_employers_abroad
from geomatch.addresses.parse import areas
from geomatch.arrays.rows import Rows
from geomatch.core.schema import BULLETINS
from geomatch.core.tables import load_table
from geomatch.core.text import normalise


def country_of(index: CommuneIndex, **said: str) -> tuple[str, str]:
    """Country and commune of one bulletin."""
    texts = (c for c, (kind, _) in BULLETINS.columns.items() if kind == "text")
    told = {c: np.array([said.get(c, "")], dtype=object) for c in texts}
    asked = Rows({c: told[c] for c in COMMUNE_QUESTION}, 1)
    found = with_employers_abroad(Rows(told, 1), index.resolve(asked))
    return str(found["code_pays"][0]), str(found["code_commune"][0])


@pytest.mark.parametrize(
    ("name", "home", "country"),
    [
        ("CERN", "01160", "CH"),
        ("cern", "96101", "CH"),
        ("Hôpitaux Universitaires de Genève", "74012", "CH"),
        ("Centre Hospitalier Princesse Grace", "06029", "MC"),
        ("S.N.C.B.", "59350", ""),
        ("SNCB", "59350", "BE"),
        ("PALL CENTER", "57672", "LU"),
        # borne in France too: only beside the border
        ("HUG", "74012", "CH"),
        ("HUG", "96101", ""),
        ("SBM", "06088", "MC"),
        ("SBM", "75101", ""),
        ("COLRUYT", "59350", "BE"),
        ("COLRUYT", "25056", ""),
        # a legal form of the country
        ("MAIER WERKZEUGE GMBH", "67482", "DE"),
        ("MAIER WERKZEUGE GMBH", "96101", ""),
        ("TRANSPORTS DUBOIS SPRL", "59350", "BE"),
        ("TRANSPORTS DUBOIS SARL", "59350", ""),
        ("GMBH", "67482", ""),
        ("", "74012", ""),
        ("MAIRIE", "74012", ""),
    ],
)
def test_an_employer_tells_the_country(
    communes: CommuneIndex, name: str, home: str, country: str
) -> None:
    said = {"raison_sociale": name, "code_commune_residence": home, "lieu_travail": "2"}
    assert country_of(communes, **said)[0] == country


@pytest.mark.parametrize(
    "more",
    [
        {"commune": "VAUBRAY"},
        {"departement": "96"},
        {"adresse": "12 rue des Lilas"},
        {"nom_voie": "RUE DES LILAS"},
        {"lieu_travail": "1"},
        {"lieu_travail": ""},
        {"code_postal": "96100"},
    ],
    ids=str,
)
def test_what_is_told_of_the_place_is_believed(
    communes: CommuneIndex, more: dict[str, str]
) -> None:
    said = {"raison_sociale": "CERN", "lieu_travail": "2", "code_commune_residence": "96101"}
    assert country_of(communes, **said | more)[0] == ""


def test_the_table_is_whole() -> None:
    names = [row[0] for row in load_table("employers_abroad")]
    assert len(set(names)) == len(names)
    assert names == [normalise(n) for n in names]
    for _, country, near in load_table("employers_abroad"):
        assert areas.border_departements(country)
        assert near in ("", "1")
