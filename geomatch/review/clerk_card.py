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

from geomatch.names import clean_names
from geomatch.review import wording
from geomatch.review.atlas import Atlas
from geomatch.review.map import metres_text
from geomatch.review.svg import element, escaped
from geomatch.text import normalise

#: A word shorter than this says nothing when two texts share it.
_LEAST_SHARED = 3
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
    rows = [
        (
            "Employeur",
            written["raison_sociale"],
            " ".join(clean_names([written["raison_sociale"]])),
        ),
        (
            "Adresse",
            wording.written_address(written),
            wording.understood_address(decision, atlas),
        ),
        (
            "Commune",
            wording.written_town(written),
            atlas.commune_name(town) if town else "",
        ),
        ("Activité", written["activite"], known.naf(decision["naf"])),
        ("Profession", written["profession"], ""),
        ("Situation", wording.situation(written, atlas), ""),
    ]
    head = "".join(element("th", escaped(w)) for w in ("Bulletin", "Écrit", "Compris"))
    body = "".join(
        element(
            "tr",
            element("th", escaped(label), scope="row")
            + _cell(said, "as-written")
            + _cell(meant, "as-understood"),
        )
        for label, said, meant in rows
    )
    table = element("table", element("thead", element("tr", head)) + element("tbody", body))
    return table + _others(dossier.written)


def _cell(value: str, css: str) -> str:
    return element("td", escaped(value) if value else "–", class_=css if value else f"{css} empty")


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
    words = _written_words(dossier.written[0])
    parts = (_candidate(i, row, words, known) for i, row in enumerate(rows, start=1))
    return element("ol", "".join(parts), class_="candidates")


def _candidate(key: int, row: Mapping[Any, Any], words: frozenset[str], known: Known) -> str:
    names = wording.register_names(row)
    title = element("span", _marked(names[0] if names else "(sans nom)", words), class_="name")
    also = element("span", _marked(" · ".join(names[1:4]), words), class_="also")
    facts = " · ".join(w for w in (_size(row), "siège" if row["is_siege"] else "") if w)
    side = element("span", escaped(_distance(row)), class_="distance") + element(
        "span", escaped(facts), class_="size"
    )
    main = (
        title
        + (also if names[1:] else "")
        + element("span", _marked(wording.register_address(row), words), class_="where")
        + element("span", _marked(known.naf(row["naf"]), words), class_="naf")
        + element("span", escaped(reasons(row)), class_="why")
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


def _distance(row: Mapping[Any, Any]) -> str:
    metres = _number(row, "distance_m")
    return "distance inconnue" if math.isnan(metres) else f"à {metres_text(metres)}"


def _number(row: Mapping[Any, Any], column: str) -> float:
    value = row.get(column)
    return math.nan if value is None or pd.isna(value) else float(value)


# ------------------------------------------------------------------ words shared


def _written_words(written: Mapping[str, Any]) -> frozenset[str]:
    said = (
        written["raison_sociale"],
        wording.written_address(written),
        wording.written_town(written),
        written["activite"],
    )
    return frozenset(w for w in normalise(" ".join(said)).split() if len(w) >= _LEAST_SHARED)


def _marked(text: str, words: frozenset[str]) -> str:
    """Escaped text with the words that the bulletin has too in bold."""
    parts = []
    for piece in text.split(" "):
        is_shared = any(word in words for word in normalise(piece).split())
        parts.append(element("b", escaped(piece)) if is_shared else escaped(piece))
    return " ".join(parts)


# ------------------------------------------------------------------ reasons


def reasons(row: Mapping[Any, Any]) -> str:
    """Why this candidate, in words: name, street, circle, activity."""
    told = (_name_reason(row), _street_reason(row), _circle_reason(row), _activity_reason(row))
    said = ", ".join(w for w in told if w)
    return said[:1].upper() + said[1:]


def _name_reason(row: Mapping[Any, Any]) -> str:
    if row.get("found"):
        return "trouvé par la recherche"
    score = _number(row, "name_score")
    steps = ((0.97, "même nom"), (0.75, "nom très proche"), (0.4, "nom en partie semblable"))
    return next((words for least, words in steps if score >= least), "autre nom")


def _street_reason(row: Mapping[Any, Any]) -> str:
    if _number(row, "street") > 0.5 or _number(row, "street_text") > 0.9:
        return "même rue et même numéro" if _number(row, "number") > 0.5 else "même rue"
    return ""


def _circle_reason(row: Mapping[Any, Any]) -> str:
    distance, radius = _number(row, "distance_m"), _number(row, "radius_m")
    if math.isnan(distance) or math.isnan(radius):
        return ""
    return "dans le cercle" if distance <= radius else "hors du cercle"


def _activity_reason(row: Mapping[Any, Any]) -> str:
    score = _number(row, "activity_score")
    if score >= 0.65:
        return "activité qui concorde"
    return "autre activité" if score <= 0.35 else ""


def _scores(row: Mapping[Any, Any]) -> str:
    told = (("probabilité", "probability"), ("nom", "name_score"), ("activité", "activity_score"))
    return " · ".join(
        f"{label} {wording.percent(_number(row, column))}"
        for label, column in told
        if not math.isnan(_number(row, column))
    )
