"""What the store knows of single communes: code, name, size, postcode, neighbours, former codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pyarrow as pa

from geomatch.addresses.communes.departements import postcode_departements
from geomatch.addresses.communes.groups import Groups
from geomatch.addresses.communes.names import LONG_NAME, CommuneNames
from geomatch.addresses.parse import areas
from geomatch.addresses.parse.town_names import read_town
from geomatch.arrays.arrow import texts
from geomatch.core.schema import (
    STORE_COMMUNE_HISTORY,
    STORE_COMMUNE_NAMES,
    STORE_COMMUNE_NEIGHBOURS,
    STORE_COMMUNE_POSTCODES,
    STORE_COMMUNES,
)
from geomatch.core.territories import departement_of
from geomatch.core.text import normalise

#: What tells the former commune that a name is of.
_FORMER = ("cle_norm", "code_commune", "code_ancien")
#: Addresses and establishments known of a town that a slip may stand for, nothing else told.
SOME_SIZE = 2_000


class CommuneFacts:
    """Communes of the store by name, postcode, former code and neighbourhood.

    All codes are those in force in the store's COG vintage.
    """

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        #: the communes themselves (STORE_COMMUNES)
        self.table = communes = tables[STORE_COMMUNES.name]
        code, parent = (texts(communes.column(c)) for c in ("code_commune", "code_parent"))
        self._departement = _dict(communes, "code_commune", "departement")
        #: name of each commune as the COG writes it
        self.labels = _dict(communes, "code_commune", "libelle")
        sizes = (communes.column(c).to_numpy() for c in ("n_addresses", "n_establishments"))
        self.size = dict(zip(code, sum(sizes).tolist(), strict=True))
        self._parent = {c: p for c, p in zip(code, parent, strict=True) if p}
        parts: dict[str, list[str]] = {}
        for part, whole in sorted(self._parent.items()):
            parts.setdefault(whole, []).append(part)
        self._parts = {whole: tuple(codes) for whole, codes in parts.items()}
        self._history = _dict(tables[STORE_COMMUNE_HISTORY.name], "code_ancien", "code_commune")
        postcodes = tables[STORE_COMMUNE_POSTCODES.name]
        self._by_postcode = Groups(*(postcodes.column(c) for c in ("code_postal", "code_commune")))
        near = tables[STORE_COMMUNE_NEIGHBOURS.name]
        code, other = (near.column(c) for c in ("code_commune", "voisine"))
        #: of communes in force, hence not many
        self._known_near: dict[str, frozenset[str]] = {}
        self._neighbours = Groups(code, other)
        self.names = CommuneNames(tables[STORE_COMMUNE_NAMES.name])
        columns = (tables[STORE_COMMUNE_NAMES.name].column(c) for c in _FORMER)
        former = zip(*map(texts, columns), strict=True)
        self._former = {(n, c): old for n, c, old in former if old and old != c}

    def former(self, text: str, code_commune: str) -> str:
        """Code of the former commune of that name which is a part of a commune; '' for none."""
        if not text or not code_commune:
            return ""
        return self._former.get((read_town(text).key, code_commune), "")

    @cached_property
    def _big_names(self) -> list[str]:
        return self.names.of_some_size(self.size, SOME_SIZE)

    @cached_property
    def size_of_departement(self) -> dict[str, int]:
        """Addresses and establishments of each département, arrondissements apart."""
        sizes: dict[str, int] = {}
        for code, size in self.size.items():
            if code not in self._parent:
                departement = self.departement(code)
                sizes[departement] = sizes.get(departement, 0) + size
        return sizes

    def departement(self, code: str) -> str:
        """Département of a commune."""
        return self._departement.get(code) or departement_of(code)

    def in_force(self, code: str) -> str:
        """The code in force of a commune code, old or not; '' when the COG knows none."""
        code = code.strip().upper()
        if code in self._departement:
            return code
        return self._history.get(code, "")

    def zone(self, code_commune: str) -> tuple[str, ...]:
        """Arrondissements of Paris, Lyon or Marseille; of another commune itself."""
        return self._parts.get(code_commune, (code_commune,))

    def city(self, code_commune: str) -> str:
        """75056 for an arrondissement of Paris (and so on); of another commune itself."""
        return self._parent.get(code_commune, code_commune)

    def neighbours(self, code_commune: str) -> tuple[str, ...]:
        """Communes near a commune, the nearest first."""
        return self._neighbours.get(code_commune)

    def near(self, home: str) -> frozenset[str]:
        """Neighbours, and the cities of those that are arrondissements."""
        known = self._known_near.get(home)
        if known is None:
            near = self.neighbours(home)
            known = self._known_near[home] = frozenset(near) | {self.city(c) for c in near}
        return known

    def of_postcode(self, code_postal: str) -> tuple[str, ...]:
        """Communes and arrondissements of a postcode; none for a CEDEX one."""
        return self._by_postcode.get(code_postal)

    def codes_of_name(self, text: str) -> frozenset[str]:
        """Communes that go by a written name, as it is or with articles left out."""
        town = read_town(text)
        return frozenset(self.names.exact(town.key) or self.names.short(town.short))

    def is_town(self, text: str, code_postal: str = "", *, exact: bool = True) -> bool:
        """Whether a text is a town's name, one of the postcode's when there is one.

        With ``exact=False`` one slip is allowed, in a long name or that of a town of some size.
        """
        town = read_town(text)
        codes = self.names.exact(town.key) or self.names.short(town.short)
        if codes and exact:
            near = {self.city(c) for c in self.of_postcode(code_postal)}
            asked = near or postcode_departements(code_postal)
            return not asked or any({c, self.departement(c)} & asked for c in codes)
        if exact or len(town.key) < 3:
            return False
        known = self._big_names
        if len(town.key) >= LONG_NAME:
            known = self.names.with_same_end(town.key)
        return any(slips <= 1 for _, slips in self.names.alike_among(town.key, known))

    def is_only_departement(self, text: str) -> bool:
        """Whether a text names a département or region, and no town but a hamlet."""
        area = areas.read_area(normalise(text))
        if area is None or not area.departements:
            return False
        codes = self.names.exact(read_town(text).key)
        return sum(self.size.get(c, 0) for c in codes) < SOME_SIZE


def _dict(table: pa.Table, key: str, value: str) -> dict[str, str]:
    columns = (texts(table.column(c)) for c in (key, value))
    return dict(zip(*columns, strict=True))
