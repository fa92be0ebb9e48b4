"""Establishments of one département: who is where, called what, with how many people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.country import naming
from benchmarks.country.naming import Mots, by_group, filled, scattered
from benchmarks.country.places import Places
from benchmarks.country.plan import ACTIVE as ALL_ACTIVE
from benchmarks.country.plan import Plan, Share
from benchmarks.country.words import brands
from geomatch.core.text import normalise
from geomatch.demo.naming import CATEGORIES
from geomatch.demo.words import rows

Ints = np.ndarray
ACTIVE, CLOSED, UNREGISTERED = 0, 1, 2
#: Public services: of how many house numbers on there is one, and one more for each so many.
_PUBLIC: Mapping[str, tuple[int, int]] = {
    "mairie": (0, 10**9),
    "ecole": (120, 550),
    "maternelle": (700, 1_800),
    "college": (900, 3_800),
    "lycee": (4_000, 9_000),
    "lycee_pro": (6_000, 16_000),
    "ehpad": (800, 3_200),
    "creche": (780, 2_300),
    "mediatheque": (450, 6_000),
    "ccas": (500, 10**9),
    "gendarmerie": (1_100, 20_000),
    "pompiers": (700, 9_000),
    "solidarites": (1_500, 12_000),
    "impots": (2_500, 20_000),
    "intercommunalite": (2_000, 10**9),
    "dechetterie": (900, 9_000),
    "hopital": (5_000, 30_000),
    "clinique": (8_000, 25_000),
    "police": (9_000, 30_000),
    "prefecture": (25_000, 10**9),
    "departement": (25_000, 10**9),
    "armee": (15_000, 10**9),
}
#: Establishments of the state and the département share a unit for each of these.
_OWNED = {"gendarmerie": "GENDARMERIE NATIONALE", "police": "MINISTERE DE L INTERIEUR",
          "armee": "MINISTERE DES ARMEES", "prefecture": "PREFECTURE",
          "impots": "DIR DEPARTEMENTALE FINANCES PUBLIQUES", "departement": "DEPARTEMENT",
          "solidarites": "DEPARTEMENT", "pompiers": "SERVICE DEPARTEMENTAL D INCENDIE",
          "intercommunalite": "COMMUNAUTE DE COMMUNES",
          "dechetterie": "SYNDICAT DE TRAITEMENT DES DECHETS"}  # fmt: skip
#: Sole traders among ordinary establishments whose kind allows them; register 2024: over half.
_SOLE_TRADERS = 0.62
#: Ordinary establishments that are one more site of the unit before them.
_SECOND_SITES = 0.09
#: At an address where many companies have only their mail: share, and how many such addresses.
_MAILBOXES, _PER_MAILBOX = 0.06, 60
_UNDISCLOSED = 0.04


@dataclass(frozen=True)
class Register:
    """Establishments of a département as aligned columns; texts are Arrow, codes numpy.

    `genre` points into :func:`genres`, `brand` into ``words.brands`` (-1 none), `address` into the
    département's addresses; `unit` is the rank its SIREN is made of, `nic` the site's.
    """

    genre: Ints
    brand: Ints
    state: Ints
    commune: Ints
    address: Ints
    unit: Ints
    nic: Ints
    is_siege: np.ndarray
    categorie: np.ndarray
    tranche: np.ndarray
    people: Ints
    is_hidden: np.ndarray
    nom: pa.Array
    enseigne: pa.Array
    denomination: pa.Array
    sigle: pa.Array
    mots: Mots

    def __len__(self) -> int:
        return len(self.genre)


def genres() -> tuple[dict[str, str], ...]:
    """Kinds of establishment: the demo's, then one for each kind of brand that is none of them."""
    known = rows("genres")
    names = {r["genre"] for r in known}
    extra = {b["genre"]: b for b in brands() if b["genre"] not in names}
    return (*known, *({**b, "part": "0", "forme": "soc", "nom": ""} for b in extra.values()))


@dataclass
class _Kinds:
    """What is decided of each establishment before it is named."""

    genre: Ints
    brand: Ints
    commune: Ints
    state: Ints


def drawn(plan: Plan, share: Share, places: Places) -> Register:
    """All establishments: public services, brands, then everything else by its weight."""
    random = np.random.default_rng([plan.seed, 4, share.number])
    houses = np.bincount(places.commune, minlength=len(places.communes))
    brand_first, brand_count = brand_sites(plan, share)
    kinds = _kinds(random, share, houses, brand_count)
    n = len(kinds.genre)
    table = genres()
    towns = [normalise(_city(c)) for c in places.communes["libelle"]]
    mots = naming.draw_mots(random, towns, kinds.commune)
    pattern, form = _forms(random, table, kinds)
    nom = _names(random, kinds, pattern, mots)
    denomination, categorie, enseigne = _legal(random, form, nom, mots)
    own = _public_names(kinds, table, denomination, enseigne, nom, categorie, places)
    denomination, enseigne, categorie, owner = own
    size_kinds = sorted({r["taille"] for r in table})
    kind = np.array([size_kinds.index(r["taille"]) for r in table])[kinds.genre]
    tranche, people = naming.sized(random, size_kinds, kind)
    unit, nic, denomination = _units(random, share, kinds, owner, denomination)
    chain = np.flatnonzero(owner >= len(places.communes) + len(_OWNED))
    # a chain is one unit of the whole country
    unit[chain] = kinds.brand[chain]
    nic[chain] += brand_first[kinds.brand[chain]]
    siege = nic == 1
    hidden = (categorie == "1000") & (random.random(n) < _UNDISCLOSED)
    return Register(
        kinds.genre, kinds.brand, kinds.state, kinds.commune,
        _addresses(random, places, kinds.commune), unit, nic, siege, categorie, tranche, people,
        hidden, nom, enseigne, denomination, _sigles(random, form, denomination), mots,
    )  # fmt: skip


def _city(libelle: str) -> str:
    """``Paris`` for its arrondissements."""
    words = libelle.split(" ")
    return words[0] if words[-1] == "Arrondissement" else libelle


def _kinds(random: np.random.Generator, share: Share, houses: Ints, brand_count: Ints) -> _Kinds:
    table = genres()
    index = {r["genre"]: i for i, r in enumerate(table)}
    public_genre, public_commune = _public(index, houses)
    branded = _branded(random, brand_count, houses)
    unregistered = max(200, round(share.active * 0.03))
    left = max(0, share.active - len(public_genre) - len(branded[0]))
    more = left + share.closed + unregistered
    weight = np.array([int(r["part"]) for r in table], float)
    genre = random.choice(len(table), more, p=weight / weight.sum())
    # firms go where many people live
    pull = houses * (1.0 + np.minimum(houses, 60_000) / 15_000)
    commune = random.choice(len(houses), more, p=pull / pull.sum())
    brand_genre = np.array([index[b["genre"]] for b in brands()], dtype=np.int64)
    state = np.repeat(
        [ACTIVE, ACTIVE, ACTIVE, CLOSED, UNREGISTERED],
        [len(public_genre), len(branded[0]), left, share.closed, unregistered],
    )
    return _Kinds(
        np.concatenate([public_genre, brand_genre[branded[0]], genre]),
        np.concatenate([np.full(len(public_genre), -1), branded[0], np.full(more, -1)]),
        np.concatenate([public_commune, branded[1], commune]).astype(np.int64),
        state,
    )


def _public(index: Mapping[str, int], houses: Ints) -> tuple[Ints, Ints]:
    genre, commune = [], []
    for name, (least, each) in _PUBLIC.items():
        count = np.where(houses >= least, 1 + (houses - least) // each, 0)
        commune.append(np.repeat(np.arange(len(houses)), count))
        genre.append(np.full(int(count.sum()), index[name]))
    return np.concatenate(genre), np.concatenate(commune)


def brand_sites(plan: Plan, share: Share) -> tuple[Ints, Ints]:
    """Sites of each brand in the départements before this one, and in this one."""
    random = np.random.default_rng([plan.seed, 8])
    sites = np.array([int(b["sites"]) for b in brands()])
    active = np.array([s.active for s in plan.shares])
    count = random.poisson(sites[None, :] * active[:, None] / ALL_ACTIVE)
    number = [s.number for s in plan.shares].index(share.number)
    return count[:number].sum(axis=0), count[number]


def _branded(random: np.random.Generator, count: Ints, houses: Ints) -> tuple[Ints, Ints]:
    """The brand and the commune of each of its sites here."""
    brand = np.repeat(np.arange(len(count)), count)
    pull = houses.astype(float) ** 1.2
    return brand, random.choice(len(houses), len(brand), p=pull / pull.sum())


def _forms(random: np.random.Generator, table, kinds: _Kinds) -> tuple[Ints, np.ndarray]:
    """Which of its patterns names each establishment, and its legal form."""
    n = len(kinds.genre)
    pattern, form = np.zeros(n, np.int64), np.full(n, "soc", dtype=object)
    for i, at in enumerate(by_group(kinds.genre, len(table))):
        pattern[at] = random.integers(0, len(table[i]["nom"].split("|")), len(at))
        forms = table[i]["forme"].split("|")
        picked = np.array(forms, dtype=object)[random.integers(0, len(forms), len(at))]
        if "ei" in forms:
            picked = np.where(random.random(len(at)) < _SOLE_TRADERS, "ei", picked)
        form[at] = picked
    form[kinds.brand >= 0] = "soc"
    return pattern, form


def _names(random: np.random.Generator, kinds: _Kinds, pattern: Ints, mots: Mots) -> pa.Array:
    """What people call each: its pattern filled, or the brand."""
    table, parts = genres(), []
    is_branded = kinds.brand >= 0
    for i, at in enumerate(by_group(np.where(is_branded, -1, kinds.genre) + 1, len(table) + 1)[1:]):
        patterns = table[i]["nom"].split("|")
        for k, rows_ in enumerate(by_group(pattern[at], len(patterns))):
            if patterns[k] and len(rows_):
                text = filled(patterns[k], mots, at[rows_])
                if int(table[i]["part"]):
                    text = naming.told_apart(random, patterns[k], text, mots, at[rows_])
                parts.append((at[rows_], text))
    at = np.flatnonzero(is_branded)
    signs = pa.array([b["enseigne"] for b in brands()])
    parts.append((at, signs.take(pa.array(kinds.brand[at]))))
    return scattered(parts, len(kinds.genre))


def _legal(
    random: np.random.Generator, form: np.ndarray, nom: pa.Array, mots: Mots
) -> tuple[pa.Array, np.ndarray, pa.Array]:
    """Legal name, category and sign of each; a sole trader has no legal name of this kind."""
    n = len(form)
    parts, shown = [], np.zeros(n, bool)
    categorie = np.full(n, "7389", dtype=object)
    for name, options in naming.LEGAL.items():
        at = np.flatnonzero(form == name)
        share = np.array([o[0] for o in options])
        choice = random.choice(len(options), len(at), p=share / share.sum())
        companies = np.array(["5499", "5498", "5710"], dtype=object)
        known = "1000" if name == "ei" else CATEGORIES[name]
        categorie[at] = companies[random.integers(0, 3, len(at))] if name == "soc" else known
        for k, (_, pattern, sign) in enumerate(options):
            rows_ = at[choice == k]
            shown[rows_] = random.random(len(rows_)) < sign
            if pattern and len(rows_):
                parts.append((rows_, filled(pattern, mots, rows_, nom=nom.take(pa.array(rows_)))))
    return scattered(parts, n), categorie, pc.if_else(pa.array(shown), nom, "")


def _public_names(kinds, table, denomination, enseigne, nom, categorie, places: Places):
    """Communes own their services, the state its own; `owner` numbers the shared units.

    Owners: the communes of the département by position, then those of :data:`_OWNED`, then the
    brands that are one unit; -1 for an establishment with a unit to itself.
    """
    n_communes = len(places.communes)
    genre = np.array([r["genre"] for r in table], dtype=object)[kinds.genre]
    of_commune = np.array([r["forme"] == "commune" for r in table])[kinds.genre]
    is_branded = kinds.brand >= 0
    of_commune &= ~is_branded
    city = places.communes["parent"].where(places.communes["parent"] != "", places.communes["code"])
    head = city.map({c: i for i, c in reversed(list(enumerate(city)))}).to_numpy()
    owner = np.full(len(genre), -1, np.int64)
    owner[of_commune] = head[kinds.commune[of_commune]]
    towns = pa.array([f"COMMUNE DE {normalise(_city(c))}" for c in places.communes["libelle"]])
    legal = [(np.flatnonzero(of_commune),
              naming.elided(towns.take(pa.array(kinds.commune[of_commune]))))]  # fmt: skip
    names = sorted(set(_OWNED.values()))
    for name, unit in _OWNED.items():
        at = np.flatnonzero((genre == name) & ~is_branded)
        owner[at] = n_communes + names.index(unit)
        legal.append((at, pa.array([f"{unit} {places.departement}"] * len(at), pa.string())))
    chain = np.array([b["mode"] == "chaine" for b in brands()])
    at = np.flatnonzero(is_branded)
    at = at[chain[kinds.brand[at]]]
    owner[at] = n_communes + len(_OWNED) + kinds.brand[at]
    signs = pa.array([b["denomination"] for b in brands()])
    legal.append((at, signs.take(pa.array(kinds.brand[at]))))
    known = np.concatenate([a for a, _ in legal])
    is_known = np.zeros(len(genre), bool)
    is_known[known] = True
    categorie = np.where(of_commune, "7210", np.where(is_known & ~is_branded, "7172", categorie))
    denomination = pc.if_else(pa.array(is_known), scattered(legal, len(genre)), denomination)
    # in the school and the town hall the name on the door is the register's sign
    enseigne = pc.if_else(pa.array(is_known & ~is_branded), nom, enseigne)
    return denomination, enseigne, categorie, owner


def _units(random: np.random.Generator, share: Share, kinds: _Kinds, owner: Ints, legal: pa.Array):
    """Unit rank and site rank; an extra site takes the legal name of its unit."""
    n = len(owner)
    ordinary = np.flatnonzero((owner < 0) & (kinds.brand < 0))
    extra = ordinary[random.random(len(ordinary)) < _SECOND_SITES]
    is_own = (owner < 0).copy()
    is_own[extra] = False
    rank = np.cumsum(is_own) - 1
    of = np.where(is_own, rank, -1)
    # the nearest unit of its own before it
    last = np.maximum.accumulate(np.where(is_own, np.arange(n), -1))
    extra = extra[last[extra] >= 0]
    of[extra] = rank[last[extra]]
    source = np.arange(n)
    source[extra] = last[extra]
    shared = owner >= 0
    distinct, code = np.unique(owner[shared], return_inverse=True)
    of[shared] = int(is_own.sum()) + code
    of[of < 0] = int(is_own.sum()) + len(distinct)
    order = np.argsort(of, kind="stable")
    first = np.searchsorted(of[order], of[order])
    nic = np.empty(n, np.int64)
    nic[order] = np.arange(n) - first + 1
    return share.first_unit + of, nic, legal.take(pa.array(source))


def _addresses(random: np.random.Generator, places: Places, commune: Ints) -> Ints:
    """An address for each, in its commune; some addresses hold dozens."""
    first, last = places.first[commune], places.first[commune + 1]
    width = last - first
    at = first + (random.random(len(commune)) * width).astype(np.int64)
    held = random.random(len(commune)) < _MAILBOXES
    boxes = np.maximum(1, width // (_PER_MAILBOX * 4))
    box = (random.random(len(commune)) ** 2 * boxes).astype(np.int64)
    return np.where(held, first + (box * 7919) % width, at)


def _sigles(random: np.random.Generator, form: np.ndarray, denomination: pa.Array) -> pa.Array:
    at = np.flatnonzero(np.isin(form, ["asso", "public"]))
    at = at[random.random(len(at)) < 0.3]
    texts = denomination.take(pa.array(at)).to_pylist()
    return scattered([(at, pa.array([naming.initials(t) for t in texts], pa.string()))], len(form))
