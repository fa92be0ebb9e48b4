"""The communes of a fictional département: names, mergers, places and how many houses each has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from geomatch.core.text import normalise
from geomatch.demo.words import parts

#: A code no département bears; everything that reads codes takes it for mainland France.
DEPARTEMENT = "96"
NOM_DEPARTEMENT = "VAL D ORME"
REGION = "98"
#: Where the chef-lieu stands, in EPSG:2154 metres.
ORIGIN = (585_000.0, 6_655_000.0)
#: Communes in force and house numbers of a territory of scale 1.
COMMUNES_AT_SCALE_1 = 40
ADDRESSES_AT_SCALE_1 = 20_000
#: Settlements that lost their independence, at scale 1: how each one did.
_MERGED = ("deleguee", "deleguee", "deleguee", "deleguee", "associee", "absorbee")


@dataclass(frozen=True)
class Settlement:
    """A town or village with its own church: a commune today, or one that merged into another.

    `x`, `y` are EPSG:2154 metres of the centre; `houses` is how many house numbers to draw.
    `statut` is ``commune``, ``deleguee``, ``associee`` or ``absorbee``; `code_en_vigueur` and
    `nom_en_vigueur` are those of the commune in force (its own for a commune).
    """

    code: str
    nom: str
    x: float
    y: float
    houses: int
    code_postal: str
    is_suburb: bool
    statut: str
    code_en_vigueur: str
    nom_en_vigueur: str
    ancien_nom: str
    date_effet: str

    @property
    def is_merged(self) -> bool:
        """Whether addresses bear the name of a delegated or associated commune."""
        return self.statut != "absorbee" and self.nom != self.nom_en_vigueur


@dataclass(frozen=True)
class Territory:
    """All settlements, in code order; the chef-lieu is the one with the most houses."""

    settlements: tuple[Settlement, ...]
    scale: float

    @property
    def communes(self) -> dict[str, str]:
        """Code → name of the communes in force, in code order."""
        return {
            s.code_en_vigueur: s.nom_en_vigueur
            for s in sorted(self.settlements, key=lambda s: s.code_en_vigueur)
        }

    @property
    def chef_lieu(self) -> Settlement:
        """The largest settlement."""
        return max(self.settlements, key=lambda s: (s.houses, s.code))


def draw_territory(random: Random, *, scale: float = 1.0) -> Territory:
    """Place and name the settlements of a département of `scale` times 40 communes."""
    merged = [statut for statut in _MERGED for _ in range(max(1, round(scale)))]
    count = round(COMMUNES_AT_SCALE_1 * scale) + len(merged)
    places = _places(random, count)
    houses = _houses(random, count, scale)
    names = _names(random, count)
    order = sorted(range(count), key=lambda i: normalise(names[i]))
    codes = dict(zip(order, _codes(random, count), strict=True))
    postcodes = _postcodes(places, houses)
    settlements = [
        Settlement(
            code=codes[i],
            nom=names[i],
            x=places[i][0],
            y=places[i][1],
            houses=houses[i],
            code_postal=postcodes[i],
            is_suburb=1 <= i <= 5,
            statut="commune",
            code_en_vigueur=codes[i],
            nom_en_vigueur=names[i],
            ancien_nom="",
            date_effet="",
        )
        for i in range(count)
    ]
    settlements = _merge(random, settlements, merged)
    return Territory(tuple(sorted(settlements, key=lambda s: s.code)), scale)


def _places(random: Random, count: int) -> list[tuple[float, float]]:
    """Chef-lieu first, then five suburbs around it, then villages no nearer than they should."""
    x0, y0 = ORIGIN
    places = [(x0, y0)]
    for k in range(5):
        angle = 2 * math.pi * (k + random.uniform(-0.3, 0.3)) / 5
        distance = random.uniform(2_300, 3_200)
        places.append((x0 + distance * math.cos(angle), y0 + distance * math.sin(angle)))
    radius, apart = 2_750 * math.sqrt(count), 3_400.0
    while len(places) < count:
        angle, distance = random.uniform(0, 2 * math.pi), radius * math.sqrt(random.random())
        place = (x0 + distance * math.cos(angle), y0 + distance * math.sin(angle))
        if distance > 5_500 and all(math.dist(place, other) > apart for other in places):
            places.append(place)
        else:
            apart *= 0.9995
    return places


def _houses(random: Random, count: int, scale: float) -> list[int]:
    """House numbers of each place: a larger town, small towns, suburbs, many villages."""
    total = ADDRESSES_AT_SCALE_1 * scale
    shares = [0.27 / scale**0.3, *(random.uniform(0.02, 0.04) for _ in range(5))]
    towns = max(3, count // 12)
    shares += [random.uniform(0.03, 0.055) / scale for _ in range(towns)]
    weights = [math.exp(random.gauss(0, 0.7)) for _ in range(count - len(shares))]
    left = 1 - sum(shares)
    shares += [left * w / sum(weights) for w in weights]
    return [max(40, round(total * share)) for share in shares]


def _names(random: Random, count: int) -> list[str]:
    words = parts("communes")
    plain = _compounds(random, words["debut"], words["fin"])
    saints = [f"Saint-{s}" for s in words["saint"]] + [f"Sainte-{s}" for s in words["sainte"]]
    random.shuffle(saints)
    names: list[str] = []
    for saint in saints[: max(4, count // 9)]:
        # two of one saint, told apart by what follows: the usual homonyms of a département
        names += [saint + c for c in random.sample(words["complement"], 2)]
    names += [f"{random.choice(words['article'])} {plain.pop()}" for _ in range(count // 10)]
    names += [plain.pop() + random.choice(words["complement"]) for _ in range(count // 6)]
    names += [plain.pop() for _ in range(count - len(names))]
    random.shuffle(names)
    # the chef-lieu has a plain name, which others bear with a complement
    chef_lieu = plain.pop()
    names[0], names[1] = chef_lieu, chef_lieu + random.choice(words["complement"])
    return names


def _compounds(random: Random, starts: Sequence[str], ends: Sequence[str]) -> list[str]:
    """All compounds of two words, in an order that seldom repeats a beginning."""
    columns = []
    for start in starts:
        column = [start + end for end in ends]
        random.shuffle(column)
        columns.append(column)
    random.shuffle(columns)
    return [name for layer in zip(*columns, strict=True) for name in layer]


def _codes(random: Random, count: int) -> list[str]:
    """Rising codes with gaps: codes are given in alphabetical order and some are gone."""
    step = max(1.0, min(3.0, 990 / count))
    numbers = [1 + int(i * step + random.random() * (step - 1)) for i in range(count)]
    return [f"{DEPARTEMENT}{n:03d}" for n in numbers]


def _postcodes(places: Sequence[tuple[float, float]], houses: Sequence[int]) -> list[str]:
    """The postcode of the nearest of the places large enough for a sorting office."""
    offices = sorted(range(len(places)), key=lambda i: -houses[i])[: max(5, len(places) // 5)]
    codes = {office: f"{DEPARTEMENT}{k * 10:03d}" for k, office in enumerate(offices)}
    return [codes[min(offices, key=lambda o: math.dist(places[o], p))] for p in places]


def _merge(random: Random, settlements: list[Settlement], merged: list[str]) -> list[Settlement]:
    """Let some villages join their nearest neighbour; one commune changed its name."""
    made = list(settlements)
    free = [i for i, s in enumerate(made) if i > 5 and s.houses < 900]
    random.shuffle(free)
    words = parts("communes")
    new_names = [a + b for a in words["nouvelle"] for b in words["pays"]]
    random.shuffle(new_names)
    for statut in merged:
        child = free.pop()
        into = min(free, key=lambda i: math.dist(_xy(made[i]), _xy(made[child])))
        head = made[into]
        new_name = head.nom_en_vigueur
        if statut == "deleguee" and head.statut == "commune":
            new_name = new_names.pop()
            head = replace(head, statut="deleguee", nom_en_vigueur=new_name)
        date = f"{2016 + random.randrange(9)}-01-01" if statut == "deleguee" else "1973-01-01"
        made[into] = replace(head, date_effet=head.date_effet or date)
        made[child] = replace(
            made[child],
            statut=statut,
            code_en_vigueur=head.code,
            nom_en_vigueur=new_name,
            date_effet=date if statut != "deleguee" else made[into].date_effet,
        )
        free.remove(into)
    renamed = free.pop()
    made[renamed] = replace(made[renamed], ancien_nom=made[renamed].nom.split("-sur-")[0] + "-Bas")
    # a village that merged bears the name of a commune that did not: homonyms in one département
    twin = next(
        i for i, s in enumerate(made) if s.statut == "deleguee" and s.code != s.code_en_vigueur
    )
    made[twin] = replace(made[twin], nom=made[free.pop()].nom)
    return made


def _xy(settlement: Settlement) -> tuple[float, float]:
    return settlement.x, settlement.y
