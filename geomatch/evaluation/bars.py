"""Bars as SVG text: coding rate by stratum, a score before and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from geomatch.core.wording import decimal, integer, percent
from geomatch.evaluation.drift import Shift
from geomatch.evaluation.measures import Measure
from geomatch.evaluation.svg import colour, drawing

_ROW, _LABEL, _BAR, _RIGHT = 22, 290, 300, 150
#: Letters of a label that have room.
_LETTERS = 40
_WIDTH, _HEIGHT = 460, 220


@dataclass(frozen=True)
class Bar:
    """One stratum: what was coded and, where it is known, how much of it is right."""

    label: str
    n: int
    coded: Measure
    right: Measure


def strata_bars(title: str, bars: Sequence[Bar]) -> str:
    """Coding rate as bars with their interval, precision as a mark."""
    width, height = _LABEL + _BAR + _RIGHT, 26 + _ROW * len(bars)
    body = [_guide(share, height) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    for i, bar in enumerate(bars):
        body.append(_bar(bar, 8 + _ROW * i))
    return drawing(title, body, width, height)


def _guide(share: float, height: int) -> str:
    x = _LABEL + share * _BAR
    return (
        f'<g class="axes"><line x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height - 18}"/></g>'
        f'<text x="{x:.1f}" y="{height - 5}" text-anchor="middle">{percent(share, 0)}</text>'
    )


def _bar(bar: Bar, y: int) -> str:
    label = bar.label if len(bar.label) <= _LETTERS else bar.label[: _LETTERS - 1] + "…"
    parts = [
        f'<text x="{_LABEL - 8}" y="{y + 12}" text-anchor="end">{escape(label)}</text>',
    ]
    if bar.coded.n:
        low, high = (_LABEL + v * _BAR for v in (bar.coded.low, bar.coded.high))
        middle = y + 8
        parts += [
            f'<rect x="{_LABEL}" y="{y + 1}" width="{bar.coded.value * _BAR:.1f}" height="14" '
            f'fill="{colour(5)}"/>',
            f'<line x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="#444"/>',
        ]
    if bar.right.n:
        x = _LABEL + bar.right.value * _BAR
        parts.append(f'<circle cx="{x:.1f}" cy="{y + 8}" r="4" fill="{colour(1)}"/>')
    told = f"{percent(bar.coded.value)} de {integer(bar.n)}"
    parts.append(f'<text x="{_LABEL + _BAR + 12}" y="{y + 12}">{escape(told)}</text>')
    return "".join(parts)


def shift_bars(title: str, shift: Shift) -> str:
    """Share of bulletins by decile of before: grey before, coloured now."""
    n = len(shift.now)
    most = max(float(shift.before.max()), float(shift.now.max()), 1e-9)
    step, floor = (_WIDTH - 40) / n, _HEIGHT - 40
    body = []
    for i, (before, now) in enumerate(zip(shift.before.tolist(), shift.now.tolist(), strict=True)):
        x = 30 + i * step
        for value, offset, fill in ((before, 0.1, "#b8b8be"), (now, 0.5, colour(0))):
            tall = value / most * (floor - 14)
            body.append(
                f'<rect x="{x + offset * step:.1f}" y="{floor - tall:.1f}" '
                f'width="{0.36 * step:.1f}" height="{tall:.1f}" fill="{fill}"/>'
            )
        mark = "sans" if i == 0 else _mark(shift, i)
        body.append(
            f'<text x="{x + step / 2:.1f}" y="{floor + 16}" text-anchor="middle">{mark}</text>'
        )
    return drawing(title, body, _WIDTH, _HEIGHT)


def _mark(shift: Shift, i: int) -> str:
    """Upper bound of a bin; the last has none."""
    if i > len(shift.edges):
        return "1"
    return decimal(shift.edges[i - 1], 2)
