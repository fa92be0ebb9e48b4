"""What became of the rows of each official file: kept, outside what was asked for, refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from geomatch.core.errors import DataError

log = logging.getLogger(__name__)

#: A file of which more than this share of the rows is refused is told with a warning …
WARNED = 0.001
#: … and one of which more than this is, ends the build, unless more was allowed.
REFUSED = 0.05


@dataclass(frozen=True)
class Account:
    """Rows of one file; ``read`` is the sum of the others.

    `outside` are sound rows that were not asked for (closed establishments, other départements),
    `refused` those that cannot be used, by reason.
    """

    file: str
    read: int
    kept: int
    outside: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, file: str, read: int, kept: int, refused: Mapping[str, int]) -> Account:
        """The account of a file of which everything else is outside."""
        told = {reason: n for reason, n in sorted(refused.items()) if n}
        return cls(file, read, kept, read - kept - sum(told.values()), told)

    @property
    def n_refused(self) -> int:
        """Rows refused for any reason."""
        return sum(self.refused.values())

    def content(self) -> dict[str, Any]:
        """The account as the manifest holds it."""
        return asdict(self)

    def sentence(self) -> str:
        """One line: how many rows of how many, and why the others were refused."""
        why = ", ".join(f"{n} {reason}" for reason, n in self.refused.items()) or "none refused"
        return (
            f"{self.file}: {self.read} rows read, {self.kept} kept, {self.outside} outside what "
            f"was asked for, {self.n_refused} refused ({why})"
        )


def settle(accounts: Sequence[Account], allowed: float = REFUSED) -> list[dict[str, Any]]:
    """Tell what was lost of the files; the accounts as the manifest holds them.

    Parameters
    ----------
    allowed : float
        Greatest share of a file's rows, 0–1, that may be refused.

    Raises
    ------
    DataError
        When more is refused of any file: all such files in one message.
    """
    for account in accounts:
        share = account.n_refused / max(account.read, 1)
        log.log(logging.WARNING if share > WARNED else logging.INFO, "%s", account.sentence())
    bad = [a for a in accounts if a.n_refused > allowed * max(a.read, 1)]
    if bad:
        raise DataError(
            "\n".join(a.sentence() for a in bad)
            + f"; expected at most {allowed:.1%} refused. Fetch the file again from its official "
            "source (was it saved by a spreadsheet? are all files of the same year?), or allow "
            "more with --allow-refused"
        )
    return [a.content() for a in accounts]
