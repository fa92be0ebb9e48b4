"""A layout: which columns make an official file what it is.

A file is recognised by its columns, never by its name. Spellings differ from one publication to
the next (``#Code_commune_INSEE``, ``code_commune_insee``), so columns are compared through
:func:`column_key` and each may have aliases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One official layout.

    `signature` columns tell the layout from all others; a file that has all of them but lacks one
    of `needed` is refused; `optional` columns are used when there. `aliases` maps a column of this
    project to other spellings. `may_be_empty` allows a file with a header and no row.
    """

    role: str
    title: str
    signature: tuple[str, ...]
    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()
    #: groups of columns of which one whole group at least has to be there
    one_of: tuple[tuple[str, ...], ...] = ()
    aliases: Mapping[str, tuple[str, ...]] | None = None
    may_be_empty: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns of the layout that are used, each once."""
        return tuple(dict.fromkeys((*self.needed, *self.optional, *sum(self.one_of, ()))))

    def resolve(self, columns: Sequence[str]) -> dict[str, str]:
        """Column of this project → column of the file, for those the file has."""
        by_key = {column_key(c): c for c in columns}
        found = {}
        for column in self.columns:
            spellings = (column, *(self.aliases or {}).get(column, ()))
            match = next((by_key[k] for k in map(column_key, spellings) if k in by_key), None)
            if match is not None:
                found[column] = match
        return found

    def is_signed(self, found: Mapping[str, str]) -> bool:
        """Whether the signature columns are all there."""
        return all(c in found for c in self.signature)

    def missing(self, found: Mapping[str, str]) -> list[str]:
        """What a file of this layout lacks, in words."""
        lacks = [c for c in self.needed if c not in found]
        if self.one_of and not any(all(c in found for c in group) for group in self.one_of):
            lacks.append(" or ".join("+".join(group) for group in self.one_of))
        return lacks


def column_key(name: str) -> str:
    """``"#Libellé_d_acheminement"`` → ``"libelledacheminement"``."""
    plain = unicodedata.normalize("NFKD", name).lower()
    return "".join(c for c in plain if c.isascii() and c.isalnum())
