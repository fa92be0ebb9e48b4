"""A whole run on one map: for each commune of work, how many bulletins and what became of them.

Drawn from the communes' own positions, as SVG that needs nothing else. Where there are more
communes than a person can tell apart, neighbours are put together, so that the drawing stays
small whatever the size of the run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomatch.core.errors import DataError
from geomatch.core.wording import DECISION_COLOURS, DECISIONS, integer, percent
from geomatch.evaluation.outlines import outlines, shades_legend

#: Decisions that give a bulletin a code.
_CODED = ("auto", "clerk")
_WIDTH, _MARGIN, _LEGEND = 980.0, 34.0, 66.0
#: Height of the legend of the shades.
_SHADES = 24.0
#: Where communes of work lie too close to be told apart on a map of France.
PARIS, _PARIS_NAME = ("75", "92", "93", "94"), "Paris et petite couronne"
#: So many communes with bulletins there are worth a drawing of their own.
_LEAST_PARIS = 3
_LEAST_HEIGHT, _MOST_HEIGHT = 380.0, 900.0
#: Size of a territory drawn beside the main one, pixels.
_INSET = 190.0
#: Communes drawn one by one; more are put together in squares of so many pixels.
_MOST_SINGLE, _SQUARE = 900, 20.0
_LEAST_RADIUS, _MOST_RADIUS = 3.0, 26.0
#: Discs may be larger where there are few; thin ones have no white edge.
_FEW, _LARGER, _EDGED = 60, 44.0, 5.0
_MOST_NAMES, _MOST_INSET_NAMES = 16, 3
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CommuneMap:
    """The drawing, shown as the value of a notebook cell."""

    svg: str

    def _repr_html_(self) -> str:
        return self.svg


def run_map(decisions: pd.DataFrame, communes: pd.DataFrame) -> CommuneMap:
    """Every bulletin of a run by commune of work: coded, to review, none.

    Parameters
    ----------
    decisions : DataFrame
        ``decision`` and ``code_commune`` of a run.
    communes : DataFrame
        :data:`geomatch.core.schema.STORE_COMMUNES` of its store.
    """
    labels = decisions["decision"].map({code: DECISIONS[code].plural for code in DECISION_COLOURS})
    colours = {DECISIONS[code].plural: colour for code, colour in DECISION_COLOURS.items()}
    coded = [DECISIONS[code].plural for code in _CODED]
    return commune_map(decisions["code_commune"], labels, communes, colours, coded=coded)


def commune_map(
    code_commune: pd.Series,
    kind: pd.Series,
    communes: pd.DataFrame,
    colours: Mapping[str, str],
    *,
    coded: Sequence[str] = (),
) -> CommuneMap:
    """Bulletins by commune and kind.

    Parameters
    ----------
    code_commune, kind : Series, aligned, one row a bulletin
        Commune of work (null or ``""`` unknown) and what is shown of the bulletin.
    communes : DataFrame
        :data:`geomatch.core.schema.STORE_COMMUNES`.
    colours : mapping
        Colour of each kind, in the order of the legend; every kind of the rows has one.
    coded : sequence of str
        Kinds by whose share départements are shaded; none: they are not.

    Raises
    ------
    DataError
        When a row's kind has no colour.
    """
    strange = set(kind) - set(colours)
    if strange:
        raise DataError(f"{len(strange)} kind(s) of bulletins without a colour")
    shown = {k: c for k, c in colours.items() if (kind == k).any()}
    counts = pd.crosstab(code_commune.fillna("").astype(str), kind.astype(str))
    counts = counts.reindex(columns=list(shown), fill_value=0)
    placed = communes[communes["x"].notna()].drop_duplicates("code_commune")
    here = placed[placed["departement"].isin(_departements(counts.index, placed))]
    rows = here.merge(counts, left_on="code_commune", right_index=True, how="left")
    rows[list(shown)] = rows[list(shown)].fillna(0)
    n = rows[list(shown)].to_numpy(np.float64).sum()
    rated = [k for k in coded if k in shown]
    drawing, height = _panels(rows, shown, rated)
    head = _legend(counts.sum(), shown, left_out=len(kind) - int(n))
    head += shades_legend(14.0, _LEGEND) if rated else ""
    return CommuneMap(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" '
        f'width="{_WIDTH:.0f}" height="{height:.0f}" role="img" aria-label="Carte des bulletins '
        'par commune de travail" style="max-width:100%;height:auto;'
        f"font-family:system-ui,'Segoe UI',Arial,sans-serif\">{head}{drawing}</svg>"
    )


def _departements(codes: Iterable[str], placed: pd.DataFrame) -> set[str]:
    of = dict(zip(placed["code_commune"], placed["departement"], strict=True))
    return {of[c] for c in codes if c in of}


# ------------------------------------------------------------------ panels


def _panels(
    rows: pd.DataFrame, shown: Mapping[str, str], coded: Sequence[str]
) -> tuple[str, float]:
    """The main territory; Paris and other territories in a row under it; the height of all."""
    first = _LEGEND + (_SHADES if coded else 0.0)
    if rows.empty:
        return "", first
    kinds = list(shown)
    totals = rows.assign(n=rows[kinds].sum(axis=1))
    by_crs = totals.groupby("crs")["n"].sum().sort_values(ascending=False)
    most = max(1.0, float(totals["n"].max()))
    main, *others = [totals[totals["crs"] == crs] for crs in by_crs.index]
    box = _Box.around(main, 0.0, first, _WIDTH)
    parts = [_panel(main, kinds, shown, box, most, coded)]
    bottom, left = first + box.height, 0.0
    paris = main[main["departement"].isin(PARIS)]
    is_crowded = len(paris) < len(main) and int((paris["n"] > 0).sum()) >= _LEAST_PARIS
    insets = [(p, _INSET) for p in others]
    for panel, width in [(paris, 2 * _INSET), *insets] if is_crowded else insets:
        if left + width > _WIDTH:
            left = 0.0
        inset = _Box.around(panel, left, bottom, width)
        name = _PARIS_NAME if width > _INSET else ""
        parts.append(_panel(panel, kinds, shown, inset, most, coded, name))
        left += width
    return "".join(parts), bottom + (_INSET if left else 0.0)


@dataclass(frozen=True)
class _Box:
    """Metres to pixels: a window of ground in a rectangle of the drawing."""

    x0: float
    y1: float
    scale: float
    left: float
    top: float
    height: float
    is_inset: bool

    @classmethod
    def around(cls, panel: pd.DataFrame, left: float, top: float, width: float) -> _Box:
        x, y = panel["x"].to_numpy(np.float64), panel["y"].to_numpy(np.float64)
        across, along = max(np.ptp(x), 5_000.0), max(np.ptp(y), 5_000.0)
        is_inset = width < _WIDTH
        room = width - 2 * _MARGIN
        most = (_INSET if is_inset else _MOST_HEIGHT) - 2 * _MARGIN
        scale = min(room / across, most / along)
        least = _INSET if is_inset else _LEAST_HEIGHT
        height = max(least, along * scale + 2 * _MARGIN)
        x0 = (x.min() + x.max()) / 2 - width / 2 / scale
        y1 = (y.min() + y.max()) / 2 + height / 2 / scale
        return cls(float(x0), float(y1), scale, left, top, height, is_inset)

    def pixels(self, rows: pd.DataFrame) -> Floats:
        """Shape (n, 2)."""
        x = self.left + (rows["x"].to_numpy(np.float64) - self.x0) * self.scale
        y = self.top + (self.y1 - rows["y"].to_numpy(np.float64)) * self.scale
        return np.column_stack([x, y])


def _panel(
    rows: pd.DataFrame,
    kinds: Sequence[str],
    colours: Mapping[str, str],
    box: _Box,
    most: float,
    coded: Sequence[str],
    label: str = "",
) -> str:
    at = box.pixels(rows)
    ground = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in np.unique(at.round(), axis=0))
    dots = (
        f'<path d="{ground}" stroke="#d9d4c8" stroke-width="2.4" stroke-linecap="round" '
        'fill="none"/>'
    )
    placed = rows.assign(px=at[:, 0], py=at[:, 1])
    ground_of = outlines(placed, coded) if coded else ""
    spots = _spots(placed, kinds)
    top = most if box.is_inset or len(spots) == 0 else max(1.0, float(spots["n"].max()))
    biggest = _biggest(len(spots), box)
    radius = np.maximum(_LEAST_RADIUS, biggest * np.sqrt(spots["n"].to_numpy() / top))
    spots = spots.assign(r=np.minimum(radius, biggest))
    pies = "".join(_pie(row, kinds, colours) for row in spots.to_dict("records"))
    size = "" if box.is_inset else _sizes(top, biggest, box)
    if box.is_inset and not label:
        label = f"Dép. {', '.join(sorted(set(rows['departement'])))}"
    name = f'<text x="{box.left + 10:.0f}" y="{box.top + 16:.0f}" font-size="12">{label}</text>'
    names = _names(spots, _MOST_INSET_NAMES if box.is_inset else _MOST_NAMES)
    return ground_of + dots + pies + names + size + (name if label else "")


def _biggest(n_spots: int, box: _Box) -> float:
    """Radius of the fullest disc."""
    if box.is_inset or n_spots >= 250:
        return 0.8 * _SQUARE
    return _LARGER if n_spots < _FEW else _MOST_RADIUS


def _spots(rows: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    """What is drawn: communes with bulletins, or squares of them, the fullest first."""
    used = rows[rows["n"] > 0]
    if len(used) <= _MOST_SINGLE:
        found = used.assign(others=0)
    else:
        ordered = used.sort_values("n", ascending=False, kind="stable")
        square = [ordered["px"] // _SQUARE, ordered["py"] // _SQUARE]
        weighted = ordered.assign(px=ordered["px"] * ordered["n"], py=ordered["py"] * ordered["n"])
        sums = weighted.groupby(square, sort=True)[[*kinds, "n", "px", "py"]].sum()
        groups = ordered.groupby(square, sort=True)["libelle"]
        found = sums.assign(
            px=sums["px"] / sums["n"],
            py=sums["py"] / sums["n"],
            libelle=groups.first(),
            others=groups.size() - 1,
        )
    return found.sort_values("n", ascending=False, kind="stable")


def _pie(row: Mapping, kinds: Sequence[str], colours: Mapping[str, str]) -> str:
    """A disc cut by kind, its figures when the mouse rests on it."""
    x, y, r, n = row["px"], row["py"], row["r"], row["n"]
    more = f" et {row['others']} communes voisines" if row["others"] else ""
    told = ", ".join(f"{kind} {percent(row[kind] / n, 0)}" for kind in kinds if row[kind])
    title = f"{row['libelle']}{more} : {integer(int(n))} bulletins ; {told}"
    main = max(kinds, key=lambda kind: row[kind])
    parts = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{colours[main]}"/>']
    start = 0.0
    for kind in kinds:
        share = row[kind] / n
        if kind != main and share > 0:
            parts.append(_slice((x, y, r), start, start + share, colours[kind]))
        start += share
    edge = ' stroke="#fff" stroke-width=".6"' if r >= _EDGED else ""
    return f"<g{edge}><title>{escape(title)}</title>{''.join(parts)}</g>"


def _slice(disc: tuple[float, float, float], start: float, end: float, colour: str) -> str:
    """A slice from one share of the turn to another, clockwise from the top."""
    x, y, r = disc
    corners = [
        f"{x + r * math.sin(2 * math.pi * t):.1f} {y - r * math.cos(2 * math.pi * t):.1f}"
        for t in (start, end)
    ]
    is_wide = int(end - start > 0.5)
    arc = f"A{r:.1f} {r:.1f} 0 {is_wide} 1 {corners[1]}"
    return f'<path d="M{x:.1f} {y:.1f}L{corners[0]}{arc}Z" fill="{colour}"/>'


def _names(spots: pd.DataFrame, most: int) -> str:
    """Names of the fullest places, where they do not cover one another."""
    taken: list[tuple[float, float, float, float]] = []
    written: list[str] = []
    for row in spots.to_dict("records"):
        if len(written) == most:
            break
        half = 3.4 * len(row["libelle"])
        x, y = row["px"], row["py"] - row["r"] - 4
        box = (max(x - half, 0.0), y - 11, min(x + half, _WIDTH), y + 3)
        if any(_overlap(box, other) for other in taken):
            continue
        taken.append(box)
        written.append(f'<text x="{x:.1f}" y="{y:.1f}">{escape(row["libelle"])}</text>')
    return (
        '<g font-size="12" text-anchor="middle" fill="#26231c" stroke="#fff" stroke-width="3" '
        f'style="paint-order:stroke">{"".join(written)}</g>'
    )


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


# ------------------------------------------------------------------ around the drawing


def _legend(counts: pd.Series, colours: Mapping[str, str], *, left_out: int) -> str:
    """Kinds with their numbers, and who is not on the map."""
    total = max(1, int(counts.sum()))
    x, parts = 14.0, []
    for kind, colour in colours.items():
        told = f"{kind} : {integer(int(counts[kind]))} ({percent(counts[kind] / total, 0)})"
        parts.append(
            f'<circle cx="{x + 7:.0f}" cy="20" r="7" fill="{colour}"/>'
            f'<text x="{x + 20:.0f}" y="25">{escape(told)}</text>'
        )
        x += 20 + 7.3 * len(told) + 22
    note = f"{integer(total)} bulletins, par commune de travail."
    if left_out:
        note += f" {integer(left_out)} sans commune située, hors de la carte."
    parts.append(f'<text x="14" y="49" font-size="12.5" fill="#5a5a60">{escape(note)}</text>')
    return f'<g font-size="14" fill="#26231c">{"".join(parts)}</g>'


def _sizes(top: float, biggest: float, box: _Box) -> str:
    """Two discs that say what the sizes mean."""
    whole = 10 ** math.floor(math.log10(max(top, 1.0)))
    parts, y = [], box.top + box.height - 14
    for n, x in ((whole, _WIDTH - 190), (max(1, whole // 10), _WIDTH - 80)):
        r = max(_LEAST_RADIUS, biggest * math.sqrt(n / top))
        parts.append(
            f'<circle cx="{x - r - 5:.1f}" cy="{y - r:.1f}" r="{r:.1f}" fill="none" '
            f'stroke="#5a5a60"/><text x="{x:.1f}" y="{y:.1f}">{integer(int(n))}</text>'
        )
    return f'<g font-size="12" fill="#5a5a60">{"".join(parts)}</g>'
