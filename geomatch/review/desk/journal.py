"""The verdict journal: what clerks did, one line an act, never rewritten.

``DIR/verdicts.jsonl`` has one JSON object a line. An act is on the disk before anybody is told
that it was taken, and a line that a kill cut short was never taken: readers leave it out, and
the next writer cuts it off. The last act on a bulletin wins; taking one back is an act too.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geomatch.core.errors import ConfigError, DataError

#: Of a review, and of an audit: a blind check must not be read as a reprise, nor the reverse.
JOURNAL, AUDIT_JOURNAL = "verdicts.jsonl", "audit.jsonl"
VERDICT, UNDO, SKIP = "verdict", "undo", "skip"
ACTS = (VERDICT, UNDO, SKIP)


@dataclass(frozen=True)
class Act:
    """One line of the journal.

    Attributes
    ----------
    id : the bulletin
    act : ``verdict``, ``undo`` or ``skip``
    siret : the establishment chosen; None for "none of the register", and for undo and skip
    who : the clerk, as they named themselves
    when : ISO date and time, UTC
    version : of geomatch
    note : what the clerk wrote
    batch : the same for all lines of one key press
    """

    id: str
    act: str
    siret: str | None
    who: str
    when: str
    version: str
    note: str
    batch: str


_FIELDS = tuple(f.name for f in dataclasses.fields(Act))


def read_journal(file: Path) -> list[Act]:
    """Every act of a journal, first to last; none when there is no journal.

    A last line without its end of line is left out: its writer was killed before anybody was
    told of it.

    Raises
    ------
    DataError
        When the file is not readable or a whole line is not one that this journal writes.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"journal {file} is not readable: {error}") from error
    lines = content.split(b"\n")[:-1]
    return [_act(line, file, number) for number, line in enumerate(lines, start=1)]


def verdicts_by_clerk(acts: Iterable[Act]) -> dict[str, dict[str, Act]]:
    """The verdicts in force: id → clerk → act, the latest clerk last.

    An undo takes its clerk's verdict away; a skip leaves none either. Only bulletins with a
    verdict are told.
    """
    found: dict[str, dict[str, Act]] = {}
    for act in acts:
        verdicts = found.setdefault(act.id, {})
        verdicts.pop(act.who, None)
        if act.act == VERDICT:
            verdicts[act.who] = act
    return {id: verdicts for id, verdicts in found.items() if verdicts}


def latest_verdicts(acts: Iterable[Act]) -> dict[str, Act]:
    """The verdict in force of each bulletin that has one: id → act; of two clerks' the later."""
    return {id: list(of.values())[-1] for id, of in verdicts_by_clerk(acts).items()}


class Journal:
    """A journal opened for writing, by one process at a time.

    Raises
    ------
    ConfigError
        When another process has it open.
    DataError
        When it cannot be written, or what stands in it is no journal.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self._handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataError(f"journal {file} cannot be opened for writing: {error}") from error
        try:
            _lock(self._handle, file)
            self.acts = read_journal(file)
            self._end = _cut_torn_line(self._handle)
        except (ConfigError, DataError):
            os.close(self._handle)
            raise

    def append(self, acts: Sequence[Act]) -> None:
        """Write acts and wait until the disk has them; either all of them or none.

        Raises :class:`DataError` when the disk refuses; the journal is then as it was.
        """
        lines = [json.dumps(dataclasses.asdict(a), ensure_ascii=False) + "\n" for a in acts]
        content = "".join(lines).encode("utf-8")
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._handle, content[written:], self._end + written)
            os.fsync(self._handle)
        except OSError as error:
            os.ftruncate(self._handle, self._end)
            raise DataError(f"journal {self.file} cannot be written: {error}") from error
        self._end += len(content)
        self.acts += acts

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)


def _cut_torn_line(handle: int) -> int:
    """Length of the journal without a line that has no end."""
    size = os.fstat(handle).st_size
    content = os.pread(handle, size, 0)
    whole = content.rfind(b"\n") + 1
    if whole < size:
        os.ftruncate(handle, whole)
        os.fsync(handle)
    return whole


def _act(line: bytes, file: Path, number: int) -> Act:
    try:
        told: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"{file} line {number} is no JSON object; put the file right") from error
    if not isinstance(told, dict) or set(told) != set(_FIELDS) or told["act"] not in ACTS:
        raise DataError(
            f"{file} line {number} is no act of a journal; expected an object with "
            f"{', '.join(_FIELDS)}"
        )
    return Act(**told)


def _lock(handle: int, file: Path) -> None:
    """One writer at a time; the lock goes with the process, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConfigError(
            f"the journal {file} is in use: another 'geomatch review' serves this folder; "
            "stop it first, or use the address it printed"
        ) from error
