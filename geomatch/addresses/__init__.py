"""Phase 2: from a written address to a place, with how sure it is."""

from geomatch.addresses.communes import COMMUNE_QUESTION, CommuneIndex
from geomatch.addresses.completion import complete_parts, complete_rows
from geomatch.addresses.fields import bulletin_parts, bulletin_rows, register_parts
from geomatch.addresses.geocode import Geocoder
from geomatch.addresses.numbers import whole_numbers
from geomatch.addresses.parse import AddressParser, get_parser
from geomatch.addresses.street_names import street_columns
from geomatch.addresses.town_names import name_columns

__all__ = [
    "COMMUNE_QUESTION",
    "AddressParser",
    "CommuneIndex",
    "Geocoder",
    "bulletin_parts",
    "bulletin_rows",
    "complete_parts",
    "complete_rows",
    "get_parser",
    "name_columns",
    "register_parts",
    "street_columns",
    "whole_numbers",
]
