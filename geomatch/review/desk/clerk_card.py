"""The card a clerk settles: what the form says, what was understood, who it may be.

Every text of a bulletin or of the register is escaped here; nothing tells which candidate the
matcher would take but their order, and scores are marked so that the screen can hide them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geomatch.core.street_keys import street_key
from geomatch.core.wording import NO_VALUE, chance, metres
from geomatch.names.clean import clean_names
from geomatch.review.desk import wording
from geomatch.review.desk.highlights import (
    ACTIVITY,
    NAME,
    STREET,
    TOWN,
    Words,
    marked,
    words_of,
    written_words,
)
from geomatch.review.desk.reasons import number_of, reasons
from geomatch.review.map.atlas import Atlas
from geomatch.review.map.svg import element, escaped, table

#: Activities of the other bulletins of a card that are told.
_MOST_ACTIVITIES = 6


@dataclass(frozen=True)
class Known:
    """What every card is made with: streets and towns, labels of NAF codes."""

    atlas: Atlas
    naf_labels: Mapping[str, str]

    def naf(self, code: str) -> str:
        """A NAF code in words, the code after it; the code alone when it has no label."""
        return f"{self.naf_labels[code]} ({code})" if code in self.naf_labels else code


@dataclass(frozen=True)
class Dossier:
    """A card's bulletins as written, the decision on the first, and its candidates by rank."""

    written: Sequence[Mapping[str, Any]]
    decision: Mapping[str, Any]
    candidates: pd.DataFrame


def bulletin_html(dossier: Dossier, known: Known) -> str:
    """As written beside as understood, line by line, and what else the form says."""
    written, decision, atlas = dossier.written[0], dossier.decision, known.atlas
    town = decision["code_commune"]
    employer = written["raison_sociale"]
    place = wording.understood_address(decision, atlas)
    rows = [
        ("Employeur", NAME, employer, " ".join(clean_names([employer]))),
        ("Adresse", STREET, wording.written_address(written), place),
        ("Commune", TOWN, wording.written_town(written), atlas.commune_name(town) if town else ""),
        ("Activité", ACTIVITY, written["activite"], known.naf(decision["naf"])),
        ("Profession", ACTIVITY, written["profession"], ""),
    ]
    head = "".join(element("th", escaped(w)) for w in ("Bulletin", "Écrit", "Compris"))
    body = "".join(
        element(
            "tr",
            element("th", escaped(label), scope="row")
            + _cell(said, words_of(meant, part), "as-written")
            + _cell(meant, words_of(_in_full(said, part), part), "as-understood"),
        )
        for label, part, said, meant in rows
    )
    situation = wording.situation(written, atlas)
    if situation:
        label = element("th", "Situation", scope="row")
        body += element("tr", label + element("td", escaped(situation), colspan=2))
    return table(element("tr", head), body) + _others(dossier.written)


def _in_full(said: str, part: str) -> str:
    """What was written, and the same without abbreviations."""
    full = street_key(said) if part == STREET else " ".join(clean_names([said]))
    return f"{said} {full}" if part in (STREET, NAME) else said


def _cell(value: str, others: Words, css: str) -> str:
    inside = marked(value, others) if value else NO_VALUE
    return element("td", inside, class_=css if value else f"{css} empty")


def _others(written: Sequence[Mapping[str, Any]]) -> str:
    """How the bulletins of a card differ: what people wrote of their activity."""
    if len(written) < 2:
        return ""
    said = Counter(w["activite"] or w["profession"] or "rien d'écrit" for w in written)
    shown = [f"{text} × {n}" if n > 1 else text for text, n in said.most_common(_MOST_ACTIVITIES)]
    more = len(said) - len(shown)
    tail = f", et {more} autres" if more > 0 else ""
    intro = element("strong", escaped(f"{len(written)} bulletins identiques. "))
    return element(
        "p", intro + escaped(f"Activités écrites : {', '.join(shown)}{tail}."), class_="others"
    )


def candidates_html(dossier: Dossier, known: Known) -> str:
    """The list of candidates, one button each, numbered as the keys that choose them."""
    rows = dossier.candidates.to_dict("records")
    if not rows:
        return element("p", "Aucun candidat : cherchez avec la touche /.", class_="nobody")
    words = written_words(dossier.written[0])
    town = str(dossier.decision["code_commune"])
    parts = (
        _candidate(i, {**row, "town": town}, words, known) for i, row in enumerate(rows, start=1)
    )
    return element("ol", "".join(parts), class_="candidates")


def _candidate(key: int, row: Mapping[Any, Any], words: Words, known: Known) -> str:
    name, also = wording.register_title(row)
    title = element("span", marked(name, words), class_="name")
    others = " " + element("span", marked(also, words), class_="also") if also else ""
    facts = " · ".join(w for w in (_size(row), "siège" if row["is_siege"] else "") if w)
    side = element("span", escaped(_distance(row, row["town"])), class_="distance") + element(
        "span", escaped(facts), class_="size"
    )
    activity = element(
        "span", marked(known.naf(row["naf"]), words, only=(ACTIVITY, NAME)), class_="naf"
    )
    main = (
        element("span", title + others)
        + element("span", marked(wording.register_address(row), words), class_="where")
        + element("span", _why(row) + activity)
    )
    scores = element("span", escaped(_scores(row)), class_="score")
    number = element("span", str(key), class_="key")
    siret = element("span", escaped(wording.siret_text(row["siret"])), class_="siret")
    inside = (
        number
        + element("span", main, class_="main")
        + element("span", side + siret + scores, class_="side")
    )
    button = element("button", inside, type="button", data_siret=row["siret"], class_="candidate")
    return element("li", button)


def _size(row: Mapping[Any, Any]) -> str:
    said = wording.people(row["tranche_effectifs"])
    return f"{said} salariés" if said[:1].isdigit() and "salarié" not in said else said


def _distance(row: Mapping[Any, Any], town: str) -> str:
    distance = number_of(row, "distance_m")
    if not math.isnan(distance):
        return f"à {metres(distance)}"
    if not town:
        return ""
    return "dans la commune" if row["code_commune"] == town else "autre commune"


def _why(row: Mapping[Any, Any]) -> str:
    told = (
        element("span", escaped(words), class_="for" if speaks_for else "against")
        for words, speaks_for in reasons(row)
    )
    return element("span", ", ".join(told), class_="why") + " "


def _scores(row: Mapping[Any, Any]) -> str:
    told = (("probabilité", "probability"), ("nom", "name_score"), ("activité", "activity_score"))
    return " · ".join(
        f"{label} {chance(number_of(row, column))}"
        for label, column in told
        if not math.isnan(number_of(row, column))
    )
