"""Which BAN street identifiers of a commune are one street."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geomatch.addresses import street_columns
from geomatch.core.street_keys import street_key, without_number
from geomatch.core.text import repair_mojibake

#: Streets of one name in one commune whose middles are nearer than this, or than they reach, are
#: one street that has several identifiers. Farther apart they are two: hamlets of a big commune
#: often have a RUE DE L EGLISE each.
SAME_STREET_M = 1_000.0


def grouped(written: pd.DataFrame) -> pd.DataFrame:
    """Give each spelling of each BAN street its ``voie_id``, and the street its names.

    Parameters
    ----------
    written
        One row for each (voie_ban, code_commune, code_ancienne_commune, nom_voie, is_lieu_dit)
        with the middle ``x``, ``y``, ``reach`` in metres and the number ``n`` of addresses.

    Returns
    -------
    The rows with ``voie_id`` (0 … n-1 in the order of commune, key and former commune),
    ``nom_norm``, ``type_norm``, ``mots_norm``, and of the street's member with most addresses
    ``libelle``, ``identifiant``, ``ancienne``. Rows whose name has no letter and no digit are
    left out.
    """
    rows = written.copy()
    clean = {n: without_number(repair_mojibake(n)) for n in rows["nom_voie"].unique()}
    rows["libelle"] = rows["nom_voie"].map(clean)
    rows["nom_norm"] = rows["libelle"].map({n: street_key(n) for n in clean.values()})
    rows = rows[rows["nom_norm"] != ""]
    rows = rows.sort_values(
        ["code_commune", "nom_norm", "n", "voie_ban"],
        ascending=[True, True, False, True],
        ignore_index=True,
    )
    rows = rows.assign(**street_columns(rows["nom_norm"].tolist()))
    rows["part"] = _parts(rows)
    streets = ["code_commune", "nom_norm", "part"]
    rows["voie_id"] = rows.groupby(streets, sort=True).ngroup()
    first = rows.groupby("voie_id")
    rows["identifiant"] = first["voie_ban"].transform("first")
    rows["ancienne"] = first["code_ancienne_commune"].transform("first")
    rows["libelle"] = first["libelle"].transform("first")
    return rows.drop(columns="part")


def _parts(rows: pd.DataFrame) -> np.ndarray:
    """Within each (commune, key), the number of the street that a row belongs to."""
    parts = np.zeros(len(rows), dtype=np.int64)
    keys = rows["code_commune"] + "\t" + rows["nom_norm"]
    shared = np.flatnonzero(keys.duplicated(keep=False).to_numpy())
    if not len(shared):
        return parts
    for _, at in pd.Series(shared).groupby(keys.to_numpy()[shared]):
        index = at.to_numpy()
        parts[index] = _cluster(rows.iloc[index])
    return parts


def _cluster(rows: pd.DataFrame) -> list[int]:
    """Streets among rows of one name, the greatest first: each joins the first one near enough."""
    heads: list[tuple[float, float, float, str, str]] = []
    out = []
    places = rows[["x", "y", "reach", "code_ancienne_commune", "voie_ban"]]
    for x, y, reach, former, ban in places.itertuples(index=False):
        for part, head in enumerate(heads):
            near = np.hypot(x - head[0], y - head[1]) <= max(SAME_STREET_M, reach + head[2])
            # two former communes of a merger have their own RUE DE L EGLISE, however near
            apart = former and head[3] and former != head[3]
            if ban == head[4] or (near and not apart):
                out.append(part)
                break
        else:
            heads.append((x, y, reach, former, ban))
            out.append(len(heads) - 1)
    return out
