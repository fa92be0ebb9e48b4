"""Why a bulletin was coded so: its decision, its candidates and what weighed, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from geomatch.core.decision_types import type_label
from geomatch.core.errors import ConfigError
from geomatch.core.wording import DECISIONS, NO_VALUE, decimal
from geomatch.linkage.contributions import Evidence, for_and_against, weigh
from geomatch.linkage.model import Model

#: Candidates shown when an explanation is printed.
_SHOWN = 5
#: Column → its title, where an explanation is printed.
_TITLES: Mapping[str, str] = {
    "siret": "SIRET",
    "raison_sociale": "raison sociale",
    "adresse": "adresse",
    "probability": "prob.",
}


@dataclass(frozen=True, repr=False)
class Explanation:
    """What is known of one bulletin's decision."""

    #: the bulletin's row of decisions, see :data:`geomatch.core.schema.DECISIONS`
    decision: Mapping[str, Any]
    #: its candidates, best first, see :data:`geomatch.core.schema.CANDIDATES`
    candidates: pd.DataFrame
    #: what speaks for the first candidate against the second, the strongest kind first; each
    #: ``pull`` is a difference of log-odds
    evidence: tuple[Evidence, ...]

    @property
    def pros(self) -> list[str]:
        """What speaks for the first candidate, in French."""
        return for_and_against(self.evidence)[0]

    @property
    def cons(self) -> list[str]:
        """What speaks for the second, in French."""
        return for_and_against(self.evidence)[1]

    def evidence_table(self) -> pd.DataFrame:
        """The facts that weigh: ``critere``, ``fait``, ``premier``, ``second``, ``poids``."""
        rows = [
            (e.group, f.label, f.first, f.second, f.pull) for e in self.evidence for f in e.facts
        ]
        return pd.DataFrame(rows, columns=["critere", "fait", "premier", "second", "poids"])

    def _lines(self) -> list[str]:
        row = self.decision
        lines = [
            f"Bulletin {row['id']} : {DECISIONS[row['decision']].phrase} "
            f"({type_label(row['type'])}). {row['reason'] or ''}".rstrip(),
            f"Probabilité {decimal(row['probability'])}, écart au second {decimal(row['margin'])}.",
        ]
        if self.pros:
            lines.append("Pour le premier candidat : " + " ; ".join(self.pros) + ".")
        if self.cons:
            lines.append("Pour le second : " + " ; ".join(self.cons) + ".")
        return lines

    def _shown(self) -> pd.DataFrame:
        table = self.candidates.head(_SHOWN)[[*_TITLES]].rename(columns=dict(_TITLES))
        table["prob."] = [decimal(p) for p in table["prob."]]
        return table.fillna(NO_VALUE)

    def __repr__(self) -> str:
        text = "\n".join(self._lines())
        return (
            text if not len(self.candidates) else f"{text}\n{self._shown().to_string(index=False)}"
        )

    def _repr_html_(self) -> str:
        told = "".join(f"<p>{escape(line)}</p>" for line in self._lines())
        table: str = self._shown().to_html(index=False, border=0) if len(self.candidates) else ""
        return f"<div>{told}{table}</div>"


def explanation(
    bulletin: object, decisions: pd.DataFrame, candidates: pd.DataFrame, model: Model
) -> Explanation:
    """The explanation of one bulletin of two result tables.

    Raises
    ------
    ConfigError
        When no decision, or more than one, has that identifier.
    """
    bulletin = str(bulletin)
    found = decisions[decisions["id"] == bulletin]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found)} bulletins with that identifier, expected one; see the column id of "
            "the decisions"
        )
    of_it = candidates[candidates["id"] == bulletin].sort_values("rank").reset_index(drop=True)
    features = of_it.select_dtypes("number").head(2).to_dict("records")
    rows = [{str(name): float(value) for name, value in row.items()} for row in features]
    evidence = weigh(rows[0], rows[1] if len(rows) > 1 else None, model) if rows else []
    record = {str(name): value for name, value in found.iloc[0].to_dict().items()}
    return Explanation(record, of_it, tuple(e for e in evidence if e.facts))
