"""What a country of a given scale holds, département by département."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

#: France: house numbers, streets, active and closed establishments, bulletins of a campaign.
ADDRESSES, STREETS = 26_000_000, 2_300_000
ACTIVE, CLOSED = 15_000_000, 10_000_000
BULLETINS = 1_674_000
#: SIRENs kept for units with sites in many départements.
NATIONAL_UNITS = 20_000
#: Sizes of communes fall with their rank in the département like this (Zipf).
_ZIPF = 0.95
#: The suburbs of Paris are a few dozen towns of like sizes.
_ZIPF_OF_FEW = 0.5
_TABLE = Path(__file__).with_name("departements.csv")


@dataclass(frozen=True)
class Share:
    """What one département gets. `first_unit` … is its own range of SIREN ranks."""

    departement: str
    number: int
    addresses: int
    streets: int
    active: int
    closed: int
    bulletins: int
    first_unit: int


@dataclass(frozen=True)
class Plan:
    """The whole country: its communes, and the share of each département.

    `communes` has code, libelle, departement, parent, code_postal, x, y (legal metres), radius
    (metres), weight (share of the département's addresses), in code order.
    """

    seed: int
    scale: float
    communes: pd.DataFrame
    shares: tuple[Share, ...]

    def near(self, departement: str, most: int = 30) -> np.ndarray:
        """Nearest communes (positions) of each commune of a département; shape (n, most)."""
        own = (self.communes["departement"] == departement).to_numpy()
        # overseas metres are of other projections: départements of one code digit group stay near
        overseas = self.communes["departement"].str.len().to_numpy() == 3
        same = overseas == overseas[own][0]
        if overseas[own][0]:
            same = own
        at = np.flatnonzero(same)
        points = self.communes[["x", "y"]].to_numpy()
        tree = cKDTree(points[at])
        _, found = tree.query(points[own], k=min(most, len(at)))
        return at[np.reshape(found, (int(own.sum()), -1))]


def departements() -> list[dict[str, str]]:
    """The table of départements: number of communes, inhabitants, what each inhabitant has."""
    with _TABLE.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def drawn(
    communes: pd.DataFrame,
    *,
    scale: float,
    seed: int,
    only: Sequence[str] | None = None,
    bulletins: int | None = None,
) -> Plan:
    """Share a country of `scale` out among départements; `only` keeps some at their full size.

    `communes` has code, libelle, departement, parent, code_postal, x, y and rank (0 is the
    largest of its département). A smaller scale keeps fewer communes, not smaller ones.
    """
    rows = departements()
    people = {r["departement"]: float(r["habitants_milliers"]) for r in rows}
    houses = _normed({r["departement"]: people[r["departement"]]
                      * float(r["adresses_par_habitant"]) for r in rows})  # fmt: skip
    firms = _normed({r["departement"]: people[r["departement"]]
                     * float(r["etablissements_par_habitant"]) for r in rows})  # fmt: skip
    kept = _kept(communes, scale, seed)
    asked = [r["departement"] for r in rows if only is None or r["departement"] in only]
    of_all = sum(firms[d] for d in asked)
    wanted = round(BULLETINS * scale * of_all) if bulletins is None else bulletins
    shares, unit = [], NATIONAL_UNITS
    for number, row in enumerate(rows):
        d = row["departement"]
        active = round(ACTIVE * scale * firms[d])
        if d in asked:
            shares.append(
                Share(
                    d,
                    number,
                    addresses=max(50, round(ADDRESSES * scale * houses[d])),
                    streets=max(5, round(STREETS * scale * houses[d])),
                    active=max(100, active),
                    closed=round(CLOSED * scale * firms[d]),
                    bulletins=round(wanted * firms[d] / of_all),
                    first_unit=unit,
                )
            )
        unit += round(active * CLOSED / ACTIVE) + active + 5_000
    return Plan(seed, scale, kept, tuple(shares))


def _normed(values: dict[str, float]) -> dict[str, float]:
    total = sum(values.values())
    return {k: v / total for k, v in values.items()}


def _kept(communes: pd.DataFrame, scale: float, seed: int) -> pd.DataFrame:
    """The communes of a country of this scale, sized; the largest of each département stays."""
    random = np.random.default_rng([seed, 1])
    parts = []
    for _, rows in communes.groupby("departement", sort=True):
        rows = rows.sort_values("rank", ignore_index=True)
        count = max(1, round(len(rows) * scale))
        chosen = np.sort(random.choice(np.arange(1, len(rows)), count - 1, replace=False)) \
            if count > 1 else np.array([], int)  # fmt: skip
        rows = rows.iloc[np.concatenate([[0], chosen])].copy()
        fall = _ZIPF if len(rows) > 60 or scale < 1 else _ZIPF_OF_FEW
        size = (np.arange(len(rows)) + 1.0) ** -fall
        weight = size * np.exp(random.normal(0, 0.25, len(rows)))
        # arrondissements are of one size, about: together they are the largest city
        city = (rows["parent"] != "").to_numpy()
        if city.any():
            share = 1.0 if city.all() else 0.3
            weight[city] = np.exp(random.normal(0, 0.35, city.sum()))
            weight[city] *= share / weight[city].sum()
            if not city.all():
                weight[~city] *= (1 - share) / weight[~city].sum()
        rows["weight"] = weight / weight.sum()
        parts.append(rows)
    kept = pd.concat(parts, ignore_index=True).sort_values("code", ignore_index=True)
    kept["radius"] = _radius(kept)
    return kept


def _radius(communes: pd.DataFrame) -> np.ndarray:
    """Half the distance to the third nearest centre, within reason, in metres."""
    out = np.full(len(communes), 2_000.0)
    overseas = communes["departement"].where(communes["departement"].str.len() == 3, "")
    for _, rows in communes.groupby(overseas):
        points = rows[["x", "y"]].to_numpy()
        if len(points) > 4:
            distance, _ = cKDTree(points).query(points, k=4)
            out[rows.index] = np.clip(distance[:, 3] * 0.55, 700.0, 6_000.0)
    return out
