"""Phase 2: from a written address to a place, with how sure it is."""

from geomatch.addresses.communes.completion import complete_parts
from geomatch.addresses.communes.employers import with_employers_abroad
from geomatch.addresses.communes.index import COMMUNE_QUESTION, CommuneIndex
from geomatch.addresses.parse.corners import with_second
from geomatch.addresses.parse.fields import bulletin_parts, register_parts
from geomatch.addresses.parse.numbers import whole_numbers
from geomatch.addresses.parse.parsers import AddressParser, get_parser
from geomatch.addresses.parse.town_names import name_columns
from geomatch.addresses.streets.geocoder import Geocoder
from geomatch.addresses.streets.names import street_columns
from geomatch.addresses.streets.townless import find_towns

__all__ = [
    "COMMUNE_QUESTION",
    "AddressParser",
    "CommuneIndex",
    "Geocoder",
    "bulletin_parts",
    "complete_parts",
    "find_towns",
    "get_parser",
    "name_columns",
    "register_parts",
    "street_columns",
    "whole_numbers",
    "with_employers_abroad",
    "with_second",
]
