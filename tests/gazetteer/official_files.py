"""A tiny invented country in the official layouts: rows to change, then to write as files.

Every source of :mod:`gazetteer.references` is written: with the rows given here, or else with the
example of its record.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from gazetteer.build import BuildOptions
from gazetteer.reference import Presence, Reference
from gazetteer.references import REFERENCES

HEADERS = Path(__file__).parents[1] / "cases" / "official_headers.csv"
with HEADERS.open(encoding="utf-8", newline="") as _stream:
    #: columns of each official layout, in their order
    COLUMNS = {row["name"]: row["columns"].split() for row in csv.DictReader(_stream)}

Row = dict[str, object]

COMMUNES: list[Row] = [
    {"TYPECOM": "COM", "COM": "35901", "LIBELLE": "Trébourg-les-Saules"},
    {"TYPECOM": "COM", "COM": "35902", "LIBELLE": "Kervallon"},
    {"TYPECOM": "COMD", "COM": "35903", "LIBELLE": "Ploumanec", "COMPARENT": "35902"},
    {"TYPECOM": "COM", "COM": "35905", "LIBELLE": "L'Étang-Vieux"},
    {"TYPECOM": "COM", "COM": "2A901", "LIBELLE": "Valdombra"},
    {"TYPECOM": "COM", "COM": "97190", "LIBELLE": "Fort-Mirabel"},
    {"TYPECOM": "COM", "COM": "97390", "LIBELLE": "Savane-Rouge"},
    {"TYPECOM": "COM", "COM": "97490", "LIBELLE": "Piton-Clair"},
    {"TYPECOM": "COM", "COM": "97690", "LIBELLE": "Baie-des-Lataniers"},
    {"TYPECOM": "COM", "COM": "75056", "LIBELLE": "Paris"},
    {"TYPECOM": "ARM", "COM": "75101", "LIBELLE": "Paris 1er Arrondissement",
     "COMPARENT": "75056"},
    {"TYPECOM": "ARM", "COM": "75102", "LIBELLE": "Paris 2e Arrondissement",
     "COMPARENT": "75056"},
]  # fmt: skip


def mouvement(mod: str, date: str, before: str, name: str, after: str, **more: str) -> Row:
    """One row of the movements file; both sides are communes unless said otherwise."""
    row: Row = {"MOD": mod, "DATE_EFF": date, "TYPECOM_AV": "COM", "COM_AV": before}
    return {**row, "LIBELLE_AV": name, "TYPECOM_AP": "COM", "COM_AP": after, **more}


MOUVEMENTS: list[Row] = [
    mouvement("41", "1976-01-01", "20901", "Valdombra", "2A901"),
    mouvement("31", "1972-05-01", "35904", "Saint-Malvy", "35903"),
    mouvement("32", "2019-01-01", "35902", "Kervallon", "35902"),
    mouvement("32", "2019-01-01", "35903", "Ploumanec", "35902"),
    mouvement("32", "2019-01-01", "35903", "Ploumanec", "35903", TYPECOM_AP="COMD"),
    mouvement("10", "1998-03-02", "35901", "Trébourg", "35901"),
]


def post(code: str, name: str, postcode: str, gps: str = "", line5: str = "") -> Row:
    """One row of La Poste's postcodes."""
    row: Row = {"Code_commune_INSEE": code, "Nom_commune": name, "Code_postal": postcode}
    return {**row, "Libelle_acheminement": name, "Ligne_5": line5, "coordonnees_gps": gps}


LAPOSTE: list[Row] = [
    post("35901", "TREBOURG LES SAULES", "35990", "48.10, -1.70"),
    post("35902", "KERVALLON", "35991", "48.12, -1.66"),
    post("35903", "PLOUMANEC", "35991", "48.12, -1.66", "PLOUMANEC"),
    post("35905", "L ETANG VIEUX", "35991", "48.14, -1.62"),
    post("2A901", "VALDOMBRA", "20990", "41.92, 8.74"),
    post("97190", "FORT MIRABEL", "97190", "16.24, -61.53"),
    post("97390", "SAVANE ROUGE", "97390", "4.92, -52.31"),
    post("97490", "PITON CLAIR", "97490", "-20.88, 55.45"),
    post("97690", "BAIE DES LATANIERS", "97690", "-12.78, 45.23"),
    post("97799", "MORNE ROND", "97799", "17.90, -62.83"),
    post("75101", "PARIS 01", "75001", "48.8625, 2.3364"),
    post("75102", "PARIS 02", "75002", "48.8683, 2.3428"),
]


def address(number: int | str, street: str, commune: str, x: object, y: object,
            **more: object) -> Row:  # fmt: skip
    """One BAN address; the identifier follows the commune, the street's name and the number."""
    voie = f"{commune}_{sum(map(ord, street)) % 10_000:04d}"
    row: Row = {
        "id": f"{voie}_{str(number).zfill(5)}",
        "numero": number,
        "nom_voie": street,
        "code_insee": commune,
        "code_postal": "35990",
        "x": x,
        "y": y,
        "type_position": "entrée",
    }
    return {**row, **more}


BAN: list[Row] = [
    *(address(n, "Rue des Tisserands", "35901", 351_000 + 10 * n, 6_789_000) for n in range(1, 21)),
    address(4, "Rue des Tisserands", "35901", 351_042, 6_789_003, rep="BIS",
            id="35901_0001_00004_bis"),
    *(address(n, "Avenue du Général Morvan", "35901", 351_400, 6_789_000 + 20 * n)
      for n in range(1, 11)),
    *(address(n, "Rue de l'Église", "35902", 354_000 + 15 * n, 6_791_000, code_postal="35991")
      for n in range(1, 9)),
    *(address(n, "Rue de l'Église", "35903", 357_500 + 15 * n, 6_791_000, code_postal="35991",
              code_insee_ancienne_commune="35903") for n in range(1, 6)),
]  # fmt: skip


def establishment(siret: str, commune: str, **more: object) -> Row:
    """One active establishment of the stock."""
    row: Row = {
        "siren": siret[:9],
        "nic": siret[9:],
        "siret": siret,
        "statutDiffusionEtablissement": "O",
        "dateCreationEtablissement": "2001-04-01",
        "dateDebut": "2008-01-01",
        "trancheEffectifsEtablissement": "NN",
        "etablissementSiege": "true",
        "etatAdministratifEtablissement": "A",
        "codeCommuneEtablissement": commune,
        "codePostalEtablissement": "35990",
        "libelleCommuneEtablissement": "TREBOURG LES SAULES",
        "activitePrincipaleEtablissement": "10.71C",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
        "caractereEmployeurEtablissement": "O",
    }
    return {**row, **more}


SIRENE: list[Row] = [
    establishment("90000000100017", "35901", numeroVoieEtablissement="4",
                  typeVoieEtablissement="RUE", libelleVoieEtablissement="DES TISSERANDS",
                  enseigne1Etablissement="AU PAIN DORE"),
    establishment("90000000200015", "35903", enseigne1Etablissement="MAIRIE",
                  activitePrincipaleEtablissement="84.11Z",
                  codePostalEtablissement="35991", libelleCommuneEtablissement="PLOUMANEC"),
    establishment("90000000300013", "35901", etatAdministratifEtablissement="F",
                  dateDebut="2020-02-10"),
    establishment("90000000400011", "97490", codePostalEtablissement="97490",
                  libelleCommuneEtablissement="PITON CLAIR"),
    establishment("90000000500018", "2A901", codePostalEtablissement="20990",
                  libelleCommuneEtablissement="VALDOMBRA"),
]  # fmt: skip
UNITES: list[Row] = [
    {"siren": "900000001", "denominationUniteLegale": "BOULANGERIE LEMADEC",
     "sigleUniteLegale": "BLM", "categorieJuridiqueUniteLegale": "5499",
     "activitePrincipaleUniteLegale": "10.71C", "nicSiegeUniteLegale": "00017"},
    {"siren": "900000002", "denominationUniteLegale": "COMMUNE DE KERVALLON",
     "categorieJuridiqueUniteLegale": "7210"},
    {"siren": "900000004", "nomUniteLegale": "HOAREL", "prenom1UniteLegale": "MAIWEN",
     "denominationUniteLegale": "[ND]", "categorieJuridiqueUniteLegale": "1000"},
    {"siren": "900000005", "denominationUniteLegale": "BOULANGERIE PIANELLI"},
]  # fmt: skip
NAF: list[Row] = [
    {"code_naf": "10.71C", "libelle": "Boulangerie et boulangerie-pâtisserie"},
    {"code_naf": "84.11Z", "libelle": "Administration publique générale"},
]


def as_csv(rows: Sequence[Row], columns: Sequence[str], delimiter: str = ",") -> str:
    """Rows in a layout; columns the rows do not name are empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write(path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    """Text as a file: gz or zip when the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode(encoding)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(path.with_suffix(".csv").name, content)
    else:
        path.write_bytes(content)
    return path


#: Where a source's rows are in :class:`Country`, when not under its role.
_ROWS = {"etablissements": "sirene", "unites_legales": "unites"}
GEOLOC = "geolocalisation.zip"


@dataclass
class Country:
    """The invented country: change its rows, then :meth:`write` it."""

    root: Path
    ban: list[Row] = field(default_factory=lambda: deepcopy(BAN))
    lieux_dits: list[Row] = field(default_factory=list)
    communes: list[Row] = field(default_factory=lambda: deepcopy(COMMUNES))
    mouvements: list[Row] = field(default_factory=lambda: deepcopy(MOUVEMENTS))
    laposte: list[Row] = field(default_factory=lambda: deepcopy(LAPOSTE))
    sirene: list[Row] = field(default_factory=lambda: deepcopy(SIRENE))
    unites: list[Row] = field(default_factory=lambda: deepcopy(UNITES))
    historique: list[Row] = field(default_factory=list)
    geoloc: list[Row] = field(default_factory=list)
    naf: list[Row] = field(default_factory=lambda: deepcopy(NAF))

    def write(self, *, ban: str = "adresses-35.csv.gz", sirene: str = ".csv") -> BuildOptions:
        """Write all files; the options that build them."""
        named = {"ban": ban, "lieux_dits": "lieux-dits-35-beta.csv.gz", "geoloc": GEOLOC}
        for one in REFERENCES:
            name = Path(named.get(one.role, one.publication.name or one.publication.remote_name))
            suffix = sirene if one.option == "sirene" else name.suffix or ".csv"
            rows = self.rows_of(one)
            if rows:
                path = self.root / "official" / one.option / name.with_suffix(suffix)
                self._write(path, one, rows)
        return self.options()

    def rows_of(self, one: Reference) -> list[Row]:
        """The rows of one source; its example where none are given and the build needs some."""
        given = getattr(self, _ROWS.get(one.role, one.role), None)
        if given is None:
            return [] if one.presence is Presence.OPTIONAL else [dict(one.example)]
        return given

    def options(self) -> BuildOptions:
        """The options that build the files written."""
        files = self.root / "official"
        return BuildOptions(
            ban=(files / "ban",),
            sirene=files / "sirene",
            cog=files / "cog",
            out=self.root / "store",
            geoloc=self._geoloc if self.geoloc else None,
            memory_limit="500MB",
            threads=1,
        )

    @property
    def _geoloc(self) -> Path:
        return self.root / "official" / "geoloc" / GEOLOC

    @staticmethod
    def _write(path: Path, one: Reference, rows: list[Row]) -> None:
        columns = COLUMNS.get(one.role, list(one.example))
        if path.suffix == ".parquet":
            path.parent.mkdir(parents=True, exist_ok=True)
            frame = pd.DataFrame(rows).reindex(columns=columns).astype(object)
            frame.where(frame.notna(), None).to_parquet(path, index=False)
        else:
            write(path, as_csv(rows, columns, "," if one.option == "sirene" else ";"))
