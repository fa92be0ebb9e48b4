"""What a command shows while it works: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

#: Seconds between two lines of a log.
_EVERY_S = 30.0


class _Shown:
    """Something that is on the screen between ``with`` and the end of its block."""

    _progress: Progress

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class Bar(_Shown):
    """Counts things done: how many of how many, how many a second, and the time left.

    ``with Bar(console, "bulletins") as tell: tell(done, total)``. What was done at the first
    call was done before, by an interrupted run, and does not count for the rate.
    """

    def __init__(self, console: Console, unit: str) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(),
            TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._unit = unit
        self._task = self._progress.add_task(unit, total=None)
        self._first: tuple[float, int] | None = None
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._told = (now, done), now
            self._progress.reset(self._task, total=total, completed=done)
            return
        self._progress.update(self._task, completed=done, total=total)
        if not self._console.is_terminal and now - self._told >= _EVERY_S:
            self._told = now
            self._console.print(self._line(done, total, now), highlight=False, soft_wrap=True)

    def _line(self, done: int, total: int, now: float) -> str:
        since, before = self._first or (now, 0)
        rate = (done - before) / max(now - since, 1e-9)
        left = (total - done) / rate if rate else 0.0
        return f"{self._unit} : {done} sur {total}, {rate:.0f}/s, reste {left / 60:.1f} min"


class Steps(_Shown):
    """Names the step under way: ``with Steps(console) as tell: tell("adresses", 0.35)``."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<28}"), BarColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("…", total=1.0)

    def __call__(self, step: str, share: float) -> None:
        """Show that `step` is under way, and the share of the whole that is done (0 to 1)."""
        self._progress.update(self._task, description=step, completed=share)


class _Rate(ProgressColumn):
    """Things done a second."""

    def render(self, task: Task) -> Text:
        """What stands between the count and the time left."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.0f}/s", style="progress.data.speed")
