"""What the official files look like: column names in their order, words for types of street."""

from __future__ import annotations

from collections.abc import Mapping

from geomatch.demo.words import parts


def columns(file: str) -> tuple[str, ...]:
    """The columns of one file of ``words/colonnes.csv``, in official order.

    `file` is ban_adresses, ban_lieux_dits, stock_etablissement, stock_unite_legale,
    geolocalisation, v_commune, v_mvt_commune, laposte_hexasmal, naf, rp_final or truth.
    """
    return parts("colonnes")[file]


#: Words of the register for a type of street: what it writes for each.
REGISTER_STREET_TYPES: Mapping[str, tuple[str, ...]] = {
    "RUE": ("RUE",),
    "AVENUE": ("AVENUE", "AV"),
    "BOULEVARD": ("BOULEVARD", "BD"),
    "PLACE": ("PLACE", "PL"),
    "ROUTE": ("ROUTE", "RTE"),
    "CHEMIN": ("CHEMIN", "CHE"),
    "ALLEE": ("ALLEE", "ALL"),
    "IMPASSE": ("IMPASSE", "IMP"),
    "SQUARE": ("SQUARE", "SQ"),
    "RUELLE": ("RUELLE", "RLE"),
    "PASSAGE": ("PASSAGE", "PAS"),
    "CLOS": ("CLOS",),
    "COUR": ("COUR",),
    "GRANDE RUE": ("GRANDE RUE", "GR"),
}
