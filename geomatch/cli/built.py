"""What ``build`` shows in the end: what was kept of each official file, what the store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from geomatch.core.wording import STORE_TABLES, integer

#: Départements named one by one; of more, only the number is told.
_MOST_NAMED = 8


def files_table(accounts: Sequence[Mapping[str, Any]]) -> Table:
    """Rows of each official file: read, kept, outside what was asked for, refused."""
    table = Table(title="Fichiers officiels", title_justify="left")
    table.add_column("fichier", overflow="fold")
    for head in ("lignes", "gardées", "hors champ", "refusées"):
        table.add_column(head, justify="right", no_wrap=True)
    for one in accounts:
        refused = sum(one["refused"].values())
        numbers = (one["read"], one["kept"], one["outside"], refused)
        table.add_row(escape(one["file"]), *map(integer, numbers))
    return table


def contents_table(counts: Mapping[str, int], departements: Sequence[str]) -> Table:
    """What the store holds, in the words of people; tables that matching alone reads are not."""
    table = Table(title="Base de référence", title_justify="left")
    table.add_column("contenu")
    table.add_column("nombre", justify="right", no_wrap=True)
    named = f" ({', '.join(departements)})" if len(departements) <= _MOST_NAMED else ""
    table.add_row(f"départements{named}", integer(len(departements)))
    for name, label in STORE_TABLES.items():
        if name in counts:
            table.add_row(label, integer(counts[name]))
    return table
