"""What weighed for the first candidate and against the second, drawn as bars: on request only."""

from __future__ import annotations

from collections.abc import Sequence

from geomatch.core.wording import decimal
from geomatch.linkage.contributions import LEAST_PULL, Evidence, Fact
from geomatch.linkage.explanation import Explanation
from geomatch.review.desk.wording import siret_text
from geomatch.review.map.svg import element, escaped, table

#: Pixels of the longest bar, and log-odds that a whole one stands for at least.
_LONGEST_PX, _LEAST_WHOLE = 120.0, 2.0
_FOR, _AGAINST = "#15603b", "#b45309"
#: Facts named for each kind of evidence.
_MOST_FACTS = 2
NOTHING = "Aucun candidat : rien à peser."


def weighing_html(found: Explanation) -> str:
    """A table of the kinds of evidence, the strongest first, each with its bar and its facts.

    Bars to the right speak for the first candidate, to the left for the second; their unit is
    the log-odds of the ranking.
    """
    if not len(found.candidates):
        return element("p", NOTHING)
    first, *others = found.candidates.head(2).to_dict("records")
    told = f"Pour le 1 : {first['raison_sociale'] or '–'} ({siret_text(first['siret'])})"
    if others:
        second = others[0]
        told += f" ; pour le 2 : {second['raison_sociale'] or '–'} ({siret_text(second['siret'])})"
    kinds = [e for e in found.evidence if abs(e.pull) >= LEAST_PULL]
    whole = max([_LEAST_WHOLE, *(abs(e.pull) for e in kinds)])
    rows = "".join(_row(e, whole) for e in kinds)
    if not rows:
        return element("p", escaped(told)) + element("p", "Rien ne les départage.")
    heads = ("", "2 ◂   ▸ 1", "poids", "surtout")
    head = element("tr", "".join(element("th", escaped(h), scope="col") for h in heads))
    return element("p", escaped(told)) + element("div", table(head, rows), class_="wide")


def _row(one: Evidence, whole: float) -> str:
    cells = (
        element("th", escaped(one.group), scope="row"),
        element("td", _bar(one.pull, whole)),
        element("td", decimal(one.pull, 1, signed=True)),
        element("td", escaped(_facts(one.facts))),
    )
    return element("tr", "".join(cells))


def _facts(facts: Sequence[Fact]) -> str:
    told = (
        f"{f.label} : {f.first}" + (f" contre {f.second}" if f.second else "")
        for f in facts[:_MOST_FACTS]
    )
    return " ; ".join(told)


def _bar(pull: float, whole: float) -> str:
    """A bar from the middle, to the right for the first candidate."""
    length = _LONGEST_PX * abs(pull) / whole
    start = _LONGEST_PX if pull > 0 else _LONGEST_PX - length
    colour = _FOR if pull > 0 else _AGAINST
    inside = element("rect", x=f"{start:.1f}", y=2, width=f"{length:.1f}", height=10, fill=colour)
    middle = element("path", d=f"M{_LONGEST_PX:.0f} 0v14", stroke="#6b6557")
    return element(
        "svg",
        inside + middle,
        viewBox=f"0 0 {2 * _LONGEST_PX:.0f} 14",
        width=f"{2 * _LONGEST_PX:.0f}",
        height=14,
        aria_hidden="true",
    )
