"""The right half of a card: who it may be, one button for each candidate.

Every text of the register is escaped here; nothing tells which candidate the matcher would take
but their order, and scores are marked so that the screen can hide them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from geomatch.core.wording import chance, metres
from geomatch.review.desk import wording
from geomatch.review.desk.dossier import Dossier, Known, is_in_town
from geomatch.review.desk.highlights import (
    ACTIVITY,
    NAME,
    NUMBER,
    STREET,
    TOWN,
    Words,
    has_marks,
    marked,
    written_parts,
)
from geomatch.review.desk.reasons import activity_reason, number_of, reasons
from geomatch.review.map.svg import element, escaped

#: From this uncertainty on, metres, a distance is an estimate.
_ROUGH_M = 60.0
_NOBODY = "Aucun candidat : cherchez par nom ou par rue (touche /), ou sur le plan."
_NOT_FOUND = (
    "Rien trouvé au répertoire de ce département. Essayez moins de mots, un autre département, "
    "ou un point sur le plan."
)
Row = Mapping[Any, Any]


def candidates_html(dossier: Dossier, known: Known, *, is_search: bool = False) -> str:
    """The list of candidates, numbered as the keys that choose them.

    An activity that most of them share is told once, above.
    """
    rows = dossier.candidates.to_dict("records")
    if not rows:
        return element("p", escaped(_NOT_FOUND if is_search else _NOBODY), class_="nobody")
    shared = _shared_activity(rows)
    words = written_parts(dossier.written[0])
    parts = [
        _Candidate(row, dossier, known, words).html(i, shared) for i, row in enumerate(rows, 1)
    ]
    head = _shared_line(shared, len(rows), rows, known, words) if shared else ""
    return head + element("ol", "".join(parts), class_="candidates")


def _activity_of(row: Row) -> tuple[str, tuple[str, bool] | None]:
    """Activity of a candidate, and whether it fits what the form says."""
    return str(row["naf"]), activity_reason(row)


def _shared_activity(rows: Sequence[Row]) -> tuple[str, tuple[str, bool] | None] | None:
    """The activity of more than half of the candidates, when there are several; else None."""
    activity, n = Counter(map(_activity_of, rows)).most_common(1)[0]
    return activity if n > 1 and 2 * n > len(rows) else None


def _shared_line(
    shared: tuple[str, tuple[str, bool] | None],
    n: int,
    rows: Sequence[Row],
    known: Known,
    words: Mapping[str, Words],
) -> str:
    is_all = all(_activity_of(row) == shared for row in rows)
    intro = "Activité de tous : " if is_all else "Activité, sauf mention : "
    return element("p", intro + _activity_html(*shared, known, words), class_="shared")


def _activity_html(
    naf: str, reason: tuple[str, bool] | None, known: Known, words: Mapping[str, Words]
) -> str:
    label = marked(known.naf(naf), words[ACTIVITY], words[NAME]) if naf else "activité inconnue"
    told = element("span", label, class_="naf")
    if reason is None:
        return told
    css = "for" if reason[1] else "against"
    word = element("span", escaped(reason[0]), class_=css)
    return element("span", word, class_="why") + " " + told


class _Candidate:
    """One candidate of a card, as HTML."""

    def __init__(
        self, row: Row, dossier: Dossier, known: Known, words: Mapping[str, Words]
    ) -> None:
        self.row, self.dossier, self.known, self.words = row, dossier, known, words

    def html(self, key: int, shared: object) -> str:
        """The button behind a key."""
        row = self.row
        number = element("span", str(key), class_="key")
        why = self._why(tell_activity=_activity_of(row) != shared)
        main = element("span", self._title() + self._where() + why, class_="main")
        facts = " · ".join(
            w
            for w in (wording.staff(row["tranche_effectifs"]), "siège" if row["is_siege"] else "")
            if w
        )
        side = (
            _told(self._distance(), "distance")
            + _told(facts, "size")
            + _told(wording.siret_text(row["siret"]), "siret")
            + ("" if self.dossier.is_blind else _scores_html(row))
        )
        inside = number + main + element("span", side, class_="side")
        told = {"data_siret": row["siret"], "data_key": key, "class_": "candidate"}
        return element("li", element("button", inside, type="button", **told))

    def _title(self) -> str:
        """Its names; a site that is named in the address field is looked for in them too."""
        name, also = wording.register_title(self.row)
        sides = [self.words[NAME]]
        if not self.dossier.is_on_a_street:
            sides.append(self.words[STREET])
        inside = element("span", marked(name, *sides), class_="name")
        if also:
            inside += " " + element("span", marked(also, *sides), class_="also")
        full = f"{name} · {also}" if also else name
        return element("span", inside, class_="title", title=full)

    def _where(self) -> str:
        number, street, complement, town = wording.address_parts(self.row)
        lit = marked(street, self.words[STREET])
        # the same number in another street is a coincidence
        n = marked(number, self.words[NUMBER]) if has_marks(lit) else escaped(number)
        more = marked(complement, self.words[STREET], self.words[NAME])
        place = self._town(town)
        inside = ", ".join(w for w in (f"{n} {lit}".strip(), more, place) if w)
        return element("span", inside, class_="where", title=wording.register_address(self.row))

    def _town(self, town: str) -> str:
        if self._is_in_town():
            return element("mark", escaped(town), class_=TOWN)
        return marked(town, self.words[TOWN])

    def _is_in_town(self) -> bool:
        wanted = str(self.dossier.decision["code_commune"] or "")
        return is_in_town(str(self.row["code_commune"]), wanted, self.known.atlas)

    def _distance(self) -> str:
        """Metres where the declared place is known; else whether it is in the commune."""
        distance = number_of(self.row, "distance_m")
        if not self.dossier.is_placed or math.isnan(distance):
            return self._commune_word()
        rough = (number_of(place, "uncertainty_m") for place in (self.dossier.decision, self.row))
        if any(r > _ROUGH_M for r in rough):
            return f"≈ {metres(round(distance, -1) if distance >= 20 else distance)}"
        return f"à {metres(distance)}"

    def _commune_word(self) -> str:
        town, atlas = str(self.dossier.decision["code_commune"] or ""), self.known.atlas
        if not town:
            return ""
        if self._is_in_town():
            return "dans la commune"
        same_city = atlas.city_of(str(self.row["code_commune"])) == atlas.city_of(town)
        return "autre arrondissement" if same_city else "autre commune"

    def _why(self, *, tell_activity: bool) -> str:
        told = ", ".join(
            element("span", escaped(words), class_="for" if speaks_for else "against")
            for words, speaks_for in reasons(self.row, is_placed=self.dossier.is_placed)
        )
        inside = element("span", told, class_="why") if told else ""
        if tell_activity:
            naf, reason = _activity_of(self.row)
            inside += (", " if inside else "") + _activity_html(naf, reason, self.known, self.words)
        return element("span", inside, class_="reasons") if inside else ""


def _scores_html(row: Row) -> str:
    return _told(_scores(row), "score")


def _told(text: str, css: str) -> str:
    """A line that keeps its place when there is nothing to tell: HTML has no empty span."""
    return element("span", escaped(text or "\u00a0"), class_=css)


def _scores(row: Row) -> str:
    told = (("probabilité", "probability"), ("nom", "name_score"), ("activité", "activity_score"))
    return " · ".join(
        f"{label} {chance(number_of(row, column))}"
        for label, column in told
        if not math.isnan(number_of(row, column))
    )
