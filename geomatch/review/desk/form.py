"""The left half of a card: what the form says, what was understood, and the question that is left.

Every text of a bulletin or of the register is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from geomatch.core.decision_types import decision_types, type_label
from geomatch.core.text import normalise
from geomatch.core.wording import NO_VALUE
from geomatch.names.clean import clean_names, employer_kinds
from geomatch.review.desk import wording
from geomatch.review.desk.dossier import Dossier, Known
from geomatch.review.desk.highlights import ACTIVITY, NAME, NUMBER, STREET, TOWN, Words, marked
from geomatch.review.map.svg import element, escaped, table

#: Chance of a unit from which only its establishment is in question.
_SURE_UNIT = 0.8
_SAME = "tel quel"


def question(dossier: Dossier) -> str:
    """What the card asks, said once: which site of a unit that is sure, or why nobody was taken."""
    if dossier.is_blind:
        return "Contrôle : quel établissement ?"
    decision = dossier.decision
    unit = _sure_unit(dossier)
    if unit:
        return f"Quel établissement de {unit} ?"
    if _contradicts(decision, dossier.written[0]):
        return "Coché « chez un particulier », mais un employeur est nommé."
    return _reason(decision) or _sentence(type_label(decision["type"]))


def _reason(decision: Mapping[str, Any]) -> str:
    """Why nobody was taken; what the reason says of the first candidate the list shows itself."""
    first, stop, _ = str(decision["reason"]).partition(". ")
    return f"{first}." if stop else first


def _sure_unit(dossier: Dossier) -> str:
    """Name of the legal unit when only its establishment is in doubt; ``""`` otherwise."""
    decision, rows = dossier.decision, dossier.candidates
    told = decision.get("siren_probability")
    chance = math.nan if told is None else float(told)
    # without that column the type says it
    is_sure = chance >= _SURE_UNIT or (math.isnan(chance) and decision["type"] == "same_siren")
    mine = rows[rows["siren"] == decision["siren"]] if len(rows) and is_sure else rows.head(0)
    if len(mine) < 2:
        return ""
    first = mine.iloc[0]
    return str(first["denomination"] or first["personne"] or first["sigle"])


def _contradicts(decision: Mapping[str, Any], written: Mapping[str, Any]) -> bool:
    """Whether the usual words on private employers stand over a form that names an employer."""
    usual = decision_types()["private_employer"].reason
    if decision["type"] != "private_employer" or _reason(decision) != usual:
        return False
    kinds, _ = employer_kinds([str(written["raison_sociale"])])
    return kinds[0] == ""


def _sentence(label: str) -> str:
    return label[:1].upper() + label[1:]


def bulletin_html(dossier: Dossier, known: Known) -> str:
    """As written beside as understood, line by line, and what else the form says."""
    written, decision, atlas = dossier.written[0], dossier.decision, known.atlas
    town = decision["code_commune"]
    employer, address = written["raison_sociale"], wording.written_address(written)
    cleaned = " ".join(clean_names([employer]))
    rows = dossier.candidates.to_dict("records")
    names = [n for row in rows for n in wording.register_names(row)]
    streets = [wording.address_parts(row)[1] for row in rows]
    place = wording.understood_address(decision, atlas)
    name_side = (Words.of(NAME, cleaned, *names),)
    street_side: tuple[Words, ...] = (
        Words.of(STREET, place, *streets),
        Words.of(NUMBER, place.partition(" · ")[0]),
    )
    street_side += () if dossier.is_on_a_street else name_side
    town_name = atlas.commune_name(town) if town else ""
    naf = "" if dossier.is_blind else known.naf(decision["naf"])
    lines = [
        _line("Employeur", employer, name_side, _unlike(employer, cleaned)),
        _line("Adresse", address, street_side, place),
        _line("Commune", wording.written_town(written), (Words.of(TOWN, town_name),), town_name),
        _line("Activité", written["activite"], (Words.of(ACTIVITY, naf),), naf),
        _line("Profession", written["profession"], (Words.of(ACTIVITY, naf),), ""),
    ]
    situation = wording.situation(written, atlas)
    if situation:
        label = element("th", "Situation", scope="row")
        lines.append(element("tr", label + element("td", escaped(situation), colspan=2)))
    head = "".join(element("th", w, scope="col") for w in ("Bulletin", "Écrit", "Compris"))
    return table(element("tr", head), "".join(lines))


def _unlike(said: str, meant: str) -> str:
    """What was understood, or that it is what was written."""
    return _SAME if meant and normalise(said) == meant else meant


def _line(label: str, said: str, others: tuple[Words, ...], meant: str) -> str:
    written = element("td", marked(said, *others), class_="as-written") if said else _nothing()
    css = "as-understood same" if meant == _SAME else "as-understood"
    understood = element("td", escaped(meant), class_=css) if meant else _nothing()
    return element("tr", element("th", escaped(label), scope="row") + written + understood)


def _nothing() -> str:
    return element("td", NO_VALUE, class_="empty")


def group_html(dossier: Dossier, known: Known) -> str:
    """The bulletins of a card that settles several, each of which can be left out; else nothing."""
    if len(dossier.written) < 2:
        return ""
    rows = "".join(_member(written, known) for written in dossier.written)
    heads = ("", "Bulletin", "Activité", "Profession", "Réside à")
    head = element("tr", "".join(element("th", escaped(w), scope="col") for w in heads))
    told = "Décochez ceux qui sont d'ailleurs : ils reviendront à part."
    return element("p", escaped(told)) + element("div", table(head, rows), class_="members")


def _member(written: Mapping[str, Any], known: Known) -> str:
    id = str(written["id"])
    box = element("input", type="checkbox", checked="", value=id, aria_label=f"Bulletin {id}")
    home = str(written.get("code_commune_residence") or "")
    about = (id, written["activite"], written["profession"])
    cells = [*map(str, about), known.atlas.commune_name(home) if home else ""]
    return element(
        "tr", element("td", box) + "".join(element("td", escaped(c), title=c) for c in cells)
    )
