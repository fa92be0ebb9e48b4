"""Addresses of a gazetteer written the way people write them: slips, abbreviations, wrong codes.

Each kind of noise is a function that changes the pieces of an address; how often each happens is
in RATES. Used to learn the geocoder's weights and to test it on places of any store.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from geomatch.core.street_keys import leading_type, street_types, street_word_table

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COMPANIES = (
    "SARL MARTEL", "GARAGE DES QUATRE ROUTES", "PHARMACIE CENTRALE", "CABINET DURET",
    "ECOLE LES TILLEULS", "MAIRIE", "SAS OUEST LOGISTIQUE", "ASSOCIATION LE RELAIS 21",
    "EHPAD LES GLYCINES", "BOULANGERIE PICOT", "ETS LENORMAND", "SUPER H",
)  # fmt: skip
INSIDES = (
    "BAT C", "BATIMENT A2", "APPT 14", "ESC B", "3EME ETAGE", "HALL 4", "BP 4012", "CS 50231",
    "RES LES PEUPLIERS", "ZA DU PRE NEUF", "PORTE 6", "IMMEUBLE LE MERCURE", "1ER ETAGE DROITE",
)  # fmt: skip
OTHER_TYPES = ("RUE", "AVENUE", "BOULEVARD", "PLACE", "CHEMIN", "IMPASSE", "ALLEE")

#: Chance of each kind of noise.
RATES: Mapping[str, float] = {
    "typo_street": 0.18,
    "typo2_street": 0.05,
    "abbr_type": 0.45,
    "abbr_word": 0.3,
    "drop_article": 0.025,
    "drop_first": 0.008,
    "no_type": 0.035,
    "wrong_type": 0.04,
    "merged": 0.045,
    "split_word": 0.02,
    "rep": 0.03,
    "num_range": 0.03,
    "num_absent": 0.06,
    "no_number": 0.08,
    "word_order": 0.05,
    "inside": 0.11,
    "company": 0.1,
    "cedex": 0.1,
    "no_city": 0.045,
    "no_cp": 0.07,
    "wrong_cp": 0.07,
    "typo_city": 0.095,
    "country": 0.02,
    "case": 0.9,
}
#: Chance that the street is not written at all, but an employer's name in its place.
NO_STREET = 0.04


@dataclass
class Address:
    """Pieces of an address; `line` puts them together."""

    numero: str
    rep: str
    kind: str
    name: str
    code_postal: str
    town: str
    departement: str
    before: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    number_last: bool = False
    lower: bool = False
    tail: str = ""

    def line(self) -> str:
        """The address on one line."""
        number = f"{self.numero}{self.rep}"
        street = f"{self.kind} {self.name}".strip()
        first, second = (street, number) if self.number_last else (number, street)
        text = " ".join(
            p for p in (*self.before, first, second, *self.behind, self.code_postal, self.town) if p
        )
        text = f"{text}{self.tail}"
        return text.lower() if self.lower else text


def noisy(address: Address, rng: random.Random, rates: Mapping[str, float] = RATES) -> list[str]:
    """Change an address in place; the kinds of noise that happened."""
    done = []
    for kind, rate in rates.items():
        if rng.random() < rate and NOISES[kind](address, rng):
            done.append(kind)
    return done


def slip(text: str, rng: random.Random) -> str:
    """One letter dropped, doubled, swapped with the next, replaced or added."""
    places = [i for i, c in enumerate(text) if c.isalpha()]
    if len(places) < 3:
        return text
    i = rng.choice(places)
    how = rng.randrange(5)
    if how == 0:
        return text[:i] + text[i + 1 :]
    if how == 1:
        return text[:i] + text[i] + text[i:]
    if how == 2 and i + 1 < len(text):
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    other = rng.choice(LETTERS)
    return text[:i] + other + text[i + 1 :] if how == 3 else text[:i] + other + text[i:]


def _slip_street(a: Address, rng: random.Random) -> bool:
    before, a.name = a.name, slip(a.name, rng)
    return a.name != before


def _slip_street_twice(a: Address, rng: random.Random) -> bool:
    before, a.name = a.name, slip(slip(a.name, rng), rng)
    return a.name != before


def _short(table: Mapping[str, str]) -> Mapping[str, list[str]]:
    out: dict[str, list[str]] = {}
    for short, full in table.items():
        if short != full:
            out.setdefault(full, []).append(short)
    return out


def _abbreviate_type(a: Address, rng: random.Random) -> bool:
    choices = [s for s in _short(street_types()).get(a.kind, []) if len(s) < 6]
    if choices:
        a.kind = rng.choice(choices[:6])
    return bool(choices)


def _abbreviate_word(a: Address, rng: random.Random) -> bool:
    short = _short(street_word_table())
    words = a.name.split()
    able = [i for i, w in enumerate(words) if w in short]
    if able:
        i = rng.choice(able)
        words[i] = rng.choice(short[words[i]])
        a.name = " ".join(words)
    return bool(able)


def _drop_article(a: Address, rng: random.Random) -> bool:
    before = a.name
    a.name = re.sub(r"^((DE|DU|DES|D|L|LA|LE|LES)\b ?)+", "", a.name) or a.name
    return a.name != before


def _drop_first(a: Address, rng: random.Random) -> bool:
    words = a.name.split()
    if len(words) < 2 or len(words[-1]) < 4:
        return False
    a.name = words[-1]
    return True


def _no_type(a: Address, rng: random.Random) -> bool:
    had, a.kind = a.kind, ""
    return bool(had)


def _wrong_type(a: Address, rng: random.Random) -> bool:
    if not a.kind:
        return False
    a.kind = rng.choice([k for k in OTHER_TYPES if k != a.kind])
    return True


def _merge(a: Address, rng: random.Random) -> bool:
    full = f"{a.kind} {a.name}".strip()
    places = [i for i, c in enumerate(full) if c == " "]
    if not places:
        return False
    i = rng.choice(places)
    if i <= len(a.kind):
        a.kind, a.name = "", full[:i] + full[i + 1 :]
    else:
        a.name = full[len(a.kind) :].strip() if not a.kind else full[len(a.kind) + 1 :]
        i -= len(a.kind) + (1 if a.kind else 0)
        a.name = a.name[:i] + a.name[i + 1 :]
    return True


def _split(a: Address, rng: random.Random) -> bool:
    able = [m.start() for m in re.finditer(r"(?<=[A-Z]{3})(?=[A-Z]{2})", a.name)]
    if able:
        i = rng.choice(able)
        a.name = a.name[:i] + " " + a.name[i:]
    return bool(able)


def _add_rep(a: Address, rng: random.Random) -> bool:
    if not a.numero or a.rep:
        return False
    a.rep = rng.choice((" BIS", "BIS", " B", "B", " A", "A", " TER"))
    return True


def _range(a: Address, rng: random.Random) -> bool:
    if not a.numero or a.rep:
        return False
    a.rep = rng.choice(("-", "/", " ET ", " A ", " - ")) + str(int(a.numero) + 2)
    return True


def _absent(a: Address, rng: random.Random) -> bool:
    if not a.numero:
        return False
    a.numero = str(int(a.numero) + rng.choice((1, 2, 3, 4, 7, 10, 40)))
    a.rep = ""
    return True


def _no_number(a: Address, rng: random.Random) -> bool:
    had, a.numero, a.rep = a.numero, "", ""
    return bool(had)


def _number_last(a: Address, rng: random.Random) -> bool:
    a.number_last = bool(a.numero)
    return a.number_last


def _inside(a: Address, rng: random.Random) -> bool:
    rng.choice((a.before, a.behind)).append(rng.choice(INSIDES))
    return True


def _company(a: Address, rng: random.Random) -> bool:
    a.before.insert(0, rng.choice(COMPANIES) + rng.choice(("", "", ",")))
    return True


def _cedex(a: Address, rng: random.Random) -> bool:
    a.code_postal = f"{a.code_postal[:2]}{rng.randrange(1000):03d}"
    a.town += rng.choice((" CEDEX", " CEDEX 2", " CEDEX 09"))
    return True


def _no_city(a: Address, rng: random.Random) -> bool:
    a.town = ""
    return bool(a.code_postal)


def _no_code(a: Address, rng: random.Random) -> bool:
    if not a.town:
        return False
    a.code_postal = ""
    return True


def _wrong_code(a: Address, rng: random.Random) -> bool:
    if not a.code_postal:
        return False
    low, high = (1, 21) if a.departement == "75" else (0, 10)
    step = 1 if a.departement in ("75", "69", "13") else 10
    a.code_postal = f"{a.departement}{rng.randrange(low, high) * step:03d}"
    return True


def _slip_town(a: Address, rng: random.Random) -> bool:
    before, a.town = a.town, slip(a.town, rng)
    return a.town != before


def _country(a: Address, rng: random.Random) -> bool:
    a.tail = " FRANCE"
    return True


def _case(a: Address, rng: random.Random) -> bool:
    a.lower = rng.random() < 0.4
    return a.lower


NOISES: Mapping[str, Callable[[Address, random.Random], bool]] = {
    "typo_street": _slip_street,
    "typo2_street": _slip_street_twice,
    "abbr_type": _abbreviate_type,
    "abbr_word": _abbreviate_word,
    "drop_article": _drop_article,
    "drop_first": _drop_first,
    "no_type": _no_type,
    "wrong_type": _wrong_type,
    "merged": _merge,
    "split_word": _split,
    "rep": _add_rep,
    "num_range": _range,
    "num_absent": _absent,
    "no_number": _no_number,
    "word_order": _number_last,
    "inside": _inside,
    "company": _company,
    "cedex": _cedex,
    "no_city": _no_city,
    "no_cp": _no_code,
    "wrong_cp": _wrong_code,
    "typo_city": _slip_town,
    "country": _country,
    "case": _case,
}


def split_type(key: str) -> tuple[str, str]:
    """Type and name of a street key."""
    words = key.split()
    kind, used = leading_type(words)
    return kind, " ".join(words[used:])
