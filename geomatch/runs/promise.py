"""What a finished run promises of its file, in words: decisions, precision expected, warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geomatch.core.wording import DECISIONS, FACTS, LEVEL_NAMES, integer, interval, percent


def promise_lines(description: Mapping[str, Any], run: str) -> list[str]:
    """French lines for the end of a run.

    Parameters
    ----------
    description : mapping
        What run.json holds (:func:`geomatch.runs.settled_tables.described`); of a run of an earlier
        version, which was not settled, nothing is told.
    run : str
        Its folder, for the commands that are named.
    """
    if "levels" not in description:
        return []
    n = max(sum(description["decided"].values()), 1)
    counts = description["decided"].items()
    told = [f"{integer(c)} {DECISIONS[d].plural} ({percent(c / n)})" for d, c in counts]
    lines = [", ".join(told) + "."]
    asked = float(description["options"]["decisions"]["precision"])
    lines.append(f"Précision demandée {percent(asked)} ; attendue de ce fichier :")
    for name, level in description["levels"].items():
        lines.append(f"  {LEVEL_NAMES[name]} : {_expected(level, n)}")
    if not description["is_own_level"]:
        lines.append(
            "Fichier trop petit pour dire sa part d'établissements absents : celle de "
            "l'apprentissage est prise."
        )
    elif description["absent_share"] is not None:
        lines.append(
            f"{percent(description['absent_share'], 0)} des bulletins n'ont sans doute pas "
            "d'établissement dans cette base."
        )
    return lines + warnings_of(description, run)


def warnings_of(description: Mapping[str, Any], run: str) -> list[str]:
    """What makes the expectation doubtful, and what to do."""
    asked = float(description["options"]["decisions"]["precision"])
    doubts = []
    for name in ("siret", "site", "siren"):
        got = description["levels"][name]["expected_precision"]
        if got is not None and got < asked - 1e-6:
            doubts.append(
                f"{LEVEL_NAMES[name]} : {percent(got)} attendus, {percent(asked)} demandés"
            )
    for name, share in description["unusual"].items():
        doubts.append(f"« {FACTS.get(name, 'au moins un candidat')} » : {percent(share, 0)}")
    if not doubts:
        return []
    return [
        "Attention, ce fichier ne ressemble pas à ceux de l'apprentissage ou ne tient pas la "
        f"précision demandée : {' ; '.join(doubts)}. Pour en avoir le cœur net : "
        f"geomatch audit {run}"
    ]


def _expected(level: Mapping[str, Any], n: int) -> str:
    if level["expected_precision"] is None:
        return "rien d'assez sûr"
    return (
        f"{percent(level['expected_precision'])} "
        f"({interval(level['low'], level['high'])}) sur {integer(level['coded'])} bulletins, "
        f"{percent(level['coded'] / n)}"
    )
