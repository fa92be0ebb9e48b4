"""One bulletin's story, in French: as written and as understood, the candidates, why not another.

What was understood is not kept by a run, so the bulletin is matched once more, alone, with
the store, the model and the options that run.json names; whether they are still the same is
told.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geomatch.core.decision_types import type_label
from geomatch.core.paths import Location
from geomatch.core.wording import DECISIONS, LEVELS, NO_VALUE, decimal, percent
from geomatch.explain.past import Past, Replay, read_past, replay
from geomatch.linkage.contributions import Evidence, for_and_against, weigh
from geomatch.review import Atlas, Stories, tell_stories
from geomatch.review.desk.wording import (
    register_address,
    variable,
    written_address,
    written_town,
)
from geomatch.runs.results import results_of

#: Candidates shown.
_MOST = 8


def explain(run: Location, bulletin: str, console: Console) -> None:
    """Print how a bulletin was read, understood and decided, and why not the second.

    Raises
    ------
    DataError
        When the folder is not one of results, or its model cannot be read.
    ConfigError
        When the run holds no such bulletin.
    """
    with results_of(run) as folder:
        past = read_past(folder, bulletin)
    replayed = replay(past)
    stories = _stories(past, bulletin)
    row = past.decision.iloc[0]
    console.print(_fields_table(past, replayed, stories, bulletin))
    for line in [*_decision_lines(row, stories), _replay_line(past, row, replayed)]:
        console.print(escape(line), highlight=False)
    if not len(past.candidates):
        return
    console.print(_candidate_table(past.candidates, stories, bulletin))
    for line in _why_lines(past):
        console.print(escape(line), highlight=False)
    found = [e for e in _weighed(past) if e.facts]
    if found:
        console.print(_evidence_table(found, has_second=len(past.candidates) > 1))


def story_record(run: Location, bulletin: str) -> dict[str, Any]:
    """The decision on a bulletin, its candidates and what tells the first from the second.

    Raises as :func:`explain` does. What is not known is None.
    """
    with results_of(run) as folder:
        past = read_past(folder, bulletin)
    asked = ["rank", "siret", "name_compared", "probability", "name_score", "activity_score",
             "address_score", "distance_m", "radius_m"]  # fmt: skip
    evidence = _weighed(past) if len(past.candidates) else []
    return {
        "decision": _record(past.decision)[0],
        "candidates": _record(past.candidates[asked]),
        "evidence": [asdict(e) for e in evidence],
    }


def _record(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows with None for what is unknown, numbers as Python has them."""
    columns = {str(c): rows[c].astype(object).where(rows[c].notna(), None).tolist() for c in rows}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _stories(past: Past, bulletin: str) -> Stories | None:
    if past.bulletins is None or past.store is None:
        return None
    atlas = Atlas(past.store)
    return tell_stories(past.bulletins, past.decision, past.candidates, atlas, ids=[bulletin])


# ------------------------------------------------------------------ written and understood
def _fields_table(
    past: Past, replayed: Replay | None, stories: Stories | None, bulletin: str
) -> Table:
    table = Table(title=f"Bulletin {escape(bulletin)}", title_justify="left")
    for column in ("", "tel qu'écrit", "tel que compris"):
        table.add_column(column, overflow="fold")
    if past.bulletins is None:
        path = escape(past.description["input"]["path"])
        table.add_row("fichier d'origine absent ou modifié depuis", path, "")
        return table
    written = {str(k): v for k, v in past.bulletins.iloc[0].to_dict().items()}
    understood = _understood(replayed, stories)
    home, town = written["code_commune_residence"], written_town(written)
    rows = {
        "Employeur": written["raison_sociale"],
        "Adresse": written_address(written),
        "Commune": town,
        "Commune de résidence": home,
        "Lieu de travail": variable(written),
        "Activité": written["activite"],
        "Profession": written["profession"],
        "Anomalie": written["probleme"],
    }
    if stories is not None and home:
        understood["Commune de résidence"] = stories.atlas.commune_name(home)
    for label, text in rows.items():
        if text or understood.get(label):
            table.add_row(label, escape(text) or NO_VALUE, escape(understood.get(label, "")))
    return table


def _understood(replayed: Replay | None, stories: Stories | None) -> dict[str, str]:
    if replayed is None or stories is None:
        return {}
    prepared = replayed.result.prepared
    part, commune = (t.frame().iloc[0] for t in (prepared.parts, prepared.communes))
    names = list(dict.fromkeys(prepared.names["name"]))
    address = [part[c] for c in ("numero", "rep", "type_voie", "nom_voie", "lieu")]
    name = stories.atlas.commune_name(commune["code_commune"]) or "inconnue"
    if commune["code_pays"]:
        name = f"à l'étranger ({commune['code_pays']})"
    return {
        "Employeur": " / ".join(names) or "aucun nom utilisable",
        "Adresse": " ".join(a for a in address if a) or "aucune voie",
        "Commune": f"{name}, sûre à {percent(commune['commune_score'], 0)}"
        if commune["code_commune"]
        else name,
        "Activité": _activity(replayed.naf_of_texts, stories),
    }


def _activity(told: pd.Series, stories: Stories) -> str:
    """What activity, occupation and name imply, the place left aside."""
    naf = told["naf"]
    if not naf:
        return ""
    return f"plutôt {naf} {stories.naf_labels.get(naf, '')} ({percent(told['naf_chance'], 0)})"


# ------------------------------------------------------------------ the decision
def _decision_lines(row: pd.Series, stories: Stories | None) -> list[str]:
    kind = type_label(row["type"])
    lines = [
        f"Décision : {DECISIONS[row['decision']].phrase} ({kind}). {row['reason']}",
        f"Probabilité que le candidat soit juste : {decimal(row['probability'])} ; "
        f"écart au second : {decimal(row['margin'])}.",
        _place_line(row, stories),
    ]
    if row["naf"]:
        label = "" if stories is None else stories.naf_labels.get(row["naf"], "")
        lines.append(
            f"NAF retenue : {row['naf']}{' ' + label if label else ''}, "
            f"{DECISIONS[row['naf_decision']].phrase}, "
            f"probabilité {decimal(row['naf_probability'])}."
        )
    return lines


def _place_line(row: pd.Series, stories: Stories | None) -> str:
    code = row["code_commune"]
    commune = code if stories is None else stories.atlas.commune_name(code)
    address = "" if stories is None else stories.atlas.address_text(row["ban_id"], code)
    line = f"Lieu de travail situé {LEVELS[row['geocode_level']].phrase}"
    line += f" : {address}, {commune}" if address else f", commune {commune or 'inconnue'}"
    return line + (f", à {row['uncertainty_m']:.0f} m près." if row["uncertainty_m"] > 0 else ".")


def _replay_line(past: Past, row: pd.Series, replayed: Replay | None) -> str:
    if replayed is None:
        return (
            "Rejeu impossible : le fichier d'origine, la base de référence ou les options ont "
            f"changé depuis (geomatch {past.description['geomatch']})."
        )
    alone = replayed.result.decisions.iloc[0]
    model = "" if past.is_same_model else " (le modèle a changé depuis)"
    chance = decimal(alone["probability"])
    if alone["siret"] == row["siret"]:
        return f"Rejoué sans les autres bulletins{model} : même candidat, probabilité {chance}."
    other = alone["siret"] or "aucun"
    return (
        f"Rejoué sans les autres bulletins{model} : autre candidat, {other}, probabilité {chance}."
    )


# ------------------------------------------------------------------ the candidates
def _candidate_table(candidates: pd.DataFrame, stories: Stories | None, bulletin: str) -> Table:
    table = Table(title="Candidats", title_justify="left")
    table.add_column("rang", no_wrap=True)
    table.add_column("établissement", overflow="fold")
    for column in ("prob.", "nom", "act.", "adr.", "distance"):
        table.add_column(column, justify="right", no_wrap=True)
    register = _register(stories, bulletin)
    for row in candidates.head(_MOST).itertuples():
        known = register.get(str(row.siret), {})
        lines = [
            f"{row.siret}  {known.get('naf', '')}",
            str(row.name_compared) or NO_VALUE,
            register_address(known) if known else "",
        ]
        far = "" if pd.isna(row.distance_m) else f"{row.distance_m:.0f} m\n/ {row.radius_m:.0f} m"
        table.add_row(
            str(row.rank), escape("\n".join(line.strip() for line in lines if line.strip())),
            decimal(row.probability), *(percent(float(s), 0) for s in (
                row.name_score, row.activity_score, row.address_score)), far,
        )  # fmt: skip
    return table


def _register(stories: Stories | None, bulletin: str) -> dict[str, dict[str, Any]]:
    if stories is None:
        return {}
    records = stories.one(bulletin).candidates.to_dict("records")
    return {r["siret"]: {str(k): v for k, v in r.items()} for r in records}


def _weighed(past: Past) -> list[Evidence]:
    features = past.candidates.select_dtypes("number").to_dict("records")
    rows = [{str(name): float(value) for name, value in row.items()} for row in features[:2]]
    return weigh(rows[0], rows[1] if len(rows) > 1 else None, past.model)


def _why_lines(past: Past) -> list[str]:
    """Why the first, and why not the second."""
    pros, cons = for_and_against(_weighed(past))
    if len(past.candidates) < 2:
        return ["Seul candidat trouvé. Pour lui : " + (" ; ".join(pros) or "rien de net") + "."]
    second = past.candidates.iloc[1]
    who = f"le second ({second['siret']}, {second['name_compared'] or 'sans nom'})"
    if not pros and not cons:
        return [f"Rien ne départage le premier et {who}."]
    lines = [f"Pourquoi pas {who} : " + (" ; ".join(pros[:4]) or "presque rien") + "."]
    if cons:
        lines.append("En faveur du second : " + " ; ".join(cons[:3]) + ".")
    return lines


def _evidence_table(found: list[Evidence], *, has_second: bool, most: int = 3) -> Table:
    """What weighed, by kind, with the facts that weigh most."""
    title = "Ce qui départage le premier du second" if has_second else "Ce qui pèse"
    table = Table(title=title, title_justify="left")
    table.add_column("critère")
    for column in ("premier", "second", "poids"):
        table.add_column(column, justify="right")
    for evidence in found:
        table.add_row(
            f"[bold]{evidence.group}[/bold]", "", "", decimal(evidence.pull, 2, signed=True)
        )
        for fact in evidence.facts[:most]:
            label = escape(fact.label)
            table.add_row(
                f"  {label}",
                fact.first,
                fact.second,
                f"[dim]{decimal(fact.pull, 2, signed=True)}[/dim]",
            )
    return table
