"""One bulletin's story, in French, from the files of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from geomatch.bulletins import read_bulletins
from geomatch.config import Config
from geomatch.errors import ConfigError, DataError
from geomatch.model import Model
from geomatch.scoring import read_run

_DECISIONS = {"auto": "codé automatiquement", "review": "à un gestionnaire", "none": "aucun écho"}
_WRITTEN = {
    "raison_sociale": "Employeur", "adresse": "Adresse", "numero": "Numéro", "rep": "Répétition",
    "type_voie": "Type de voie", "nom_voie": "Voie", "complement": "Complément",
    "commune": "Commune", "departement": "Département", "pays": "Pays",
    "code_commune_residence": "Commune de résidence", "activite": "Activité",
    "profession": "Profession", "probleme": "Anomalie",
}  # fmt: skip
_LEVELS = {
    "housenumber": "au numéro", "interpolated": "au numéro interpolé", "street": "à la voie",
    "locality": "au lieu-dit", "commune": "à la commune", "none": "non situé",
}  # fmt: skip


def explain(run: Path, bulletin: str, console: Console) -> None:
    """Print how a bulletin was read, understood and decided, and why not the second.

    Raises
    ------
    DataError
        When the folder is not one of results, or its model cannot be read.
    ConfigError
        When the run holds no such bulletin.
    """
    description = read_run(run)
    decision = _rows(run / "decisions.parquet", bulletin)
    if not len(decision):
        raise ConfigError(f"no bulletin of that identifier in {run}; check --id")
    candidates = _rows(run / "candidates.parquet", bulletin).sort_values("rank")
    console.print(_as_written(description, bulletin))
    for line in _story(decision.iloc[0]):
        console.print(line, highlight=False)
    if len(candidates):
        console.print(_candidate_table(candidates))
        console.print(_evidence_table(candidates, _model(description)))


def _rows(file: Path, bulletin: str) -> pd.DataFrame:
    try:
        rows = pq.read_table(file, filters=[("id", "=", bulletin)]).to_pandas()
    except (OSError, ValueError) as error:
        raise DataError(f"{file} is not readable: {error}") from error
    texts = rows.select_dtypes(["object", "string"]).columns
    return rows.assign(**{c: rows[c].fillna("") for c in texts})


def _model(description: dict[str, Any]) -> Model:
    path = description["model"]["path"]
    return Model.load("" if path == "shipped" else path)


def _as_written(description: dict[str, Any], bulletin: str) -> Table:
    table = Table(title=f"Bulletin {bulletin}", title_justify="left", show_header=False)
    source = Path(description["input"]["path"])
    if not source.is_file():
        table.add_row("fichier d'origine absent", str(source))
        return table
    options = Config.from_dict(description["options"], source="run.json").bulletins
    bulletins = read_bulletins(source, options)
    row = bulletins[bulletins["id"] == bulletin].iloc[0]
    for column, label in _WRITTEN.items():
        if row[column]:
            table.add_row(label, str(row[column]))
    return table


def _story(row: pd.Series) -> list[str]:
    place = _LEVELS[row["geocode_level"]]
    lines = [
        f"Décision : {_DECISIONS[row['decision']]} (type {row['type']}). {row['reason']}",
        f"Probabilité que l'écho soit juste : {row['probability']:.3f} ; "
        f"écart au second : {row['margin']:.3f}.",
        f"Lieu de travail situé {place}, commune {row['code_commune'] or 'inconnue'}"
        + (f", à {row['uncertainty_m']:.0f} m près." if row["uncertainty_m"] > 0 else "."),
    ]
    if row["naf"]:
        lines.append(f"NAF retenue : {row['naf']} (probabilité {row['naf_probability']:.3f}).")
    return lines


def _candidate_table(candidates: pd.DataFrame, most: int = 8) -> Table:
    table = Table(title="Échos", title_justify="left")
    for column in (
        "rang",
        "SIRET",
        "nom comparé",
        "prob.",
        "nom",
        "activité",
        "adresse",
        "distance",
    ):
        table.add_column(column, justify="left" if column in ("SIRET", "nom comparé") else "right")
    for row in candidates.head(most).itertuples():
        far = "" if pd.isna(row.distance_m) else f"{row.distance_m:.0f} m / {row.radius_m:.0f} m"
        table.add_row(
            str(row.rank), row.siret, row.name_compared, f"{row.probability:.3f}",
            f"{row.name_score:.2f}", f"{row.activity_score:.2f}", f"{row.address_score:.2f}", far,
        )  # fmt: skip
    return table


def _evidence_table(candidates: pd.DataFrame, model: Model, most: int = 10) -> Table:
    """What weighed most for the first, and against the second."""
    first = candidates.iloc[0]
    second = candidates.iloc[1] if len(candidates) > 1 else None
    weights = {f: w for f, w in model.ranking.weights.items() if f in candidates.columns}
    pull = {
        f: w * (first[f] - (second[f] if second is not None else 0)) for f, w in weights.items()
    }
    title = "Ce qui départage le premier du second" if second is not None else "Ce qui pèse"
    table = Table(title=title, title_justify="left")
    for column in ("critère", "premier", "second", "poids"):
        table.add_column(column, justify="left" if column == "critère" else "right")
    strongest = sorted(pull, key=lambda f: -abs(pull[f]))[:most]
    for feature in (f for f in strongest if abs(pull[f]) > 1e-3):
        other = "" if second is None else f"{second[feature]:.2f}"
        table.add_row(feature, f"{first[feature]:.2f}", other, f"{pull[feature]:+.2f}")
    return table
