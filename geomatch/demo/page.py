"""The page the demo ends with: what came out, and three bulletins on a map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from geomatch.review import Atlas, bulletin_page, tell_stories
from geomatch.review.desk.stories import MatchResult, run_frames
from geomatch.review.map.svg import element, escaped
from geomatch.store.reader import Store

INTRO = (
    "Tout est inventé : communes, rues, établissements et réponses. Voici trois bulletins, l'un "
    "codé automatiquement, l'un à reprendre par un gestionnaire, l'un sans établissement ; "
    "chacun tel qu'il a été rempli, tel qu'il a été compris, et avec ses candidats."
)
_STYLE = (
    ".figures{display:flex;gap:14px;flex-wrap:wrap;margin:0 0 24px;padding:0;list-style:none}"
    ".figures li{background:#fff;border:1px solid #ddd6c8;border-radius:10px;padding:10px 18px}"
    ".figures b{display:block;font-size:22px}"
)
#: Best kind of place first: such a bulletin has most to show.
_LEVELS = ("housenumber", "interpolated", "street", "locality", "commune", "none")

#: Candidates with a name like the written one that an example of each decision should have.
_ALIKE: Mapping[str, int] = {"auto": 1, "review": 2, "none": 0}


def write_demo_page(
    run: MatchResult | str | Path,
    store: Store | str | Path,
    out: str | Path,
    *,
    figures: Mapping[str, str] | None = None,
) -> Path:
    """Write one HTML page that shows a coded bulletin, one to review and one without match.

    Parameters
    ----------
    run : Result of :meth:`geomatch.Matcher.match`, or the folder of a run
    store : Store or path
        The reference store of the run.
    out : path
        File to write.
    figures : mapping, optional
        Label → value, shown at the head of the page.

    Returns
    -------
    Path
        The file written. It refers to nothing outside of it.
    """
    opened = Store.open(store) if isinstance(store, str | Path) else store
    bulletins, decisions, candidates = run_frames(run)
    ids = choose_three(bulletins, decisions, candidates)
    stories = tell_stories(bulletins, decisions, candidates, Atlas(opened), ids=ids)
    html = bulletin_page(
        stories,
        title="geomatch : trois bulletins d'un département inventé",
        intro=INTRO,
        body=_figures(figures or {}),
    )
    path = Path(out)
    path.write_text(html, encoding="utf-8")
    return path


def choose_three(
    bulletins: pd.DataFrame, decisions: pd.DataFrame, candidates: pd.DataFrame
) -> list[str]:
    """One bulletin for each decision that the run has taken, the most telling of each.

    That is one whose place is known well, with a name that resembles its candidates' (for a
    review at least two of them) and is not the register's; ties go to the first in the file.
    """
    found = candidates.set_index("id")
    first = found[found["rank"] == 1]
    alike = (found["name_score"] > 0.5).groupby(level="id").sum()
    ids = pd.Index(decisions["id"])
    written = bulletins.drop_duplicates("id").set_index("id")["raison_sociale"].reindex(ids)
    kind = decisions["decision"].to_numpy()
    level = decisions["geocode_level"].map({w: i for i, w in enumerate(_LEVELS)}).fillna(9)
    telling = pd.DataFrame(
        {
            "id": ids,
            "decision": kind,
            "unnamed": (written.fillna("") == "").to_numpy(),
            "lonely": alike.reindex(ids).fillna(0).to_numpy() < pd.Series(kind).map(_ALIKE),
            "level": level.to_numpy(),
            "same": (first["name_compared"].reindex(ids) == written).to_numpy(),
        }
    )
    ordered = telling.sort_values(["unnamed", "lonely", "level", "same"], kind="stable")
    picked = ordered.drop_duplicates("decision").set_index("decision")["id"]
    return [str(picked[kind]) for kind in _ALIKE if kind in picked.index]


def _figures(figures: Mapping[str, str]) -> str:
    if not figures:
        return ""
    items = (
        element("li", element("b", escaped(value)) + escaped(label))
        for label, value in figures.items()
    )
    return element("style", _STYLE) + element("ul", "".join(items), class_="figures")
