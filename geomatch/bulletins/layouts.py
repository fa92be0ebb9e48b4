"""Which column of a file is which column of the bulletins table.

The knowledge is in three tables: the census layout, the names people give their columns, and
what a file cannot do without. Column names are compared normalised (``Code Postal`` is
``code_postal``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geomatch.core.config import BulletinOptions
from geomatch.core.errors import ConfigError, LayoutError
from geomatch.core.schema import BULLETINS
from geomatch.core.text import normalise

#: Census layout: raw column of the layout → column of the file. The three occupations and the
#: way of collection are raw columns that the reader turns into columns of the table.
RP_FINAL: Mapping[str, str] = {
    "id": "CABBI",
    "collecte": "TYPCOL",
    "raison_sociale": "RS_X",
    "numero": "NUMVOI_X",
    "rep": "BISTER_X",
    "type_voie": "TYPEVOI_X",
    "nom_voie": "NOMVOI_X",
    "complement": "CPLADR_X",
    "commune": "CLT_X",
    "departement": "DLT_X",
    "pays": "PLT_X",
    "code_commune_residence": "DEPCOM_CODE",
    "lieu_travail": "ILT_X",
    "lieu_variable": "VARDOMPART_X",
    "activite": "ACTET_X",
    "profession_salarie": "PROFS_X",
    "profession_independant": "PROFI_X",
    "profession_anterieure": "PROFA_X",
    "siret_mca": "SIRETC",
    "classe_mca": "I_MCA_C",
    "siret_gestionnaire": "SIRETM",
    "siret_final": "SIRET_DEC",
}
RP_FINAL_NEEDED = (
    "id",
    "raison_sociale",
    "numero",
    "type_voie",
    "nom_voie",
    "commune",
    "departement",
    "code_commune_residence",
    "activite",
)

#: Free layout: raw column → names it goes by, the surest first. Names parted by ``|`` are as
#: sure as each other: a file that has two of them is ambiguous.
FREE: Mapping[str, tuple[str, ...]] = {
    "id": (
        "ID",
        "IDENTIFIANT|CABBI|ID BULLETIN|IDENTIFIANT BULLETIN|ID BI|IDBI|QID|BULLETIN ID",
        "NUM|NO|NUMERO BULLETIN|CLE|KEY|UID|UUID|REF|REFERENCE",
    ),
    "raison_sociale": (
        "RAISON SOCIALE",
        "RS|RS X|NOM|NAME|EMPLOYEUR|ENTREPRISE|NOM ENTREPRISE|NOM ETABLISSEMENT"
        "|NOM DE L ENTREPRISE|NOM DE L ETABLISSEMENT|NOM EMPLOYEUR|DENOMINATION|COMPANY"
        "|COMPANY NAME|EMPLOYER",
        "ETABLISSEMENT|SOCIETE|LIBELLE|ENSEIGNE|NOM COMMERCIAL",
    ),
    "adresse": (
        "ADRESSE",
        "ADDRESS|ADR|ADRESSE COMPLETE|ADRESSE POSTALE|ADRESSE LIGNE|LIBELLE ADRESSE"
        "|ADRESSE ETABLISSEMENT|ADRESSE 1|ADRESSE1|FULL ADDRESS",
    ),
    "numero": ("NUMERO|NUMVOI X|NUMERO VOIE|NUM VOIE|NUMVOIE|HOUSENUMBER|HOUSE NUMBER",),
    "rep": ("REP|BISTER X|INDICE REPETITION|BIS TER|REPETITION",),
    "type_voie": ("TYPE VOIE|TYPEVOI X|TYPEVOIE|TYPE DE VOIE",),
    "nom_voie": (
        "NOM VOIE|NOMVOI X|NOMVOIE|LIBELLE VOIE|NOM DE VOIE|NOM DE LA VOIE",
        "VOIE|RUE|STREET",
    ),
    "complement": ("COMPLEMENT|CPLADR X|COMPLEMENT ADRESSE|COMPLEMENT D ADRESSE|ADRESSE 2",),
    "commune": (
        "COMMUNE",
        "VILLE|CITY|CLT X|NOM COMMUNE|LIBELLE COMMUNE|LOCALITE|TOWN|MUNICIPALITY|COMMUNE LIB",
    ),
    "departement": ("DEPARTEMENT|DLT X|DEP|CODE DEPARTEMENT|NUMERO DEPARTEMENT|DEPT",),
    "pays": ("PAYS|PLT X|COUNTRY",),
    "code_postal": ("CODE POSTAL|CP|CODEPOSTAL|POSTCODE|POSTAL CODE|ZIP|ZIPCODE|ZIP CODE",),
    "code_commune_declaree": (
        "CODE COMMUNE DECLAREE|CODE COMMUNE",
        "CITYCODE|CITY CODE|CODE INSEE|INSEE|CODEINSEE|CODECOMMUNE|CODE INSEE COMMUNE|DEPCOM"
        "|COMMUNE CODE|COM",
    ),
    "code_commune_residence": (
        "CODE COMMUNE RESIDENCE|DEPCOM CODE|COMMUNE RESIDENCE|CODE RESIDENCE",
    ),
    "lieu_travail": ("LIEU TRAVAIL|ILT X",),
    "lieu_variable": ("LIEU VARIABLE|VARDOMPART X",),
    "activite": (
        "ACTIVITE",
        "ACTET X|ACTIVITY|LIBELLE ACTIVITE|ACTIVITE ETABLISSEMENT|ACTIVITE PRINCIPALE"
        "|ACTIVITE DE L ETABLISSEMENT|SECTEUR|SECTEUR ACTIVITE",
    ),
    "profession": ("PROFESSION", "METIER|OCCUPATION|POSTE|EMPLOI|JOB|LIBELLE PROFESSION"),
    "profession_salarie": ("PROFS X",),
    "profession_independant": ("PROFI X",),
    "profession_anterieure": ("PROFA X",),
    "collecte": ("MODE COLLECTE|TYPCOL|COLLECTE",),
    "siret_mca": ("SIRET MCA|SIRETC",),
    "classe_mca": ("CLASSE MCA|I MCA C",),
    "siret_gestionnaire": ("SIRET GESTIONNAIRE|SIRETM",),
    "siret_final": ("SIRET FINAL|SIRET DEC",),
}
#: One of these at least tells where the workplace is.
PLACE = ("adresse", "nom_voie", "commune", "code_postal", "code_commune_declaree")
LAYOUTS = ("auto", "rp_final", "free")
#: Names `columns` of the options may use: those of the table that a file can hold, and the raw
#: ones above.
MAPPABLE = tuple(
    sorted(
        ({*BULLETINS.names} - {"source_row", "is_salarie", "mode_collecte", "probleme"}) | {*FREE}
    )
)
_RP_COLUMNS = frozenset(RP_FINAL.values())
_SPELLED: Mapping[str, str] = {
    name: raw for raw, tiers in FREE.items() for tier in tiers for name in tier.split("|")
}


@dataclass(frozen=True)
class Layout:
    """A recognised layout: its name, and raw column → position among the file's columns."""

    name: str
    columns: Mapping[str, int]


def recognise(header: Sequence[str], options: BulletinOptions, *, source: str) -> Layout:
    """Tell the layout of a file from its column names.

    Parameters
    ----------
    header
        Column names as in the file.
    options
        ``layout`` is ``auto``, ``rp_final`` or ``free``; ``columns`` gives the file's column
        for a column of the table and has the last word.
    source
        What the file is called in messages.

    Raises
    ------
    ConfigError
        An unknown layout, or a mapping for a column the table does not have.
    LayoutError
        Missing and ambiguous columns, all of them in one message.
    """
    _check_options(options)
    folded = {h.strip().upper(): i for i, h in enumerate(header)}
    is_rp = {"CABBI", "RS_X"} <= folded.keys()
    name = options.layout if options.layout != "auto" else ("rp_final" if is_rp else "free")
    mapped, problems = _mapped(header, options.columns)
    if name == "rp_final":
        found = {raw: folded[column] for raw, column in RP_FINAL.items() if column in folded}
        found |= mapped
        problems += _missing_rp(found)
    else:
        found = _free(header, mapped, problems)
        problems += _missing_free(found)
    if problems:
        raise LayoutError(_message(source, name, header, problems))
    return Layout(name, found)


def _check_options(options: BulletinOptions) -> None:
    if options.layout not in LAYOUTS:
        raise ConfigError(
            f"unknown layout '{options.layout}': expected one of {', '.join(LAYOUTS)}"
        )
    unknown = [c for c in options.columns if c not in MAPPABLE]
    if unknown:
        raise ConfigError(
            f"unknown column(s) {', '.join(unknown)} in the column mapping: expected "
            f"standard=column-of-the-file with standard one of {', '.join(MAPPABLE)}"
        )


def _mapped(header: Sequence[str], columns: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
    """Positions of the columns the options name; exact name first, else normalised."""
    exact = {h: i for i, h in enumerate(header)}
    loose = {normalise(h): i for i, h in reversed(list(enumerate(header))) if normalise(h)}
    found: dict[str, int] = {}
    problems = []
    for raw, column in columns.items():
        position = exact.get(column, loose.get(normalise(column)))
        if position is None:
            problems.append(f"column '{column}', given for {raw}, is not in the file")
        else:
            found[raw] = position
    return found, problems


def _free(header: Sequence[str], mapped: dict[str, int], problems: list[str]) -> dict[str, int]:
    """Recognise by name what the mapping does not give; ambiguities are added to `problems`."""
    taken = set(mapped.values())
    free: dict[str, list[int]] = {}
    for i, name in enumerate(header):
        if i not in taken:
            free.setdefault(normalise(name), []).append(i)
    found = dict(mapped)
    for raw, tiers in FREE.items():
        if raw in mapped:
            continue
        for tier in tiers:
            hits = [i for name in tier.split("|") for i in free.get(name, ())]
            if len(hits) > 1:
                names = " and ".join(f"'{header[i]}'" for i in hits)
                problems.append(f"{names} may both be {raw}: choose with {raw}={header[hits[0]]}")
            if hits:
                found[raw] = hits[0]
                break
    return found


def _missing_rp(found: Mapping[str, int]) -> list[str]:
    return [f"column {RP_FINAL[raw]} is missing" for raw in RP_FINAL_NEEDED if raw not in found]


def names_rows(header: Sequence[str], options: BulletinOptions) -> bool:
    """Whether a column is known to hold identifiers, in either layout."""
    known = {name for tier in FREE["id"] for name in tier.split("|")} | {*RP_FINAL.values()}
    return "id" in options.columns or any(
        normalise(h) in known or h.upper() in known for h in header
    )


def _missing_free(found: Mapping[str, int]) -> list[str]:
    problems = [
        f"no column is recognised as {raw} (known names: {_known(raw)})"
        for raw in ("id", "raison_sociale")
        if raw not in found
    ]
    if not any(raw in found for raw in PLACE):
        problems.append(f"no column tells the place (one of {', '.join(PLACE)} is needed)")
    return problems


def _known(raw: str) -> str:
    names = [name for tier in FREE[raw] for name in tier.split("|")]
    return ", ".join(name.lower().replace(" ", "_") for name in names[:8])


def _message(source: str, layout: str, header: Sequence[str], problems: Sequence[str]) -> str:
    return (
        f"{source}: not usable in layout {layout}: {'; '.join(problems)}. "
        f"Got {_described(header)}. Expected the census columns ({', '.join(RP_FINAL.values())}) "
        "or an identifier, a name and an address; name the columns with "
        "--columns id=COLUMN,raison_sociale=COLUMN,adresse=COLUMN"
    )


def _described(header: Sequence[str]) -> str:
    """The column names, unless the first line may be a bulletin: its text is confidential."""
    n_known = sum(normalise(h) in _SPELLED or h.upper() in _RP_COLUMNS for h in header)
    is_number = any(re.fullmatch(r"[\d .,/-]*\d[\d .,/-]*", h) for h in header)
    if n_known >= 2 and not is_number:
        return f"columns {', '.join(h or '(no name)' for h in header)}"
    return (
        f"{len(header)} column(s), {n_known} with a known name (is the first line a header, "
        "and is the separator one of ; , tab |?)"
    )
