"""Bulletins files in, the bulletins table out.

Two layouts are known: ``rp_final`` (census) and ``free`` (anything with an identifier, a name
and an address). A bad row becomes a row whose ``probleme`` says why; a bad file raises.
"""

from geomatch.bulletins.files import Source, open_source
from geomatch.bulletins.layouts import Layout, recognise
from geomatch.bulletins.reader import (
    PROBLEMS,
    read_bulletins,
    read_strata,
    standard_rows,
    standardise,
)
from geomatch.bulletins.workbooks import DATE

__all__ = [
    "DATE",
    "PROBLEMS",
    "Layout",
    "Source",
    "open_source",
    "read_bulletins",
    "read_strata",
    "recognise",
    "standard_rows",
    "standardise",
]
