"""What people write in place of a commune: a département, a region, a country, or nothing at all.

The knowledge is in tables: ``departements``, ``regions``, ``countries``, ``foreign_towns`` with
the number of French residents who work there, ``borders`` (départements near a country) and
``not_towns`` (words that say that there is no one place: DIVERS, CHANTIERS, ARMEES).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from geomatch.core.tables import load_table

#: First letters of the code of an answer that is no commune: ``@CH``, ``@35``, ``@``.
MARK = "@"
#: Country of who says "abroad" and no more.
UNKNOWN_COUNTRY = "ZZ"
_SMALL = frozenset(
    (
        *("A", "AU", "AUX", "CHEZ", "D", "DANS", "DE", "DES", "DU", "EN", "ENTRE", "ET", "L"),
        *("LA", "LE", "LES", "MON", "NOS", "OU", "PAR", "POUR", "SES", "SON", "SUR", "UN", "UNE"),
    )
)
_FRANCE = frozenset({"FRANCE", "FR", "F", "FRA", "99100", "FRANCAISE", "FRANCE METROPOLITAINE"})
#: Letters from which on a name abroad may be written with a slip.
_LONG_NAME = 6
#: Words of the longest name of an area.
_LONGEST = 5
#: Codes beside a foreign town, GENEVE CH or D KEHL, and their countries.
_SHORT_CODES = {
    "CH": "CH", "BE": "BE", "LU": "LU", "DE": "DE", "IT": "IT", "ES": "ES", "MC": "MC",
    "B": "BE", "L": "LU", "D": "DE", "I": "IT", "E": "ES",
}  # fmt: skip


class Area(NamedTuple):
    """A country (ISO 3166-1 alpha-2), or départements of France; neither: no place at all."""

    country: str
    departements: frozenset[str]

    @property
    def code(self) -> str:
        """Code among those of communes, by :data:`MARK`."""
        return MARK + (self.country or " ".join(sorted(self.departements)))


NOWHERE = Area("", frozenset())


@lru_cache(maxsize=20_000)
def read_area(key: str) -> Area | None:
    """Area that a whole normalised text names; :data:`NOWHERE` for ``DIVERS CHANTIERS``."""
    known = _areas().get(key)
    if known is not None:
        return known
    words = [w for w in key.split() if w not in _SMALL]
    return NOWHERE if words and all(w in _no_towns() for w in words) else None


@lru_cache(maxsize=20_000)
def split_area(key: str) -> tuple[str, Area | None]:
    """A normalised text without the area that ends or begins it, and the area.

    ``GENEVE SUISSE`` gives (``GENEVE``, Switzerland); what names no area comes back as it is.
    The longest name counts: in ``HAUTE GARONNE`` is no GARONNE.
    """
    words = key.split()
    if len(words) < 2:
        return key, None
    for used in range(min(_LONGEST, len(words) - 1), 0, -1):
        head, tail = words[: len(words) - used], words[-used:]
        area = _areas().get(" ".join(tail))
        # RUE DE LA LOIRE ATLANTIQUE names no département; RHONE and VAR are rivers too
        if tail == ["FRANCE"] and head[-1] not in _SMALL:
            return " ".join(head), NOWHERE
        if area and head[-1] not in _SMALL and (used > 1 or area.country):
            return " ".join(head), area
        area = _areas().get(" ".join(words[:used]))
        if area and area.country and words[used] not in _SMALL:
            return " ".join(words[used:]), area
    for code, rest in ((words[-1], words[:-1]), (words[0], words[1:])):
        town = " ".join(rest)
        if is_code_of(code, town):
            return town, Area(_SHORT_CODES[code], frozenset())
    return key, None


def is_code_of(code: str, town: str) -> bool:
    """Whether a code stands for the country that a town is in: CH and GENEVE."""
    return _SHORT_CODES.get(code, "") in {a.country for a in _abroad(town)}


def last_area(words: Sequence[str]) -> int:
    """How many words at the end of a line are the name of a département or region; 0 for none."""
    for used in range(min(_LONGEST, len(words) - 1), 0, -1):
        area = _areas().get(" ".join(words[len(words) - used :]))
        if area is not None and area.departements:
            return used
    return 0


def _abroad(key: str) -> list[Area]:
    """The country that a name is or that a town is in, if any."""
    area, town = _areas().get(key), foreign_town(key)
    found = [area] if area is not None and area.country else []
    return [*found, Area(town[0], frozenset())] if town is not None else found


def country_of(written: str) -> str | None:
    """Country of a normalised text in a column of countries: '' for France or one of its parts.

    None for what names no country: digits, signs. A name that is not known is
    :data:`UNKNOWN_COUNTRY`.
    """
    if not written or written in _FRANCE:
        return ""
    area = _areas().get(written) or split_area(written)[1]
    if area is not None:
        return area.country
    if written in _iso_codes():
        return written
    if written.isdigit():
        return UNKNOWN_COUNTRY if len(written) == 5 and written.startswith("99") else None
    letters = sum(c.isalpha() for c in written)
    return UNKNOWN_COUNTRY if letters >= 3 and read_area(written) is not NOWHERE else None


def foreign_town(key: str) -> tuple[str, int] | None:
    """Country of a town abroad and how many French residents work there."""
    return foreign_towns().get(key)


@cache
def foreign_towns() -> Mapping[str, tuple[str, int]]:
    """Towns abroad by their key, countries not included."""
    return {name: (code, int(n)) for name, code, n in load_table("foreign_towns")}


@cache
def workers_abroad() -> Mapping[str, int]:
    """How many French residents work in a country that borders France."""
    return {code: int(n) for code, _, n in load_table("borders")}


@cache
def names_abroad() -> Mapping[str, tuple[str, int]]:
    """Long names of towns and countries abroad, which may be written with a slip."""
    countries = {
        name: (code, workers_abroad().get(code, 0)) for name, code in load_table("countries")
    }
    return {
        name: told
        for name, told in (countries | dict(foreign_towns())).items()
        if len(name) >= _LONG_NAME and not name.isdigit()
    }


@cache
def border_departements(country: str) -> frozenset[str]:
    """Départements from which people go to work in a country."""
    return frozenset(
        d for code, near, _ in load_table("borders") if code == country for d in near.split()
    )


@cache
def usual_places() -> Mapping[str, str]:
    """Places known by a name of their own → code of the commune most of them is in."""
    return {row[0]: row[1] for row in load_table("usual_places")}


@cache
def _areas() -> Mapping[str, Area]:
    # PARIS is the city
    found = {
        name: Area("", frozenset({code}))
        for code, name in load_table("departements")
        if code != "75"
    }
    found |= {name: Area("", frozenset(near.split())) for name, near in load_table("regions")}
    return found | {name: Area(code, frozenset()) for name, code in load_table("countries")}


@cache
def _iso_codes() -> frozenset[str]:
    return frozenset(code for _, code in load_table("countries"))


@cache
def _no_towns() -> frozenset[str]:
    return frozenset(row[0] for row in load_table("not_towns"))
