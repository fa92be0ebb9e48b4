"""The words of the screens: French, short, the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geomatch.core.wording import COMMUTING, LEVELS, NO_VALUE, PEOPLE, VARIABLE, metres
from geomatch.review.map.atlas import Atlas


def people(tranche: str) -> str:
    """A size code in words."""
    return PEOPLE.get(tranche, tranche)


def staff(tranche: str) -> str:
    """A size code on a card: ``20 à 49 salariés``."""
    if tranche in ("", "NN"):
        return "effectif inconnu"
    said = people(tranche)
    return f"{said} salariés" if said[:1].isdigit() and "salarié" not in said else said


def siret_text(siret: str) -> str:
    """``00012345600017`` → ``000 123 456 00017``."""
    return f"{siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}" if len(siret) == 14 else siret


def written_address(written: Mapping[str, Any]) -> str:
    """The address as the form gives it, on one line."""
    names = ("numero", "rep", "type_voie", "nom_voie", "complement")
    return written.get("adresse") or " ".join(written[n] for n in names if written.get(n))


def written_town(written: Mapping[str, Any]) -> str:
    """Postcode, town, département and country as written."""
    words = [written.get(n, "") for n in ("code_postal", "commune", "departement", "pays")]
    return " ".join(w for w in words if w)


def situation(written: Mapping[str, Any], atlas: Atlas) -> str:
    """Where the person lives and what the form says of the place of work besides its address."""
    home = written.get("code_commune_residence", "")
    where = COMMUTING.get(written.get("lieu_travail", ""), "")
    lives = f"réside à {atlas.commune_name(home)}" if home else ""
    return ", ".join(w for w in (lives, where, variable(written)) if w)


def variable(written: Mapping[str, Any]) -> str:
    """Whether the place of work is no fixed one."""
    return VARIABLE.get(written.get("lieu_variable", ""), "")


def understood_address(decision: Mapping[str, Any], atlas: Atlas) -> str:
    """The place found, how, and how sure."""
    level = decision["geocode_level"]
    level = LEVELS[level].title if level in LEVELS else level
    place = atlas.address_text(decision["ban_id"], decision["code_commune"])
    sure = metres(decision["uncertainty_m"])
    sure = f"à {sure} près" if sure != NO_VALUE else ""
    return " · ".join(w for w in (place, level, sure) if w)


def register_names(row: Mapping[str, Any]) -> list[str]:
    """Names of an establishment, the one over the door first, without repeats.

    Three enseignes are most often one name cut in three, and are put together again.
    """
    signs = str(row["enseignes"]).split(" | ")
    names = [" ".join(signs)] if len(signs) == 3 else signs
    names += str(row["denominations_usuelles"]).split(" | ")
    names += [str(row["denomination"]), str(row["personne"]), str(row["sigle"])]
    return list(dict.fromkeys(n for n in names if n))


def register_title(row: Mapping[str, Any]) -> tuple[str, str]:
    """The first name of an establishment, and the next two on one line."""
    names = register_names(row)
    return (names[0] if names else "(sans nom)"), " · ".join(names[1:3])


def register_address(row: Mapping[str, Any]) -> str:
    """The address of the register, on one line."""
    number, street, complement, town = address_parts(row)
    return ", ".join(w for w in (f"{number} {street}".strip(), complement, town) if w)


def address_parts(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Number, street, complement and town of the register."""
    number = " ".join(str(row[n]) for n in ("numero", "rep") if row[n])
    street = " ".join(str(row[n]) for n in ("type_voie", "nom_voie") if row[n])
    return number, street, str(row["complement"]), str(row["libelle_commune"])
