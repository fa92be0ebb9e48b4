from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geomatch.addresses import CommuneIndex, Geocoder
from geomatch.addresses.parse.rules import RulesParser
from geomatch.addresses.streets.second_look import WEIGHTS, _compared
from geomatch.core.config import AddressOptions
from geomatch.core.schema import GEOCODES
from geomatch.store.reader import Store

RARITY = {"": 9.0, "SAULE": 6.0, "HAUTE": 3.0, "JEAN": 2.0, "LOSSERAND": 8.0}


def looked(geocoder: Geocoder, *lines: str, claimed: bool = True) -> pd.DataFrame:
    parts = RulesParser().parse(list(lines))
    return geocoder.geocode(parts, geocoder.communes.resolve(parts), claimed=claimed).frame()


@pytest.mark.parametrize(
    ("asked", "known", "expected"),
    [
        (("HAUTE",), "HAUTE", (3.0, 0.0, 0.0, 0.0)),
        (("SAULE",), "HAUTE", (0.0, 6.0, 3.0, 0.0)),
        (("JEAN", "LOSSERAND"), "LOSSERAND", (8.0, 2.0, 0.0, 0.0)),
        (("LOSSERANT",), "LOSSERAND", (8.0, 0.0, 0.0, 0.0)),
    ],
)
def test_words_are_weighed_by_rarity(
    asked: tuple[str, ...], known: str, expected: tuple[float, ...]
) -> None:
    assert _compared(asked, known.split(), RARITY) == expected


def test_a_word_that_other_streets_bear_is_no_slip() -> None:
    rarity = RARITY | {"LETTRES": 4.0, "HETRES": 4.0}
    slip = _compared(("HETRED",), ["HETRES"], rarity)
    assert _compared(("SAULES",), ["SAULE"], RARITY | {"SAULES": 5.0})[3] == 4.0
    assert slip[3] == 0.0


def test_a_street_as_it_is_written_is_claimed(geocoder: Geocoder) -> None:
    found = looked(geocoder, "12 rue des Lilas 96100 Vaubray").iloc[0]
    assert (found["geocode_level"], found["alternatives"]) == ("housenumber", "")
    assert found["geocode_score"] >= 0.9


def test_a_doubtful_street_is_an_alternative(places: Store) -> None:
    line = "5 boulevard Marguerite Thibert 96100 Vaubray"
    geocoder = Geocoder.open(places, ["96"], AddressOptions(least_claimed=1.0))
    found = looked(geocoder, line).iloc[0]
    matched = looked(geocoder, line, claimed=False).iloc[0]
    assert (found["geocode_level"], found["libelle_voie"]) == ("commune", "")
    assert found["alternatives"] == matched["libelle_voie"] != ""


def test_matching_gets_the_streets_of_the_first_look(
    geocoder: Geocoder, communes: CommuneIndex
) -> None:
    found = looked(geocoder, "5 rue Pastuer 96100 Vaubray", claimed=False)
    assert list(found.columns) == GEOCODES.names


def test_every_weight_is_a_number() -> None:
    assert np.isfinite(list(WEIGHTS.values())).all()


def test_a_type_is_usual_where_streets_bear_it(geocoder: Geocoder) -> None:
    index = geocoder.streets
    vaubray = index.commune_code["96101"]
    share = index.kind_share[vaubray]
    assert share[index.kind_code["RUE"]] > share[index.kind_code["IMPASSE"]] > share[-1] > 0
    assert (index.companions > 0).all()
    assert (index.companions < 1).all()


@pytest.mark.parametrize(
    ("sure", "less"),
    [
        # a low number is on every street
        ("36 avenue des Lilas 96100 Vaubray", "2 avenue des Lilas 96100 Vaubray"),
        # the type that many streets bear may be another street's
        ("12 cité des Lilas 96100 Vaubray", "12 avenue des Lilas 96100 Vaubray"),
    ],
)
def test_another_type_is_doubted_the_more(geocoder: Geocoder, sure: str, less: str) -> None:
    more, fewer = looked(geocoder, sure, less)["geocode_score"]
    assert more > fewer
