"""Phase 2: from a written address to a place, with how sure it is."""

from geomatch.addresses.communes import CommuneIndex
from geomatch.addresses.completion import complete_parts
from geomatch.addresses.fields import bulletin_parts, register_parts
from geomatch.addresses.geocode import Geocoder
from geomatch.addresses.parse import AddressParser, get_parser

__all__ = [
    "AddressParser",
    "CommuneIndex",
    "Geocoder",
    "bulletin_parts",
    "complete_parts",
    "get_parser",
    "register_parts",
]
