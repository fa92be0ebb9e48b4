from __future__ import annotations

from collections.abc import Callable

import fictional_places
import pandas as pd
import pytest

from geomatch.addresses import CommuneIndex, Geocoder, complete_parts, get_parser
from geomatch.core.config import AddressOptions
from geomatch.store.reader import Store


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The invented communes and streets, as a store."""
    return fictional_places.build(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="session")
def communes(places: Store) -> CommuneIndex:
    return CommuneIndex.open(places)


@pytest.fixture(scope="session")
def geocoder(places: Store) -> Geocoder:
    return Geocoder.open(places)


@pytest.fixture(scope="session")
def geocode(geocoder: Geocoder) -> Callable[..., pd.DataFrame]:
    """Lines to places, by the whole phase."""
    parser = get_parser(AddressOptions(parser="rules"))

    def of_lines(*lines: str) -> pd.DataFrame:
        parts = complete_parts(parser.parse(lines), geocoder.communes)
        return geocoder.geocode(parts, geocoder.communes.resolve(parts)).frame()

    return of_lines
