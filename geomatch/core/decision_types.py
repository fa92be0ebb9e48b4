"""Types of decision: one table of codes, wording, priority, and which may mean "none".

Everything that lists the types is drawn from ``tables/decision_types.csv``: the decisions
themselves, the page's filter, cards, stories, and reports. What makes a bulletin of a type is a
condition of the same name in :mod:`geomatch.linkage.decisions`, which refuses to decide when the
two lists differ.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache

from geomatch.core.errors import ConfigError
from geomatch.core.tables import load_table

_COLUMNS = ("code", "priority", "may_be_none", "label", "reason")
_FILE = "core/tables/decision_types.csv"


@dataclass(frozen=True)
class DecisionType:
    """One type of decision.

    ``priority``: where several types apply, the one of the least number is told. ``label`` is
    the short French name, ``reason`` the sentence of the decision. With ``may_be_none`` the
    decision is "none" where no candidate is likely; of other types it goes to a clerk.
    """

    code: str
    priority: int
    may_be_none: bool
    label: str
    reason: str


@cache
def decision_types() -> dict[str, DecisionType]:
    """All types by code, the one of the least priority number first.

    Raises :class:`ConfigError` with every problem of the table.
    """
    return read_types(load_table("decision_types"))


def read_types(rows: Sequence[Sequence[str]]) -> dict[str, DecisionType]:
    """Types of the rows of a table whose columns are those of :class:`DecisionType`.

    Raises
    ------
    ConfigError
        When a row lacks a value, or a code or priority is there twice.
    """
    problems: list[str] = []
    found: list[DecisionType] = []
    for number, row in enumerate(rows, start=2):
        if len(row) > len(_COLUMNS):
            problems.append(f"line {number} has {len(row)} values (quote a text that holds ';')")
        elif empty := [c for i, c in enumerate(_COLUMNS) if not "".join(row[i : i + 1])]:
            problems.append(f"line {number} lacks {', '.join(empty)}")
        elif not row[1].isdecimal() or row[2] not in ("0", "1"):
            problems.append(f"line {number}: priority is a number and may_be_none is 0 or 1")
        else:
            found.append(DecisionType(row[0], int(row[1]), row[2] == "1", row[3], row[4]))
    for what in ("code", "priority", "label"):
        values = [getattr(t, what) for t in found]
        twice = sorted({str(v) for v in values if values.count(v) > 1})
        problems += [f"{what} {', '.join(twice)} is there twice"] * bool(twice)
    if problems:
        raise ConfigError(f"{_FILE}: {'; '.join(problems)}; expected columns {', '.join(_COLUMNS)}")
    return {t.code: t for t in sorted(found, key=lambda t: t.priority)}


def check_conditions(conditions: Collection[str]) -> None:
    """Raise :class:`ConfigError` when types and the conditions that tell them are not the same."""
    known = set(decision_types())
    without = sorted(known - set(conditions))
    strange = sorted(set(conditions) - known)
    if without or strange:
        said = [f"no condition in linkage/decisions.py for {', '.join(without)}"] * bool(without)
        said += [f"no line in {_FILE} for {', '.join(strange)}"] * bool(strange)
        raise ConfigError(f"decision types: {'; '.join(said)}; each type needs both")


def type_label(code: str) -> str:
    """Short French name of a type; ``""`` for none, the code itself when it is not known."""
    known = decision_types().get(code)
    return known.label if known else code
