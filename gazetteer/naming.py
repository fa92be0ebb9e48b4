"""The names establishments bear, cleaned once for every run to come."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from geomatch.names.register import register_names

_COLUMNS = ["siren", "denomination", "sigle", "denominations_usuelles", "enseignes", "personne",
            "libelle_commune", "code_commune", "naf", "categorie_juridique", "nom_voie",
            "complement"]  # fmt: skip
_SLICE = 200_000


def commune_labels(communes: pd.DataFrame) -> dict[str, str]:
    """Name of each commune; that of the city for its arrondissements (STORE_COMMUNES)."""
    labels = dict(zip(communes["code_commune"], communes["libelle"], strict=True))
    parents = zip(communes["code_commune"], communes["code_parent"], strict=True)
    return labels | {code: labels[parent] for code, parent in parents if parent in labels}


def named(register: pa.Table, labels: Mapping[str, str]) -> pd.DataFrame:
    """Names of the rows of one département (:data:`geomatch.core.schema.NAMES`), in slices."""
    parts = []
    for start in range(0, register.num_rows, _SLICE):
        rows = register.select(_COLUMNS).slice(start, _SLICE).to_pandas().fillna("")
        towns = [labels.get(code, "") for code in rows["code_commune"]]
        names = register_names(rows, towns)
        parts.append(names.assign(row=names["row"] + start))
    return pd.concat(parts, ignore_index=True)
