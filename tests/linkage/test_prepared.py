from __future__ import annotations

import pandas as pd
import pytest

from geomatch.linkage.prepared import places_of_work


@pytest.mark.parametrize(
    ("commune", "departement", "home", "expected"),
    [
        ("35238", "35", "44109", ("35", "35238")),
        ("97411", "974", "", ("974", "97411")),
        ("", "35", "44109", ("35", "~")),
        ("", "", "44109", ("44", "~44109")),
        ("", "", "", ("", "~")),
    ],
)
def test_where_to_search(
    commune: str, departement: str, home: str, expected: tuple[str, str]
) -> None:
    told = pd.DataFrame({"code_commune_residence": [home]}, dtype=object)
    communes = pd.DataFrame({"code_commune": [commune], "code_departement": [departement]})
    found = places_of_work(told, communes)
    assert tuple(column[0] for column in found) == expected
