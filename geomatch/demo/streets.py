"""The streets of a settlement: a net of squares and rings, cut into named streets, with houses.

Nodes stand on jittered rings around the church, edges join neighbours; a street is a chain of
edges that bends little. Roads lead out to the neighbouring settlements, hamlets and a business
park lie aside. Nothing here knows about files.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from random import Random

from geomatch.demo.territory import Settlement
from geomatch.demo.words import lines, rows

Point = tuple[float, float]

#: Metres between two rings of crossroads.
_SPACING = 108.0
#: Metres between two house numbers of one side, where it does not depend on the town.
_PLOTS = {"za": 46.0, "route": 95.0, "ferme": 30.0}
#: A street goes on over a crossroads as long as it bends less than this (cosine of 38°).
_STRAIGHT = math.cos(math.radians(38))


@dataclass(frozen=True)
class Street:
    """A named street of one settlement. `secteur` is centre, rue, za, route or ferme."""

    number: int
    settlement: Settlement
    nom: str
    secteur: str
    line: tuple[Point, ...]
    is_lieu_dit: bool = False


@dataclass(frozen=True)
class House:
    """A house number: `x`, `y` in metres, `numero` 0 when the street has no numbers."""

    street: Street
    numero: int
    rep: str
    x: float
    y: float


def draw_streets(
    random: Random, settlement: Settlement, neighbours: Sequence[Settlement]
) -> list[Street]:
    """All streets of a settlement, numbered from 1, names unique within it."""
    rings = _rings_for(settlement.houses)
    reach = _SPACING * (rings + 0.6)
    net = _net(random, (settlement.x, settlement.y), rings)
    chains = _chains(random, net)
    crossings = Counter(point for edge in net for point in edge)
    names = _Names(random, neighbours)
    drawn: list[tuple[str, str, Sequence[Point], bool]] = []
    centre = _square(settlement)
    drawn.append((names.take("place"), "centre", centre, False))
    for chain in chains:
        is_dead_end = 1 in (crossings[chain[0]], crossings[chain[-1]])
        distance = min(math.dist(p, (settlement.x, settlement.y)) for p in chain)
        sector = "centre" if distance < _SPACING * max(1, rings * 0.45) else "rue"
        drawn.append(
            (names.street(chain, sector, rings, is_dead_end=is_dead_end), sector, chain, False)
        )
    drawn += [
        (f"Route {towards(other.nom_en_vigueur)}", "route", _road(settlement, other, reach), False)
        for other in neighbours
    ]
    if settlement.houses > 350:
        park = _business_park(random, settlement, reach)
        drawn += [(names.take("activite"), "za", chain, False) for chain in park]
    hamlets = _hamlets(random, settlement, reach)
    drawn += [(names.hamlet(), "ferme", line, True) for line in hamlets]
    return [
        Street(n, settlement, nom, sector, tuple(line), is_lieu_dit)
        for n, (nom, sector, line, is_lieu_dit) in enumerate(_unique(drawn), start=1)
    ]


def draw_houses(random: Random, streets: Sequence[Street]) -> list[House]:
    """House numbers along the streets of one settlement, as many as it should have, about."""
    made: list[House] = []
    for street in streets:
        if street.secteur in _PLOTS:
            made += _numbered(random, street, _PLOTS[street.secteur])
    town = [s for s in streets if s.secteur not in _PLOTS]
    room = 2 * sum(_length(s.line) for s in town)
    left = max(25.0, streets[0].settlement.houses - len(made))
    width = min(40.0, max(8.5, 0.95 * room / left))
    for street in town:
        made += _numbered(random, street, width * (0.85 if street.secteur == "centre" else 1.08))
    return made


# ------------------------------------------------------------------ the net


def _rings_for(houses: int) -> int:
    rings = 1
    while 22.0 * (1 + 3 * rings * (rings + 1)) < houses * 0.84:
        rings += 1
    return rings


def _net(random: Random, centre: Point, rings: int) -> list[tuple[Point, Point]]:
    """Edges between the nodes of jittered rings: around each ring and out to the next."""
    turn = random.uniform(0, math.pi)
    previous, edges = [centre], []
    lobes = [(random.uniform(0.03, 0.12), random.uniform(0, 6.3), k) for k in (2, 3, 5)]
    for ring in range(1, rings + 1):
        count = 6 * ring
        nodes = []
        for k in range(count):
            angle = turn + 2 * math.pi * (k + random.uniform(-0.22, 0.22)) / count
            swell = 1 + sum(a * math.cos(k * angle + phase) for a, phase, k in lobes)
            radius = _SPACING * swell * (ring + random.uniform(-0.22, 0.22))
            nodes.append(
                (centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle))
            )
        around = [(nodes[k], nodes[(k + 1) % count]) for k in range(count)]
        outward = [(min(previous, key=partial(math.dist, node)), node) for node in nodes]
        edges += [edge for edge in around if random.random() < 0.8]
        edges += [edge for edge in outward if random.random() < (1.0 if ring < 3 else 0.82)]
        previous = nodes
    return edges


def _chains(random: Random, edges: list[tuple[Point, Point]]) -> list[list[Point]]:
    """Cut the net into streets: from an edge, go on both ways where it bends least."""
    at: dict[Point, list[Point]] = {}
    for a, b in edges:
        at.setdefault(a, []).append(b)
        at.setdefault(b, []).append(a)
    used: set[tuple[Point, Point]] = set()
    chains = []
    for a, b in edges:
        if (a, b) in used:
            continue
        used |= {(a, b), (b, a)}
        longest = random.choice((220.0, 350.0, 520.0, 900.0))
        chain = [a, b]
        _extend(chain, at, used, longest)
        chain.reverse()
        _extend(chain, at, used, longest)
        chains.append(chain)
    return chains


def _extend(
    chain: list[Point],
    at: dict[Point, list[Point]],
    used: set[tuple[Point, Point]],
    longest: float,
) -> None:
    while _length(chain) < longest:
        end, before = chain[-1], chain[-2]
        free = [p for p in at[end] if (end, p) not in used]
        if not free:
            return
        following = max(free, key=lambda p: _cosine(before, end, p))
        if _cosine(before, end, following) < _STRAIGHT:
            return
        used |= {(end, following), (following, end)}
        chain.append(following)


def _square(settlement: Settlement) -> list[Point]:
    """A small closed square around the church."""
    x, y, half = settlement.x, settlement.y, 26.0
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [(x + half * a, y + half * b) for a, b in corners]


def _road(settlement: Settlement, other: Settlement, reach: float) -> list[Point]:
    """From the last houses of the settlement half-way to the other."""
    start = (settlement.x, settlement.y)
    apart = math.dist(start, (other.x, other.y))
    ux, uy = (other.x - start[0]) / apart, (other.y - start[1]) / apart
    end = max(reach + 150.0, min(apart / 2, reach + 900.0))
    start_m = reach - 0.9 * _SPACING
    steps = [start_m + (end - start_m) * k / 6 for k in range(7)]
    return [
        (
            start[0] + ux * d - uy * 0.05 * d * math.sin(d / 400),
            start[1] + uy * d + ux * 0.05 * d * math.sin(d / 400),
        )
        for d in steps
    ]


def _business_park(random: Random, settlement: Settlement, reach: float) -> list[list[Point]]:
    """Parallel streets and a cross street at the edge of the built-up area."""
    angle = random.uniform(0, 2 * math.pi)
    cx = settlement.x + (reach + 380) * math.cos(angle)
    cy = settlement.y + (reach + 380) * math.sin(angle)
    ux, uy = -math.sin(angle), math.cos(angle)
    long = 260.0 if settlement.houses < 1_500 else 520.0
    lanes = 2 if settlement.houses < 1_500 else 4

    def at(along: float, aside: float) -> Point:
        return cx + ux * along + uy * aside, cy + uy * along - ux * aside

    chains = [
        [at(-long, k * 130.0), at(0, k * 130.0 + 12), at(long, k * 130.0)] for k in range(lanes)
    ]
    return [*chains, [at(20, -40.0), at(20, (lanes - 1) * 130.0 + 60)]]


def _hamlets(random: Random, settlement: Settlement, reach: float) -> Iterator[list[Point]]:
    for _ in range(2 + min(10, settlement.houses // 90)):
        angle, distance = random.uniform(0, 2 * math.pi), reach + random.uniform(350, 1_500)
        x = settlement.x + distance * math.cos(angle)
        y = settlement.y + distance * math.sin(angle)
        along, long = random.uniform(0, math.pi), random.uniform(25, 90)
        yield [(x, y), (x + long * math.cos(along), y + long * math.sin(along))]


# ------------------------------------------------------------------ names


class _Names:
    """Deals out street names of one settlement, each once."""

    def __init__(self, random: Random, neighbours: Sequence[Settlement]):
        self._random = random
        self._left: dict[str, list[str]] = {}
        for row in rows("odonymes"):
            if row["usage"] != "titre":
                self._left.setdefault(row["usage"], []).append(
                    f"{row['type']} {row['nom']}".strip()
                )
        for names in self._left.values():
            random.shuffle(names)
        self._titles = [r for r in rows("odonymes") if r["usage"] == "titre"]
        self._hamlets = list(lines("lieux_dits"))
        random.shuffle(self._hamlets)
        self._left["centre"] += [f"Rue {towards(n.nom_en_vigueur)}" for n in neighbours[:2]]

    def take(self, usage: str) -> str:
        """A name of this use, of no matter what person when the list has run out."""
        left = self._left.get(usage)
        return left.pop() if left else self._person(usage)

    def hamlet(self) -> str:
        """The name of a locality."""
        return self._hamlets.pop() if self._hamlets else f"Le {self._random.choice(lines('noms'))}"

    def street(self, chain: Sequence[Point], sector: str, rings: int, *, is_dead_end: bool) -> str:
        """A name that suits the length of a street and where it lies."""
        length = _length(chain)
        if length < 150 and self._random.random() < (0.8 if is_dead_end else 0.25):
            return self.take("impasse" if is_dead_end else "passage")
        if length > 480 and rings > 3 and self._random.random() < 0.5:
            return self.take("avenue")
        if sector == "centre" and self._random.random() < 0.75:
            return self.take("centre")
        if sector == "rue" and rings < 3 and self._random.random() < 0.3:
            return self.take("chemin")
        return self.take("partout" if self._random.random() < 0.6 else "personne")

    def _person(self, usage: str) -> str:
        random = self._random
        kind = {
            "avenue": "Avenue",
            "impasse": "Impasse",
            "passage": "Allée",
            "chemin": "Chemin",
        }.get(usage, "Rue")
        surname = random.choice(lines("noms"))
        if random.random() < 0.25:
            title = random.choice(self._titles)
            return f"{title['type']} {title['nom']} {surname}"
        return f"{kind} {random.choice(lines('prenoms'))} {surname}"


def towards(nom: str) -> str:
    """``de Sèvemûre``, ``du Rochemûre``, ``des Landes``, ``d'Orgefrêne``."""
    for article, merged in (("Le ", "du "), ("Les ", "des ")):
        if nom.startswith(article):
            return merged + nom[len(article) :]
    return f"d'{nom}" if nom[0] in "AEÉIOUY" else f"de {nom}"


def _unique(
    drawn: Sequence[tuple[str, str, Sequence[Point], bool]],
) -> Iterator[tuple[str, str, Sequence[Point], bool]]:
    seen: set[str] = set()
    for nom, sector, line, is_lieu_dit in drawn:
        if nom not in seen:
            seen.add(nom)
            yield nom, sector, line, is_lieu_dit


# ------------------------------------------------------------------ houses


def _numbered(random: Random, street: Street, plot: float) -> Iterator[House]:
    if street.is_lieu_dit:
        yield from _farm_houses(random, street)
        return
    by_metres = street.secteur == "route" and random.random() < 0.5
    around = street.line[0] == street.line[-1]
    church = (street.settlement.x, street.settlement.y)
    for side in (1, -1):
        odd = side == 1
        number = 1 if odd else 2
        distance = random.uniform(4, plot)
        total = _length(street.line)
        while distance < total - 3:
            x, y = _along(street.line, distance, side * random.uniform(6.5, 11.5))
            is_free = around or math.dist((x, y), church) > 48.0
            if is_free and random.random() > 0.05:
                shown = int(distance) // 2 * 2 + (1 if odd else 2) if by_metres else number
                yield House(street, shown, "", round(x, 2), round(y, 2))
                if random.random() < 0.025:
                    x, y = _along(street.line, distance + plot * 0.4, side * 9.0)
                    yield House(
                        street,
                        shown,
                        random.choice(("bis", "bis", "ter", "a")),
                        round(x, 2),
                        round(y, 2),
                    )
            number += 1 if around else 2
            distance += plot * random.uniform(0.6, 1.4)
        if around:
            return


def _farm_houses(random: Random, street: Street) -> Iterator[House]:
    """Half of the hamlets have got house numbers by now, the others only a name."""
    numbered = random.random() < 0.5
    for number in range(1, random.randint(2, 7)):
        t = random.random()
        (x0, y0), (x1, y1) = street.line[0], street.line[-1]
        x = x0 + t * (x1 - x0) + random.uniform(-25, 25)
        y = y0 + t * (y1 - y0) + random.uniform(-25, 25)
        yield House(street, number if numbered else 0, "", round(x, 2), round(y, 2))


# ------------------------------------------------------------------ plane geometry


def _length(line: Sequence[Point]) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(line))


def _cosine(a: Point, b: Point, c: Point) -> float:
    """Cosine of the change of direction at b on the way a → b → c."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]
    return (ux * vx + uy * vy) / ((math.hypot(ux, uy) * math.hypot(vx, vy)) or 1.0)


def _along(line: Sequence[Point], distance: float, aside: float) -> Point:
    """The point `distance` metres along a line, `aside` metres to its left."""
    for a, b in pairwise(line):
        step = math.dist(a, b)
        if distance <= step:
            ux, uy = (b[0] - a[0]) / step, (b[1] - a[1]) / step
            return a[0] + ux * distance - uy * aside, a[1] + uy * distance + ux * aside
        distance -= step
    return line[-1]
