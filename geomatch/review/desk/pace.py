"""How fast the work goes: bulletins an hour, and how long the rest will take."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from geomatch.review.desk.journal import VERDICT, Act

#: Verdicts looked at, and the silence after which a clerk is thought to be away; seconds.
_WINDOW_S, _PAUSE_S = 30 * 60.0, 3 * 60.0
#: Fewer intervals than this say nothing of a pace.
_LEAST_ACTS = 5


@dataclass
class Pace:
    """The verdicts of late, by clerk."""

    _acts: deque[tuple[float, str, str]] = field(default_factory=lambda: deque(maxlen=20_000))

    def note(self, act: Act) -> None:
        """Take note of an act; only verdicts count."""
        if act.act == VERDICT:
            self._acts.append((datetime.fromisoformat(act.when).timestamp(), act.who, act.batch))

    def told(self, who: str, left: int) -> dict[str, Any]:
        """``hour_mine``, ``hour_all`` bulletins an hour and ``hours_left`` of work.

        None stands where too little is known. Pauses of more than three minutes do not count.
        """
        now = datetime.now(UTC).timestamp()
        late = [one for one in self._acts if one[0] > now - _WINDOW_S]
        rates = {w: _rate([one for one in late if one[1] == w]) for w in {o[1] for o in late}}
        together = sum(r for r in rates.values() if r is not None)
        return {
            "mine": sum(1 for one in self._acts if one[1] == who),
            "hour_mine": rates.get(who),
            "hour_all": round(together) or None,
            "hours_left": left / together if together else None,
        }


def _rate(acts: Iterable[tuple[float, str, str]]) -> int | None:
    """Bulletins an hour of one clerk at work."""
    rows = list(acts)
    times = sorted({when for when, _, _ in rows})
    steps = [b - a for a, b in pairwise(times) if b - a < _PAUSE_S]
    worked = sum(steps)
    if len(steps) < _LEAST_ACTS or worked <= 0:
        return None
    return round(len(rows) * 3600 * len(steps) / (worked * len(times)))
