"""Bulletins on a page: as written beside as understood, candidates, map, reason.

Everything a bulletin or the register says is escaped, nothing is fetched, and the page forbids
scripts, so that the text of a bulletin can do nothing but be read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from geomatch.core.decision_types import type_label
from geomatch.core.wording import DECISIONS, NO_VALUE, chance, metres
from geomatch.review.desk import wording
from geomatch.review.desk.stories import Stories, Story
from geomatch.review.map.drawing import neighbourhood_svg
from geomatch.review.map.svg import element, escaped, table

#: Rows of candidates shown for one bulletin.
_SHOWN = 8
STYLE = """
.gm{--line:#ddd6c8;--soft:#6b6557;--best:#15603b;--other:#33507a;--mark:#c2410c;
 font:15px/1.45 system-ui,'Segoe UI',Arial,sans-serif;color:#26231c}
.gm.card *{box-sizing:border-box}
.gm.card{background:#fff;border:1px solid var(--line);border-radius:10px;padding:20px 22px;
 margin:0 0 26px;max-width:1240px}
.gm.card header{display:flex;gap:14px;align-items:baseline;flex-wrap:wrap;margin:0 0 4px}
.gm.card h2{font-size:19px;margin:0;font-weight:650}
.gm.card .badge{border-radius:99px;padding:3px 12px;font-weight:600;font-size:14px}
.gm.card .auto{background:#dcf1e3;color:#0f5132}.gm.card .review{background:#fdeccf;color:#7a4300}
.gm.card .none{background:#e7e5e0;color:#3f3b33}
.gm.card .reason{margin:2px 0 14px;color:#3d392f;max-width:90ch}
.gm.card .sides{display:grid;grid-template-columns:minmax(330px,1fr) minmax(400px,600px);gap:22px}
@media (max-width:900px){.gm.card .sides{grid-template-columns:1fr}}
.gm.card table{border-collapse:collapse;width:100%;table-layout:auto;margin:0;font-size:inherit}
.gm.card tbody tr:nth-child(n){background:none}
.gm.card th{font-weight:600;text-align:left;color:var(--soft);font-size:13px;vertical-align:bottom;
 padding:4px 10px 5px 0;border-bottom:1px solid var(--line)}
.gm.card td{padding:7px 10px 7px 0;vertical-align:top;border-bottom:1px solid #eee9df;
 text-align:left}
.gm.card tbody tr:last-child td,.gm.card tbody tr:last-child th{border-bottom:0}
.gm.card tbody th{vertical-align:top;padding-top:8px;width:5.6em;border-bottom-color:#eee9df}
.gm.card .as-written{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:13px;
 overflow-wrap:anywhere}
.gm.card .small{color:var(--soft);font-size:13px}
.gm.card .empty{color:#a49c8a}
.gm.card td.num{white-space:nowrap;text-align:right}
.gm.card .wide th:nth-child(n+5){text-align:right}
.gm.card .disc{display:inline-block;width:23px;height:23px;border-radius:50%;text-align:center;
 background:var(--other);color:#fff;font-weight:700;font-size:13px;line-height:23px}
.gm.card .first .disc{background:var(--best)}
.gm.card .first td{background:#f4faf6}
.gm.card .bar{display:inline-block;width:64px;height:7px;border-radius:4px;background:#e9e4d8;
 margin-right:8px;vertical-align:middle;overflow:hidden}
.gm.card .bar i{display:block;height:100%;background:var(--other)}
.gm.card .first .bar i{background:var(--best)}
.gm.card .map svg{display:block;border:1px solid var(--line);border-radius:8px;width:100%}
.gm.card .legend{margin:7px 2px 0;color:var(--soft);font-size:13px}
.gm.card h3{font-size:15px;margin:18px 0 4px;font-weight:650}
.gm.card .wide{overflow-x:auto}
"""
_PAGE_STYLE = """
body{margin:0;background:#f6f4ef;color:#26231c;
 font:15px/1.45 system-ui,'Segoe UI',Arial,sans-serif}
main{max-width:1284px;margin:0 auto;padding:26px 22px 60px}
h1{font-size:25px;margin:0 0 6px}
.intro{margin:0 0 22px;max-width:90ch;color:#3d392f}
"""
#: Forbids scripts and every fetch, should an escape ever be forgotten.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def bulletin_page(
    stories: Stories, *, title: str = "Bulletins", intro: str = "", body: str = ""
) -> str:
    """One self-contained HTML page that shows several bulletins, one card each.

    Parameters
    ----------
    stories : Stories
        From :func:`geomatch.review.tell_stories` or :func:`geomatch.review.read_stories`.
    title, intro : str
        Heading and a sentence under it, plain text.
    body : str
        HTML set between the heading and the cards; the caller has escaped what is in it.
    """
    cards = "".join(bulletin_card(story, stories) for story in stories)
    opening = element("p", escaped(intro), class_="intro") if intro else ""
    return (
        '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(_POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{_PAGE_STYLE}{STYLE}</style></head>"
        f"<body><main><h1>{escaped(title)}</h1>{opening}{body}{cards}</main></body></html>\n"
    )


def bulletin_card(story: Story, stories: Stories) -> str:
    """The HTML of one bulletin, without style sheet."""
    decision = story.decision
    picture = neighbourhood_svg(stories.atlas, decision, story.candidates, width=600, height=450)
    legend = (
        "Croix : lieu déclaré tel que compris, avec son cercle d'incertitude. Ronds : candidats "
        "par rang ; en tirets quand leur position au répertoire est approximative."
    )
    figure = element("div", picture, class_="map") + element("p", escaped(legend), class_="legend")
    sides = element("div", _comparison(story, stories)) + element("div", figure)
    return element(
        "section",
        _heading(decision) + element("div", sides, class_="sides") + _candidates(story, stories),
        class_="gm card",
    )


def _heading(decision: Mapping[str, Any]) -> str:
    kind = str(decision["decision"])
    badge = element(
        "span",
        escaped(DECISIONS[kind].title if kind in DECISIONS else kind),
        class_=f"badge {kind}",
    )
    name = element("h2", escaped(f"Bulletin {decision['id']}"))
    words = type_label(decision["type"])
    # the reason says the same at more length
    more = [words] if words and not decision["reason"] else []
    if kind != "none" and decision["siret"]:
        more.append(f"probabilité du meilleur candidat : {chance(decision['probability'])}")
    small = element("span", escaped(" · ".join(more)), class_="small") if more else ""
    reason = (
        element("p", escaped(decision["reason"]), class_="reason") if decision["reason"] else ""
    )
    return element("header", name + badge + small) + reason


def _comparison(story: Story, stories: Stories) -> str:
    """What stands on the form, and what was made of it, line by line."""
    written, decision, atlas = story.written, story.decision, stories.atlas
    best = story.candidates.head(1).to_dict("records")
    echo = best[0]["name_compared"] if best and decision["siret"] else ""
    naf = _naf_text(decision["naf"], stories.naf_labels)
    if naf:
        naf += f" ({chance(decision['naf_probability'])})"
    place = wording.understood_address(decision, atlas)
    town = decision["code_commune"]
    rows = [
        ("Employeur", written.get("raison_sociale", ""), echo),
        ("Adresse", wording.written_address(written), place),
        ("Commune", wording.written_town(written), atlas.commune_name(town) if town else ""),
        ("Activité", written.get("activite", ""), naf),
        ("Profession", written.get("profession", ""), ""),
        ("Situation", wording.situation(written, atlas), ""),
    ]
    head = _row(("", "Sur le bulletin", "Compris"), cell="th")
    body = "".join(
        element(
            "tr",
            element("th", escaped(label), scope="row")
            + _text_cell(said, "as-written")
            + _text_cell(meant, ""),
        )
        for label, said, meant in rows
    )
    return table(head, body)


def _text_cell(value: str, css: str) -> str:
    if not value:
        return element("td", NO_VALUE, class_="empty")
    return element("td", escaped(value), class_=css or None)


def _row(values: Iterable[str], *, cell: str = "td") -> str:
    return element("tr", "".join(f"<{cell}>{escaped(v)}</{cell}>" for v in values))


def _naf_text(naf: str, labels: Mapping[str, str]) -> str:
    return f"{naf} {labels[naf]}" if naf in labels else naf


def _candidates(story: Story, stories: Stories) -> str:
    shown = story.candidates.head(_SHOWN)
    if not len(shown):
        return element("p", "Aucun candidat.", class_="small")
    head = _row(
        (
            "",
            "Établissement du répertoire",
            "Activité",
            "Effectif",
            "Distance",
            "Nom",
            "Probabilité",
        ),
        cell="th",
    )
    chosen = story.decision["decision"] != "none"
    rows = (
        _candidate(row, stories.naf_labels, is_best=chosen and int(row["rank"]) == 1)
        for row in shown.to_dict("records")
    )
    more = len(story.candidates) - len(shown)
    note = element("p", f"et {more} autres, moins probables", class_="small") if more > 0 else ""
    return (
        element("h3", "Candidats")
        + element("div", table(head, "".join(rows)), class_="wide")
        + note
    )


def _candidate(row: Mapping[Any, Any], labels: Mapping[str, str], *, is_best: bool) -> str:
    name, also = wording.register_title(row)
    first = element("strong", escaped(name))
    others = element("div", escaped(also), class_="small") if also else ""
    where = f"{wording.siret_text(row['siret'])} — {wording.register_address(row)}"
    cells = [
        element("td", element("span", str(int(row["rank"])), class_="disc")),
        element("td", first + others + element("div", escaped(where), class_="small")),
        element("td", escaped(_naf_text(row["naf"], labels))),
        element("td", escaped(wording.people(row["tranche_effectifs"]))),
        element("td", escaped(_distance(row)), class_="num"),
        element("td", _bar(row["name_score"]), class_="num"),
        element("td", _bar(row["probability"]), class_="num"),
    ]
    return element("tr", "".join(cells), class_="first" if is_best else None)


def _distance(row: Mapping[Any, Any]) -> str:
    distance, radius = float(row["distance_m"]), float(row["radius_m"])
    if math.isnan(distance):
        return NO_VALUE
    told = metres(distance)
    return told if math.isnan(radius) else f"{told} (rayon {metres(radius)})"


def _bar(share: Any) -> str:
    value = math.nan if pd.isna(share) else float(share)
    if math.isnan(value):
        return NO_VALUE
    inner = element("i", " ", style=f"width:{100 * min(1.0, max(0.0, value)):.0f}%")
    return element("span", inner, class_="bar") + escaped(chance(value))
