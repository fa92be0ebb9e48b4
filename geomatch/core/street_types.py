"""Types of street and zone: one table of what is written, what it stands for and how it is read.

Everything that knows types is drawn from ``tables/street_types.csv``. Each type has a row whose
``abrege`` is the type itself, with these columns; other rows are its other written forms.

============  ====================================================================
kind          street (RUE), zone (ZAC), locality (LIEU DIT: not kept as a type) or
              word (PARC, COUR: also a plain word)
numbered      1: the number behind it is its name (ROUTE DEPARTEMENTALE 33)
common        1: looked for where a type is misspelt
in_names      1: may be a word of another street's name (RUE DU FAUBOURG …)
singular      the type that this one is compared as (ALLEES as ALLEE); may be empty
============  ====================================================================

and each row may have

============  ====================================================================
form          ``short``: a type only behind a number or at the head of a piece;
              ``register``: means this in the register's own field only
door          1: names a door when a number follows (LOT 3)
glued         1: looked for at the head of a longer word (RUEDELAPAIX)
============  ====================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from geomatch.core.errors import ConfigError
from geomatch.core.tables import load_table

_COLUMNS = (
    "abrege", "entier", "kind", "numbered", "common", "in_names", "singular", "form", "door",
    "glued",
)  # fmt: skip
_FILE = "core/tables/street_types.csv"
KINDS = ("street", "zone", "locality", "word")
_FORMS = ("", "short", "register")


@dataclass(frozen=True)
class StreetType:
    """One type of street or zone; see the module for what its values mean."""

    name: str
    kind: str
    is_numbered: bool
    is_common: bool
    is_in_names: bool
    singular: str


@dataclass(frozen=True)
class StreetTypes:
    """The table: types by name, written forms, and the forms of a certain use."""

    types: Mapping[str, StreetType]
    #: written → type, in any text; in the register's own field alone
    forms: Mapping[str, str]
    register_forms: Mapping[str, str]
    short: frozenset[str]
    doors: frozenset[str]
    glued: frozenset[str]
    #: words of the longest form
    longest: int

    def of_kind(self, kind: str) -> frozenset[str]:
        """Names of the types of a kind."""
        return frozenset(t.name for t in self.types.values() if t.kind == kind)

    def plain(self) -> frozenset[str]:
        """Common streets that no number names: RUE, AVENUE, PLACE."""
        kept = (t for t in self.types.values() if t.kind == "street" and t.is_common)
        return frozenset(t.name for t in kept if not t.is_numbered)


@cache
def street_type_table() -> StreetTypes:
    """The table; :class:`ConfigError` with every problem when it is not complete."""
    return read_street_types(load_table("street_types"))


def read_street_types(rows: Sequence[Sequence[str]]) -> StreetTypes:
    """The types of the rows of a table.

    Raises
    ------
    ConfigError
        When a row has another number of values, a type has no row of its own or lacks a value
        there, or a form is there twice.
    """
    problems: list[str] = []
    types: dict[str, StreetType] = {}
    for number, row in enumerate(rows, start=2):
        if len(row) != len(_COLUMNS):
            problems.append(f"line {number} has {len(row)} values")
            continue
        problems += [f"line {number}: {what}" for what in _row_problems(row)]
        if row[0] == row[1]:
            name, _, kind, *_, singular = row[:7]
            numbered, common, in_names = (value == "1" for value in row[3:6])
            types[name] = StreetType(name, kind, numbered, common, in_names, singular)
    rows = [row for row in rows if len(row) == len(_COLUMNS)]
    problems += _table_problems(rows, types)
    if problems:
        raise ConfigError(f"{_FILE}: {'; '.join(problems)}; expected columns {', '.join(_COLUMNS)}")
    forms = {r[0]: r[1] for r in rows if r[7] != "register"}
    return StreetTypes(
        types,
        forms=forms,
        register_forms={r[0]: r[1] for r in rows if r[7] == "register"},
        short=frozenset(r[0] for r in rows if r[7] == "short"),
        doors=frozenset(r[0] for r in rows if r[8] == "1"),
        glued=frozenset(r[0] for r in rows if r[9] == "1"),
        longest=max(form.count(" ") + 1 for form in forms),
    )


def _row_problems(row: Sequence[str]) -> list[str]:
    written, full, kind, *flags, singular, form, door, glued = row
    found = [] if written and full else ["abrege and entier are not empty"]
    if written == full and kind not in KINDS:
        found.append(f"kind of a type is one of {', '.join(KINDS)}")
    if written == full and not set(flags) <= {"0", "1"}:
        found.append("numbered, common and in_names of a type are 0 or 1")
    if written != full and any((kind, *flags, singular)):
        found.append(f"kind to singular are told in the row of {full} itself")
    if form not in _FORMS or not {door, glued} <= {"", "1"}:
        found.append("form is short, register or empty; door and glued are 1 or empty")
    return found


def _table_problems(rows: Sequence[Sequence[str]], types: Mapping[str, StreetType]) -> list[str]:
    forms = [row[0] for row in rows]
    twice = sorted({form for form in forms if forms.count(form) > 1})
    without = sorted({row[1] for row in rows} - set(types))
    singulars = sorted({t.singular for t in types.values()} - {"", *types})
    return (
        [f"{', '.join(twice)} is there twice"] * bool(twice)
        + [f"no row of its own for {', '.join(without)}"] * bool(without)
        + [f"singular {', '.join(singulars)} is no type"] * bool(singulars)
    )
