"""What ``match`` says in the end: what became of the bulletins, how long it took, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    lines = [f"{integer(n)} bulletins, {_how(n, summary)}"]
    for code, words in DECISIONS.items():
        k = int(counts.get(code, 0))
        if k or code != "clerk":
            told = percent(k / n) if n else NO_VALUE
            lines.append(f"  {words.title} : {integer(k)} ({told})")
    lines += [
        f"Attention : {integer(k)} bulletins ont un problème de lecture : {problem}."
        for problem, k in summary.get("rows", {}).get("reasons", {}).items()
    ]
    return [*lines, *promise, _next(out, int(counts.get("review", 0)))]


def _how(n: int, summary: Mapping[str, Any]) -> str:
    """How fast it went, and what an earlier run had done already."""
    if summary.get("is_old"):
        return "rien à reprendre : les résultats de cette commande sont déjà là"
    seconds = summary["seconds"]
    matched = summary.get("matched", n)
    kept = f", {integer(n - matched)} repris du passage coupé" if matched < n else ""
    return f"{duration(seconds)}, {matched / max(seconds, 1e-9):.0f}/s{kept}"


def _next(out: str, n_review: int) -> str:
    if n_review:
        return f"Ensuite : geomatch review {out}  (reprendre les bulletins douteux)"
    return f"Ensuite : geomatch evaluate {out}  (ce qui a été codé, par département et par type)"
