from __future__ import annotations

import numpy as np
import pytest

from geomatch.core.territories import crs_of, departements_of


def test_departements_of_corsica_and_overseas() -> None:
    codes = np.array(["2A004", "97411", "75056", "", "98818", "2A247"], dtype=object)
    assert departements_of(codes).tolist() == ["2A", "974", "75", "", "988", "2A"]


@pytest.mark.parametrize(
    ("code", "epsg"), [("35238", 2154), ("2B033", 2154), ("97411", 2975), ("976", 4471), ("", 2154)]
)
def test_each_territory_has_its_legal_projection(code: str, epsg: int) -> None:
    assert crs_of(code) == epsg
