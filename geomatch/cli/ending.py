"""What ``match`` says in the end: what became of the bulletins, how long it took, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geomatch.core.language import said
from geomatch.core.wording import DECISIONS, NO_VALUE, duration, integer, percent

INTERRUPTED = (
    "Interrompu. Ce qui est fini est gardé : relancer la même commande avec --resume le reprend."
)


def ending(out: str, summary: Mapping[str, Any], promise: Sequence[str] = ()) -> list[str]:
    """Lines for the person at the screen, from what a run says of itself.

    `promise` is what is expected of the codes; it stands before the next step.
    """
    from geomatch.runs.results import read_decisions

    n = summary.get("part", summary["input"])["bulletins"]
    counts = read_decisions(out, ["decision"])["decision"].value_counts()
    lines = [said("{} bulletins, {}").format(integer(n), _how(n, summary))]
    for code, words in DECISIONS.items():
        k = int(counts.get(code, 0))
        if k or code != "clerk":
            told = percent(k / n) if n else NO_VALUE
            lines.append(said("  {} : {} ({})").format(said(words.title), integer(k), told))
    lines += [
        said("Attention : {} bulletins ont un problème de lecture : {}.").format(
            integer(k), said(problem)
        )
        for problem, k in summary.get("rows", {}).get("reasons", {}).items()
    ]
    return [*lines, *promise, _next(out, int(counts.get("review", 0)))]


def _how(n: int, summary: Mapping[str, Any]) -> str:
    """How fast it went, and what an earlier run had done already."""
    if summary.get("is_old"):
        return said("rien à reprendre : les résultats de cette commande sont déjà là")
    seconds = summary["seconds"]
    matched = summary.get("matched", n)
    kept = said(", {} repris du passage coupé").format(integer(n - matched)) if matched < n else ""
    return f"{duration(seconds)}, {matched / max(seconds, 1e-9):.0f}/s{kept}"


def _next(out: str, n_review: int) -> str:
    what = said("{}  (ce qui a été codé, par département et par type)")
    command = f"geomatch evaluate {out}"
    if n_review:
        what, command = said("{}  (reprendre les bulletins douteux)"), f"geomatch review {out}"
    return said("Ensuite : {}").format(what.format(command))
