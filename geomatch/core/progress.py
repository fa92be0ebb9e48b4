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
        self._pace = Pace()
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            _Told(self._pace), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._unit = unit
        self._task = self._progress.add_task(unit, total=None)
        self._first: tuple[float, int] | None = None
        self._told = 0.0

    def say(self, what: str) -> None:
        """Tell what is being done before the first thing is, which may take a while."""
        self._progress.update(self._task, description=f"{what}…")
        if not self._console.is_terminal:
            self._console.print(f"{what}…", highlight=False)

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` are done."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._told = (now, done), now
            self._progress.reset(self._task, total=total, completed=done)
            return
        self._progress.update(self._task, completed=done, total=total, description=self._unit)
        self._pace.take(now, now - self._first[0], done - self._first[1], total - done)
        if not self._console.is_terminal and now - self._told >= _EVERY_S:
            self._told = now
            self._console.print(self._line(done, total, now), highlight=False, soft_wrap=True)

    def _line(self, done: int, total: int, now: float) -> str:
        since, before = self._first or (now, 0)
        rate = (done - before) / max(now - since, 1e-9)
        left = (total - done) / rate if rate else 0.0
        return f"{self._unit} : {done} sur {total}, {rate:.0f}/s, reste {left / 60:.1f} min"


class Pace:
    """Rate and time left of what comes in lumps.

    A partition is told when it is done: between two of them nothing is known to have happened.
    The rate is therefore that of all that was done so far, which changes little from one lump to
    the next; that of the last seconds would be nothing, then very much.
    """

    def __init__(self) -> None:
        self.rate = 0.0
        self.left_s = 0.0
        self._at = 0.0

    def take(self, now: float, seconds: float, done: int, left: int) -> None:
        """Learn at `now` that `done` things were done in so many seconds, and `left` are left."""
        if done > 0 and seconds > 0:
            self.rate = done / seconds
            self.left_s, self._at = left / self.rate, now

    def told(self) -> str:
        """``1240/s, reste 0:03:20``; what is left goes on counting down between two lumps."""
        if not self.rate:
            return ""
        left = max(0.0, self.left_s - (time.monotonic() - self._at))
        minutes, seconds = divmod(round(left), 60)
        return f"{self.rate:.0f}/s, reste {minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


class Steps(_Shown):
    """Names the step under way: ``with Steps(console) as tell: tell("adresses", 0.35)``."""

    def __init__(self, console: Console, *, advice: str = "") -> None:
        """`advice` is told when the person at the screen interrupts."""
        self._console = console
        self._advice = advice
        self._progress = Progress(
            TextColumn("{task.description:<28}"), BarColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("…", total=1.0)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._advice and kind is KeyboardInterrupt:
            self._console.print(self._advice, highlight=False)

    def __call__(self, step: str, share: float) -> None:
        """Show that `step` is under way, and the share of the whole that is done (0 to 1)."""
        self._progress.update(self._task, description=step, completed=share)


class _Told(ProgressColumn):
    """Things done a second, and the time left."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def render(self, task: Task) -> Text:
        """What stands behind the count."""
        return Text(self._pace.told(), style="progress.data.speed")
