"""What a finished run promises of its file, in words: decisions, precision expected, warnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geomatch.core.language import is_english, said
from geomatch.core.wording import DECISIONS, FACTS, LEVEL_NAMES, integer, interval, percent


def promise_lines(description: Mapping[str, Any], run: str) -> list[str]:
    """Lines for the end of a run.

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
    told = [f"{integer(c)} {said(DECISIONS[d].plural)} ({percent(c / n)})" for d, c in counts]
    lines = [", ".join(told) + "."]
    asked = float(description["options"]["decisions"]["precision"])
    lines.append(said("Précision demandée {} ; attendue de ce fichier :").format(percent(asked)))
    for name, level in description["levels"].items():
        lines.append(said("  {} : {}").format(said(LEVEL_NAMES[name]), _expected(level, n)))
    if not description["is_own_level"]:
        lines.append(
            said(
                "Fichier trop petit pour dire sa part d'établissements absents : celle de "
                "l'apprentissage est prise."
            )
        )
    elif description["absent_share"] is not None:
        lines.append(
            said("{} des bulletins n'ont sans doute pas d'établissement dans cette base.").format(
                percent(description["absent_share"], 0)
            )
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
                said("{} : {} attendus, {} demandés").format(
                    said(LEVEL_NAMES[name]), percent(got), percent(asked)
                )
            )
    for name, share in description["unusual"].items():
        fact = said(FACTS.get(name, "au moins un candidat"))
        doubts.append(said("« {} » : {}").format(fact, percent(share, 0)))
    if not doubts:
        return []
    return [
        said(
            "Attention, ce fichier ne ressemble pas à ceux de l'apprentissage ou ne tient pas la "
            "précision demandée : {}. Pour en avoir le cœur net : {}"
        ).format("; ".join(doubts) if is_english() else " ; ".join(doubts), f"geomatch audit {run}")
    ]


def _expected(level: Mapping[str, Any], n: int) -> str:
    if level["expected_precision"] is None:
        return said("rien d'assez sûr")
    return said("{} ({}) sur {} bulletins, {}").format(
        percent(level["expected_precision"]),
        interval(level["low"], level["high"]),
        integer(level["coded"]),
        percent(level["coded"] / n),
    )
