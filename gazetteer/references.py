"""The reference sources: one record each, from which everything else is derived.

The build finds, checks and loads the sources by this table; ``geomatch download`` fetches what it
publishes; the tests and the demo write files by it. To add a source, add a record, and a loader
where :func:`gazetteer.loading.into_store` is not enough (CONTRIBUTING.md). An incomplete record
is refused when this module is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping

from gazetteer import ban, geoloc, naf, sirene
from gazetteer.layouts import Layout
from gazetteer.loading import Stage, into_sql
from gazetteer.reference import Presence, Publication, Reference, by_role

COG_YEAR = 2026
_BAN = "https://adresse.data.gouv.fr/data/ban/adresses/latest/csv"
_COG = "https://www.insee.fr/fr/statistiques/fichier/8740222"
_SIRENE = "https://object.files.data.gouv.fr/data-pipeline-open/siren/stock"
_GEOLOC = "https://files.data.gouv.fr/insee-sirene-geo"
_GEOLOC_NAME = "GeolocalisationEtablissement_Sirene_pour_etudes_statistiques_utf8.zip"
_POSITION = (("x", "y"), ("lon", "lat"))

#: A file is of the first layout whose signature it has: a layout whose columns include those of
#: another comes before it. Sources of a stage are loaded in this order.
REFERENCES: tuple[Reference, ...] = (
    Reference(
        layout=Layout(
            role="communes",
            title="COG communes (v_commune)",
            signature=("typecom", "com", "comparent"),
            needed=("typecom", "com", "dep", "libelle", "comparent"),
        ),
        option="cog",
        presence=Presence.LATEST,
        stage=Stage.COMMUNES,
        load=into_sql("communes", "cog"),
        publication=Publication("cog", _COG, f"v_commune_{COG_YEAR}.csv"),
        example={
            "TYPECOM": "COM",
            "COM": "35901",
            "DEP": "35",
            "LIBELLE": "Trébourg",
            "COMPARENT": "",
        },
    ),
    Reference(
        layout=Layout(
            role="mouvements",
            title="COG movements (v_mvt_commune)",
            signature=("com_av", "com_ap"),
            needed=(
                "mod",
                "date_eff",
                "typecom_av",
                "com_av",
                "libelle_av",
                "typecom_ap",
                "com_ap",
            ),
        ),
        option="cog",
        presence=Presence.LATEST,
        stage=Stage.COMMUNES,
        load=into_sql("mouvements", "mvt"),
        publication=Publication("cog", _COG, f"v_mvt_commune_{COG_YEAR}.csv"),
        example={
            "MOD": "10",
            "DATE_EFF": "1998-03-02",
            "TYPECOM_AV": "COM",
            "COM_AV": "35901",
            "LIBELLE_AV": "Trébourg",
            "TYPECOM_AP": "COM",
            "COM_AP": "35901",
        },
    ),
    Reference(
        layout=Layout(
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
        ),
        option="cog",
        presence=Presence.LATEST,
        stage=Stage.COMMUNES,
        load=into_sql("laposte", "laposte"),
        publication=Publication(
            "laposte",
            "https://datanova.laposte.fr/data-fair/api/v1/datasets/laposte-hexasmal"
            "/metadata-attachments",
            "base-officielle-codes-postaux.csv",
            "laposte_hexasmal.csv",
        ),
        example={
            "Code_commune_INSEE": "35901",
            "Nom_commune": "TREBOURG",
            "Code_postal": "35990",
        },
    ),
    Reference(
        layout=Layout(
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
        ),
        option="ban",
        presence=Presence.SOME,
        stage=Stage.ADDRESSES,
        cut=ban.split,
        publication=Publication("ban", _BAN, "adresses-{departement}.csv.gz"),
        example={
            "id": "35901_0001_00001",
            "numero": "1",
            "nom_voie": "Rue des Tisserands",
            "code_insee": "35901",
            "x": "351010",
            "y": "6789000",
        },
    ),
    Reference(
        layout=Layout(
            role="lieux_dits",
            title="BAN lieux-dits",
            signature=("nom_lieu_dit",),
            needed=("id", "nom_lieu_dit", "code_insee"),
            optional=("code_postal", "code_insee_ancienne_commune"),
            one_of=_POSITION,
            may_be_empty=True,
        ),
        option="ban",
        presence=Presence.OPTIONAL,
        stage=Stage.ADDRESSES,
        cut=ban.split,
        publication=Publication("ban", _BAN, "lieux-dits-{departement}-beta.csv.gz", may_lack=True),
        example={
            "id": "35901_b001",
            "nom_lieu_dit": "La Lande",
            "code_insee": "35901",
            "x": "352000",
            "y": "6788000",
        },
    ),
    Reference(
        layout=Layout(
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
        ),
        option="sirene",
        only_with="period",
        presence=Presence.OPTIONAL,
        stage=Stage.REGISTER,
        load=sirene.load_spells,
        publication=Publication(
            "sirene", _SIRENE, "StockEtablissementHistorique_utf8.parquet", is_fetched=False
        ),
        example={
            "siret": "90000000100017",
            "dateDebut": "2001-04-01",
            "dateFin": "",
            "etatAdministratifEtablissement": "A",
            "changementEtatAdministratifEtablissement": "false",
        },
    ),
    Reference(
        layout=Layout(
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
                "codePaysEtrangerEtablissement",
            ),
        ),
        option="sirene",
        presence=Presence.SOME,
        stage=Stage.REGISTER,
        load=sirene.load_establishments,
        publication=Publication("sirene", _SIRENE, "StockEtablissement_utf8.parquet"),
        example={
            "siret": "90000000100017",
            "etatAdministratifEtablissement": "A",
            "activitePrincipaleEtablissement": "10.71C",
            "codeCommuneEtablissement": "35901",
            "codePostalEtablissement": "35990",
            "numeroVoieEtablissement": "4",
            "typeVoieEtablissement": "RUE",
            "libelleVoieEtablissement": "DES TISSERANDS",
            "enseigne1Etablissement": "AU PAIN DORE",
        },
    ),
    Reference(
        layout=Layout(
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
        ),
        option="sirene",
        presence=Presence.SOME,
        stage=Stage.REGISTER,
        load=sirene.load_units,
        publication=Publication("sirene", _SIRENE, "StockUniteLegale_utf8.parquet"),
        example={"siren": "900000001", "denominationUniteLegale": "BOULANGERIE LEMADEC"},
    ),
    Reference(
        layout=Layout(
            role="geoloc",
            title="geolocated Sirene",
            signature=("siret", "qualite_xy"),
            needed=("siret", "x", "y", "qualite_xy", "epsg"),
            optional=("plg_code_commune", "distance_precision"),
        ),
        option="geoloc",
        presence=Presence.SOME,
        stage=Stage.REGISTER,
        load=geoloc.load_geoloc,
        publication=Publication("geoloc", _GEOLOC, _GEOLOC_NAME),
        example={
            "siret": "90000000100017",
            "x": "351042",
            "y": "6789003",
            "qualite_xy": "11",
            "epsg": "2154",
        },
    ),
    Reference(
        layout=Layout(
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
        ),
        option="cog",
        own_option="naf",
        presence=Presence.OPTIONAL,
        stage=Stage.LABELS,
        load=naf.load_labels,
        publication=Publication(
            "naf",
            "https://data.iledefrance.fr/api/explore/v2.1/catalog/datasets"
            "/nomenclature-dactivites-francaise-naf-rev-2-code-ape/exports",
            "csv?delimiter=%3B",
            "naf_rev2.csv",
        ),
        example={"code_naf": "10.71C", "libelle": "Boulangerie et boulangerie-pâtisserie"},
    ),
)
BY_ROLE: Mapping[str, Reference] = by_role(REFERENCES)
