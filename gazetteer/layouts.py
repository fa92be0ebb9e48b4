"""The official layouts a build can read: which columns make a file what it is.

A file is recognised by its columns, never by its name. Spellings differ from one publication to
the next (``#Code_commune_INSEE``, ``code_commune_insee``), so columns are compared through
:func:`column_key` and each may have aliases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One official layout.

    `signature` columns tell the layout from all others; a file that has all of them but lacks one
    of `needed` is refused; `optional` columns are used when there. `aliases` maps a column of this
    project to other spellings. `may_be_empty` allows a file with a header and no row.
    """

    role: str
    title: str
    signature: tuple[str, ...]
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    #: groups of columns of which one whole group at least has to be there
    one_of: tuple[tuple[str, ...], ...] = ()
    aliases: Mapping[str, tuple[str, ...]] | None = None
    may_be_empty: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the layout that are used, each once."""
        return tuple(dict.fromkeys((*self.needed, *self.optional, *sum(self.one_of, ()))))

    def resolve(self, columns: Sequence[str]) -> dict[str, str]:
        """Column of this project → column of the file, for those the file has."""
        by_key = {column_key(c): c for c in columns}
        found = {}
        for column in self.columns:
            spellings = (column, *(self.aliases or {}).get(column, ()))
            match = next((by_key[k] for k in map(column_key, spellings) if k in by_key), None)
            if match is not None:
                found[column] = match
        return found

    def is_signed(self, found: Mapping[str, str]) -> bool:
        """Whether the signature columns are all there."""
        return all(c in found for c in self.signature)

    def missing(self, found: Mapping[str, str]) -> list[str]:
        """What a file of this layout lacks, in words."""
        lacks = [c for c in self.needed if c not in found]
        if self.one_of and not any(all(c in found for c in group) for group in self.one_of):
            lacks.append(" or ".join("+".join(group) for group in self.one_of))
        return lacks


def column_key(name: str) -> str:
    """``"#Libellé_d_acheminement"`` → ``"libelledacheminement"``."""
    plain = unicodedata.normalize("NFKD", name).lower()
    return "".join(c for c in plain if c.isascii() and c.isalnum())


_POSITION = (("x", "y"), ("lon", "lat"))

BAN = Layout(
    role="ban",
    title="BAN addresses",
    signature=("numero", "nom_voie"),
    needed=("id", "numero", "nom_voie", "code_insee"),
    optional=(
        "rep",
        "code_postal",
        "code_insee_ancienne_commune",
        "type_position",
        "nom_ld",
        "certification_commune",
    ),
    one_of=_POSITION,
)
LIEUX_DITS = Layout(
    role="lieux_dits",
    title="BAN lieux-dits",
    signature=("nom_lieu_dit",),
    needed=("id", "nom_lieu_dit", "code_insee"),
    optional=("code_postal", "code_insee_ancienne_commune"),
    one_of=_POSITION,
    may_be_empty=True,
)
ETABLISSEMENTS = Layout(
    role="etablissements",
    title="Sirene StockEtablissement",
    signature=("siret", "activitePrincipaleEtablissement"),
    needed=(
        "siret",
        "etatAdministratifEtablissement",
        "activitePrincipaleEtablissement",
        "codeCommuneEtablissement",
        "codePostalEtablissement",
        "numeroVoieEtablissement",
        "typeVoieEtablissement",
        "libelleVoieEtablissement",
        "enseigne1Etablissement",
    ),
    optional=(
        "dateCreationEtablissement",
        "dateDebut",
        "trancheEffectifsEtablissement",
        "etablissementSiege",
        "complementAdresseEtablissement",
        "dernierNumeroVoieEtablissement",
        "indiceRepetitionEtablissement",
        "libelleCommuneEtablissement",
        "enseigne2Etablissement",
        "enseigne3Etablissement",
        "denominationUsuelleEtablissement",
        "nomenclatureActivitePrincipaleEtablissement",
        "activitePrincipaleNAF25Etablissement",
        "caractereEmployeurEtablissement",
    ),
)
UNITES_LEGALES = Layout(
    role="unites_legales",
    title="Sirene StockUniteLegale",
    signature=("siren", "denominationUniteLegale"),
    needed=("siren", "denominationUniteLegale"),
    optional=(
        "sigleUniteLegale",
        "prenomUsuelUniteLegale",
        "prenom1UniteLegale",
        "nomUniteLegale",
        "nomUsageUniteLegale",
        "pseudonymeUniteLegale",
        "denominationUsuelle1UniteLegale",
        "denominationUsuelle2UniteLegale",
        "denominationUsuelle3UniteLegale",
        "categorieJuridiqueUniteLegale",
        "activitePrincipaleUniteLegale",
        "nomenclatureActivitePrincipaleUniteLegale",
        "activitePrincipaleNAF25UniteLegale",
        "nicSiegeUniteLegale",
    ),
)
HISTORIQUE = Layout(
    role="historique",
    title="Sirene StockEtablissementHistorique",
    signature=("siret", "dateFin", "changementEtatAdministratifEtablissement"),
    needed=(
        "siret",
        "dateDebut",
        "dateFin",
        "etatAdministratifEtablissement",
        "changementEtatAdministratifEtablissement",
    ),
)
GEOLOC = Layout(
    role="geoloc",
    title="geolocated Sirene",
    signature=("siret", "qualite_xy"),
    needed=("siret", "x", "y", "qualite_xy", "epsg"),
    optional=("plg_code_commune", "distance_precision"),
)
COMMUNES = Layout(
    role="communes",
    title="COG communes (v_commune)",
    signature=("typecom", "com", "comparent"),
    needed=("typecom", "com", "dep", "libelle", "comparent"),
)
MOUVEMENTS = Layout(
    role="mouvements",
    title="COG movements (v_mvt_commune)",
    signature=("com_av", "com_ap"),
    needed=("mod", "date_eff", "typecom_av", "com_av", "libelle_av", "typecom_ap", "com_ap"),
)
LAPOSTE = Layout(
    role="laposte",
    title="La Poste postcodes (hexasmal)",
    signature=("code_commune_insee", "code_postal"),
    needed=("code_commune_insee", "nom_commune", "code_postal"),
    optional=("ligne_5", "coordonnees_gps"),
    aliases={
        "nom_commune": ("nom_de_la_commune",),
        "ligne_5": ("ligne5",),
        "coordonnees_gps": ("_geopoint", "geopoint"),
    },
)
NAF = Layout(
    role="naf",
    title="NAF labels",
    signature=("code_naf", "libelle"),
    needed=("code_naf", "libelle"),
    optional=("nomenclature",),
    aliases={
        "code_naf": ("code_naf_2025", "code_ape", "naf", "naf_2025", "code"),
        "libelle": (
            "libelle_naf",
            "intitule_naf",
            "intitule",
            "intitules_naf_rev_2_version_finale",
        ),
    },
)

#: Tried in this order: a layout whose signature is contained in another's comes after it.
LAYOUTS: tuple[Layout, ...] = (
    BAN,
    LIEUX_DITS,
    HISTORIQUE,
    ETABLISSEMENTS,
    UNITES_LEGALES,
    GEOLOC,
    COMMUNES,
    MOUVEMENTS,
    LAPOSTE,
    NAF,
)
BY_ROLE: Mapping[str, Layout] = {layout.role: layout for layout in LAYOUTS}
