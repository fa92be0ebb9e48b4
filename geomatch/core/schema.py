"""The tables that flow between phases, and those of the reference store: names, types, meaning.

Conventions that hold in every table of the flow:

* codes (``siret``, ``code_commune``, ``code_postal``, ``naf``) are text;
* absent text is ``""``, an absent number is ``NaN``, inside the flow; only the result files
  turn ``""`` into null;
* a column that ends in ``_norm`` went through :func:`geomatch.core.text.normalise`;
* ``x``, ``y`` are metres in the legal projection of the territory, whose EPSG code is in
  ``crs`` (2154 in mainland France); ``lon``, ``lat`` are WGS 84 degrees;
* scores and probabilities are in [0, 1]; ``_m`` is metres.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geomatch.core.errors import DataError

#: Raised whenever a reader of yesterday's store would go wrong on today's.
STORE_FORMAT_VERSION = 9
STORE_FORMAT = "geomatch-store"

#: Kinds of column: what pandas dtype each becomes.
DTYPES: Mapping[str, str] = {
    "text": "object",
    "float": "float64",
    "int": "int64",
    "bool": "bool",
}


@dataclass(frozen=True)
class Table:
    """A table's name and its columns: name → (kind, meaning)."""

    name: str
    columns: Mapping[str, tuple[str, str]]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.columns)

    def only(self, names: Iterable[str]) -> Table:
        """The same table with some of its columns."""
        return Table(self.name, {n: self.columns[n] for n in names})

    def empty(self) -> pd.DataFrame:
        """No rows, all columns, right types."""
        return pd.DataFrame({c: pd.Series(dtype=DTYPES[k]) for c, (k, _) in self.columns.items()})

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table's columns only, in order, typed; what is absent is ``""``, NaN, 0 or False."""
        out = {c: _column(frame.get(c), k, frame.index) for c, (k, _) in self.columns.items()}
        return pd.DataFrame(out, index=frame.index)

    def require(self, frame: pd.DataFrame, what: str) -> None:
        """Raise :class:`DataError` naming every column of this table that `frame` lacks."""
        missing = [c for c in self.columns if c not in frame.columns]
        if missing:
            raise DataError(
                f"{what}: column(s) {', '.join(missing)} missing; got {', '.join(frame.columns)}"
            )


def _column(given: pd.Series | None, kind: str, index: pd.Index) -> pd.Series:
    """A column typed; as it is where it is so already, for most are and to tell costs little."""
    if given is not None and given.dtype == DTYPES[kind] and not (kind == "text" and given.hasnans):
        return given
    # Text stays Python objects: pandas 3 would turn it into Arrow strings and back.
    return pd.Series(_typed(given, kind, len(index)), index=index, dtype=DTYPES[kind])


def _typed(values: pd.Series | None, kind: str, n: int) -> object:
    if values is None:
        fill: object = {"text": "", "float": np.nan, "int": 0, "bool": False}[kind]
        return np.full(n, fill, dtype=DTYPES[kind])
    if kind == "text":
        return text_array(values)
    if kind == "float":
        return pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return values.to_numpy(dtype=DTYPES[kind])


def text_array(values: Iterable[object]) -> np.ndarray:
    """An object array of ``str``; whatever is null (None, NaN, NA) becomes ``""``."""
    series = values if isinstance(values, pd.Series) else pd.Series(list(values), dtype=object)
    # dear, and of no use where there are Python objects already
    is_object = series.dtype == object
    array = series.to_numpy() if is_object else series.to_numpy(dtype=object, na_value=None)
    null = pd.isna(array)
    if null.any():
        array = array.copy()
        array[null] = ""
    return array


# ------------------------------------------------------------------ tables of the flow

BULLETINS = Table(
    "bulletins",
    {
        "id": ("text", "identifier as in the file"),
        "source_row": ("int", "position in the input file, from 0"),
        "raison_sociale": ("text", "employer as written"),
        "adresse": ("text", "one-line address as written (free layout)"),
        "numero": ("text", "NUMVOI_X as written"),
        "rep": ("text", "BISTER_X as written"),
        "type_voie": ("text", "TYPEVOI_X as written"),
        "nom_voie": ("text", "NOMVOI_X as written"),
        "complement": ("text", "CPLADR_X as written"),
        "commune": ("text", "workplace commune as written"),
        "departement": ("text", "workplace département as written"),
        "pays": ("text", "workplace country as written"),
        "code_postal": ("text", "postcode, when a column holds it"),
        "code_commune_declaree": ("text", "official code, when a column holds it (free layout)"),
        "code_commune_residence": ("text", "commune of residence (DEPCOM_CODE)"),
        "lieu_travail": ("text", "ILT_X: 1 works in the commune of residence, 2 elsewhere"),
        "lieu_variable": ("text", "VARDOMPART_X: 1 variable, 2 at home, 3 at a private person's"),
        "activite": ("text", "activity as written"),
        "profession": ("text", "occupation as written, employee's first"),
        "is_salarie": ("bool", "occupation was given as an employee's (or nothing says otherwise)"),
        "mode_collecte": ("text", "web or paper, when known"),
        "siret_mca": ("text", "earlier automatic coding (SIRETC), when the file has it"),
        "classe_mca": ("text", "I_MCA_C: C coded, D doubtful, E rejected"),
        "siret_gestionnaire": ("text", "clerk's coding (SIRETM)"),
        "siret_final": ("text", "final coding (SIRET_DEC)"),
        "probleme": ("text", "why the row cannot be used as it stands, else empty"),
    },
)

ADDRESS_PARTS = Table(
    "address_parts",
    {
        "numero": ("text", "house number without leading zeros; of 5-7 the first"),
        "numero_fin": ("text", "second number of a range, else empty"),
        "rep": ("text", "repetition as BAN writes it, lower case: bis, ter, a …"),
        "type_voie": ("text", "street type in full, normalised: RUE, AVENUE …; else empty"),
        "nom_voie": ("text", "street name without its type, normalised: DE L EGLISE"),
        "lieu": ("text", "locality, ZA, residence or estate, normalised"),
        "complement": ("text", "building, floor, staircase, BP … normalised"),
        "nom": ("text", "company or institution written in the address, normalised"),
        "code_postal": ("text", "five digits"),
        "commune": ("text", "town, normalised, without CEDEX; PARIS 13 keeps its rank"),
        "departement": ("text", "département or region written behind the town, normalised"),
        "cedex": ("bool", "the address says CEDEX"),
        "doubt": ("text", "empty when the parse is sure, else a word that says why not"),
    },
)

COMMUNES_RESOLVED = Table(
    "communes_resolved",
    {
        "code_commune": (
            "text",
            "commune in force, 75056 for an unspecified arrondissement; or ''",
        ),
        "commune_score": ("float", "how sure the commune is"),
        "commune_method": (
            "text",
            "code, name, name+dep, postcode, fuzzy, home, arrondissement, abroad …",
        ),
        "code_pays": ("text", "country of who works abroad (ISO 3166-1 alpha-2, ZZ: unknown)"),
        "code_departement": ("text", "département, also where the commune is not known; or ''"),
    },
)

GEOCODES = Table(
    "geocodes",
    {
        "geocode_level": ("text", "housenumber, interpolated, street, locality, commune or none"),
        "geocode_score": (
            "float",
            "probability that the street (or what the level names) is right",
        ),
        "code_commune": ("text", "commune or arrondissement of the place found"),
        "voie_id": ("int", "street of the store, within its département; -1 when none"),
        "libelle_voie": ("text", "street as the gazetteer writes it"),
        "numero": ("text", "house number found"),
        "rep": ("text", "repetition found"),
        "code_postal": ("text", "postcode of the place found"),
        "x": ("float", "metres"),
        "y": ("float", "metres"),
        "crs": ("int", "EPSG code of x, y; 0 when none"),
        "uncertainty_m": ("float", "radius that holds the true place 95 times in 100"),
        "ban_id": ("text", "BAN identifier of the address or street"),
        "n_alike": ("int", "streets that fit as well as the one chosen, itself included"),
    },
)

DECISIONS = Table(
    "decisions",
    {
        "id": ("text", "bulletin"),
        "decision": ("text", "auto, review or none"),
        "siret": ("text", "best candidate, also when decision is review"),
        "siren": ("text", "its legal unit"),
        "probability": ("float", "that siret is right, calibrated"),
        "margin": ("float", "distance in probability to the second"),
        "type": ("text", "why not auto, or what kind of bulletin"),
        "naf": ("text", "activity code decided"),
        "naf_probability": ("float", "that naf is right"),
        "naf_decision": ("text", "auto, review or none"),
        "code_commune": ("text", "of work"),
        "geocode_level": ("text", "see geocodes"),
        "geocode_score": ("float", "see geocodes"),
        "x": ("float", "metres"),
        "y": ("float", "metres"),
        "crs": ("int", "EPSG"),
        "uncertainty_m": ("float", "metres"),
        "ban_id": ("text", "BAN identifier"),
        "reason": ("text", "one short French sentence"),
        "site_probability": ("float", "that the unit of siret, in its commune, is right"),
        "siren_probability": ("float", "that the unit of siret is right"),
        "answer_level": ("text", "most precise level that is sure: siret, site, siren, naf, none"),
        "answer_probability": ("float", "that the answer of this level is right"),
        "code_pays": ("text", "country of work when it is abroad (ISO 3166-1 alpha-2)"),
        "present_probability": ("float", "that the establishment is in the store, in this file"),
        "presence": ("float", "the same by itself, as learned; what decide needs, as the next are"),
        "given_siret": ("float", "that siret is right, if its establishment is in the store"),
        "given_site": ("float", "the same of the unit in the commune of siret"),
        "given_siren": ("float", "the same of the unit"),
        "given_second": ("float", "the same of the second candidate"),
        "doubt": ("text", "type of the decision unless it is sure"),
        "facts": ("int", "what speaks for and against siret, bits (geomatch.linkage.facts)"),
    },
)

#: Contract columns of candidates.parquet; the features follow them.
CANDIDATES = Table(
    "candidates",
    {
        "id": ("text", "bulletin"),
        "rank": ("int", "1 is best"),
        "siret": ("text", "establishment"),
        "probability": ("float", "that it is the right one"),
        "name_compared": ("text", "the register name that was the closest"),
        "raison_sociale": ("text", "name of the establishment in the register"),
        "adresse": ("text", "its address on one line"),
        "code_commune": ("text", "its commune"),
        "naf": ("text", "its activity code"),
        "x": ("float", "metres"),
        "y": ("float", "metres"),
        "crs": ("int", "EPSG code of x, y; 0 when none"),
        "name_score": ("float", "agreement of names"),
        "activity_score": ("float", "agreement of activities"),
        "distance_m": ("float", "from the declared place, NaN when either has no position"),
        "radius_m": ("float", "two-sided uncertainty"),
        "address_score": ("float", "agreement of street and number"),
        "given_present": ("float", "that it is right, if the establishment is in the store"),
    },
)

# ------------------------------------------------------------------ tables of the store

#: One file for the whole country.
STORE_COMMUNES = Table(
    "communes",
    {
        "code_commune": ("text", "commune in force, or arrondissement of Paris, Lyon, Marseille"),
        "libelle": ("text", "name with accents and article"),
        "departement": ("text", "01 … 95, 2A, 2B, 971 …"),
        "code_parent": ("text", "75056 for 75101 …, else empty"),
        "lon": ("float", "of the centre"),
        "lat": ("float", "of the centre"),
        "x": ("float", "of the centre"),
        "y": ("float", "of the centre"),
        "crs": ("int", "EPSG of x, y; 0 when the centre is unknown"),
        "radius_m": ("float", "from the centre, holds 95 % of the commune's addresses"),
        "n_addresses": ("int", "in the store"),
        "n_establishments": ("int", "in the store"),
    },
)
STORE_COMMUNE_NAMES = Table(
    "commune_names",
    {
        "nom_norm": ("text", "a name the place goes or went by, normalised, article included"),
        "cle_norm": ("text", "the same as compared, abbreviations in full"),
        "cle_courte": ("text", "its letters alone, articles left out: ISLESURSORGUE"),
        "code_commune": ("text", "commune in force it stands for (75056 for PARIS)"),
        "departement": ("text", "of that commune"),
        "origine": ("text", "cog, ancienne, deleguee, laposte, ligne5, arrondissement"),
        "code_ancien": ("text", "code the name had, when not code_commune"),
    },
)
STORE_COMMUNE_POSTCODES = Table(
    "commune_postcodes",
    {
        "code_postal": ("text", "five digits"),
        "code_commune": ("text", "commune in force or arrondissement"),
    },
)
STORE_COMMUNE_NEIGHBOURS = Table(
    "commune_neighbours",
    {
        "code_commune": ("text", "commune or arrondissement"),
        "voisine": ("text", "another whose addresses or centre are near"),
        "distance_m": ("float", "between the nearest addresses known, else between centres"),
    },
)
STORE_COMMUNE_HISTORY = Table(
    "commune_history",
    {
        "code_ancien": ("text", "a code no longer in force"),
        "code_commune": ("text", "the code in force today"),
    },
)
STORE_NAF = Table(
    "naf",
    {
        "naf": ("text", "84.11Z"),
        "libelle": ("text", "official label"),
        "nomenclature": ("text", "NAFRev2, NAF2025"),
    },
)
STORE_NAF_WORDS = Table(
    "naf_words",
    {
        "mot": ("text", "normalised word of register names"),
        "naf": ("text", "activity of establishments so named"),
        "n": ("int", "how many establishments"),
    },
)

#: One file for each département (``departement=35/``).
STORE_STREETS = Table(
    "streets",
    {
        "voie_id": ("int", "0 … n-1 within the département"),
        "code_commune": ("text", "commune or arrondissement in force"),
        "code_ancienne_commune": ("text", "delegated commune, else empty"),
        "nom_voie": ("text", "as BAN writes it"),
        "nom_norm": ("text", "normalised, street type expanded: AVENUE DU GENERAL LECLERC"),
        "type_norm": ("text", "its type as compared: AVENUE; else empty"),
        "mots_norm": ("text", "its words as compared, small ones left out: GENERAL LECLERC"),
        "code_postal": ("text", "commonest among its addresses"),
        "is_lieu_dit": ("bool", "a locality rather than a street"),
        "ban_id": ("text", "BAN identifier of the street"),
        "x": ("float", "of the middle address"),
        "y": ("float", "of the middle address"),
        "half_length_m": ("float", "from x, y, holds 95 % of the street's addresses"),
        "n_addresses": ("int", "house numbers known"),
        "first_address": ("int", "row of the street's first address in the addresses table"),
    },
)
STORE_ADDRESSES = Table(
    "addresses",
    {
        "voie_id": ("int", "street; the table is sorted by voie_id, numero, rep"),
        "numero": ("int", "house number"),
        "rep": ("text", "lower case, else empty"),
        "code_postal": ("text", "five digits"),
        "x": ("float", "metres"),
        "y": ("float", "metres"),
        "ban_id": ("text", "BAN identifier"),
    },
)
STORE_ESTABLISHMENTS = Table(
    "establishments",
    {
        "siret": ("text", "14 digits"),
        "siren": ("text", "9 digits"),
        "denomination": ("text", "legal name of the unit (denominationUniteLegale)"),
        "sigle": ("text", "sigleUniteLegale"),
        "denominations_usuelles": (
            "text",
            "usual names of unit and establishment, parted by ' | '",
        ),
        "enseignes": ("text", "enseigne1 … 3, parted by ' | '"),
        "personne": ("text", "first name(s) and name(s) of a sole trader"),
        "numero": ("text", "numeroVoieEtablissement"),
        "numero_fin": ("text", "dernierNumeroVoieEtablissement"),
        "rep": ("text", "indiceRepetitionEtablissement"),
        "type_voie": ("text", "typeVoieEtablissement"),
        "nom_voie": ("text", "libelleVoieEtablissement"),
        "complement": ("text", "complementAdresseEtablissement"),
        "code_postal": ("text", "codePostalEtablissement"),
        "libelle_commune": ("text", "libelleCommuneEtablissement"),
        "code_commune": ("text", "in force today"),
        "naf": ("text", "activitePrincipaleEtablissement, else that of the unit"),
        "tranche_effectifs": ("text", "NN, 00, 01 …"),
        "categorie_juridique": ("text", "of the unit"),
        "is_siege": ("bool", "head office"),
        "is_employeur": ("bool", "caractereEmployeurEtablissement is O"),
        "date_creation": ("text", "ISO date"),
        "geocode_level": (
            "text",
            "see geocodes; geolocated-file rows are mapped to the same words",
        ),
        "geocode_score": ("float", "see geocodes"),
        "voie_id": ("int", "street of the store, -1 when none"),
        "x": ("float", "metres"),
        "y": ("float", "metres"),
        "crs": ("int", "EPSG"),
        "uncertainty_m": ("float", "radius that holds the true place 95 times in 100"),
        "ban_id": ("text", "BAN identifier"),
        "numero_norm": ("int", "house number as compared, -1 for none"),
        "voie_norm": ("text", "street name as compared, without its type"),
    },
)
NAMES = Table(
    "names",
    {
        "row": ("int", "position of the bulletin or establishment in its table"),
        "name": ("text", "cleaned name, never empty"),
        "form": ("text", "where it was written: nom, parenthese, adresse; enseigne, sigle …"),
    },
)

COUNTRY_TABLES = (
    STORE_COMMUNES,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_HISTORY,
    STORE_NAF,
    STORE_NAF_WORDS,
)
DEPARTEMENT_TABLES = (STORE_STREETS, STORE_ADDRESSES, STORE_ESTABLISHMENTS, NAMES)
