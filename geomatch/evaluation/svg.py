"""Two small charts as SVG text: no library, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from geomatch.core.wording import percent
from geomatch.evaluation.measures import Calibration, Curve

#: Colours that colour-blind readers tell apart (Okabe and Ito, 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
#: So that a run is not told by its colour alone.
DASHES = ("", "7 3", "2 3", "9 3 2 3")
_WIDTH, _HEIGHT = 460, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 26, 14, 48
#: The curve starts at this coverage: the first few answers alone say nothing.
_FIRST = 0.005


@dataclass(frozen=True)
class _Axes:
    """Both axes run from their lower bound to 1, both in per cent."""

    x_title: str
    y_title: str
    y_low: float = 0.0

    def x(self, value: float) -> float:
        return _LEFT + value * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (1 - self.y_low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def colour(i: int) -> str:
    """Colour of the `i`-th run."""
    return COLOURS[i % len(COLOURS)]


def curve_chart(curves: Mapping[int, Curve]) -> str:
    """Precision of the answers kept against the share of bulletins kept.

    `curves` goes from a run's number, which gives it its colour, to its curve.
    """
    points = {i: _steady(*curve.points()) for i, curve in curves.items() if len(curve.count)}
    lowest = min((float(p.min()) for _, p in points.values()), default=0.0)
    axes = _Axes("part des bulletins codés", "précision", y_low=min(0.9, int(lowest * 10) / 10))
    body = [_frame(axes)]
    body += [_target(axes, level) for level in (0.90, 0.95, 0.98)]
    for i, (x, y) in points.items():
        body.append(_line(axes, x, y, i))
    return drawing("Précision selon la part des bulletins codés", body, _WIDTH, _HEIGHT)


def calibration_chart(calibrations: Mapping[int, Calibration]) -> str:
    """Share right against the probability told, by bins of equal mass; keys as above."""
    axes = _Axes("probabilité annoncée", "part juste")
    body = [_frame(axes)]
    body.append(
        f'<line x1="{axes.x(0):.1f}" y1="{axes.y(0):.1f}" x2="{axes.x(1):.1f}" '
        f'y2="{axes.y(1):.1f}" class="guide"/>'
    )
    for i, bins in calibrations.items():
        body.append(_line(axes, bins.told, bins.seen, i))
        body += [
            f'<circle cx="{axes.x(t):.1f}" cy="{axes.y(s):.1f}" r="3" fill="{colour(i)}"/>'
            for t, s in zip(bins.told.tolist(), bins.seen.tolist(), strict=True)
        ]
    return drawing("Part juste selon la probabilité annoncée", body, _WIDTH, _HEIGHT)


def legend(names: Sequence[str]) -> str:
    """Name of each run beside its line."""
    items = [
        f'<li><svg xmlns="http://www.w3.org/2000/svg" width="34" height="10" aria-hidden="true">'
        f'<line x1="1" y1="5" x2="33" y2="5" '
        f'stroke="{colour(i)}" stroke-width="2" stroke-dasharray="{DASHES[i % len(DASHES)]}"/>'
        f"</svg> {escape(name)}</li>"
        for i, name in enumerate(names)
    ]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _steady(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = x >= min(_FIRST, x[-1])
    return x[kept], y[kept]


def drawing(title: str, body: Sequence[str], width: float, height: float) -> str:
    """A whole picture with its title, which shows on a page and in a file of its own."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(body)}</svg>'
    )


def _frame(axes: _Axes) -> str:
    parts = []
    for value in np.linspace(0, 1, 6).tolist():
        x = axes.x(value)
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{axes.y(axes.y_low):.1f}"/>')
        parts.append(_text(x, _HEIGHT - _BOTTOM + 18, percent(value, 0)))
    for value in np.linspace(axes.y_low, 1, 6).tolist():
        y = axes.y(value)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(_text(_LEFT - 8, y + 4, percent(value, 0), anchor="end"))
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, axes.x_title))
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'transform="rotate(-90 14 {middle:.1f})"'
    parts.append(_text(14, middle, axes.y_title, extra=turned))
    return f'<g class="axes">{"".join(parts)}</g>'


def _text(x: float, y: float, text: str, *, anchor: str = "middle", extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(text)}</text>'


def _target(axes: _Axes, level: float) -> str:
    y = axes.y(level)
    return f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" class="guide"/>'


def _line(axes: _Axes, x: np.ndarray, y: np.ndarray, i: int) -> str:
    points = " ".join(
        f"{axes.x(a):.1f},{axes.y(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)
    )
    return (
        f'<polyline points="{points}" fill="none" stroke="{colour(i)}" stroke-width="2" '
        f'stroke-dasharray="{DASHES[i % len(DASHES)]}"/>'
    )
